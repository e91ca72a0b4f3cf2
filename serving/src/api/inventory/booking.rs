//! Bookings are made once a key: the key, the movements and the answer are written in one transaction.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chimera_connectors::Frontier;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::movement::StockMovement;
use crate::api::access::Caller;
use crate::api::freshness::POSITION;
use crate::api::orders::idempotency::Key;
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;
use crate::shop::databases;

/// How long an answer is remembered.
const KEPT_FOR: &str = "7 days";

/// What was booked.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StockBooking {
    /// Empty if a stock-taking found what the books hold.
    pub movements: Vec<StockMovement>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct StockBookingResponse {
    #[serde(flatten)]
    pub booking: StockBooking,
    /// Pass it as `after` to reads that have to include this booking.
    #[schema(example = "inventory:24023128")]
    pub position: String,
}

/// A booking that is being made.
pub struct Booking {
    transaction: Transaction<'static, Postgres>,
    owner: Uuid,
    key: Key,
    pub booked_by: Option<Uuid>,
}

/// What became of claiming a key.
pub enum Claim {
    /// The key is ours until the transaction ends.
    Ours(Booking),
    /// The booking was made before.
    Made(StockBooking),
}

/// Claims the key of a request. Who sends the same again meanwhile waits, and gets the same answer.
///
/// # Errors
/// `idempotency-key-reused` when the key was used for another request, `booking-in-flight` when the wait was in vain.
pub async fn begin(app: &App, headers: &HeaderMap, caller: &Caller, noun: &str, request: &impl Serialize) -> Result<Claim> {
    let key = Key::from_headers(headers)?;
    let owner = caller.user_id.unwrap_or_else(Uuid::nil);
    let hash = *blake3::hash(&serde_json::to_vec(&(noun, request))?).as_bytes();
    let mut transaction = databases::begin(&app.databases.inventory).await?;
    if claim(&mut transaction, owner, &key, &hash).await? {
        return Ok(Claim::Ours(Booking { transaction, owner, key, booked_by: caller.user_id }));
    }
    let sql = "SELECT request_hash, response FROM idempotency_keys WHERE owner = $1 AND key = $2";
    let (before, response): (Vec<u8>, Option<Value>) =
        sqlx::query_as(sql).bind(owner).bind(key.as_str()).fetch_one(&mut *transaction).await?;
    if before != hash {
        return Err(Problem::new(&kinds::IDEMPOTENCY_KEY_REUSED, "This Idempotency-Key was used for another booking."));
    }
    let response = response.ok_or_else(|| Problem::internal("an idempotency key was committed without its answer"))?;
    Ok(Claim::Made(serde_json::from_value(response)?))
}

/// `false`: it has been used. Waits for a transaction that is about to use it.
async fn claim(connection: &mut PgConnection, owner: Uuid, key: &Key, hash: &[u8; 32]) -> Result<bool> {
    let sql = "INSERT INTO idempotency_keys (owner, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT (owner, key) DO NOTHING";
    let claimed = sqlx::query(sql).bind(owner).bind(key.as_str()).bind(hash.as_slice()).execute(connection).await;
    let in_flight = |error: sqlx::Error| {
        let code = error.as_database_error().and_then(|cause| cause.code()).unwrap_or_default().into_owned();
        // lock_not_available
        if code != "55P03" {
            return Problem::from(error);
        }
        Problem::new(&kinds::BOOKING_IN_FLIGHT, "Another request with this Idempotency-Key is in progress.").retry_after(1)
    };
    claimed.map(|done| done.rows_affected() == 1).map_err(in_flight)
}

impl Booking {
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Commits it, with its answer.
    pub async fn finish(mut self, app: &App, movements: Vec<StockMovement>) -> Result<Response> {
        let booking = StockBooking { movements };
        sqlx::query("UPDATE idempotency_keys SET response = $3 WHERE owner = $1 AND key = $2")
            .bind(self.owner)
            .bind(self.key.as_str())
            .bind(serde_json::to_value(&booking)?)
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await?;
        respond(app, booking, false).await
    }
}

/// The answer to a booking that was made before.
pub async fn replay(app: &App, booking: StockBooking) -> Result<Response> {
    respond(app, booking, true).await
}

async fn respond(app: &App, booking: StockBooking, is_replay: bool) -> Result<Response> {
    let position = Frontier::single("inventory", position(&app.databases.inventory).await?.cast_unsigned()).to_string();
    let mut headers = HeaderMap::new();
    headers.insert(POSITION, HeaderValue::from_str(&position).map_err(Problem::internal)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if is_replay {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    Ok((StatusCode::CREATED, headers, axum::Json(StockBookingResponse { booking, position })).into_response())
}

/// A place in the changes of the database, behind everything that has been committed.
pub async fn position(inventory: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetch_one(inventory).await?)
}

/// Forgets answers that are older than a week.
pub async fn forget_old(inventory: &PgPool) -> Result<()> {
    let sql = "DELETE FROM idempotency_keys WHERE created_at < now() - $1::interval";
    sqlx::query(sql).bind(KEPT_FOR).execute(inventory).await?;
    Ok(())
}
