//! Parts of a product painted one over another: print, material and light.

use super::colour::{Rgb, lerp, luminance, scaled};
use super::draws::noise;
use super::path::Path;
use super::pattern::Pattern;
use super::raster::Mask;

/// Which colour a part takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Paint {
    /// The product's print in its colourway.
    Print,
    Main,
    Accent,
    Detail,
    /// A line that can be seen on the main colour: darker, or lighter on a dark one.
    Seam,
    Fixed(Rgb),
}

/// What a part is made of, as far as light is concerned. Light comes from the upper left.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Finish {
    Flat,
    /// Woven: soft edges and folds.
    Cloth,
    /// Stuffed: strong relief.
    Puffy,
    /// Glazed or lacquered: relief with a sheen.
    Gloss,
    /// A standing cylinder around the line x = `cx` with that radius; the print wraps around it. `sheen` 0..=1.
    Round {
        cx: f32,
        radius: f32,
        sheen: f32,
    },
    Wood,
    /// Lit from inside around that point.
    Glow {
        x: f32,
        y: f32,
    },
}

/// One painted piece of a product.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    path: Path,
    paint: Paint,
    finish: Finish,
    brightness: f32,
    opacity: f32,
    /// Turns the print, radians, as on a sleeve.
    turn: f32,
    /// Paint only inside this path too.
    within: Option<Path>,
}

impl Part {
    pub(crate) fn new(path: Path, paint: Paint, finish: Finish) -> Self {
        Self { path, paint, finish, brightness: 1.0, opacity: 1.0, turn: 0.0, within: None }
    }

    /// A stitched or engraved line.
    pub(crate) fn seam(path: Path) -> Self {
        Self::new(path, Paint::Seam, Finish::Flat).opacity(0.55)
    }

    /// A soft dark shape on what lies below.
    pub(crate) fn shadow(path: Path, opacity: f32) -> Self {
        Self::new(path, Paint::Fixed([0.05, 0.04, 0.06]), Finish::Flat).opacity(opacity)
    }

    /// A light shape on what lies below.
    pub(crate) fn light(path: Path, opacity: f32) -> Self {
        Self::new(path, Paint::Fixed([1.0, 1.0, 1.0]), Finish::Flat).opacity(opacity)
    }

    pub(crate) fn brightness(mut self, by: f32) -> Self {
        self.brightness = by;
        self
    }

    pub(crate) fn opacity(mut self, opacity: f32) -> Self {
        self.opacity = opacity;
        self
    }

    pub(crate) fn turn(mut self, angle: f32) -> Self {
        self.turn = angle;
        self
    }

    pub(crate) fn within(mut self, path: Path) -> Self {
        self.within = Some(path);
        self
    }
}

/// The colours and the print that paints mean.
pub(crate) struct Palette {
    pub(crate) main: Rgb,
    pub(crate) accent: Rgb,
    pub(crate) detail: Rgb,
    pub(crate) pattern: Pattern,
    /// Where the folds of the cloth lie.
    pub(crate) folds: u64,
}

/// A square picture with alpha. Colours are premultiplied by it.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) size: usize,
    pub(crate) pixels: Vec<[f32; 4]>,
}

impl Layer {
    pub(crate) fn clear(size: usize) -> Self {
        Self { size, pixels: vec![[0.0; 4]; size * size] }
    }

    pub(crate) fn paint(&mut self, part: &Part, palette: &Palette) {
        let mut mask = Mask::of(&part.path, self.size);
        if let Some(within) = &part.within {
            mask.keep_inside(&Mask::of(within, self.size));
        }
        let relief = Relief::of(&mask, part.finish, self.size);
        let pixel = 1.0 / self.size as f32;
        let (sin, cos) = part.turn.sin_cos();
        for row in 0..mask.height {
            for column in 0..mask.width {
                let cover = mask.at(column, row) * part.opacity;
                if cover <= 0.0 {
                    continue;
                }
                let (px, py) = (column + mask.x0, row + mask.y0);
                let (x, y) = ((px as f32 + 0.5) * pixel, (py as f32 + 0.5) * pixel);
                let base = match part.paint {
                    Paint::Print => {
                        let (u, v) = unrolled(part.finish, x, y);
                        let (du, dv) = (u - 0.5, v - 0.5);
                        palette.print(0.5 + du * cos + dv * sin, 0.5 + dv * cos - du * sin, pixel)
                    }
                    paint => palette.colour(paint),
                };
                let lit = light(scaled(base, part.brightness), part.finish, (x, y), relief.slope(px, py), palette.folds);
                let below = &mut self.pixels[py * self.size + px];
                for channel in 0..3 {
                    below[channel] = lit[channel].clamp(0.0, 1.0) * cover + below[channel] * (1.0 - cover);
                }
                below[3] = cover + below[3] * (1.0 - cover);
            }
        }
    }

    /// (x0, y0, x1, y1) of what is not clear, in 0..=1.
    pub(crate) fn bounds(&self) -> Option<(f32, f32, f32, f32)> {
        let seen = (0..self.pixels.len()).filter(|i| self.pixels[*i][3] > 0.3);
        let mut bounds: Option<(usize, usize, usize, usize)> = None;
        for i in seen {
            let (x, y) = (i % self.size, i / self.size);
            let b = bounds.get_or_insert((x, y, x, y));
            *b = (b.0.min(x), b.1.min(y), b.2.max(x), b.3.max(y));
        }
        let unit = |v: usize| v as f32 / self.size as f32;
        bounds.map(|(x0, y0, x1, y1)| (unit(x0), unit(y0), unit(x1 + 1), unit(y1 + 1)))
    }

