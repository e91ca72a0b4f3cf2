//! Where and how a product is photographed.

use image::{Rgb, RgbImage};

use super::canvas::Layer;
use super::colour::{Rgb as Colour3, lerp, scaled};
use super::draws::{Draws, noise};
use super::path::Path;
use super::raster::Mask;
use super::warp::Projection;

/// An opaque square picture being composed.
pub(crate) struct Photo {
    size: usize,
    pixels: Vec<Colour3>,
}

impl Photo {
    fn painted(size: usize, colour: impl Fn(f32, f32) -> Colour3) -> Self {
        let unit = 1.0 / size as f32;
        let pixels = (0..size * size).map(|i| colour(((i % size) as f32 + 0.5) * unit, ((i / size) as f32 + 0.5) * unit)).collect();
        Self { size, pixels }
    }

    fn darken(&mut self, shadow: &Mask, (dx, dy): (isize, isize), strength: f32) {
        for y in 0..shadow.height {
            for x in 0..shadow.width {
                let (px, py) = ((x + shadow.x0) as isize + dx, (y + shadow.y0) as isize + dy);
                if px >= 0 && py >= 0 && (px as usize) < self.size && (py as usize) < self.size {
                    let pixel = &mut self.pixels[py as usize * self.size + px as usize];
                    *pixel = scaled(*pixel, 1.0 - strength * shadow.at(x, y));
                }
            }
        }
    }

    fn blend(&mut self, mask: &Mask, colour: impl Fn(f32, f32) -> Colour3) {
        let unit = 1.0 / self.size as f32;
        for y in 0..mask.height {
            for x in 0..mask.width {
                let (px, py) = (x + mask.x0, y + mask.y0);
                let pixel = &mut self.pixels[py * self.size + px];
                *pixel = lerp(*pixel, colour(px as f32 * unit, py as f32 * unit), mask.at(x, y).min(1.0));
            }
        }
    }

    fn place(&mut self, layer: &Layer) {
        for (below, above) in self.pixels.iter_mut().zip(&layer.pixels) {
            *below = std::array::from_fn(|c| above[c] + below[c] * (1.0 - above[3]));
        }
    }

    /// Averaged over blocks of `by` × `by` pixels.
    pub(crate) fn averaged(&self, by: usize) -> Self {
        let size = self.size / by;
        let share = 1.0 / (by * by) as f32;
        let block = |i: usize| {
            let (x, y) = (i % size * by, i / size * by);
            let mut sum = [0.0; 3];
            for (dx, dy) in (0..by).flat_map(|dy| (0..by).map(move |dx| (dx, dy))) {
                let pixel = self.pixels[(y + dy) * self.size + x + dx];
                (0..3).for_each(|c| sum[c] += pixel[c] * share);
            }
            sum
        };
        Self { size, pixels: (0..size * size).map(block).collect() }
    }

    fn box_blurred(&self, radius: f32) -> Self {
        // A 3 × 3 kernel whose centre gives way as the radius grows: enough for a phone's slightly missed focus.
        let side = radius / (1.0 + 2.0 * radius);
        let at = |x: isize, y: isize| {
            let last = self.size as isize - 1;
            self.pixels[y.clamp(0, last) as usize * self.size + x.clamp(0, last) as usize]
        };
        let weights = [side, 1.0 - 2.0 * side, side];
        let blur = |i: usize| {
            let (x, y) = ((i % self.size) as isize, (i / self.size) as isize);
            let mut sum = [0.0; 3];
            for dy in 0..3 {
                for dx in 0..3 {
                    let pixel = at(x + dx - 1, y + dy - 1);
                    let weight = weights[dx as usize] * weights[dy as usize];
                    (0..3).for_each(|c| sum[c] += pixel[c] * weight);
                }
            }
            sum
        };
        Self { size: self.size, pixels: (0..self.size * self.size).map(blur).collect() }
    }

    pub(crate) fn to_image(&self) -> RgbImage {
        let mut image = RgbImage::new(self.size as u32, self.size as u32);
        for (pixel, colour) in image.pixels_mut().zip(&self.pixels) {
            *pixel = Rgb(colour.map(|c| (c.clamp(0.0, 1.0) * 255.0 + 0.5) as u8));
        }
        image
    }
}

