//! What the sample shop sells: products whose names, descriptions and pictures say the same.

use chimera_models::pictures::{Category, ProductLook, Shot};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;

use super::SEED;
use super::words::{MAKERS, facts};
use crate::shop::bulk::{Product, Variant};

/// Designs a department: 19 × 25 products.
const DESIGNS: u64 = 25;
/// Pictures are squares of this side.
const PICTURE_PX: u32 = 256;

/// A product and what it looks like.
#[derive(Clone, Debug)]
pub struct Item {
    pub product: Product,
    pub look: ProductLook,
    /// Position in the list of makers: things of one maker go together.
    pub maker: usize,
}

impl Item {
    /// The picture of the product, as JPEG.
    pub fn picture(&self) -> Vec<u8> {
        self.look.jpeg(Shot::Studio, PICTURE_PX)
    }
}

/// All products, in the same order with the same SKUs every time.
pub fn items() -> Vec<Item> {
    let mut items = Vec::new();
    for (department, category) in Category::ALL.into_iter().enumerate() {
        for design in 0..DESIGNS {
            items.push(item(category, SEED ^ ((department as u64) << 32) ^ design, items.len() + 1));
        }
    }
    items
}

fn item(category: Category, seed: u64, number: usize) -> Item {
    let mut random = StdRng::seed_from_u64(seed);
    let look = ProductLook::new(category, seed);
    let maker = random.random_range(0..MAKERS.len());
    let facts = facts(category);
    let range = MAKERS[maker].ranges.choose(&mut random).copied().unwrap_or("");
    let material = facts.materials.choose(&mut random).copied().unwrap_or("");
    let made_for = facts.uses.choose(&mut random).copied().unwrap_or("");
    let title = look.title();
    let name = format!("{range} {}", lower_first(&title));
    let (low, high) = facts.price_pence;
    // Prices end in 95.
    let price_cents = random.random_range(low..=high) / 100 * 100 + 95;
    let description = describe(&look, &title, MAKERS[maker].brand, range, material, made_for, &mut random);
    let sku = format!("{}-{number:04}", code(category));
    let attributes = |choice: Option<&str>| {
        let mut attributes = json!({ "colour": look.colour_name(), "pattern": look.pattern_name(), "material": material });
        if let (Some(choice), Some(object)) = (choice, attributes.as_object_mut()) {
            object.insert(facts.choice.to_owned(), json!(choice));
        }
        attributes
    };
    let variants = if facts.choices.is_empty() {
        vec![Variant { sku: format!("{sku}-1"), attributes: attributes(None), price_cents: None }]
    } else {
        let variant = |(at, choice): (usize, &&str)| Variant {
            sku: format!("{sku}-{}", at + 1),
            attributes: attributes(Some(choice)),
            // Larger is dearer, but not where it is a matter of taste or fit.
            price_cents: (at > 0 && matches!(facts.choice, "volume" | "diameter")).then(|| price_cents + 300 * at as i32),
        };
        facts.choices.iter().enumerate().map(variant).collect()
    };
    let product = Product {
        sku,
        name,
        description: Some(description),
        category: Some(category.department().to_owned()),
        brand: Some(MAKERS[maker].brand.to_owned()),
        price_cents,
        variants,
    };
    Item { product, look, maker }
}

fn describe(look: &ProductLook, title: &str, brand: &str, range: &str, material: &str, made_for: &str, random: &mut impl Rng) -> String {
    let accent = look.colours.accent.name();
    let colours = match look.pattern_name() {
        "plain" => format!("in plain {}", look.colour_name()),
        pattern => format!("in {} with a {pattern} print in {accent}", look.colour_name()),
    };
    let close =
        ["Wrapped in tissue, ready to give.", "Made in small batches.", "Wipe clean with a damp cloth.", "Comes with a five-year promise."];
    format!(
        "{title} from the {range} range by {brand}: {material}, {colours}. Made for {made_for}. {}",
        close.choose(random).copied().unwrap_or("")
    )
}

/// Three letters of the category's name: `MUG`.
fn code(category: Category) -> String {
    let word = category.name().rsplit(' ').next().unwrap_or("");
    word.chars().filter(|c| c.is_ascii_alphabetic()).take(3).collect::<String>().to_uppercase()
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_catalogue_is_the_same_every_time_and_says_what_the_pictures_show() {
        let (items, again) = (items(), items());
        assert_eq!(items.len(), 475);
        assert!(items.iter().zip(&again).all(|(a, b)| a.product == b.product && a.look == b.look));
        let skus: HashSet<&str> = items.iter().map(|item| item.product.sku.as_str()).collect();
        assert_eq!(skus.len(), items.len(), "a SKU each");
        for item in &items {
            assert!(item.product.name.contains(item.look.colour_name()), "{}", item.product.name);
            assert!(item.product.name.contains(item.look.category.name()), "{}", item.product.name);
            assert!(item.product.description.as_ref().is_some_and(|text| text.contains(item.look.colour_name())));
            assert!(item.product.price_cents % 100 == 95 && !item.product.variants.is_empty());
        }
    }

    #[test]
    fn a_picture_is_a_jpeg_of_the_right_size() {
        let picture = items()[0].picture();
        let decoded = image::load_from_memory(&picture).expect("a picture");
        assert_eq!((decoded.width(), decoded.height()), (PICTURE_PX, PICTURE_PX));
        assert!(picture.starts_with(&[0xff, 0xd8]));
    }
}