    pub(crate) fn alpha(&self) -> Mask {
        let cover = self.pixels.iter().map(|p| p[3]).collect();
        Mask { x0: 0, y0: 0, width: self.size, height: self.size, cover }
    }
}

impl Palette {
    fn colour(&self, paint: Paint) -> Rgb {
        match paint {
            Paint::Print | Paint::Main => self.main,
            Paint::Accent => self.accent,
            Paint::Detail => self.detail,
            Paint::Seam if luminance(self.main) > 0.3 => scaled(self.main, 0.55),
            Paint::Seam => lerp(self.main, [1.0; 3], 0.35),
            Paint::Fixed(rgb) => rgb,
        }
    }

    fn print(&self, u: f32, v: f32, pixel: f32) -> Rgb {
        let ink = self.pattern.ink(u, v, pixel);
        lerp(lerp(self.main, self.accent, ink.accent), self.detail, ink.detail)
    }
}

/// Where on the unrolled print a point of the part is.
fn unrolled(finish: Finish, x: f32, y: f32) -> (f32, f32) {
    match finish {
        Finish::Round { cx, radius, .. } => (cx + radius * ((x - cx) / radius).clamp(-0.999, 0.999).asin(), y),
        _ => (x, y),
    }
}

fn light(base: Rgb, finish: Finish, (x, y): (f32, f32), (slope, depth): (f32, f32), folds: u64) -> Rgb {
    let sheen = |amount: f32, colour: Rgb| lerp(colour, [1.0; 3], amount.clamp(0.0, 1.0));
    match finish {
        Finish::Flat => base,
        Finish::Cloth => {
            let fold = noise(x * 9.0 + y * 2.0, y * 3.5, folds) * 0.6 + noise(x * 21.0, y * 8.0 + x * 5.0, folds ^ 7) * 0.4;
            let weave = noise(x * 190.0, y * 190.0, folds ^ 3) - 0.5;
            scaled(base, (0.9 + 0.17 * fold + 0.03 * weave) * (1.0 + 0.5 * slope) * (0.8 + 0.2 * depth))
        }
        Finish::Puffy => {
            let crease = noise(x * 6.0, y * 6.0, folds);
            scaled(base, (0.93 + 0.12 * crease) * (1.0 + 0.6 * slope) * (0.72 + 0.32 * depth))
        }
        Finish::Gloss => sheen((slope - 0.16) * 1.6, scaled(base, (1.0 + 0.45 * slope) * (0.8 + 0.22 * depth))),
        Finish::Round { cx, radius, sheen: amount } => {
            let t = ((x - cx) / radius).clamp(-1.0, 1.0);
            // A soft window to the left, a darker right side, and a thin reflected light at its edge.
            let body = 1.03 - 0.42 * ((t + 0.25).max(0.0) / 1.25).powi(2) - 0.22 * ((-t - 0.55).max(0.0) / 0.45).powi(2);
            let rim = 0.08 * ((t - 0.82).max(0.0) / 0.18);
            let streak = (-((t + 0.52) / 0.13).powi(2)).exp() * 0.42 + (-((t - 0.6) / 0.06).powi(2)).exp() * 0.1;
            sheen(streak * amount, scaled(base, (body + rim) * (0.97 + 0.03 * depth)))
        }
        Finish::Wood => {
            let grain = noise(x * 60.0, y * 7.0, folds) * 0.5 + noise(x * 150.0, y * 12.0, folds ^ 9) * 0.5;
            scaled(base, (0.86 + 0.2 * grain) * (1.0 + 0.5 * slope) * (0.86 + 0.14 * depth))
        }
        Finish::Glow { x: gx, y: gy } => {
            let near = (-(((x - gx) / 0.2).powi(2) + ((y - gy) / 0.16).powi(2))).exp();
            let warm = lerp(base, [1.0, 0.93, 0.72], 0.5 * near);
            scaled(warm, (0.93 + 0.22 * near) * (1.0 + 0.3 * slope))
        }
    }
}

/// A height map made of a part's blurred outline, which gives flat shapes a body.
struct Relief {
    heights: Option<Mask>,
    steepness: f32,
}

impl Relief {
    fn of(mask: &Mask, finish: Finish, size: usize) -> Self {
        let radius = match finish {
            Finish::Flat | Finish::Round { .. } => return Self { heights: None, steepness: 0.0 },
            Finish::Puffy => 0.035,
            Finish::Gloss => 0.024,
            Finish::Cloth | Finish::Glow { .. } => 0.012,
            Finish::Wood => 0.006,
        };
        let pixels = ((radius * size as f32).round() as usize).max(1);
        Self { heights: Some(mask.blurred(pixels, size)), steepness: pixels as f32 }
    }

    /// (light from the upper left about −1..=1, height 0..=1) at a pixel of the canvas.
    fn slope(&self, x: usize, y: usize) -> (f32, f32) {
        let Some(map) = &self.heights else { return (0.0, 1.0) };
        let height = |x: isize, y: isize| {
            let (column, row) = (x - map.x0 as isize, y - map.y0 as isize);
            let inside = column >= 0 && row >= 0 && (column as usize) < map.width && (row as usize) < map.height;
            if inside { map.at(column as usize, row as usize) } else { 0.0 }
        };
        let (x, y) = (x as isize, y as isize);
        let (gx, gy) = (height(x + 1, y) - height(x - 1, y), height(x, y + 1) - height(x, y - 1));
        let depth = height(x, y);
        ((0.55 * gx + 0.83 * gy) * self.steepness, ((depth - 0.5) * 2.0).clamp(0.0, 1.0))
    }
}
