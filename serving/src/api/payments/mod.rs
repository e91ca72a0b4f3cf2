//! Payments. A provider moves the money; what it is asked is written down first, under an id that makes asking again harmless.

pub mod events;
pub mod http_provider;
pub mod payment;
pub mod provider;
pub mod signature;

pub use payment::{Outcome, authorise, capture, refund, void};
pub use provider::{Charge, Provider};
