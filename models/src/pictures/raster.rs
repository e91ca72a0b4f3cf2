//! From outlines to coverage: exact along x, four sub-lines a pixel row along y, non-zero winding.

use super::path::Path;

const SUBLINES: usize = 4;

/// Coverage 0..=1 of a rectangle of the canvas.
#[derive(Debug, Clone)]
pub(crate) struct Mask {
    pub(crate) x0: usize,
    pub(crate) y0: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) cover: Vec<f32>,
}

impl Mask {
    /// The coverage of `path` on a canvas of `size` × `size` pixels that shows the unit square. What lies outside is cut off.
    pub(crate) fn of(path: &Path, size: usize) -> Self {
        let scale = size as f32;
        let (bx0, by0, bx1, by1) = path.bounds();
        let clamp = |v: f32| v.clamp(0.0, scale) as usize;
        let (x0, y0) = (clamp((bx0 * scale).floor()), clamp((by0 * scale).floor()));
        let (x1, y1) = (clamp((bx1 * scale).ceil()), clamp((by1 * scale).ceil()));
        let (width, height) = (x1.saturating_sub(x0), y1.saturating_sub(y0));
        let mut mask = Self { x0, y0, width, height, cover: vec![0.0; width * height] };
        if width == 0 || height == 0 {
            return mask;
        }
        let mut crossings: Vec<Vec<(f32, i32)>> = vec![Vec::new(); height * SUBLINES];
        let to_line = |y: f32| (y * scale - y0 as f32) * SUBLINES as f32 - 0.5;
        for ring in &path.rings {
            for i in 0..ring.len() {
                let (a, b) = (ring[i], ring[(i + 1) % ring.len()]);
                let (top, low, way) = if a[1] < b[1] { (a, b, 1) } else { (b, a, -1) };
                let (from, to) = (to_line(top[1]), to_line(low[1]));
                let first = from.ceil().max(0.0) as usize;
                let end = (to.ceil().max(0.0) as usize).min(crossings.len());
                let slope = (low[0] - top[0]) * scale / (to - from).max(1e-9);
                for (line, crossed) in crossings.iter_mut().enumerate().take(end).skip(first) {
                    crossed.push((top[0] * scale - x0 as f32 + slope * (line as f32 - from), way));
                }
            }
        }
        for (line, crossed) in crossings.iter_mut().enumerate() {
            crossed.sort_by(|a, b| a.0.total_cmp(&b.0));
            let row = line / SUBLINES * width;
            let mut winding = 0;
            for pair in 0..crossed.len() {
                winding += crossed[pair].1;
                if winding != 0 && pair + 1 < crossed.len() {
                    add_span(&mut mask.cover[row..row + width], crossed[pair].0, crossed[pair + 1].0);
                }
            }
        }
        mask
    }

    pub(crate) fn at(&self, x: usize, y: usize) -> f32 {
        self.cover[y * self.width + x]
    }

    /// Cut down to what `other` covers too.
    pub(crate) fn keep_inside(&mut self, other: &Mask) {
        for y in 0..self.height {
            for x in 0..self.width {
                let (ox, oy) = ((x + self.x0).wrapping_sub(other.x0), (y + self.y0).wrapping_sub(other.y0));
                let keep = if ox < other.width && oy < other.height { other.at(ox, oy) } else { 0.0 };
                self.cover[y * self.width + x] *= keep;
            }
        }
    }

    /// Blurred by three passes of a box of that radius in pixels, within its own rectangle grown by `3 × radius`.
    pub(crate) fn blurred(&self, radius: usize, size: usize) -> Self {
        let grow = 3 * radius;
        let (x0, y0) = (self.x0.saturating_sub(grow), self.y0.saturating_sub(grow));
        let (x1, y1) = ((self.x0 + self.width + grow).min(size), (self.y0 + self.height + grow).min(size));
        let (width, height) = (x1 - x0, y1 - y0);
        let mut cover = vec![0.0; width * height];
        for y in 0..self.height {
            let start = (y + self.y0 - y0) * width + self.x0 - x0;
            cover[start..start + self.width].copy_from_slice(&self.cover[y * self.width..(y + 1) * self.width]);
        }
        let mut mask = Self { x0, y0, width, height, cover };
        for _ in 0..3 {
            mask.box_blur(radius);
        }
        mask
    }

    fn box_blur(&mut self, radius: usize) {
        let mut line = vec![0.0; self.width.max(self.height)];
        for y in 0..self.height {
            blur_line(&mut self.cover, y * self.width, 1, self.width, radius, &mut line);
        }
        for x in 0..self.width {
            blur_line(&mut self.cover, x, self.width, self.height, radius, &mut line);
        }
    }
}

fn blur_line(data: &mut [f32], start: usize, stride: usize, len: usize, radius: usize, scratch: &mut [f32]) {
    let span = (2 * radius + 1) as f32;
    let value = |data: &[f32], i: usize| data[start + i * stride];
    let mut sum: f32 = (0..radius.min(len)).map(|i| value(data, i)).sum();
    for i in 0..len {
        if i + radius < len {
            sum += value(data, i + radius);
        }
        scratch[i] = sum / span;
        if i >= radius {
            sum -= value(data, i - radius);
        }
    }
    for (i, blurred) in scratch[..len].iter().enumerate() {
        data[start + i * stride] = *blurred;
    }
}

fn add_span(row: &mut [f32], from: f32, to: f32) {
    const WEIGHT: f32 = 1.0 / SUBLINES as f32;
    let (from, to) = (from.max(0.0), to.min(row.len() as f32));
    if to <= from {
        return;
    }
    let (first, last) = (from as usize, (to.ceil() as usize - 1).min(row.len() - 1));
    if first >= last {
        row[first.min(row.len() - 1)] += (to - from) * WEIGHT;
        return;
    }
    row[first] += (first as f32 + 1.0 - from) * WEIGHT;
    row[first + 1..last].iter_mut().for_each(|c| *c += WEIGHT);
    row[last] += (to - last as f32) * WEIGHT;
}
