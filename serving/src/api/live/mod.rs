//! Changes of orders and carts, told to whoever follows them: by server-sent events ([`events`]), over `/ws` ([`ws`]), and as GraphQL
//! subscriptions.
//!
//! ```text
//! order: PostgreSQL ─► CDC ─► log ─► publish ─┐
//! cart:  whoever changed it, after its commit ─┴► Redis, pub/sub ─► hub (one connection a process) ─► follow: looks, and tells what is new
//! ```
//!
//! A message says no more than that there is something to look at. A follower reads the present state from where it is read for everybody,
//! and tells it if it differs from what it told last: at the beginning, at each message, whenever the hub has come back to Redis, and every
//! half minute. So it does not matter which messages are lost, come twice or in another order; several that come together are one look; and
//! nothing is buffered for who reads slowly.

pub mod events;
mod follow;
mod hub;
pub mod publish;
pub mod socket;
pub mod standing;
pub mod ws;

pub use follow::{cart, order};
pub use hub::{Hub, Subscription};

use uuid::Uuid;

/// The channel in which it is told that an order has changed. A cart's is [`super::carts::Owner::key`].
pub fn order_channel(id: Uuid) -> String {
    format!("order:{id}")
}
