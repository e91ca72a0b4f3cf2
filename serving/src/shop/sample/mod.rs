//! The sample shop: made up by this project, the same on every machine, alive at first sight.
//!
//! Products that look as they are called, some weeks of orders in which things go together, and the clicks of the last two days. Only the
//! times depend on when it is loaded.

mod catalogue;
mod clicks;
mod history;
mod load;
mod words;

pub use catalogue::{Item, items};
pub use clicks::{Click, clicks};
pub use history::orders;
pub use load::{Error, Loaded, is_empty, is_loaded, load};

/// Everything is drawn from this.
const SEED: u64 = 0x0c41_3e7a;
