//! What is printed on a product: repeating motifs, drawn from distances so that their edges stay smooth at any size.

use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

use super::draws::{Draws, cell_unit};

/// The kinds of print, by the word a shopper would use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatternKind {
    Plain,
    Striped,
    Pinstriped,
    Checked,
    Tartan,
    Spotted,
    Floral,
    Zigzag,
    Starry,
    HeartPrint,
    TwoTone,
    Leafy,
    Diamond,
    Ombre,
}

impl PatternKind {
    pub const ALL: [Self; 14] = [
        Self::Plain,
        Self::Striped,
        Self::Pinstriped,
        Self::Checked,
        Self::Tartan,
        Self::Spotted,
        Self::Floral,
        Self::Zigzag,
        Self::Starry,
        Self::HeartPrint,
        Self::TwoTone,
        Self::Leafy,
        Self::Diamond,
        Self::Ombre,
    ];

    /// Lower-case adjective, as it reads inside a title: `striped navy mug`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Striped => "striped",
            Self::Pinstriped => "pinstriped",
            Self::Checked => "checked",
            Self::Tartan => "tartan",
            Self::Spotted => "spotted",
            Self::Floral => "floral",
            Self::Zigzag => "zigzag",
            Self::Starry => "starry",
            Self::HeartPrint => "heart-print",
            Self::TwoTone => "two-tone",
            Self::Leafy => "leafy",
            Self::Diamond => "diamond",
            Self::Ombre => "ombre",
        }
    }
}

/// A print with its measures. Products of one design share it and differ in their colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pattern {
    pub kind: PatternKind,
    /// Motifs across the whole picture.
    pub(crate) repeat: f32,
    /// Direction, radians.
    pub(crate) angle: f32,
    /// How much of a motif's cell it fills, 0..=1.
    pub(crate) share: f32,
    pub(crate) salt: u64,
}

/// How much of the accent and of the detail colour covers a point, each 0..=1; the main colour has the rest.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ink {
    pub(crate) accent: f32,
    pub(crate) detail: f32,
}

impl Pattern {
    pub(crate) fn draw(draws: &mut Draws) -> Self {
        // Plain goods are the commonest in a shop.
        let kind = if draws.chance(0.12) { PatternKind::Plain } else { *draws.pick(&PatternKind::ALL) };
        Self::of(kind, draws)
    }

    pub(crate) fn of(kind: PatternKind, draws: &mut Draws) -> Self {
        use PatternKind as K;
        let repeat = match kind {
            K::Pinstriped => draws.between(11.0, 18.0),
            K::Floral | K::Leafy => draws.between(5.0, 9.0),
            K::Starry | K::HeartPrint => draws.between(6.0, 11.0),
            _ => draws.between(5.5, 12.0),
        };
        let angle = match kind {
            K::Striped | K::Pinstriped => *draws.pick(&[0.0, FRAC_PI_2, FRAC_PI_2, FRAC_PI_4, -FRAC_PI_4]),
            K::Checked | K::Tartan => *draws.pick(&[0.0, 0.0, FRAC_PI_4]),
            K::Zigzag => *draws.pick(&[0.0, FRAC_PI_2]),
            K::TwoTone | K::Ombre => *draws.pick(&[0.0, 0.0, 0.35, -0.35]),
            _ => 0.0,
        };
        Self { kind, repeat, angle, share: draws.between(0.3, 0.65), salt: draws.bits() }
    }

