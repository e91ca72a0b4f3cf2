//! `POST /api/v1/inventory/counts`: stock-taking.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::booking::{self, Claim, StockBookingResponse};
use super::movement::{self, NewMovement, Paper, STOCK_TAKING};
use super::{levels, sku, warehouses, write_off};
use crate::api::access::Caller;
use crate::api::extract::{Body, Faults, Json, invalid};
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

const MAX_COUNTED: i64 = 10_000_000;

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCount {
    /// The code of the warehouse.
    #[schema(example = "MAIN")]
    pub warehouse: String,
    #[schema(min_length = 1, max_length = 100, example = "85123A")]
    pub sku: String,
    /// How many the books shall hold: the units that were counted, and those that were sold out of this warehouse, since the books of a warehouse
    /// do not know sales.
    #[schema(minimum = 0, maximum = 10_000_000)]
    pub counted: i64,
    /// The paper behind it.
    #[schema(min_length = 1, max_length = 100, example = "Stock-taking 2026")]
    pub reference: Option<String>,
}

impl Body for NewCount {
    const MAX_BYTES: usize = 4096;
}

impl NewCount {
    fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.text("sku", &self.sku, sku::MAX_LENGTH);
        faults.unless((0..=MAX_COUNTED).contains(&self.counted), "counted", "a count goes from 0 to 10000000");
        if let Some(reference) = &self.reference {
            faults.text("reference", reference, 100);
        }
        faults.check()
    }
}

/// Brings the books of a warehouse to what was counted: the difference is booked, if there is one. Units that are promised to orders are never
/// written off.
#[utoipa::path(post, path = "/api/v1/inventory/counts", tag = "inventory", request_body = NewCount,
    params(("idempotency-key" = String, Header, description = "new for every count, the same when that one is sent again")),
    responses((status = 201, description = "booked; with `idempotency-replayed: true` if it was booked before", body = StockBookingResponse),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, description = "no such warehouse", body = ProblemBody),
        (status = 409, description = "the missing units are promised, the warehouse is not active, or in flight", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn create_count(State(app): State<App>, headers: HeaderMap, caller: Caller, Json(count): Json<NewCount>) -> Result<Response> {
    count.check()?;
    let mut booking = match booking::begin(&app, &headers, &caller, "count", &count).await? {
        Claim::Ours(booking) => booking,
        Claim::Made(made) => return booking::replay(&app, made).await,
    };
    let warehouse = warehouses::find(booking.connection(), &count.warehouse).await?;
    // Nobody books anything there between the look and the movement.
    let [held] = levels::lock(booking.connection(), &count.sku, [&warehouse]).await?;
    let difference = count.counted - held;
    let quantity = i32::try_from(difference).map_err(|_| invalid("counted", "the books hold too many for one movement"))?;
    if quantity >= 0 {
        sku::check_known(&app, &[&count.sku]).await?;
    }
    let id = match quantity {
        0 => return booking.finish(&app, Vec::new()).await,
        1.. => {
            warehouse.check_open()?;
            Uuid::now_v7()
        }
        _ => write_off::withdraw(&app, booking.connection(), &warehouse, &count.sku, held, -difference).await?,
    };
    let paper = Paper { reason: STOCK_TAKING, reference: count.reference.as_deref(), booked_by: booking.booked_by };
    let movements =
        movement::insert(booking.connection(), &paper, &[NewMovement { id, warehouse: &warehouse, sku: &count.sku, quantity }]).await?;
    booking.finish(&app, movements).await
}
