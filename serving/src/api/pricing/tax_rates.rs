//! `GET /api/v1/tax-rates` and `PUT /api/v1/tax-rates`.

use axum::extract::State;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::tax::{ANY_COUNTRY, TaxCountry, TaxRate, TaxTable};
use crate::api::extract::Json;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;
use crate::shop::databases::begin;

/// All taxes, by country.
#[utoipa::path(get, path = "/api/v1/tax-rates", tag = "pricing", responses((status = 200, body = TaxTable),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn get_tax_rates(State(app): State<App>) -> Result<axum::Json<TaxTable>> {
    Ok(axum::Json(load(&app.databases.pricing, None).await?))
}

/// Replaces the whole table: what is left out is gone.
#[utoipa::path(put, path = "/api/v1/tax-rates", tag = "pricing", request_body = TaxTable, responses((status = 200, body = TaxTable),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 413, body = ProblemBody),
    (status = 415, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put_tax_rates(State(app): State<App>, Json(table): Json<TaxTable>) -> Result<axum::Json<TaxTable>> {
    table.check()?;
    let mut transaction = begin(&app.databases.pricing).await?;
    // Two that replace it at once come one after the other; readers go on with what was there.
    sqlx::query("LOCK TABLE tax_countries IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
    sqlx::query("DELETE FROM tax_countries").execute(&mut *transaction).await?;
    let names: Vec<&str> = table.countries.iter().map(|country| country.country.trim()).collect();
    let include_tax: Vec<bool> = table.countries.iter().map(|country| country.prices_include_tax).collect();
    sqlx::query("INSERT INTO tax_countries (country, prices_include_tax) SELECT * FROM unnest($1::text[], $2::boolean[])")
        .bind(names)
        .bind(include_tax)
        .execute(&mut *transaction)
        .await?;
    let rates: Vec<(&str, &TaxRate)> =
        table.countries.iter().flat_map(|country| country.rates.iter().map(|rate| (country.country.trim(), rate))).collect();
    sqlx::query(
        "INSERT INTO tax_rates (country, state_province, category_id, basis_points)
         SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::integer[])",
    )
    .bind(rates.iter().map(|(country, _)| *country).collect::<Vec<_>>())
    .bind(rates.iter().map(|(_, rate)| rate.state_province.as_deref().map(str::trim)).collect::<Vec<_>>())
    .bind(rates.iter().map(|(_, rate)| rate.category_id).collect::<Vec<_>>())
    .bind(rates.iter().map(|(_, rate)| rate.basis_points).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(axum::Json(load(&app.databases.pricing, None).await?))
}

/// Country, whether its prices have the tax in them, and a rate of it, if there is one: state, category, basis points.
type Row = (String, bool, Option<String>, Option<Uuid>, Option<i32>);

/// The taxes of one country and of [`ANY_COUNTRY`], or all.
pub(super) async fn load(executor: impl PgExecutor<'_>, country: Option<&str>) -> Result<TaxTable> {
    // One statement, so that it sees one table and not a half of two.
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT country, prices_include_tax, state_province, category_id, basis_points FROM tax_countries LEFT JOIN tax_rates USING (country)
         WHERE $1::text IS NULL OR country = $2 OR lower(country) = lower(btrim($1))
         ORDER BY country, state_province NULLS FIRST, category_id NULLS FIRST",
    )
    .bind(country)
    .bind(ANY_COUNTRY)
    .fetch_all(executor)
    .await?;
    let mut countries: Vec<TaxCountry> = Vec::new();
    for (country, prices_include_tax, state_province, category_id, basis_points) in rows {
        if countries.last().is_none_or(|last| last.country != country) {
            countries.push(TaxCountry { country, prices_include_tax, rates: Vec::new() });
        }
        // Without, the country has no rate at all.
        if let (Some(last), Some(basis_points)) = (countries.last_mut(), basis_points) {
            last.rates.push(TaxRate { state_province, category_id, basis_points });
        }
    }
    Ok(TaxTable { countries })
}
