//! Which promotions a basket could have: the automatic ones that are on, and those of its coupons.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};

use super::basket::Basket;
use super::coupons;
use super::engine::Candidate;
use super::promotion::{COLUMNS, Promotion};
use super::quote::Reason;
use crate::api::problem::Result;

impl FromRow<'_, PgRow> for Candidate {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let obstacle = if row.try_get("is_used_up")? {
            Some(Reason::UsedUp)
        } else if row.try_get("needs_customer")? {
            Some(Reason::SignInNeeded)
        } else if row.try_get("is_used_up_by_customer")? {
            Some(Reason::UsedByYou)
        } else {
            None
        };
        Ok(Self { promotion: Promotion::from_row(row)?, coupon: row.try_get("coupon")?, obstacle })
    }
}

/// Each with what its limits say to the basket's customer now. [`super::redeem`] asks again, and counts.
pub async fn load(connection: &mut PgConnection, basket: &Basket, now: DateTime<Utc>) -> Result<Vec<Candidate>> {
    let codes: Vec<&str> = basket.coupons.iter().map(String::as_str).filter(|code| coupons::is_code(code)).collect();
    let statement = sqlx::AssertSqlSafe(format!(
        "WITH candidate AS (
             SELECT id AS promotion_id, NULL AS coupon, false AS is_coupon_used_up FROM promotions
             WHERE is_active AND NOT needs_coupon AND coalesce(starts_at <= $3, true) AND coalesce(ends_at > $3, true)
             UNION ALL
             SELECT promotion_id, code, coalesce(coupons.used_count >= coupons.max_redemptions, false)
             FROM coupons JOIN promotions ON promotions.id = promotion_id WHERE code = ANY($1) AND needs_coupon)
         SELECT {COLUMNS}, coupon, is_coupon_used_up OR coalesce(used_count >= max_redemptions, false) AS is_used_up,
             max_per_customer IS NOT NULL AND $2::uuid IS NULL AS needs_customer,
             CASE WHEN max_per_customer IS NULL OR $2::uuid IS NULL THEN false
                 ELSE (SELECT count(*) FROM redeemed_promotions AS used WHERE used.promotion_id = promotions.id AND used.user_id = $2)
                     >= max_per_customer END AS is_used_up_by_customer
         FROM candidate JOIN promotions ON promotions.id = candidate.promotion_id
         ORDER BY array_position($1, coupon)"
    ));
    Ok(sqlx::query_as(statement).bind(codes).bind(basket.user_id).bind(now).fetch_all(connection).await?)
}
