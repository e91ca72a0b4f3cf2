//! Turning a flat cut-out in space.

use super::canvas::Layer;

/// A projective map of the unit square, from where a pixel is shown to where it is taken from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Projection([f32; 9]);

impl Projection {
    /// The map that shows the corners of the unit square (clockwise from the upper left) at `corners`.
    pub(crate) fn to_corners(corners: [[f32; 2]; 4]) -> Self {
        // Heckbert, "Fundamentals of Texture Mapping and Image Warping" (1989): square to quadrilateral, then inverted.
        let [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = corners;
        let (sx, sy) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
        let (dx1, dx2, dy1, dy2) = (x1 - x2, x3 - x2, y1 - y2, y3 - y2);
        let det = dx1 * dy2 - dx2 * dy1;
        let (g, h) = ((sx * dy2 - dx2 * sy) / det, (dx1 * sy - sx * dy1) / det);
        let (a, b, c) = (x1 - x0 + g * x1, x3 - x0 + h * x3, x0);
        let (d, e, f) = (y1 - y0 + g * y1, y3 - y0 + h * y3, y0);
        Self([e - f * h, c * h - b, b * f - c * e, f * g - d, a - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d])
    }

    fn source(&self, x: f32, y: f32) -> (f32, f32) {
        let m = &self.0;
        let w = m[6] * x + m[7] * y + m[8];
        ((m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w)
    }
}

impl Layer {
    pub(crate) fn projected(&self, map: &Projection) -> Layer {
        let mut out = Layer::clear(self.size);
        let unit = 1.0 / self.size as f32;
        for y in 0..self.size {
            for x in 0..self.size {
                let (u, v) = map.source((x as f32 + 0.5) * unit, (y as f32 + 0.5) * unit);
                out.pixels[y * self.size + x] = self.sampled(u, v);
            }
        }
        out
    }

    /// Bilinear; clear outside.
    fn sampled(&self, u: f32, v: f32) -> [f32; 4] {
        let (x, y) = (u * self.size as f32 - 0.5, v * self.size as f32 - 0.5);
        let limit = self.size as f32;
        if !(x > -1.0 && y > -1.0 && x < limit && y < limit) {
            return [0.0; 4];
        }
        let (x0, y0) = (x.floor(), y.floor());
        let (tx, ty) = (x - x0, y - y0);
        let at = |x: f32, y: f32| {
            let inside = x >= 0.0 && y >= 0.0 && x < limit && y < limit;
            if inside { self.pixels[y as usize * self.size + x as usize] } else { [0.0; 4] }
        };
        let corners = [
            (at(x0, y0), (1.0 - tx) * (1.0 - ty)),
            (at(x0 + 1.0, y0), tx * (1.0 - ty)),
            (at(x0, y0 + 1.0), (1.0 - tx) * ty),
            (at(x0 + 1.0, y0 + 1.0), tx * ty),
        ];
        std::array::from_fn(|c| corners.iter().map(|(pixel, weight)| pixel[c] * weight).sum())
    }
}
