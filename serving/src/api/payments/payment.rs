//! The shop's record of a payment, and what moves it on. Each of these may be called again after a crash or a failure, and does nothing twice.

use sqlx::PgPool;
use uuid::Uuid;

use super::provider::{Charge, Error, Standing, Status};
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;

/// What came of asking for an authorisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Authorised,
    /// With the provider's word for why.
    Declined(String),
    /// Ask again later.
    Pending,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) => Problem::unavailable("The payment provider", error),
            Error::Refused { ref code, .. } => {
                Problem::new(&kinds::PAYMENT_REFUSED, format!("The payment provider refuses this ({code}).")).with("code", code)
            }
        }
    }
}

/// Sets a shopper's money aside.
///
/// # Errors
/// `payment-refused` if the provider does not take the charge, `unavailable` if it is not known whether it did.
pub async fn authorise(app: &App, payment: Uuid, charge: &Charge) -> Result<Outcome> {
    let pool = &app.databases.payments;
    // No row if another inserts it at this moment: then this is tried again.
    let (status, decline_code): (String, Option<String>) = sqlx::query_as(
        "WITH new AS (INSERT INTO payments (id, amount_cents, currency, status) VALUES ($1, $2, $3, 'authorising')
             ON CONFLICT (id) DO NOTHING RETURNING status, decline_code)
         SELECT status, decline_code FROM new UNION ALL SELECT status, decline_code FROM payments WHERE id = $1",
    )
    .bind(payment)
    .bind(charge.amount_cents)
    .bind(&charge.currency)
    .fetch_one(pool)
    .await?;
    let standing = match status.as_str() {
        "authorised" | "captured" => return Ok(Outcome::Authorised),
        "declined" | "voided" => return Ok(Outcome::Declined(decline_code.unwrap_or(status))),
        // Nothing to pay: nobody is asked.
        _ if charge.amount_cents == 0 => Standing { status: Status::Authorised, decline_code: None },
        "pending" => app.payment_provider.standing(payment).await?,
        _ => app.payment_provider.authorise(payment, charge).await?,
    };
    record(pool, payment, &standing).await?;
    Ok(match standing.status {
        Status::Pending => Outcome::Pending,
        Status::Authorised | Status::Captured => Outcome::Authorised,
        Status::Declined | Status::Voided => Outcome::Declined(standing.decline_code.unwrap_or_else(|| "declined".to_owned())),
    })
}

/// Takes what was set aside.
///
/// # Errors
/// `payment-refused` if the provider will not, for good.
pub async fn capture(app: &App, payment: Uuid) -> Result<()> {
    let pool = &app.databases.payments;
    let (status, is_free) = known(pool, payment).await?;
    if status == "captured" {
        return Ok(());
    }
    let standing =
        if is_free { Standing { status: Status::Captured, decline_code: None } } else { app.payment_provider.capture(payment).await? };
    record(pool, payment, &standing).await?;
    match standing.status {
        Status::Captured => Ok(()),
        other => {
            let code = standing.decline_code.unwrap_or_else(|| format!("{other:?}").to_lowercase());
            Err(Problem::new(&kinds::PAYMENT_REFUSED, format!("The money was not given ({code}).")).with("code", code))
        }
    }
}

/// Gives free what was set aside, and sees to it that nothing is any more: also of a payment that the provider may not have heard of yet.
pub async fn void(app: &App, payment: Uuid) -> Result<()> {
    let pool = &app.databases.payments;
    // One that was never begun is over too: who still means to begin it finds it so. XXX is ISO 4217's code for no currency.
    sqlx::query("INSERT INTO payments (id, amount_cents, currency, status) VALUES ($1, 0, 'XXX', 'voided') ON CONFLICT (id) DO NOTHING")
        .bind(payment)
        .execute(pool)
        .await?;
    let (status, is_free) = known(pool, payment).await?;
    if matches!(status.as_str(), "declined" | "voided") {
        return Ok(());
    }
    let standing =
        if is_free { Standing { status: Status::Voided, decline_code: None } } else { app.payment_provider.void(payment).await? };
    record(pool, payment, &standing).await.map(drop)
}

/// Gives back a part of what was taken; `refund` is a new id for each time that money is to be given back.
pub async fn refund(app: &App, refund: Uuid, payment: Uuid, amount_cents: i64) -> Result<()> {
    let pool = &app.databases.payments;
    sqlx::query("INSERT INTO refunds (id, payment_id, amount_cents) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
        .bind(refund)
        .bind(payment)
        .bind(amount_cents)
        .execute(pool)
        .await?;
    app.payment_provider.refund(payment, refund, amount_cents).await?;
    sqlx::query("UPDATE refunds SET done_at = coalesce(done_at, now()) WHERE id = $1").bind(refund).execute(pool).await?;
    Ok(())
}

/// Its status, and whether there is nothing to pay.
async fn known(pool: &PgPool, payment: Uuid) -> Result<(String, bool)> {
    Ok(sqlx::query_as("SELECT status, amount_cents = 0 FROM payments WHERE id = $1").bind(payment).fetch_one(pool).await?)
}

/// Writes down how far a payment is. What is heard late does not bring it back. Whether it was not known.
pub(super) async fn record(executor: impl sqlx::PgExecutor<'_>, payment: Uuid, standing: &Standing) -> Result<bool> {
    let moved = sqlx::query(
        "UPDATE payments SET status = $2, decline_code = $3, updated_at = now()
         WHERE id = $1 AND status <> $2
           AND (status IN ('authorising', 'pending') OR (status = 'authorised' AND $2 IN ('captured', 'voided')))",
    )
    .bind(payment)
    .bind(standing.status)
    .bind(&standing.decline_code)
    .execute(executor)
    .await?;
    Ok(moved.rows_affected() == 1)
}
