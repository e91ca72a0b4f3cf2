//! `POST /api/v1/inventory/counts`: stock-taking.
//!
//! A count is of what is on the shelf. The books of a warehouse know receipts, adjustments and transfers; what was sent to customers is
//! with the orders. So a count is held against the level less the units that were sent and have not come back ([`shipments::sent_units`]).
//! Units that are sold and were not shipped yet are on the shelf.
//!
//! The two are in several databases, which are not seen in one moment. A count is of the moment at which its request comes: what was sent
//! is asked first, before anything is waited for, and the level last, under its lock. What is sent in between was on the shelf, and is
//! expected there; asked afterwards, it would be booked as found, and sold twice. Movements that are booked in between are in the level,
//! those of other counts too, so of several at once one books the difference.
//!
//! Shipments name no warehouse. Once something was sent, and the books of several warehouses hold the article, nobody knows which shelf it
//! left, and a count of one of them is refused.

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
use crate::api::orders::shipments;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
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
    /// How many units are on the shelf as this is sent: with those that are sold and were not shipped yet, without those that were.
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
        (status = 409, description = "the missing units are promised, other warehouses hold some too, it is not active, or in flight",
            body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn create_count(State(app): State<App>, headers: HeaderMap, caller: Caller, Json(count): Json<NewCount>) -> Result<Response> {
    count.check()?;
    // Before anything is waited for: see above.
    let sent = shipments::sent_units(&app, &[&count.sku]).await?.remove(&count.sku).unwrap_or(0);
    let mut booking = match booking::begin(&app, &headers, &caller, "count", &count).await? {
        Claim::Ours(booking) => booking,
        Claim::Made(made) => return booking::replay(&app, made).await,
    };
    let warehouse = warehouses::find(booking.connection(), &count.warehouse).await?;
    // Nobody books anything there between the look and the movement.
    let [held] = levels::lock(booking.connection(), &count.sku, [&warehouse]).await?;
    if sent > 0 {
        check_alone(&count, held, levels::elsewhere(booking.connection(), &count.sku, &warehouse).await?, sent)?;
    }
    let difference = count.counted - (held - sent);
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

/// Refuses to count one warehouse of several when `sent` units went. The books of this one hold `held`, those of the others `elsewhere`.
fn check_alone(count: &NewCount, held: i64, elsewhere: i64, sent: i64) -> Result<()> {
    if elsewhere == 0 {
        return Ok(());
    }
    let detail = format!(
        "Of `{}` {sent} units were sent, nobody knows from where: the books of {} hold {held}, those of other warehouses {elsewhere}.",
        count.sku.escape_debug(),
        count.warehouse
    );
    let problem = Problem::new(&kinds::WAREHOUSE_UNCLEAR, detail).with("sku", &count.sku).with("sent", sent);
    Err(problem.with("held", held + elsewhere).with("expected", held + elsewhere - sent))
}
