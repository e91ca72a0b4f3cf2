//! `POST /api/v1/inventory/adjustments`: units that were found, or are gone without having been sold.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::booking::{self, Claim, StockBookingResponse};
use super::movement::{self, MAX_UNITS, NewMovement, Paper};
use super::{levels, sku, warehouses, write_off};
use crate::api::access::Caller;
use crate::api::extract::{Body, Faults, Json};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// Why the books are adjusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentReason {
    Damaged,
    Expired,
    Lost,
    Stolen,
    ReturnedToSupplier,
    Found,
    /// The books were wrong; either way.
    Correction,
}

impl AdjustmentReason {
    pub fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Expired => "expired",
            Self::Lost => "lost",
            Self::Stolen => "stolen",
            Self::ReturnedToSupplier => "returned_to_supplier",
            Self::Found => "found",
            Self::Correction => "correction",
        }
    }

    /// Whether it can be the reason of so many units more, or less.
    fn is_of(self, quantity: i32) -> bool {
        match self {
            Self::Damaged | Self::Expired | Self::Lost | Self::Stolen | Self::ReturnedToSupplier => quantity < 0,
            Self::Found => quantity > 0,
            Self::Correction => true,
        }
    }
}

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdjustment {
    /// The code of the warehouse.
    #[schema(example = "MAIN")]
    pub warehouse: String,
    #[schema(min_length = 1, max_length = 100, example = "85123A")]
    pub sku: String,
    /// Negative: units that are gone. Not 0.
    #[schema(minimum = -1_000_000, maximum = 1_000_000, example = -2)]
    pub quantity: i32,
    pub reason: AdjustmentReason,
    /// The paper behind it.
    #[schema(min_length = 1, max_length = 100)]
    pub reference: Option<String>,
}

impl Body for NewAdjustment {
    const MAX_BYTES: usize = 4096;
}

impl NewAdjustment {
    fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.text("sku", &self.sku, sku::MAX_LENGTH);
        let is_quantity = self.quantity != 0 && (-MAX_UNITS..=MAX_UNITS).contains(&self.quantity);
        faults.unless(is_quantity, "quantity", "a quantity goes from -1000000 to 1000000, without 0");
        faults.unless(!is_quantity || self.reason.is_of(self.quantity), "reason", "this is no reason for a quantity of this sign");
        if let Some(reference) = &self.reference {
            faults.text("reference", reference, 100);
        }
        faults.check()
    }
}

/// Books units that were found, or writes off units that are gone. Units that are promised to orders are never written off.
#[utoipa::path(post, path = "/api/v1/inventory/adjustments", tag = "inventory", request_body = NewAdjustment,
    params(("idempotency-key" = String, Header, description = "new for every adjustment, the same when that one is sent again")),
    responses((status = 201, description = "booked; with `idempotency-replayed: true` if it was booked before", body = StockBookingResponse),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, description = "no such warehouse", body = ProblemBody),
        (status = 409, description = "the units are promised or not there, the warehouse is not active, or in flight", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn create_adjustment(
    State(app): State<App>,
    headers: HeaderMap,
    caller: Caller,
    Json(wanted): Json<NewAdjustment>,
) -> Result<Response> {
    wanted.check()?;
    let mut booking = match booking::begin(&app, &headers, &caller, "adjustment", &wanted).await? {
        Claim::Ours(booking) => booking,
        Claim::Made(made) => return booking::replay(&app, made).await,
    };
    let warehouse = warehouses::find(booking.connection(), &wanted.warehouse).await?;
    let id = if wanted.quantity > 0 {
        warehouse.check_open()?;
        sku::check_known(&app, &[&wanted.sku]).await?;
        Uuid::now_v7()
    } else {
        let [held] = levels::lock(booking.connection(), &wanted.sku, [&warehouse]).await?;
        let units = -i64::from(wanted.quantity);
        write_off::withdraw(&app, booking.connection(), &warehouse, &wanted.sku, held, units).await?
    };
    let paper = Paper { reason: wanted.reason.name(), reference: wanted.reference.as_deref(), booked_by: booking.booked_by };
    let new = NewMovement { id, warehouse: &warehouse, sku: &wanted.sku, quantity: wanted.quantity };
    let movements = movement::insert(booking.connection(), &paper, &[new]).await?;
    booking.finish(&app, movements).await
}
