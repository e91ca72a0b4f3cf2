//! Numbers that are the same wherever an event is made: each event has a stream of its own.

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
pub(super) struct Random(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Random {
    /// The numbers of one thing (an event, a channel) under a seed.
    pub fn of(seed: u64, thing: u64) -> Self {
        Random(mixed(seed.wrapping_add(mixed(thing.wrapping_add(STEP)))))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// From zero to `limit`, which it never reaches.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// True in all but one of `times` cases.
    pub fn is_hot(&mut self, times: u64) -> bool {
        self.below(times) > 0
    }

    pub fn one_of<T: Copy, const N: usize>(&mut self, items: &[T; N]) -> T {
        items[self.below(N as u64) as usize]
    }

    /// In cents: between 1 and 1,000,000 as often in each power of ten.
    pub fn price(&mut self) -> i64 {
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        (10f64.powf(unit * 6.0) * 100.0).round() as i64
    }

    /// Appends `length` letters.
    pub fn letters(&mut self, length: usize, out: &mut Vec<u8>) {
        let end = out.len() + length;
        out.reserve(length + 8);
        while out.len() < end {
            out.extend(self.next().to_le_bytes().map(|byte| b'a' + ((u16::from(byte) * 26) >> 8) as u8));
        }
        out.truncate(end);
    }

    /// Appends a word of three letters or more, but fewer than `limit`.
    pub fn word(&mut self, limit: u64, out: &mut Vec<u8>) {
        let length = 3 + self.below(limit - 3);
        self.letters(length as usize, out);
    }

    /// Appends what an event of `size` bytes lacks to `average` bytes, a fifth more or less.
    pub fn extra(&mut self, size: usize, average: usize, out: &mut Vec<u8>) {
        let wanted = average.saturating_sub(size);
        let spread = wanted / 5;
        let length = wanted - spread + self.below(2 * spread as u64 + 1) as usize;
        self.letters(length, out);
    }
}
