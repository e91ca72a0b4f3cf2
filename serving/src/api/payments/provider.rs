//! The contract with whoever moves the money.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a shopper is to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// More than 0.
    pub amount_cents: i64,
    pub currency: String,
    /// What the provider gave the shopper's browser for a card or an account; the shop never sees either.
    pub token: String,
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Status {
    /// The provider does not know yet; it will tell.
    Pending,
    /// The amount is set aside.
    Authorised,
    Declined,
    Captured,
    /// Given free again, or never to be authorised.
    Voided,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub status: Status,
    /// Why it was declined, in the provider's words.
    #[serde(default)]
    pub decline_code: Option<String>,
}

/// A call that was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Whether it was done is not known: it has to be sent again.
    #[error("the payment provider cannot be reached: {0}")]
    Unavailable(String),
    /// It was not done, and sending it again will not help.
    #[error("the payment provider refuses: {code}: {message}")]
    Refused { code: String, message: String },
}

/// A payment provider. Payments and refunds go by ids of ours: a call that comes again is answered like the first time, and done once.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Sets the amount aside.
    async fn authorise(&self, payment: Uuid, charge: &Charge) -> Result<Standing, Error>;

    /// Takes what was set aside.
    async fn capture(&self, payment: Uuid) -> Result<Standing, Error>;

    /// Gives free what was set aside. A payment that the provider has not heard of is never authorised from then on.
    async fn void(&self, payment: Uuid) -> Result<Standing, Error>;

    /// Gives back a part of what was taken.
    async fn refund(&self, payment: Uuid, refund: Uuid, amount_cents: i64) -> Result<(), Error>;

    /// How far it is. Of one that the provider has not heard of: [`Error::Refused`].
    async fn standing(&self, payment: Uuid) -> Result<Standing, Error>;
}
