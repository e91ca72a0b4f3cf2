//! Orders.
//!
//! Placing one is a single transaction of the `orders` database (see [`place`]): the idempotency key, the stock and the rows are written
//! together or not at all.

pub mod create;
pub mod idempotency;
pub mod number;
pub mod place;
pub mod request;
pub mod stock;
pub mod withdrawals;
