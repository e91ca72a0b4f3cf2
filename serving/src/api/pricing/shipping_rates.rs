//! `GET /api/v1/shipping-rates` and `PUT /api/v1/shipping-rates`.

use axum::extract::State;
use sqlx::PgExecutor;

use super::shipping::ShippingTable;
use super::tax::ANY_COUNTRY;
use crate::api::extract::Json;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;
use crate::shop::databases::begin;

/// What shipping costs, by country.
#[utoipa::path(get, path = "/api/v1/shipping-rates", tag = "pricing", responses((status = 200, body = ShippingTable),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn get_shipping_rates(State(app): State<App>) -> Result<axum::Json<ShippingTable>> {
    Ok(axum::Json(load(&app.databases.pricing, None).await?))
}

/// Replaces the whole table: what is left out is gone.
#[utoipa::path(put, path = "/api/v1/shipping-rates", tag = "pricing", request_body = ShippingTable,
    responses((status = 200, body = ShippingTable), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put_shipping_rates(State(app): State<App>, Json(table): Json<ShippingTable>) -> Result<axum::Json<ShippingTable>> {
    table.check()?;
    let mut transaction = begin(&app.databases.pricing).await?;
    // Two that replace it at once come one after the other; readers go on with what was there.
    sqlx::query("LOCK TABLE shipping_rates IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
    sqlx::query("DELETE FROM shipping_rates").execute(&mut *transaction).await?;
    let rates = &table.rates;
    sqlx::query(
        "INSERT INTO shipping_rates (country, method, currency, from_subtotal_cents, price_cents)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])",
    )
    .bind(rates.iter().map(|rate| rate.country.trim()).collect::<Vec<_>>())
    .bind(rates.iter().map(|rate| rate.method.name()).collect::<Vec<_>>())
    .bind(rates.iter().map(|rate| rate.currency.as_str()).collect::<Vec<_>>())
    .bind(rates.iter().map(|rate| rate.from_subtotal_cents).collect::<Vec<_>>())
    .bind(rates.iter().map(|rate| rate.price_cents).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(axum::Json(load(&app.databases.pricing, None).await?))
}

/// The rates of one country and of [`ANY_COUNTRY`], or all.
pub(super) async fn load(executor: impl PgExecutor<'_>, country: Option<&str>) -> Result<ShippingTable> {
    let rates = sqlx::query_as(
        "SELECT country, method::text AS method, currency, from_subtotal_cents, price_cents FROM shipping_rates
         WHERE $1::text IS NULL OR country = $2 OR lower(country) = lower(btrim($1))
         ORDER BY country, method, currency, from_subtotal_cents",
    );
    Ok(ShippingTable { rates: rates.bind(country).bind(ANY_COUNTRY).fetch_all(executor).await? })
}
