//! Outlines in the unit square (x right, y down), already flattened to polygons.

use std::f32::consts::TAU;

type Point = [f32; 2];

/// One or more closed polygons. Filled by the non-zero rule, so a hole is a polygon that runs the other way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path {
    pub(crate) rings: Vec<Vec<Point>>,
}

/// Builds one outline point by point.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Vec<Point>);

impl Line {
    pub(crate) fn from(x: f32, y: f32) -> Self {
        Self(vec![[x, y]])
    }

    pub(crate) fn to(mut self, x: f32, y: f32) -> Self {
        self.0.push([x, y]);
        self
    }

    /// A cubic Bézier curve with control points `a` and `b`.
    pub(crate) fn curve(mut self, a: (f32, f32), b: (f32, f32), end: (f32, f32)) -> Self {
        let [x0, y0] = self.0.last().copied().unwrap_or([end.0, end.1]);
        const STEPS: usize = 20;
        for i in 1..=STEPS {
            let t = i as f32 / STEPS as f32;
            let s = 1.0 - t;
            let weights = [s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t];
            let at = |p: [f32; 4]| (0..4).map(|k| weights[k] * p[k]).sum::<f32>();
            self.0.push([at([x0, a.0, b.0, end.0]), at([y0, a.1, b.1, end.1])]);
        }
        self
    }

    /// A quadratic Bézier curve.
    pub(crate) fn bend(self, control: (f32, f32), end: (f32, f32)) -> Self {
        let [x0, y0] = self.0.last().copied().unwrap_or([end.0, end.1]);
        let toward = |p: (f32, f32)| (p.0 + (control.0 - p.0) * 2.0 / 3.0, p.1 + (control.1 - p.1) * 2.0 / 3.0);
        self.curve(toward((x0, y0)), toward(end), end)
    }

    /// The outline closed as it is.
    pub(crate) fn close(self) -> Path {
        Path { rings: vec![self.0] }
    }

    /// The outline and its mirror image over x = 0.5, as one closed shape. The line runs from top centre to bottom centre.
    pub(crate) fn mirrored(mut self) -> Path {
        let other: Vec<Point> = self.0.iter().rev().map(|[x, y]| [1.0 - x, *y]).collect();
        self.0.extend(other);
        self.close()
    }

    /// The line drawn with a round pen of that width.
    pub(crate) fn stroke(self, width: f32) -> Path {
        let half = width / 2.0;
        let mut rings = Vec::new();
        for pair in self.0.windows(2) {
            let ([ax, ay], [bx, by]) = (pair[0], pair[1]);
            let length = ((bx - ax).powi(2) + (by - ay).powi(2)).sqrt();
            if length < 1e-6 {
                continue;
            }
            let (nx, ny) = ((ay - by) / length * half, (bx - ax) / length * half);
            rings.push(vec![[ax + nx, ay + ny], [ax - nx, ay - ny], [bx - nx, by - ny], [bx + nx, by + ny]]);
        }
        for point in &self.0 {
            rings.push(ring_of_ellipse(point[0], point[1], half, half, 10));
        }
        Path { rings }.oriented()
    }
}

fn ring_of_ellipse(cx: f32, cy: f32, rx: f32, ry: f32, steps: usize) -> Vec<Point> {
    (0..steps).map(|i| TAU * i as f32 / steps as f32).map(|a| [cx + rx * a.cos(), cy + ry * a.sin()]).collect()
}

impl Path {
    pub(crate) fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> Self {
        Self { rings: vec![ring_of_ellipse(cx, cy, rx, ry, 72)] }
    }

    pub(crate) fn circle(cx: f32, cy: f32, r: f32) -> Self {
        Self::ellipse(cx, cy, r, r)
    }

    pub(crate) fn rect(x0: f32, y0: f32, x1: f32, y1: f32) -> Self {
        Line::from(x0, y0).to(x1, y0).to(x1, y1).to(x0, y1).close()
    }

    pub(crate) fn rounded(x0: f32, y0: f32, x1: f32, y1: f32, r: f32) -> Self {
        let r = r.min((x1 - x0).abs() / 2.0).min((y1 - y0).abs() / 2.0);
        Line::from(x0 + r, y0)
            .to(x1 - r, y0)
            .bend((x1, y0), (x1, y0 + r))
            .to(x1, y1 - r)
            .bend((x1, y1), (x1 - r, y1))
            .to(x0 + r, y1)
            .bend((x0, y1), (x0, y1 - r))
            .to(x0, y0 + r)
            .bend((x0, y0), (x0 + r, y0))
            .close()
    }

    /// Part of an elliptic ring, `thickness` wide, from angle `from` to `to` (radians, clockwise from the right).
    pub(crate) fn arc(cx: f32, cy: f32, rx: f32, ry: f32, thickness: f32, from: f32, to: f32) -> Self {
        const STEPS: usize = 40;
        let mut line = Line::default();
        for i in 0..=STEPS {
            let a = from + (to - from) * i as f32 / STEPS as f32;
            line.0.push([cx + rx * a.cos(), cy + ry * a.sin()]);
        }
        line.stroke(thickness)
    }

    /// This shape and another as one (the non-zero rule joins overlaps).
    pub(crate) fn and(mut self, other: Path) -> Self {
        self.rings.extend(other.oriented().rings);
        self.oriented()
    }

    /// This shape less another that lies inside it.
    pub(crate) fn without(self, hole: Path) -> Self {
        let mut all = self.oriented();
        all.rings.extend(hole.oriented().rings.into_iter().map(|mut ring| {
            ring.reverse();
            ring
        }));
        all
    }

    pub(crate) fn turned(mut self, cx: f32, cy: f32, angle: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        for [x, y] in self.rings.iter_mut().flatten() {
            let (dx, dy) = (*x - cx, *y - cy);
            (*x, *y) = (cx + dx * cos - dy * sin, cy + dx * sin + dy * cos);
        }
        self
    }

    pub(crate) fn moved(mut self, dx: f32, dy: f32) -> Self {
        self.rings.iter_mut().flatten().for_each(|p| *p = [p[0] + dx, p[1] + dy]);
        self
    }

    pub(crate) fn flipped(mut self) -> Self {
        self.rings.iter_mut().flatten().for_each(|p| p[0] = 1.0 - p[0]);
        self.oriented()
    }

    /// (x0, y0, x1, y1)
    pub(crate) fn bounds(&self) -> (f32, f32, f32, f32) {
        let start = (f32::MAX, f32::MAX, f32::MIN, f32::MIN);
        let widen = |b: (f32, f32, f32, f32), p: &Point| (b.0.min(p[0]), b.1.min(p[1]), b.2.max(p[0]), b.3.max(p[1]));
        self.rings.iter().flatten().fold(start, widen)
    }

    /// Every ring made to run the same way round.
    fn oriented(mut self) -> Self {
        for ring in &mut self.rings {
            let turn: f32 = (0..ring.len()).map(|i| (ring[i], ring[(i + 1) % ring.len()])).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
            if turn < 0.0 {
                ring.reverse();
            }
        }
        self
    }
}
