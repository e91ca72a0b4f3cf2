//! Procedural product pictures: a pure function from a look to pixels.
//!
//! A [`ProductLook`] says what a product looks like (category, build, print, colours). It can be photographed in the studio, as a
//! shop does, or in the wild, as a shopper's phone does. The sample shop shows the first, the image tower is trained and
//! measured on pairs of both.

mod canvas;
mod category;
mod colour;
mod draws;
mod look;
mod path;
mod pattern;
mod raster;
mod scene;
mod shapes;
#[cfg(test)]
mod tests;
mod warp;

pub use category::Category;
pub use colour::{Colour, Colourway};
pub use look::ProductLook;
pub use pattern::{Pattern, PatternKind};

/// How a product is photographed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shot {
    /// On a clean, light background, upright and evenly lit.
    Studio,
    /// As a phone would: turned, cropped, on a cluttered background, in some light, with noise. Each seed is another photograph.
    Wild(u64),
}
