//! Who takes the next step of a purchase, and when.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::request::Details;
use super::reserve::New;
use super::steps;
use crate::api::carts::owner::Owner;
use crate::api::problem::{Problem, Result};
use crate::api::state::App;
use crate::shop::databases;

/// How long units are held for a purchase that is not paid.
const HELD_FOR: &str = "15 minutes";
/// Longer than a step takes: every call in it has a deadline.
const CLAIMED_S: f64 = 60.0;
/// Until the provider is asked again about a payment that it has not decided; mostly it tells before.
const PENDING_S: f64 = 2.0;
const LONGEST_PAUSE_S: f64 = 30.0;
/// Purchases that the job goes on with at once.
const CONCURRENT: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum State {
    Reserved,
    Authorised,
    Ordered,
    Captured,
    Completed,
    Releasing,
    Failed,
}

impl State {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// A purchase on its way.
#[derive(Debug, sqlx::FromRow)]
pub struct Checkout {
    pub id: Uuid,
    scope: Vec<u8>,
    pub request_hash: Vec<u8>,
    pub user_id: Option<Uuid>,
    pub cart_id: Uuid,
    pub details: Json<Details>,
    pub payment_token: Option<String>,
    pub state: State,
    pub problem: Option<Value>,
    pub expires_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    /// Who takes its steps.
    claim: Option<Uuid>,
}

impl Checkout {
    pub fn is_of(&self, owner: &Owner) -> bool {
        owner.scope().is_some_and(|scope| scope == self.scope)
    }

    /// Whether there is an order, and its money was taken.
    pub fn is_paid(&self) -> bool {
        matches!(self.state, State::Captured | State::Completed)
    }

    /// Whether what the shopper is told will not change.
    pub fn is_decided(&self) -> bool {
        self.is_paid() || self.state == State::Failed
    }
}

const COLUMNS: &str =
    "id, scope, request_hash, user_id, cart_id, details, payment_token, state::text AS state, problem, expires_at, created_at, claim";

/// What came of trying to take a step.
pub(super) enum Step {
    /// Taken, and written down.
    Done(State),
    /// The next one waits for somebody else.
    Waiting,
}

pub async fn find(app: &App, id: Uuid) -> Result<Option<Checkout>> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM checkouts WHERE id = $1"));
    Ok(sqlx::query_as(statement).bind(id).fetch_optional(&app.databases.orders).await?)
}

pub async fn find_by_key(app: &App, scope: &[u8], key: &str) -> Result<Option<Checkout>> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM checkouts WHERE scope = $1 AND idempotency_key = $2"));
    Ok(sqlx::query_as(statement).bind(scope).bind(key).fetch_optional(&app.databases.orders).await?)
}

/// Writes down a purchase whose units are to be held, claimed by who does; `None`: there is one with its key.
pub(super) async fn begin(connection: &mut PgConnection, new: &New<'_>) -> sqlx::Result<Option<Checkout>> {
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO checkouts (id, scope, idempotency_key, request_hash, user_id, cart_id, details, payment_token, total_cents, currency,
             state, expires_at, claim, claimed_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'reserved', now() + $11::interval, $12, now() + make_interval(secs => $13))
         ON CONFLICT (scope, idempotency_key) DO NOTHING RETURNING {COLUMNS}"
    ));
    sqlx::query_as(statement)
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
        .bind(Uuid::new_v4())
        .bind(CLAIMED_S)
        .fetch_optional(connection)
        .await
}

/// Takes the steps of a purchase, unless it is done or another is at it.
pub async fn advance(app: App, id: Uuid) -> Result<Option<Checkout>> {
    match claim(&app, id).await? {
        Some(checkout) => go_on(app, checkout).await,
        None => Ok(None),
    }
}

/// Takes steps of a claimed purchase until it is done, or has to wait. Returns it as it is then.
pub async fn go_on(app: App, mut checkout: Checkout) -> Result<Option<Checkout>> {
    let app = &app;
    while !checkout.state.is_final() {
        match steps::take(app, &checkout).await {
            Ok(Step::Done(state)) => checkout.state = state,
            Ok(Step::Waiting) => {
                wait(app, &checkout, Some(PENDING_S)).await?;
                break;
            }
            Err(problem) if problem.status().is_client_error() && steps::can_fail(checkout.state) => {
                let problem = problem.saved();
                fail(app, &checkout, &problem).await?;
                (checkout.state, checkout.problem) = (State::Releasing, Some(problem));
            }
            Err(problem) => {
                tracing::warn!(checkout = %checkout.id, state = ?checkout.state, %problem, "a step of a checkout is taken again later");
                wait(app, &checkout, None).await?;
                break;
            }
        }
    }
    Ok(Some(checkout))
}

