//! Orders.
//!
//! Placing one is a single transaction of the `orders` database (see [`place`]): the idempotency key, the stock and the rows are written
//! together or not at all. Those of shoppers come by way of [`super::checkout`], which has them paid for.

pub mod cancel;
pub mod contention;
pub mod create;
pub mod get;
pub mod idempotency;
pub mod number;
pub mod outbox;
pub mod place;
pub mod refunds;
pub mod request;
pub mod returns;
pub mod shipments;
pub mod shown;
pub mod status;
pub mod stock;
pub mod withdrawals;
