//! Accumulators of linear aggregates, as the weight of a group.

use dbsp::algebra::{AddAssignByRef, AddByRef, HasZero, MulByRef};
use rkyv::vec::{ArchivedVec, VecResolver};
use rkyv::{Archive, Deserialize, Fallible, Serialize, ser::ScratchSpace, ser::Serializer};
use size_of::{Context, SizeOf};
use smallvec::SmallVec;

/// Words held without an allocation: the row count and one sum, or a few counts.
const INLINE_WORDS: usize = 4;

/// A vector of 64-bit words that is added word by word. Empty means zero.
///
/// A wide sum is spread over words of 32 bits each (see [`limbs`]), so that adding needs no carry and no knowledge of what the
/// words mean: each word can take 2³¹ additions before it could overflow.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Acc(SmallVec<[i64; INLINE_WORDS]>);

impl Acc {
    pub fn new(words: &[i64]) -> Self {
        Acc(SmallVec::from_slice(words)).normalised()
    }

    /// The word at `index`; words beyond the end are zero.
    #[inline]
    pub fn word(&self, index: usize) -> i64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    fn normalised(mut self) -> Self {
        if self.is_zero() {
            self.0.clear();
        }
        self
    }
}

/// Wide numbers as words of 32 bits.
pub mod limbs {
    /// How many words hold one value of at most `digits` decimal digits.
    pub fn count(digits: u8) -> usize {
        match digits {
            0..=18 => 2,
            19..=28 => 3,
            _ => 4,
        }
    }

    /// Adds `value` (that fits in `words.len()` limbs) times `weight` to `words`.
    #[inline]
    pub fn add(words: &mut [i64], value: i128, weight: i64) {
        let last = words.len() - 1;
        let mut rest = value;
        for word in &mut words[..last] {
            *word = word.wrapping_add((rest as u32 as i64).wrapping_mul(weight));
            rest >>= 32;
        }
        words[last] = words[last].wrapping_add((rest as i64).wrapping_mul(weight));
    }

    /// The number that `words` stand for, or `None` when it does not fit in 128 bits.
    pub fn total(words: impl DoubleEndedIterator<Item = i64>) -> Option<i128> {
        words.rev().try_fold(0i128, |total, word| total.checked_mul(1 << 32)?.checked_add(i128::from(word)))
    }
}

impl HasZero for Acc {
    fn is_zero(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn zero() -> Self {
        Acc::default()
    }
}

impl AddAssignByRef for Acc {
    #[inline]
    fn add_assign_by_ref(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word = word.wrapping_add(*more);
        }
        if self.is_zero() {
            self.0.clear();
        }
    }
}

impl AddByRef for Acc {
    #[inline]
    fn add_by_ref(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.add_assign_by_ref(other);
        sum
    }
}

impl MulByRef<i64> for Acc {
    type Output = Acc;

    #[inline]
    fn mul_by_ref(&self, weight: &i64) -> Acc {
        Acc(self.0.iter().map(|word| word.wrapping_mul(*weight)).collect()).normalised()
    }
}

impl SizeOf for Acc {
    fn size_of_children(&self, context: &mut Context) {
        if self.0.spilled() {
            context.add(self.0.capacity() * size_of::<i64>());
            context.add_distinct_allocation();
        }
    }
}

dbsp::never_none!(Acc);
impl dbsp::utils::SupportsRoaring for Acc {}

/// An accumulator on disk.
#[repr(transparent)]
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchivedAcc(ArchivedVec<i64>);

impl Archive for Acc {
    type Archived = ArchivedAcc;
    type Resolver = VecResolver;

    unsafe fn resolve(&self, position: usize, resolver: VecResolver, out: *mut ArchivedAcc) {
        // SAFETY: ArchivedAcc is a transparent wrapper of the vector that is resolved here.
        unsafe { ArchivedVec::resolve_from_slice(&self.0[..], position, resolver, out.cast()) }
    }
}

impl<S: Serializer + ScratchSpace + ?Sized> Serialize<S> for Acc {
    fn serialize(&self, serializer: &mut S) -> Result<VecResolver, S::Error> {
        // SAFETY: 64-bit integers are plain data.
        unsafe { ArchivedVec::serialize_copy_from_slice(&self.0[..], serializer) }
    }
}

impl<D: Fallible + ?Sized> Deserialize<Acc, D> for ArchivedAcc {
    fn deserialize(&self, _: &mut D) -> Result<Acc, D::Error> {
        Ok(Acc(SmallVec::from_slice(self.0.as_slice())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_sums_are_exact_and_retract_to_zero() {
        let values = [i128::from(i64::MAX), -1, i128::from(i64::MIN), 123_456_789_012_345_678, -5];
        let mut acc = Acc::default();
        for value in values {
            let mut words = [0i64; 3];
            words[0] = 1;
            limbs::add(&mut words[1..], value, 1);
            acc.add_assign_by_ref(&Acc::new(&words));
        }
        assert_eq!(limbs::total((1..3).map(|i| acc.word(i))), Some(values.iter().sum()));
        for value in values {
            let mut words = [0i64; 3];
            words[0] = 1;
            limbs::add(&mut words[1..], value, 1);
            acc.add_assign_by_ref(&Acc::new(&words).mul_by_ref(&-1));
        }
        assert!(acc.is_zero());
    }

    #[test]
    fn a_sum_past_128_bits_is_noticed() {
        let mut words = [0i64; 4];
        limbs::add(&mut words, i128::MAX, 1);
        assert_eq!(limbs::total(words.into_iter()), Some(i128::MAX));
        limbs::add(&mut words, i128::MAX, 1);
        assert_eq!(limbs::total(words.into_iter()), None);
        limbs::add(&mut words, i128::MAX, -1);
        limbs::add(&mut words, i128::MIN, 1);
        assert_eq!(limbs::total(words.into_iter()), Some(-1));
    }
}