/// The purchase, if it is not done and nobody is at it.
async fn claim(app: &App, id: Uuid) -> Result<Option<Checkout>> {
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE checkouts SET claim = $2, claimed_until = now() + make_interval(secs => $3)
         WHERE id = $1 AND state NOT IN ('completed', 'failed') AND (claimed_until IS NULL OR claimed_until < now()) RETURNING {COLUMNS}"
    ));
    Ok(sqlx::query_as(statement).bind(id).bind(Uuid::new_v4()).bind(CLAIMED_S).fetch_optional(&app.databases.orders).await?)
}

/// Writes down that a step was taken, in its transaction where it has one.
///
/// # Errors
/// If the claim was lost, or the state is not what it was: another took the step.
pub(super) async fn move_on(connection: &mut PgConnection, checkout: &Checkout, to: State) -> Result<()> {
    // The token is good for one authorisation: nobody needs it any more.
    let moved = sqlx::query(
        "UPDATE checkouts SET state = $4, attempts = 0, run_at = now(), updated_at = now(),
             claim = CASE WHEN $5 THEN NULL ELSE claim END,
             claimed_until = CASE WHEN $5 THEN NULL ELSE now() + make_interval(secs => $6) END,
             payment_token = CASE WHEN $4 = 'reserved' THEN payment_token END
         WHERE id = $1 AND state = $2 AND claim = $3",
    )
    .bind(checkout.id)
    .bind(checkout.state)
    .bind(checkout.claim)
    .bind(to)
    .bind(to.is_final())
    .bind(CLAIMED_S)
    .execute(connection)
    .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(Problem::unavailable("The purchase", "another took this step")) }
}

async fn fail(app: &App, checkout: &Checkout, problem: &Value) -> Result<()> {
    let mut transaction = databases::begin(&app.databases.orders).await?;
    move_on(&mut transaction, checkout, State::Releasing).await?;
    sqlx::query("UPDATE checkouts SET problem = $2 WHERE id = $1").bind(checkout.id).bind(problem).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// Leaves it for later. `None`: longer each time, since something fails.
async fn wait(app: &App, checkout: &Checkout, seconds: Option<f64>) -> Result<()> {
    // A transaction, for its new connection if the old ones are broken: whoever cannot write this keeps the claim.
    let mut transaction = databases::begin(&app.databases.orders).await?;
    sqlx::query(
        "UPDATE checkouts SET attempts = attempts + 1, claim = NULL, claimed_until = NULL, updated_at = now(),
             run_at = now() + make_interval(secs => coalesce($3, least(0.25 * 2 ^ least(attempts, 10), $4)))
         WHERE id = $1 AND claim = $2",
    )
    .bind(checkout.id)
    .bind(checkout.claim)
    .bind(seconds)
    .bind(LONGEST_PAUSE_S)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}

/// The provider has told of its payment: the next step may be possible.
pub fn wake(app: &App, id: Uuid) {
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(problem) = advance(app, id).await {
            tracing::warn!(checkout = %id, %problem, "a checkout does not go on; it is tried again");
        }
    });
}

/// Goes on with every purchase that is due: those that wait, and those whose process died.
pub async fn resume(app: &App) -> Result<()> {
    let due: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM checkouts WHERE state NOT IN ('completed', 'failed') AND run_at <= now()
         AND (claimed_until IS NULL OR claimed_until < now()) ORDER BY run_at LIMIT 200",
    )
    .fetch_all(&app.databases.orders)
    .await?;
    futures::stream::iter(due)
        .for_each_concurrent(CONCURRENT, |id| async move {
            if let Err(problem) = advance(app.clone(), id).await {
                tracing::warn!(checkout = %id, %problem, "a checkout does not go on; it is tried again");
            }
        })
        .await;
    Ok(())
}

/// How often the job looks for purchases that are due.
pub const EVERY: Duration = Duration::from_millis(500);

/// Forgets purchases that ended long ago; their orders stay. Returns how many.
pub async fn sweep(app: &App) -> Result<()> {
    sqlx::query("DELETE FROM checkouts WHERE state IN ('completed', 'failed') AND updated_at < now() - interval '30 days'")
        .execute(&app.databases.orders)
        .await?;
    Ok(())
}
