//! The first step: units are held, and the purchase is written down, in one transaction.

use std::collections::BTreeMap;

use sqlx::types::Json;
use uuid::Uuid;

use super::request::Details;
use crate::api::orders::contention::{Failure, retried};
use crate::api::orders::idempotency::Key;
use crate::api::orders::stock::{allocate, out_of_stock};
use crate::api::problem::Result;
use crate::api::state::App;

/// How long units are held for a purchase that is not paid.
pub const HELD_FOR: &str = "15 minutes";

/// A purchase to begin.
pub struct New<'a> {
    pub id: Uuid,
    /// Whose key it is.
    pub scope: &'a [u8],
    pub key: &'a Key,
    pub request_hash: [u8; 32],
    pub user_id: Option<Uuid>,
    pub cart_id: Uuid,
    pub details: &'a Details,
    pub payment_token: &'a str,
}

/// Whether it was begun; `false`: another request with the same key was quicker.
pub async fn reserve(app: &App, new: &New<'_>) -> Result<bool> {
    let units: BTreeMap<String, i64> = new.details.quote.lines.iter().map(|line| (line.sku.clone(), line.quantity)).collect();
    retried(|| attempt(app, new, &units)).await
}

async fn attempt(app: &App, new: &New<'_>, units: &BTreeMap<String, i64>) -> Result<bool, Failure> {
    let mut transaction = app.databases.orders.begin().await?;
    sqlx::query("SET LOCAL lock_timeout = '5s'").execute(&mut *transaction).await?;
    let inserted = sqlx::query(
        "INSERT INTO checkouts (id, scope, idempotency_key, request_hash, user_id, cart_id, details, payment_token, total_cents, currency,
             state, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'reserved', now() + $11::interval)
         ON CONFLICT (scope, idempotency_key) DO NOTHING",
    )
    .bind(new.id)
    .bind(new.scope)
    .bind(new.key.as_str())
    .bind(new.request_hash.as_slice())
    .bind(new.user_id)
    .bind(new.cart_id)
    .bind(Json(new.details))
    .bind(new.payment_token)
    .bind(new.details.quote.total_cents)
    .bind(&new.details.quote.currency)
    .bind(HELD_FOR)
    .execute(&mut *transaction)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    let shortages = allocate(&mut transaction, units).await?;
    if !shortages.is_empty() {
        // Before the answer: the units are free again when the shopper hears of it.
        transaction.rollback().await.ok();
        return Err(Failure::Final(out_of_stock(&shortages)));
    }
    sqlx::query("INSERT INTO reservations (checkout_id, sku, quantity) SELECT $1, * FROM unnest($2::text[], $3::bigint[])")
        .bind(new.id)
        .bind(units.keys().map(String::as_str).collect::<Vec<_>>())
        .bind(units.values().copied().collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}
