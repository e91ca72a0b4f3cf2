//! `POST /api/v1/inventory/receipts`: units that came in.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::booking::{self, Claim, StockBookingResponse};
use super::movement::{self, MAX_UNITS, NewMovement, Paper, RECEIPT};
use super::{sku, warehouses};
use crate::api::access::Caller;
use crate::api::extract::{Body, Faults, Json};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

const MAX_ITEMS: usize = 500;

/// A delivery.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReceipt {
    /// The code of the warehouse that it came to.
    #[schema(example = "MAIN")]
    pub warehouse: String,
    /// Its paper.
    #[schema(min_length = 1, max_length = 100, example = "DN-2041")]
    pub reference: String,
    /// Each SKU once.
    #[schema(min_items = 1, max_items = 500)]
    pub items: Vec<ReceiptItem>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptItem {
    #[schema(min_length = 1, max_length = 100, example = "85123A")]
    pub sku: String,
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: i32,
}

impl Body for NewReceipt {
    const MAX_BYTES: usize = 256 * 1024;
}

/// A checked delivery, its items in the order of their SKUs: so the order in which they were sent does not matter to its key.
#[derive(Serialize)]
struct Receipt {
    warehouse: String,
    reference: String,
    units: BTreeMap<String, i32>,
}

impl NewReceipt {
    fn check(self) -> Result<Receipt> {
        let mut faults = Faults::default();
        faults.text("reference", &self.reference, 100);
        if !(1..=MAX_ITEMS).contains(&self.items.len()) {
            faults.add("items", format!("a receipt has 1 to {MAX_ITEMS} items, this one has {}", self.items.len()));
        }
        let mut units = BTreeMap::new();
        for (i, item) in self.items.into_iter().enumerate().take(MAX_ITEMS) {
            faults.text(&format!("items[{i}].sku"), &item.sku, sku::MAX_LENGTH);
            if !(1..=MAX_UNITS).contains(&item.quantity) {
                faults.add(format!("items[{i}].quantity"), format!("a quantity goes from 1 to {MAX_UNITS}, not {}", item.quantity));
            }
            if units.insert(item.sku, item.quantity).is_some() {
                faults.add(format!("items[{i}].sku"), "this SKU has an item already");
            }
        }
        faults.check()?;
        Ok(Receipt { warehouse: self.warehouse, reference: self.reference.trim().to_owned(), units })
    }
}

/// Books a delivery, all of it or nothing.
#[utoipa::path(post, path = "/api/v1/inventory/receipts", tag = "inventory", request_body = NewReceipt,
    params(("idempotency-key" = String, Header, description = "new for every receipt, the same when that receipt is sent again")),
    responses((status = 201, description = "booked; with `idempotency-replayed: true` if it was booked before", body = StockBookingResponse),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, description = "no such warehouse", body = ProblemBody),
        (status = 409, description = "the warehouse is not active, or in flight", body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn create_receipt(
    State(app): State<App>,
    headers: HeaderMap,
    caller: Caller,
    Json(receipt): Json<NewReceipt>,
) -> Result<Response> {
    let receipt = receipt.check()?;
    let mut booking = match booking::begin(&app, &headers, &caller, "receipt", &receipt).await? {
        Claim::Ours(booking) => booking,
        Claim::Made(made) => return booking::replay(&app, made).await,
    };
    let warehouse = warehouses::find(booking.connection(), &receipt.warehouse).await?;
    warehouse.check_open()?;
    let skus: Vec<&str> = receipt.units.keys().map(String::as_str).collect();
    sku::check_known(&app, &skus).await?;
    let paper = Paper { reason: RECEIPT, reference: Some(&receipt.reference), booked_by: booking.booked_by };
    let items = receipt.units.iter();
    let new: Vec<NewMovement<'_>> =
        items.map(|(sku, quantity)| NewMovement { id: Uuid::now_v7(), warehouse: &warehouse, sku, quantity: *quantity }).collect();
    let movements = movement::insert(booking.connection(), &paper, &new).await?;
    booking.finish(&app, movements).await
}
