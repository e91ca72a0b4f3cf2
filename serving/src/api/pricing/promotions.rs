//! `/api/v1/promotions`.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::promotion::{COLUMNS, Promotion, Terms, save};
use crate::api::extract::{Json, Path, Query, invalid};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

/// Every basket is held against each automatic promotion that is active.
const MAX_AUTOMATIC: i64 = 500;
/// Of the advisory lock under which they are counted.
const AUTOMATIC_LOCK: i64 = 0x7072_6f6d_6f74_696f;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PromotionQuery {
    is_active: Option<bool>,
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// At most 100; 50 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Promotions {
    /// In the order in which they were made.
    pub promotions: Vec<Promotion>,
    /// For `after`; `null`: there are no more.
    pub next: Option<Uuid>,
}

/// Promotions, a page at a time.
#[utoipa::path(get, path = "/api/v1/promotions", tag = "pricing", params(PromotionQuery), responses((status = 200, body = Promotions),
    (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn list_promotions(State(app): State<App>, Query(query): Query<PromotionQuery>) -> Result<axum::Json<Promotions>> {
    let limit = limit(query.limit, 50, 100)?;
    // Ids are in the order of time.
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM promotions WHERE ($1::boolean IS NULL OR is_active = $1) AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3"
    ));
    let mut promotions: Vec<Promotion> =
        sqlx::query_as(statement).bind(query.is_active).bind(query.after).bind(limit as i64 + 1).fetch_all(&app.databases.pricing).await?;
    let has_more = promotions.len() > limit;
    promotions.truncate(limit);
    let next = promotions.last().filter(|_| has_more).map(|promotion| promotion.id);
    Ok(axum::Json(Promotions { promotions, next }))
}

/// Makes a promotion. One that needs a coupon applies to nobody until it has coupons.
#[utoipa::path(post, path = "/api/v1/promotions", tag = "pricing", request_body = Terms, responses((status = 201, body = Promotion),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 409, description = "there are too many", body = ProblemBody),
    (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_promotion(State(app): State<App>, Json(terms): Json<Terms>) -> Result<Response> {
    terms.check()?;
    let mut transaction = begin(&app.databases.pricing).await?;
    let made = save(&mut transaction, Uuid::now_v7(), &terms).await?;
    check_automatic(&mut transaction, &made).await?;
    transaction.commit().await?;
    let location = HeaderValue::try_from(format!("/api/v1/promotions/{}", made.id)).map_err(Problem::internal)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(made)).into_response())
}

/// One promotion.
#[utoipa::path(get, path = "/api/v1/promotions/{id}", tag = "pricing", params(("id" = Uuid, Path)), responses((status = 200, body = Promotion),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get_promotion(State(app): State<App>, Path(id): Path<Uuid>) -> Result<axum::Json<Promotion>> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM promotions WHERE id = $1"));
    let found: Option<Promotion> = sqlx::query_as(statement).bind(id).fetch_optional(&app.databases.pricing).await?;
    found.map(axum::Json).ok_or_else(|| not_found(id))
}

/// Replaces the terms of a promotion, for baskets that are priced from now on. Its coupons and what was counted stay.
#[utoipa::path(put, path = "/api/v1/promotions/{id}", tag = "pricing", params(("id" = Uuid, Path)), request_body = Terms,
    responses((status = 200, body = Promotion), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404,
        body = ProblemBody), (status = 409, description = "there are too many", body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 415, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put_promotion(State(app): State<App>, Path(id): Path<Uuid>, Json(terms): Json<Terms>) -> Result<axum::Json<Promotion>> {
    terms.check()?;
    let mut transaction = begin(&app.databases.pricing).await?;
    let used_count = lock(&mut transaction, id).await?.used_count;
    if terms.max_redemptions.is_some_and(|max| max < used_count) {
        return Err(invalid("max_redemptions", format!("it was used {used_count} times already; to end it, switch it off")));
    }
    let saved = save(&mut transaction, id, &terms).await?;
    check_automatic(&mut transaction, &saved).await?;
    transaction.commit().await?;
    Ok(axum::Json(saved))
}

/// Removes a promotion and its coupons. One that orders have used is switched off instead: they name it.
#[utoipa::path(delete, path = "/api/v1/promotions/{id}", tag = "pricing", params(("id" = Uuid, Path)),
    responses((status = 204, description = "it applies to nothing any more"), (status = 401, body = ProblemBody), (status = 403,
        body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn delete_promotion(State(app): State<App>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    let mut transaction = begin(&app.databases.pricing).await?;
    let statement = match lock(&mut transaction, id).await?.used_count {
        0 => "DELETE FROM promotions WHERE id = $1",
        _ => "UPDATE promotions SET is_active = false, updated_at = now() WHERE id = $1",
    };
    sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The promotion, which nobody redeems or changes until the transaction ends.
pub(super) async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<Promotion> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM promotions WHERE id = $1 FOR UPDATE"));
    let found: Option<Promotion> = sqlx::query_as(statement).bind(id).fetch_optional(connection).await?;
    found.ok_or_else(|| not_found(id))
}

pub(super) fn not_found(id: Uuid) -> Problem {
    Problem::new(&kinds::PROMOTION_NOT_FOUND, format!("There is no promotion {id}."))
}

/// Counts them one writer at a time, so that two together do not pass the bound.
async fn check_automatic(connection: &mut PgConnection, saved: &Promotion) -> Result<()> {
    if saved.terms.needs_coupon || !saved.terms.is_active {
        return Ok(());
    }
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(AUTOMATIC_LOCK).execute(&mut *connection).await?;
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM promotions WHERE is_active AND NOT needs_coupon").fetch_one(connection).await?;
    if count > MAX_AUTOMATIC {
        return Err(Problem::new(&kinds::TOO_MANY_PROMOTIONS, format!("{MAX_AUTOMATIC} promotions apply by themselves already.")));
    }
    Ok(())
}
