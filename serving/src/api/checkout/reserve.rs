//! The first step: units are held, and the purchase is written down, in one transaction.

use std::collections::BTreeMap;

use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::request::Details;
use super::saga::{self, Checkout};
use crate::api::orders::contention::{Failure, retried};
use crate::api::orders::idempotency::Key;
use crate::api::orders::stock::{allocate, out_of_stock};
use crate::api::problem::Result;
use crate::api::state::App;
use crate::shop::databases::begin;

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

/// A purchase that there is once its transaction is committed.
pub struct Begun {
    transaction: Transaction<'static, Postgres>,
    checkout: Checkout,
}

impl Begun {
    /// Writes it down and goes on with it; to be spawned: nobody else goes on with what was written down by who has claimed it.
    pub async fn go_on(self, app: App) -> Result<Option<Checkout>> {
        self.transaction.commit().await?;
        saga::go_on(app, self.checkout).await
    }
}

/// The purchase, claimed for who goes on with it; `None`: another request with the same key was quicker.
pub async fn reserve(app: &App, new: &New<'_>) -> Result<Option<Begun>> {
    let units: BTreeMap<String, i64> = new.details.quote.lines.iter().map(|line| (line.sku.clone(), line.quantity)).collect();
    retried(|| attempt(app, new, &units)).await
}

async fn attempt(app: &App, new: &New<'_>, units: &BTreeMap<String, i64>) -> Result<Option<Begun>, Failure> {
    let mut transaction = begin(&app.databases.orders).await?;
    let Some(checkout) = saga::begin(&mut transaction, new).await? else { return Ok(None) };
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
    Ok(Some(Begun { transaction, checkout }))
}