    /// The ink at (u, v) of the unit square. `pixel` is the width of a pixel there: edges are that soft.
    pub(crate) fn ink(&self, u: f32, v: f32, pixel: f32) -> Ink {
        use PatternKind as K;
        let (sin, cos) = self.angle.sin_cos();
        let (u, v) = (u - 0.5, v - 0.5);
        let (x, y) = ((u * cos + v * sin) * self.repeat, (v * cos - u * sin) * self.repeat);
        let soft = |inside: f32| (inside / (pixel * self.repeat) + 0.5).clamp(0.0, 1.0);
        let accent = |cover: f32| Ink { accent: cover, detail: 0.0 };
        match self.kind {
            K::Plain => Ink::default(),
            K::Striped => accent(soft(band(y, self.share))),
            K::Pinstriped => accent(soft(band(y, 0.16 + 0.12 * self.share))),
            K::Checked => {
                let (a, b) = (soft(band(x, 0.5)), soft(band(y, 0.5)));
                accent((a + b) * 0.5)
            }
            K::Tartan => {
                let (x, y) = (x * 0.55, y * 0.55);
                let cover = (soft(band(x, self.share)) + soft(band(y, self.share))) * 0.45;
                let line = soft(band(x + 0.5, 0.09)).max(soft(band(y + 0.5, 0.09)));
                Ink { accent: cover, detail: line * 0.85 }
            }
            K::Spotted => {
                let (dx, dy, _) = staggered(x, y);
                accent(soft(0.14 + 0.26 * self.share - dx.hypot(dy)))
            }
            K::Floral => self.scattered(x, y, soft, |dx, dy, turn, size| {
                let (radius, angle) = (dx.hypot(dy), dy.atan2(dx) + turn * TAU);
                let petals = 5.0 + (self.salt % 2) as f32;
                (size * (0.66 + 0.34 * (angle * petals).cos()) - radius, size * 0.3 - radius)
            }),
            K::Leafy => self.scattered(x, y, soft, |dx, dy, turn, size| {
                let (sin, cos) = (turn * TAU).sin_cos();
                let (along, across) = (dx * cos + dy * sin, dy * cos - dx * sin);
                let t = (along / (size * 1.25)).clamp(-1.0, 1.0);
                let half = size * 0.52 * (1.0 - t * t);
                let leaf = (half - across.abs()).min(size * 1.25 - along.abs());
                (leaf, (0.035 - across.abs()).min(leaf))
            }),
            K::Zigzag => {
                let wave = ((x * 0.8).rem_euclid(1.0) - 0.5).abs() * 1.3;
                accent(soft(band(y + wave, self.share) * 0.75))
            }
            K::Starry => {
                let (dx, dy, _) = staggered(x, y);
                accent(soft(star(dx, dy, 0.2 + 0.2 * self.share)))
            }
            K::HeartPrint => {
                let (dx, dy, _) = staggered(x, y);
                accent(soft(heart(dx, dy, 0.2 + 0.18 * self.share)))
            }
            K::TwoTone => accent((((v * cos - u * sin) - (self.share - 0.45) * 0.4) / pixel + 0.5).clamp(0.0, 1.0)),
            K::Diamond => {
                let (cx, cy) = ((x * 0.8).rem_euclid(1.0) - 0.5, (y * 0.62).rem_euclid(1.0) - 0.5);
                let inside = 0.3 + 0.2 * self.share - cx.abs() - cy.abs();
                Ink { accent: soft(inside * 0.7), detail: soft((inside - 0.3) * 0.7) }
            }
            K::Ombre => {
                let t = ((v * cos - u * sin) * 1.7 + 0.5).clamp(0.0, 1.0);
                accent(t * t * (3.0 - 2.0 * t))
            }
        }
    }

    /// Motifs at jittered places: `shape(dx, dy, turn, size)` gives how far inside the motif and inside its heart a point is.
    fn scattered(&self, x: f32, y: f32, soft: impl Fn(f32) -> f32, shape: impl Fn(f32, f32, f32, f32) -> (f32, f32)) -> Ink {
        let (cx, cy) = (x.floor() as i32, y.floor() as i32);
        let mut ink = Ink::default();
        for (i, j) in (-1..=1).flat_map(|i| (-1..=1).map(move |j| (i, j))) {
            let (gx, gy) = (cx + i, cy + j);
            let draw = |n: u64| cell_unit(gx, gy, self.salt.wrapping_add(n));
            let centre = (gx as f32 + 0.28 + 0.44 * draw(1), gy as f32 + 0.28 + 0.44 * draw(2));
            let size = (0.26 + 0.2 * self.share) * (0.75 + 0.5 * draw(3));
            let (motif, heart) = shape(x - centre.0, y - centre.1, draw(4), size);
            ink.accent = ink.accent.max(soft(motif));
            ink.detail = ink.detail.max(soft(heart));
        }
        ink
    }
}

/// How far inside the stripe of that share of each unit `t` is.
fn band(t: f32, share: f32) -> f32 {
    share / 2.0 - (t.rem_euclid(1.0) - 0.5).abs()
}

/// The place in a grid whose odd rows are shifted by half a cell: offset from the cell's centre, and the row.
fn staggered(x: f32, y: f32) -> (f32, f32, i32) {
    let y = y * 1.1;
    let row = y.floor();
    let shift = if (row as i32).rem_euclid(2) == 1 { 0.5 } else { 0.0 };
    ((x + shift).rem_euclid(1.0) - 0.5, (y - row - 0.5) / 1.1, row as i32)
}

/// How far inside a five-pointed star of radius `r`, point up, (x, y) is.
pub(crate) fn star(x: f32, y: f32, r: f32) -> f32 {
    let sector = TAU / 5.0;
    let angle = (x.atan2(-y) + sector / 2.0).rem_euclid(sector) - sector / 2.0;
    let radius = x.hypot(y);
    // The edge runs from the tip (r, 0) to the inner corner at angle π/5.
    let (px, py) = (radius * angle.cos(), radius * angle.abs().sin());
    let inner = 0.45 * r;
    let (ex, ey) = (inner * (PI / 5.0).cos() - r, inner * (PI / 5.0).sin());
    let cross = ex * py - ey * (px - r);
    cross / ex.hypot(ey)
}

/// How far inside a heart of half-width `r`, point down, (x, y) is (approximate near the edge).
pub(crate) fn heart(x: f32, y: f32, r: f32) -> f32 {
    let (x, y) = (x / r, -y / r * 1.05 + 0.12);
    let bend = y - 0.62 * x.abs().sqrt() * (1.0 - 0.25 * x.abs());
    (1.0 - (x * x + bend * bend).sqrt()) * r * 0.6
}