/// A light sweep of paper, the product in the middle, a soft shadow where it stands or lies.
pub(crate) fn studio(product: &Layer, stands: bool) -> Photo {
    let size = product.size;
    let mut photo = Photo::painted(size, |x, y| {
        let glow = 1.0 - 0.055 * ((x - 0.45).powi(2) + (y - 0.4).powi(2)).sqrt() - 0.02 * y;
        [0.972 * glow, 0.968 * glow, 0.96 * glow]
    });
    if stands && let Some((x0, _, x1, y1)) = product.bounds() {
        let (cx, half) = ((x0 + x1) / 2.0, (x1 - x0) / 2.0);
        let pool = Mask::of(&Path::ellipse(cx + 0.02, y1 - 0.012, half * 1.06, 0.035), size);
        photo.darken(&pool.blurred(size / 45, size), (0, 0), 0.3);
        let contact = Mask::of(&Path::ellipse(cx, y1 - 0.012, half * 0.9, 0.013), size);
        photo.darken(&contact.blurred(size / 130, size), (0, 0), 0.35);
    } else {
        let near = product.alpha().blurred((size / 90).max(1), size);
        let drop = (size / 110) as isize;
        photo.darken(&near, (drop / 2, drop), 0.3);
    }
    photo.place(product);
    photo
}

/// As a phone sees it.
pub(crate) fn wild(product: &Layer, draws: &mut Draws, oversampling: usize) -> RgbImage {
    let size = product.size;
    let mut photo = background(size, draws);
    let seen = product.projected(&pose(draws));
    let spread = (size as f32 * draws.between(0.008, 0.03)) as usize;
    let fall = size as f32 * 0.03;
    let offset = ((draws.between(-1.0, 1.0) * fall) as isize, (draws.between(0.1, 1.0) * fall) as isize);
    photo.darken(&seen.alpha().blurred(spread.max(1), size), offset, draws.between(0.2, 0.55));
    photo.place(&seen);
    if draws.chance(0.3) {
        occlude(&mut photo, draws);
    }
    light(&mut photo, draws);
    let mut photo = photo.averaged(oversampling);
    if draws.chance(0.4) {
        photo = photo.box_blurred(draws.between(0.2, 0.9));
    }
    grain(&mut photo, draws);
    photo.to_image()
}

fn pose(draws: &mut Draws) -> Projection {
    let turn = draws.around_zero(0.22);
    let scale = draws.between(0.68, 1.22);
    let (dx, dy) = (draws.between(-0.1, 0.1), draws.between(-0.1, 0.1));
    let mirror = if draws.chance(0.35) { -1.0 } else { 1.0 };
    let (sin, cos) = turn.sin_cos();
    let corners = [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5_f32]].map(|[x, y]| {
        let (x, y) = (x * scale * mirror, y * scale);
        let wobble = [draws.between(-0.065, 0.065), draws.between(-0.065, 0.065)];
        [0.5 + dx + x * cos - y * sin + wobble[0], 0.5 + dy + x * sin + y * cos + wobble[1]]
    });
    Projection::to_corners(corners)
}

fn any_colour(draws: &mut Draws) -> Colour3 {
    let base = super::Colour::draw(draws).rgb();
    let grey = draws.between(0.2, 0.9);
    lerp(base, [grey; 3], draws.between(0.0, 0.7))
}

fn background(size: usize, draws: &mut Draws) -> Photo {
    let (one, two) = (any_colour(draws), any_colour(draws));
    let salt = draws.bits();
    let scale = draws.between(3.0, 12.0);
    let mut photo = match draws.below(6) {
        // Boards of wood.
        0 => {
            let wood = lerp([0.66, 0.48, 0.32], one, 0.25);
            Photo::painted(size, move |x, y| {
                let board = (y * scale).floor();
                let grain = noise(x * 3.0 + board * 7.3, y * scale * 9.0, salt) * 0.3 + noise(x * 14.0, y * 90.0, salt ^ 1) * 0.15;
                let gap = if (y * scale).fract() < 0.05 { 0.6 } else { 1.0 };
                scaled(wood, (0.72 + grain + 0.12 * noise(board, 0.5, salt ^ 2)) * gap)
            })
        }
        // A wall and a table.
        1 => {
            let horizon = draws.between(0.5, 0.8);
            Photo::painted(size, move |x, y| {
                let speck = 0.9 + 0.2 * noise(x * 8.0, y * 8.0, salt);
                if y < horizon { scaled(one, speck) } else { scaled(two, speck * (1.05 - 0.3 * (y - horizon))) }
            })
        }
        // A rumpled cloth.
        2 => Photo::painted(size, move |x, y| {
            let fold = noise(x * scale, y * scale * 0.6, salt) * 0.6 + noise(x * scale * 3.0, y * scale * 2.0, salt ^ 5) * 0.3;
            scaled(lerp(one, two, 0.3 * fold), 0.65 + 0.5 * fold)
        }),
        // Tiles.
        3 => Photo::painted(size, move |x, y| {
            let (tx, ty) = ((x * scale * 0.7).fract(), (y * scale * 0.7).fract());
            let grout = tx < 0.06 || ty < 0.06;
            if grout {
                scaled(two, 0.7)
            } else {
                scaled(one, 0.85 + 0.25 * noise((x * scale * 0.7).floor(), (y * scale * 0.7).floor(), salt))
            }
        }),
        // Something grown or gravelly.
        4 => Photo::painted(size, move |x, y| {
            let rough = noise(x * scale * 4.0, y * scale * 4.0, salt) * 0.5 + noise(x * scale * 9.0, y * scale * 9.0, salt ^ 3) * 0.5;
            scaled(lerp(one, two, rough), 0.6 + 0.6 * rough)
        }),
        // A bare, unevenly lit surface.
        _ => Photo::painted(size, move |x, y| lerp(one, two, (x * 0.4 + y * 0.6) * 0.6)),
    };
    if draws.chance(0.65) {
        clutter(&mut photo, draws);
    }
    photo
}

