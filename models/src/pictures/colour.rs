//! The shop's named colours and the colourways made of them.

use super::draws::Draws;

/// Red, green and blue, each 0..=1, in sRGB.
pub(crate) type Rgb = [f32; 3];

/// A colour a shopper would name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour(u8);

/// (name, hex). The order is part of what a seed means: append, never reorder.
const PALETTE: [(&str, u32); 28] = [
    ("white", 0xF4F2EE),
    ("cream", 0xEFE0C2),
    ("sand", 0xD6BD96),
    ("grey", 0x92979D),
    ("charcoal", 0x42474F),
    ("black", 0x222327),
    ("brown", 0x7B4F33),
    ("tan", 0xBC8857),
    ("red", 0xC93239),
    ("burgundy", 0x7C2439),
    ("coral", 0xF17A63),
    ("pink", 0xF2A6BA),
    ("fuchsia", 0xCB3F89),
    ("orange", 0xEB8433),
    ("mustard", 0xD8A22B),
    ("yellow", 0xF4D150),
    ("olive", 0x7E8145),
    ("sage", 0xA8BA9C),
    ("green", 0x43955C),
    ("forest green", 0x24533F),
    ("mint", 0xA8DEC8),
    ("teal", 0x207F86),
    ("turquoise", 0x42B8BF),
    ("sky blue", 0x90C5E9),
    ("blue", 0x386BBC),
    ("navy", 0x24355F),
    ("lavender", 0xB8A6DA),
    ("purple", 0x6F4C9C),
];

impl Colour {
    /// Every colour, in a fixed order.
    pub fn all() -> impl Iterator<Item = Colour> {
        (0..PALETTE.len() as u8).map(Colour)
    }

    /// The colour of that name (`"navy"`, `"forest green"`), whatever its case.
    pub fn named(name: &str) -> Option<Self> {
        PALETTE.iter().position(|(n, _)| n.eq_ignore_ascii_case(name)).map(|i| Self(i as u8))
    }

    /// Lower-case name, as it reads inside a title: `striped navy mug`.
    pub fn name(self) -> &'static str {
        PALETTE[usize::from(self.0)].0
    }

    pub(crate) fn rgb(self) -> Rgb {
        let hex = PALETTE[usize::from(self.0)].1;
        [16, 8, 0].map(|shift| ((hex >> shift) & 0xff) as f32 / 255.0)
    }

    pub(crate) fn draw(draws: &mut Draws) -> Self {
        Self(draws.below(PALETTE.len()) as u8)
    }
}

/// The three colours of a product: the one it is named after, the one of its pattern, and the one of its small parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colourway {
    pub main: Colour,
    pub accent: Colour,
    pub detail: Colour,
}

impl Colourway {
    /// A colourway around `main`: the accent is drawn until it can be told from it at a glance.
    pub(crate) fn around(main: Colour, draws: &mut Draws) -> Self {
        let neutral = ["white", "cream", "charcoal", "navy"];
        let accent = loop {
            let candidate =
                if draws.chance(0.4) { Colour::named(draws.pick::<&str>(&neutral)).unwrap_or(main) } else { Colour::draw(draws) };
            if distance(main.rgb(), candidate.rgb()) > 0.42 {
                break candidate;
            }
        };
        let detail = loop {
            let candidate = Colour::draw(draws);
            if distance(accent.rgb(), candidate.rgb()) > 0.25 && distance(main.rgb(), candidate.rgb()) > 0.25 {
                break candidate;
            }
        };
        Self { main, accent, detail }
    }
}

/// Distance in sRGB with the eye's weights, 0..=1 or so.
fn distance(a: Rgb, b: Rgb) -> f32 {
    let weights = [0.30, 0.59, 0.30];
    (0..3).map(|i| weights[i] * (a[i] - b[i]).powi(2)).sum::<f32>().sqrt()
}

pub(crate) fn lerp(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

pub(crate) fn scaled(a: Rgb, by: f32) -> Rgb {
    a.map(|c| c * by)
}

pub(crate) fn luminance(a: Rgb) -> f32 {
    0.299 * a[0] + 0.587 * a[1] + 0.114 * a[2]
}
