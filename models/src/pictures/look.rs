//! What one product looks like, and its pictures.

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use super::canvas::{Layer, Palette};
use super::category::Category;
use super::colour::{Colour, Colourway};
use super::draws::{Draws, mix};
use super::pattern::{Pattern, PatternKind};
use super::shapes::{self, Shape};
use super::{Shot, scene};

/// Pictures are painted at this many times their size and averaged down.
const OVERSAMPLING: usize = 2;

/// What one product looks like. Equal looks make equal pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProductLook {
    pub category: Category,
    pub pattern: Pattern,
    pub colours: Colourway,
    pub seed: u64,
    pub(crate) shape: Shape,
}

impl ProductLook {
    /// A product of that category; the seed decides everything else.
    pub fn new(category: Category, seed: u64) -> Self {
        let seed_here = Draws::for_purpose(seed, category.name()).bits();
        let shape = Shape::draw(&mut Draws::for_purpose(seed_here, "shape"));
        let pattern = Pattern::draw(&mut Draws::for_purpose(seed_here, "pattern"));
        let mut draws = Draws::for_purpose(seed_here, "colours");
        let main = Colour::draw(&mut draws);
        let colours = Colourway::around(main, &mut draws);
        Self { category, pattern, colours, seed, shape }
    }

    /// The same design in another colourway, as a shop offers one article in several colours. `number` 0 is the look itself.
    pub fn colour_variant(&self, number: u64) -> Self {
        if number == 0 {
            return *self;
        }
        let mut draws = Draws::for_purpose(self.seed ^ mix(number), self.category.name());
        let main = loop {
            let candidate = Colour::draw(&mut draws);
            if candidate != self.colours.main {
                break candidate;
            }
        };
        self.in_colours(Colourway::around(main, &mut draws))
    }

    pub fn in_colours(mut self, colours: Colourway) -> Self {
        self.colours = colours;
        self
    }

    /// The same product with that main colour; accent and detail are chosen to go with it.
    pub fn in_colour(self, main: Colour) -> Self {
        let colours = Colourway::around(main, &mut Draws::for_purpose(self.seed ^ u64::from(main.name().len() as u32), main.name()));
        self.in_colours(colours)
    }

    /// The same product with a print of that kind.
    pub fn with_pattern(mut self, kind: PatternKind) -> Self {
        self.pattern = Pattern::of(kind, &mut Draws::for_purpose(self.seed, kind.name()));
        self
    }

    /// The look that the words of a product's title suggest (`RED RETROSPOT MUG`); what they leave open is decided by the seed.
    pub fn from_title(title: &str, seed: u64) -> Self {
        let title = title.to_lowercase();
        let words: Vec<&str> = title.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|w| !w.is_empty()).collect();
        // The last telling word names the thing: a "candle holder box" is a box.
        let category = words.iter().rev().find_map(|word| Category::ALL.into_iter().find(|c| c.words().contains(word)));
        let fallback = [Category::Tin, Category::Bag, Category::Bowl, Category::Notebook, Category::Ornament, Category::Candle];
        let category = category.unwrap_or_else(|| *Draws::for_purpose(seed, "category").pick(&fallback));
        let mut look = Self::new(category, seed);
        if let Some(kind) = words.iter().find_map(|word| pattern_of(word)) {
            look = look.with_pattern(kind);
        }
        let named = Colour::all().find(|c| c.name().split(' ').all(|part| words.contains(&part)));
        match named.or_else(|| words.iter().find_map(|word| colour_of(word))) {
            Some(colour) => look.in_colour(colour),
            None => look,
        }
    }

    /// Lower-case name of the main colour: `navy`.
    pub fn colour_name(&self) -> &'static str {
        self.colours.main.name()
    }

    /// Lower-case name of the print: `striped`, or `plain`.
    pub fn pattern_name(&self) -> &'static str {
        self.pattern.kind.name()
    }

    /// A title that matches the picture: `Striped navy mug`.
    pub fn title(&self) -> String {
        let words = match self.pattern.kind {
            PatternKind::Plain => format!("{} {}", self.colour_name(), self.category.name()),
            _ => format!("{} {} {}", self.pattern_name(), self.colour_name(), self.category.name()),
        };
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// The photograph, `size_px` × `size_px` (at least 8).
    pub fn draw(&self, shot: Shot, size_px: u32) -> RgbImage {
        let size = size_px.max(8) as usize;
        let product = self.cut_out(size * OVERSAMPLING);
        let seed = match shot {
            Shot::Studio => self.seed,
            Shot::Wild(photo) => mix(self.seed ^ mix(photo ^ 0x5ca1_ab1e)),
        };
        match shot {
            Shot::Studio => scene::studio(&product, self.category.stands()).averaged(OVERSAMPLING).to_image(),
            Shot::Wild(_) => scene::wild(&product, &mut Draws::for_purpose(seed, "scene"), OVERSAMPLING),
        }
    }

    /// The photograph as a JPEG file: quality 90 in the studio, 55 to 92 in the wild.
    pub fn jpeg(&self, shot: Shot, size_px: u32) -> Vec<u8> {
        let quality = match shot {
            Shot::Studio => 90,
            Shot::Wild(photo) => 55 + Draws::for_purpose(self.seed ^ mix(photo), "jpeg").below(38) as u8,
        };
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, quality)
            .encode_image(&self.draw(shot, size_px))
            .expect("an RGB picture with sides under 65,536 px is written to memory");
        file
    }

    /// The product alone, on nothing.
    fn cut_out(&self, size: usize) -> Layer {
        let palette = Palette {
            main: self.colours.main.rgb(),
            accent: self.colours.accent.rgb(),
            detail: self.colours.detail.rgb(),
            pattern: self.pattern,
            folds: mix(self.seed),
        };
        let mut layer = Layer::clear(size);
        for part in shapes::parts(self.category, &self.shape) {
            layer.paint(&part, &palette);
        }
        layer
    }
}

fn pattern_of(word: &str) -> Option<PatternKind> {
    use PatternKind as K;
    Some(match word {
        "plain" => K::Plain,
        "stripe" | "stripes" | "striped" | "stripey" => K::Striped,
        "pinstriped" | "pinstripe" | "ribbons" => K::Pinstriped,
        "check" | "checked" | "gingham" | "retro" => K::Checked,
        "tartan" | "plaid" | "scottie" => K::Tartan,
        "spot" | "spots" | "spotted" | "spotty" | "dot" | "dots" | "polkadot" | "retrospot" => K::Spotted,
        "floral" | "flower" | "flowers" | "rose" | "roses" | "daisy" | "regency" | "paisley" => K::Floral,
        "zigzag" | "chevron" => K::Zigzag,
        "star" | "stars" | "starry" | "christmas" | "space" => K::Starry,
        "heart" | "hearts" | "heart-print" | "love" => K::HeartPrint,
        "two-tone" => K::TwoTone,
        "leaf" | "leafy" | "leaves" | "botanical" | "garden" | "woodland" => K::Leafy,
        "diamond" | "diamonds" | "harlequin" => K::Diamond,
        "ombre" => K::Ombre,
        _ => return None,
    })
}

fn colour_of(word: &str) -> Option<Colour> {
    let name = match word {
        "ivory" | "natural" => "cream",
        "gold" | "amber" => "mustard",
        "silver" | "zinc" | "metal" => "grey",
        "wooden" | "wood" | "chocolate" => "brown",
        "lilac" => "lavender",
        "violet" => "purple",
        "aqua" => "turquoise",
        "babyblue" | "sky" => "sky blue",
        "forest" => "forest green",
        other => other,
    };
    Colour::named(name)
}
