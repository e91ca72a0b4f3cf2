//! Models of Chimera: product pictures, and the image tower that turns a picture into a vector.
//!
//! ```no_run
//! use chimera_models::{ImageTower, TowerConfig};
//! let tower = ImageTower::load(&TowerConfig::default())?;
//! let vector = tower.embed(&std::fs::read("mug.jpg")?)?; // a unit vector of tower.dim() numbers
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decode;
mod error;
pub mod pictures;
mod prepare;
pub mod quality;
pub mod runtime;
mod tower;

pub use decode::{PictureLimits, decode};
pub use error::{Error, PictureError};
pub use prepare::{Fit, Layout, Pixels, Preparation};
pub use tower::{ImageTower, ModelSource, TowerConfig};
