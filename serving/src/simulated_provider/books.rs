//! The books: payments, and money that moved. Every change and the event that tells of it are one transaction.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::SimulatedProvider;
use super::behaviour::Behaviour;
use crate::api::payments::events::Event;
use crate::api::payments::provider::{Charge, Standing, Status};
use crate::shop::databases::begin;

/// A call that is refused: a code and a sentence.
#[derive(Debug)]
pub enum Failure {
    Refused(&'static str, &'static str),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

const UNKNOWN: Failure = Failure::Refused("unknown_payment", "no payment has this id");

#[derive(sqlx::FromRow)]
struct Payment {
    token: Option<String>,
    amount_cents: i64,
    currency: String,
    status: Status,
    decline_code: Option<String>,
    refunded_cents: i64,
}

/// One that is in the books now. A row that nobody has changed since it was inserted has no `xmax`.
#[derive(sqlx::FromRow)]
struct Entered {
    is_new: bool,
    #[sqlx(flatten)]
    payment: Payment,
}

impl Payment {
    fn standing(&self) -> Standing {
        Standing { status: self.status, decline_code: self.decline_code.clone() }
    }

    fn behaviour(&self) -> Behaviour {
        self.token.as_deref().and_then(Behaviour::of).unwrap_or(Behaviour::Authorised)
    }
}

async fn locked(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Payment>> {
    sqlx::query_as(
        "SELECT token, amount_cents, currency, status::text AS status, decline_code, refunded_cents FROM payments WHERE id = $1 FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// Whether it is new, and how it stands.
pub async fn authorise(provider: &SimulatedProvider, id: Uuid, charge: &Charge) -> Result<(bool, Standing), Failure> {
    let behaviour = Behaviour::of(&charge.token).ok_or(Failure::Refused("unknown_token", "this token was not given by this provider"))?;
    if charge.amount_cents <= 0 {
        return Err(Failure::Refused("bad_amount", "an amount is more than 0"));
    }
    let (status, decline_code) = match behaviour {
        Behaviour::Declined => (Status::Declined, Some("insufficient_funds")),
        Behaviour::Pending | Behaviour::PendingDeclined => (Status::Pending, None),
        Behaviour::Authorised | Behaviour::Slow | Behaviour::CaptureDeclined | Behaviour::Repeated => (Status::Authorised, None),
    };
    let settles_in_s = (status == Status::Pending).then_some(provider.settles_after.as_secs_f64());
    let mut transaction = begin(&provider.pool).await?;
    // What is there already stays, and is locked.
    let Entered { is_new, payment } = sqlx::query_as(
        "INSERT INTO payments (id, token, amount_cents, currency, status, decline_code, settles_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7)) ON CONFLICT (id) DO UPDATE SET id = excluded.id
         RETURNING xmax = 0 AS is_new, token, amount_cents, currency, status::text AS status, decline_code, refunded_cents",
    )
    .bind(id)
    .bind(&charge.token)
    .bind(charge.amount_cents)
    .bind(&charge.currency)
    .bind(status)
    .bind(decline_code)
    .bind(settles_in_s)
    .fetch_one(&mut *transaction)
    .await?;
    let is_same = payment.amount_cents == charge.amount_cents && payment.currency == charge.currency;
    if !is_same && payment.token.is_some() {
        return Err(Failure::Refused("id_reused", "this id belongs to another payment"));
    }
    if is_new {
        announce(&mut transaction, id, &payment).await?;
    }
    transaction.commit().await?;
    Ok((is_new, payment.standing()))
}

pub async fn standing(pool: &PgPool, id: Uuid) -> Result<Standing, Failure> {
    let mut connection = pool.acquire().await?;
    Ok(locked(&mut connection, id).await?.ok_or(UNKNOWN)?.standing())
}

pub async fn capture(pool: &PgPool, id: Uuid) -> Result<Standing, Failure> {
    let mut transaction = begin(pool).await?;
    let mut payment = locked(&mut transaction, id).await?.ok_or(UNKNOWN)?;
    match (payment.status, payment.behaviour()) {
        (Status::Captured, _) => return Ok(payment.standing()),
        (Status::Authorised, Behaviour::CaptureDeclined) => {
            set(&mut transaction, id, &mut payment, Status::Declined, Some("card_blocked")).await?;
        }
        (Status::Authorised, _) => {
            movement(&mut transaction, Uuid::now_v7(), id, "capture", payment.amount_cents).await?;
            set(&mut transaction, id, &mut payment, Status::Captured, None).await?;
        }
        _ => return Err(Failure::Refused("not_authorised", "only what was authorised can be captured")),
    }
    announce(&mut transaction, id, &payment).await?;
    transaction.commit().await?;
    Ok(payment.standing())
}

/// A payment that is not known is entered as void, in no currency (ISO 4217's XXX): an authorisation that is still on its way finds it so.
pub async fn void(pool: &PgPool, id: Uuid) -> Result<Standing, Failure> {
    let mut transaction = begin(pool).await?;
    sqlx::query("INSERT INTO payments (id, amount_cents, currency, status) VALUES ($1, 0, 'XXX', 'voided') ON CONFLICT (id) DO NOTHING")
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    let mut payment = locked(&mut transaction, id).await?.ok_or(UNKNOWN)?;
    match payment.status {
        Status::Voided | Status::Declined => {}
        Status::Captured => return Err(Failure::Refused("captured", "what was captured can be refunded only")),
        Status::Pending | Status::Authorised => {
            set(&mut transaction, id, &mut payment, Status::Voided, None).await?;
            announce(&mut transaction, id, &payment).await?;
        }
    }
    transaction.commit().await?;
    Ok(payment.standing())
}

pub async fn refund(pool: &PgPool, id: Uuid, refund: Uuid, amount_cents: i64) -> Result<Standing, Failure> {
    let mut transaction = begin(pool).await?;
    let payment = locked(&mut transaction, id).await?.ok_or(UNKNOWN)?;
    let before: Option<i64> =
        sqlx::query_scalar("SELECT amount_cents FROM movements WHERE id = $1 AND payment_id = $2 AND kind = 'refund'")
            .bind(refund)
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await?;
    match before {
        Some(same) if same == amount_cents => return Ok(payment.standing()),
        Some(_) => return Err(Failure::Refused("id_reused", "this id belongs to another refund")),
        None => {}
    }
    if payment.status != Status::Captured {
        return Err(Failure::Refused("not_captured", "only what was captured can be refunded"));
    }
    if amount_cents <= 0 || amount_cents > payment.amount_cents - payment.refunded_cents {
        return Err(Failure::Refused("too_much", "more than was captured cannot be refunded"));
    }
    movement(&mut transaction, refund, id, "refund", amount_cents).await?;
    sqlx::query("UPDATE payments SET refunded_cents = refunded_cents + $2 WHERE id = $1")
        .bind(id)
        .bind(amount_cents)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(payment.standing())
}

/// Decides the pending payments whose time has come.
pub async fn settle(pool: &PgPool) -> sqlx::Result<()> {
    let due: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM payments WHERE settles_at <= now() AND status = 'pending' ORDER BY settles_at LIMIT 100")
            .fetch_all(pool)
            .await?;
    for id in due {
        let mut transaction = begin(pool).await?;
        let payment = locked(&mut transaction, id).await?.filter(|payment| payment.status == Status::Pending);
        let Some(mut payment) = payment else { continue };
        let (status, code) = match payment.behaviour() {
            Behaviour::PendingDeclined => (Status::Declined, Some("bank_refused")),
            _ => (Status::Authorised, None),
        };
        set(&mut transaction, id, &mut payment, status, code).await?;
        announce(&mut transaction, id, &payment).await?;
        transaction.commit().await?;
    }
    Ok(())
}

async fn set(
    connection: &mut PgConnection,
    id: Uuid,
    payment: &mut Payment,
    status: Status,
    decline_code: Option<&str>,
) -> sqlx::Result<()> {
    (payment.status, payment.decline_code) = (status, decline_code.map(str::to_owned));
    sqlx::query("UPDATE payments SET status = $2, decline_code = $3, settles_at = NULL WHERE id = $1")
        .bind(id)
        .bind(status)
        .bind(decline_code)
        .execute(connection)
        .await
        .map(drop)
}

async fn movement(connection: &mut PgConnection, id: Uuid, payment: Uuid, kind: &str, amount_cents: i64) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO movements (id, payment_id, kind, amount_cents) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(payment)
        .bind(kind)
        .bind(amount_cents)
        .execute(connection)
        .await
        .map(drop)
}

/// Puts what the shop is to be told into the books.
async fn announce(connection: &mut PgConnection, id: Uuid, payment: &Payment) -> Result<(), sqlx::Error> {
    let event = Event { id: Uuid::now_v7().to_string(), payment_id: id, standing: payment.standing() };
    let body = serde_json::to_string(&event).map_err(|error| sqlx::Error::Encode(error.into()))?;
    // Seconds from now, of each time that it is told.
    let delays: &[f64] = if payment.behaviour() == Behaviour::Repeated { &[0.0, 0.0, 2.0] } else { &[0.0] };
    sqlx::query(
        "INSERT INTO events (id, delivery, body, due_at)
         SELECT $1, delivery, $2, now() + make_interval(secs => delay)
         FROM unnest($3::float8[]) WITH ORDINALITY AS d (delay, delivery)",
    )
    .bind(Uuid::now_v7())
    .bind(body)
    .bind(delays)
    .execute(connection)
    .await
    .map(drop)
}
