//! `POST /api/v1/inventory/transfers`: units that change the warehouse.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::booking::{self, Claim, StockBookingResponse};
use super::movement::{self, MAX_UNITS, NewMovement, Paper, TRANSFER};
use super::{levels, sku, warehouses};
use crate::api::access::Caller;
use crate::api::extract::{Body, Faults, Json};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransfer {
    /// The code of the warehouse that the units leave.
    #[schema(example = "MAIN")]
    pub from: String,
    /// The code of the warehouse that they come to.
    #[schema(example = "LEEDS-2")]
    pub to: String,
    #[schema(min_length = 1, max_length = 100, example = "85123A")]
    pub sku: String,
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: i32,
    /// The paper behind it.
    #[schema(min_length = 1, max_length = 100)]
    pub reference: Option<String>,
}

impl Body for NewTransfer {
    const MAX_BYTES: usize = 4096;
}

impl NewTransfer {
    fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.unless(self.from != self.to, "to", "this is the warehouse that the units are in");
        faults.text("sku", &self.sku, sku::MAX_LENGTH);
        faults.unless((1..=MAX_UNITS).contains(&self.quantity), "quantity", "a quantity goes from 1 to 1000000");
        if let Some(reference) = &self.reference {
            faults.text("reference", reference, 100);
        }
        faults.check()
    }
}

/// Moves units from one warehouse to another. How many there are in all stays as it is, so nothing that is promised is touched.
#[utoipa::path(post, path = "/api/v1/inventory/transfers", tag = "inventory", request_body = NewTransfer,
    params(("idempotency-key" = String, Header, description = "new for every transfer, the same when that one is sent again")),
    responses((status = 201, description = "booked; with `idempotency-replayed: true` if it was booked before", body = StockBookingResponse),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, description = "no such warehouse", body = ProblemBody),
        (status = 409, description = "the units are not there, the other warehouse is not active, or in flight", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn create_transfer(
    State(app): State<App>,
    headers: HeaderMap,
    caller: Caller,
    Json(wanted): Json<NewTransfer>,
) -> Result<Response> {
    wanted.check()?;
    let mut booking = match booking::begin(&app, &headers, &caller, "transfer", &wanted).await? {
        Claim::Ours(booking) => booking,
        Claim::Made(made) => return booking::replay(&app, made).await,
    };
    let from = warehouses::find(booking.connection(), &wanted.from).await?;
    let to = warehouses::find(booking.connection(), &wanted.to).await?;
    to.check_open()?;
    let [held, _] = levels::lock(booking.connection(), &wanted.sku, [&from, &to]).await?;
    levels::check_held(&from, &wanted.sku, held, i64::from(wanted.quantity))?;
    let paper = Paper { reason: TRANSFER, reference: wanted.reference.as_deref(), booked_by: booking.booked_by };
    let new = |warehouse, quantity| NewMovement { id: Uuid::now_v7(), warehouse, sku: &wanted.sku, quantity };
    let both = [new(&from, -wanted.quantity), new(&to, wanted.quantity)];
    let movements = movement::insert(booking.connection(), &paper, &both).await?;
    booking.finish(&app, movements).await
}
