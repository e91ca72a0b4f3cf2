//! `/api/v1/promotions/{id}/coupons`: codes that bring a promotion.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::promotions;
use crate::api::auth::secrets;
use crate::api::extract::{Body, Faults, Json, Path, Query};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

/// Of one promotion.
const MAX_COUPONS: i64 = 100_000;
const MAX_CODES: usize = 100;
const MAX_MADE_AT_ONCE: usize = 1_000;
const MAX_REDEMPTIONS: i64 = 1_000_000_000;

/// Crockford's base 32: no I, L, O, U, so that a code can be read out.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Either `codes` or `count`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCoupons {
    /// Words of one's own: letters, digits and `-`, 3 to 40 of them, in any case.
    #[schema(min_items = 1, max_items = 100)]
    pub codes: Option<Vec<String>>,
    /// So many that nobody can guess.
    #[schema(minimum = 1, maximum = 1000)]
    pub count: Option<usize>,
    /// Orders that may use each of them; as many as the promotion allows if not given.
    #[schema(minimum = 1)]
    pub max_redemptions: Option<i64>,
}

impl Body for NewCoupons {
    const MAX_BYTES: usize = 16 * 1024;
}

#[derive(Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Coupon {
    #[schema(example = "7K3M-9QPT-X0BD-44ZN")]
    pub code: String,
    pub max_redemptions: Option<i64>,
    pub used_count: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Coupons {
    /// By code.
    pub coupons: Vec<Coupon>,
    /// For `after`; `null`: there are no more.
    pub next: Option<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CouponQuery {
    /// The `next` of the page before.
    #[param(max_length = 40)]
    after: Option<String>,
    /// At most 100; 50 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// How codes are kept and compared: in capitals, and without the blanks around them; each once, in the order given.
pub fn each_once(codes: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    codes.iter().map(|code| code.trim().to_ascii_uppercase()).filter(|code| seen.insert(code.clone())).collect()
}

/// Whether there can be a coupon of this code, which is in capitals.
pub fn is_code(code: &str) -> bool {
    (3..=40).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The coupons of a promotion, a page at a time.
#[utoipa::path(get, path = "/api/v1/promotions/{id}/coupons", tag = "pricing", params(("id" = Uuid, Path), CouponQuery),
    responses((status = 200, body = Coupons), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403,
        body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn list_coupons(
    State(app): State<App>,
    Path(promotion_id): Path<Uuid>,
    Query(query): Query<CouponQuery>,
) -> Result<axum::Json<Coupons>> {
    let limit = limit(query.limit, 50, 100)?;
    if query.after.as_ref().is_some_and(|code| !is_code(code)) {
        return Err(Problem::new(&kinds::BAD_PARAMETER, "`after` is not the `next` of a page."));
    }
    let pool = &app.databases.pricing;
    let is_there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM promotions WHERE id = $1)").bind(promotion_id).fetch_one(pool).await?;
    if !is_there {
        return Err(promotions::not_found(promotion_id));
    }
    let listed = sqlx::query_as(
        "SELECT code, max_redemptions, used_count, created_at FROM coupons
         WHERE promotion_id = $1 AND ($2::text IS NULL OR code > $2) ORDER BY code LIMIT $3",
    );
    let mut coupons: Vec<Coupon> = listed.bind(promotion_id).bind(query.after).bind(limit as i64 + 1).fetch_all(pool).await?;
    let has_more = coupons.len() > limit;
    coupons.truncate(limit);
    let next = coupons.last().filter(|_| has_more).map(|coupon| coupon.code.clone());
    Ok(axum::Json(Coupons { coupons, next }))
}

/// Makes coupons for a promotion that needs one: of given codes, or so many that nobody can guess. All of them or none.
#[utoipa::path(post, path = "/api/v1/promotions/{id}/coupons", tag = "pricing", params(("id" = Uuid, Path)), request_body = NewCoupons,
    responses((status = 201, body = Coupons), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404,
        body = ProblemBody), (status = 409, description = "a code is taken, or the promotion takes none", body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_coupons(State(app): State<App>, Path(promotion_id): Path<Uuid>, Json(wanted): Json<NewCoupons>) -> Result<Response> {
    let codes = wanted.check()?;
    let mut transaction = begin(&app.databases.pricing).await?;
    if !promotions::lock(&mut transaction, promotion_id).await?.terms.needs_coupon {
        return Err(Problem::new(&kinds::PROMOTION_AUTOMATIC, format!("The promotion {promotion_id} applies without a coupon.")));
    }
    let coupons = insert(&mut transaction, promotion_id, &codes, wanted.max_redemptions).await?;
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM coupons WHERE promotion_id = $1").bind(promotion_id).fetch_one(&mut *transaction).await?;
    if count > MAX_COUPONS {
        return Err(Problem::new(
            &kinds::TOO_MANY_COUPONS,
            format!("A promotion has at most {MAX_COUPONS} coupons; this would make it {count}."),
        ));
    }
    transaction.commit().await?;
    Ok((StatusCode::CREATED, axum::Json(Coupons { coupons, next: None })).into_response())
}

async fn insert(connection: &mut PgConnection, promotion_id: Uuid, codes: &[String], max_redemptions: Option<i64>) -> Result<Vec<Coupon>> {
    // In their order, so that two that make the same codes do not wait for each other in a circle.
    let coupons: Vec<Coupon> = sqlx::query_as(
        "INSERT INTO coupons (code, promotion_id, max_redemptions) SELECT code, $2, $3 FROM unnest($1::text[]) AS new(code) ORDER BY code
         ON CONFLICT (code) DO NOTHING RETURNING code, max_redemptions, used_count, created_at",
    )
    .bind(codes)
    .bind(promotion_id)
    .bind(max_redemptions)
    .fetch_all(connection)
    .await?;
    if coupons.len() != codes.len() {
        let made: BTreeSet<&str> = coupons.iter().map(|coupon| coupon.code.as_str()).collect();
        let taken: Vec<&String> = codes.iter().filter(|code| !made.contains(code.as_str())).collect();
        return Err(Problem::new(&kinds::COUPON_TAKEN, format!("{} of these codes are taken.", taken.len())).with("codes", taken));
    }
    Ok(coupons)
}

impl NewCoupons {
    /// The codes to make.
    fn check(&self) -> Result<Vec<String>> {
        let mut faults = Faults::default();
        let is_limit = self.max_redemptions.is_none_or(|limit| (1..=MAX_REDEMPTIONS).contains(&limit));
        faults.unless(is_limit, "max_redemptions", "a limit is 1 to a thousand million");
        let codes = match (&self.codes, self.count) {
            (Some(codes), None) => {
                faults.unless((1..=MAX_CODES).contains(&codes.len()), "codes", "name 1 to 100 codes");
                let codes = each_once(codes);
                for code in codes.iter().take(MAX_CODES).filter(|code| !is_code(code)) {
                    faults.add("codes", format!("`{}` is not 3 to 40 letters, digits and `-`", code.escape_debug()));
                }
                codes
            }
            (None, Some(count)) => {
                faults.unless((1..=MAX_MADE_AT_ONCE).contains(&count), "count", "1 to 1000 coupons are made at once");
                (0..count.min(MAX_MADE_AT_ONCE)).map(|_| unguessable()).collect::<Result<_>>()?
            }
            _ => {
                faults.add("count", "give either `codes` or `count`");
                Vec::new()
            }
        };
        faults.check()?;
        Ok(codes)
    }
}

/// 80 random bits.
fn unguessable() -> Result<String> {
    let mut code = String::with_capacity(19);
    for (i, byte) in secrets::random::<16>()?.into_iter().enumerate() {
        if i > 0 && i % 4 == 0 {
            code.push('-');
        }
        // Five bits of each: all 32 digits are equally likely.
        code.push(char::from(DIGITS[usize::from(byte & 31)]));
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_codes_are_codes_and_differ() {
        let codes: BTreeSet<String> = (0..100).map(|_| unguessable().expect("random bytes")).collect();
        assert_eq!(codes.len(), 100);
        assert!(codes.iter().all(|code| is_code(code) && code.len() == 19), "{codes:?}");
    }

    #[test]
    fn codes_are_compared_in_capitals_and_without_blanks() {
        let codes = [" summer-24", "SUMMER-24 ", "x"].map(str::to_owned);
        assert_eq!(each_once(&codes), ["SUMMER-24", "X"]);
        assert!(is_code("SUMMER-24") && !is_code("X") && !is_code("summer") && !is_code("ÉTÉ") && !is_code("A\0B"));
    }
}
