//! Orders.
//!
//! Placing one is a single transaction of the `orders` database (see [`place`]): the idempotency key, the stock and the rows are written
//! together or not at all. Those of shoppers come by way of [`super::checkout`], which has them paid for.
//!
//! Orders may be spread over several databases ([`crate::shop::shards`]); then `orders` is home, where the stock is promised and purchases are
//! on their way. What concerns both home and another database goes from one to the other once by its id: orders by [`placements`] or a step of
//! the checkout, units by [`allocation_changes`].

pub mod allocation_changes;
pub mod cancel;
pub mod contention;
pub mod create;
pub mod get;
pub mod idempotency;
pub mod number;
pub mod outbox;
pub mod person;
pub mod place;
pub mod placements;
pub mod refunds;
pub mod request;
pub mod returns;
pub mod shipments;
pub mod shown;
pub mod status;
pub mod stock;
pub mod withdrawals;
