//! What a basket costs: promotions, taxes and shipping over the catalogue's prices.
//!
//! [`engine`] computes it and knows nothing but what it is given. Whoever sells calls [`basket()`], [`quote()`] and, with the order,
//! [`redeem`], which counts the promotions against their limits; [`release`] takes that back when nothing comes of the order.

pub mod basket;
mod candidates;
pub mod coupons;
pub mod engine;
pub mod promotion;
pub mod promotions;
pub mod quote;
pub mod quotes;
mod redemption;
pub mod shipping;
pub mod shipping_rates;
pub mod tax;
pub mod tax_rates;

pub use basket::{Basket, BasketLine, Destination, ShippingMethod, basket};
pub use quote::{Discount, Quote, QuotedLine, Reason, RejectedCoupon, quote};
pub use redemption::{forget_user, redeem, release};