/// Other things on the table, out of focus.
fn clutter(photo: &mut Photo, draws: &mut Draws) {
    for _ in 0..1 + draws.below(4) {
        let (x, y) = (draws.between(-0.1, 1.1), draws.between(-0.1, 1.1));
        let (w, h) = (draws.between(0.06, 0.3), draws.between(0.06, 0.3));
        let shape = if draws.chance(0.5) { Path::ellipse(x, y, w, h) } else { Path::rounded(x - w, y - h, x + w, y + h, 0.04) };
        let shape = shape.turned(x, y, draws.between(-0.8, 0.8));
        let blur = (photo.size as f32 * draws.between(0.002, 0.02)) as usize;
        let mask = Mask::of(&shape, photo.size).blurred(blur.max(1), photo.size);
        let (colour, salt) = (any_colour(draws), draws.bits());
        photo.blend(&mask, |x, y| scaled(colour, 0.8 + 0.35 * noise(x * 5.0, y * 5.0, salt)));
    }
}

/// A finger or another thing in front of a side of the picture.
fn occlude(photo: &mut Photo, draws: &mut Draws) {
    let side = if draws.chance(0.5) { 0.0 } else { 1.0 };
    let y = draws.between(0.1, 0.95);
    let (w, h) = (draws.between(0.1, 0.22), draws.between(0.05, 0.16));
    let skin = lerp([0.93, 0.76, 0.65], [0.45, 0.3, 0.22], draws.unit());
    let colour = if draws.chance(0.6) { skin } else { any_colour(draws) };
    let shape = Path::ellipse(side, y, w, h).turned(side, y, draws.between(-0.7, 0.7));
    let blur = (photo.size as f32 * 0.006) as usize;
    let mask = Mask::of(&shape, photo.size).blurred(blur.max(1), photo.size);
    photo.blend(&mask, |px, py| scaled(colour, 1.05 - 0.5 * ((px - side).powi(2) + (py - y).powi(2)).sqrt() / w.max(h)));
}

/// Exposure, colour of the light, its direction, the camera's curve.
fn light(photo: &mut Photo, draws: &mut Draws) {
    let exposure = draws.between(0.7, 1.22);
    let tint = [draws.between(0.86, 1.12), draws.between(0.94, 1.04), draws.between(0.8, 1.12)];
    let direction = draws.between(0.0, std::f32::consts::TAU);
    let fall_off = draws.between(0.0, 0.5);
    let gamma = draws.between(0.75, 1.35);
    let (sin, cos) = direction.sin_cos();
    let unit = 1.0 / photo.size as f32;
    let size = photo.size;
    for (i, pixel) in photo.pixels.iter_mut().enumerate() {
        let (x, y) = ((i % size) as f32 * unit - 0.5, (i / size) as f32 * unit - 0.5);
        let gain = exposure * (1.0 + fall_off * (x * cos + y * sin));
        *pixel = std::array::from_fn(|c| (pixel[c] * gain * tint[c]).clamp(0.0, 1.0).powf(gamma));
    }
}

fn grain(photo: &mut Photo, draws: &mut Draws) {
    let strength = if draws.chance(0.6) { draws.between(0.006, 0.045) } else { 0.0 };
    for pixel in &mut photo.pixels {
        *pixel = pixel.map(|c| c + draws.around_zero(strength));
    }
}
