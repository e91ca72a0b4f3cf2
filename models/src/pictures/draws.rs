//! A small seeded generator (splitmix64). Our own, so that a picture never changes because a crate changed its algorithm.

/// A stream of draws that is a pure function of its seed.
#[derive(Debug, Clone)]
pub(crate) struct Draws(u64);

impl Draws {
    /// A stream of its own for one purpose, so that one more draw for a purpose never shifts the others.
    pub(crate) fn for_purpose(seed: u64, purpose: &str) -> Self {
        // FNV-1a over the purpose, mixed with the seed.
        let tag = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let mut mixed = Self(seed ^ tag.rotate_left(17));
        Self(mixed.bits() ^ tag)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1_u64 << 24) as f32
    }

    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// About normal: the sum of four uniforms, scaled to a standard deviation of `spread`.
    pub(crate) fn around_zero(&mut self, spread: f32) -> f32 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit() - 2.0;
        sum * spread * 1.732
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.bits() >> 32) as usize * n) >> 32
    }

    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A value in [0, 1) for a cell of a grid.
pub(crate) fn cell_unit(x: i32, y: i32, salt: u64) -> f32 {
    let key = (u64::from(x as u32) << 32 | u64::from(y as u32)) ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mix(key) >> 40) as f32 / (1_u64 << 24) as f32
}

/// Smooth value noise in [0, 1] with one feature a unit of `x` and `y`.
pub(crate) fn noise(x: f32, y: f32, salt: u64) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (tx, ty) = (smooth(x - x0), smooth(y - y0));
    let (cx, cy) = (x0 as i32, y0 as i32);
    let top = cell_unit(cx, cy, salt) * (1.0 - tx) + cell_unit(cx.wrapping_add(1), cy, salt) * tx;
    let low = cell_unit(cx, cy.wrapping_add(1), salt) * (1.0 - tx) + cell_unit(cx.wrapping_add(1), cy.wrapping_add(1), salt) * tx;
    top * (1.0 - ty) + low * ty
}
