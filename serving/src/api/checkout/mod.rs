//! Checkout: from a cart to an order that is paid for.
//!
//! A purchase is a saga. Each step is harmless when done again, and is written down in the row of the checkout before the next: so whoever finds
//! the row, this request, a later one or the job after a crash, goes on where it stands.
//!
//! | state | what has been done | next | if that is refused |
//! |---|---|---|---|
//! | `reserved` | units are held | coupons are redeemed, the money is set aside, the order is written; the units are its own | `releasing` |
//! | `authorised` | away from home: the money is set aside | the order is written | |
//! | `ordered` | | the money is taken, what was bought leaves the cart | `releasing`, and the order is cancelled |
//! | `captured` | the order is paid, the cart could not be reached | what was bought leaves the cart | |
//! | `completed` | all | | |
//! | `releasing` | | the money is given free, the coupons, the units | |
//! | `failed` | nothing is left of it | | |
//!
//! A step that cannot be taken just now (a service is away) is taken later: the shopper is told that it goes on.

pub mod create;
pub mod get;
pub mod order;
pub mod request;
pub mod reserve;
pub mod saga;
mod steps;

pub use saga::{resume, wake};
