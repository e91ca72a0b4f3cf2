//! The silhouettes: one function a category, from its proportions to painted parts, back to front.

mod clothing;
mod furniture;
mod paper;
mod vessels;
mod wearables;

use super::Category;
use super::canvas::Part;
use super::draws::Draws;

/// The measures that tell one design of a category from another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    /// Each 0..=1; a category gives them their meaning (width, height, taper, …).
    pub(crate) proportions: [f32; 5],
    /// One of a few quite different builds: 0, 1 or 2.
    pub(crate) style: u8,
    /// Small parts that are there or not.
    pub(crate) extras: [bool; 2],
}

impl Shape {
    pub(crate) fn draw(draws: &mut Draws) -> Self {
        Self {
            proportions: std::array::from_fn(|_| draws.unit()),
            style: draws.below(3) as u8,
            extras: [draws.chance(0.5), draws.chance(0.5)],
        }
    }

    /// `low` to `high` by the proportion of that number.
    fn measure(&self, number: usize, low: f32, high: f32) -> f32 {
        low + (high - low) * self.proportions[number]
    }
}

pub(crate) fn parts(category: Category, shape: &Shape) -> Vec<Part> {
    match category {
        Category::Mug => vessels::mug(shape),
        Category::Bowl => vessels::bowl(shape),
        Category::Bottle => vessels::bottle(shape),
        Category::Tin => vessels::tin(shape),
        Category::Candle => vessels::candle(shape),
        Category::Lamp => furniture::lamp(shape),
        Category::Clock => furniture::clock(shape),
        Category::Chair => furniture::chair(shape),
        Category::Cushion => furniture::cushion(shape),
        Category::TShirt => clothing::t_shirt(shape),
        Category::Hoodie => clothing::hoodie(shape),
        Category::Dress => clothing::dress(shape),
        Category::Hat => wearables::hat(shape),
        Category::Shoe => wearables::shoe(shape),
        Category::Bag => wearables::bag(shape),
        Category::Backpack => wearables::backpack(shape),
        Category::Umbrella => wearables::umbrella(shape),
        Category::Notebook => paper::notebook(shape),
        Category::Ornament => paper::ornament(shape),
    }
}
