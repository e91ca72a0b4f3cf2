//! Wide numbers as words of 32 bits each, with room above them: adding needs no carry until that is used up; then [`carry`] makes room again.

/// How many words hold one value of at most `digits` decimal digits.
pub(crate) fn count(digits: u8) -> usize {
    match digits {
        0..=18 => 2,
        19..=28 => 3,
        _ => 4,
    }
}

/// The largest weight that is added at once: 32 bits times it leave room.
const WEIGHT: u64 = 1 << 30;

/// Adds `value` (that fits in `words.len()` limbs) times `weight` to `words`.
#[inline]
pub(crate) fn add(words: &mut [i64], value: i128, weight: i64) {
    if weight.unsigned_abs() > WEIGHT {
        let half = weight / 2;
        add(words, value, half);
        carry(words);
        add(words, value, weight - half);
        return carry(words);
    }
    let last = words.len() - 1;
    let mut rest = value;
    for index in 0..last {
        let part = i64::from(rest as u32) * weight;
        if words[index].checked_add(part).is_none() {
            carry(words);
        }
        words[index] += part;
        rest >>= 32;
    }
    words[last] = words[last].wrapping_add((rest as i64).wrapping_mul(weight));
}

/// Moves what is beyond 32 bits of each word into the next; the number stays what it is.
pub(crate) fn carry(words: &mut [i64]) {
    for index in 1..words.len() {
        words[index] = words[index].wrapping_add(words[index - 1] >> 32);
        words[index - 1] &= 0xffff_ffff;
    }
}

/// The number that `words` stand for, or `None` when it does not fit in 128 bits.
pub(crate) fn total(words: &[i64]) -> Option<i128> {
    words.iter().rev().try_fold(0i128, |total, word| total.checked_mul(1 << 32)?.checked_add(i128::from(*word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_sums_are_exact_and_retract_to_zero() {
        let values = [i128::from(i64::MAX), -1, i128::from(i64::MIN), 123_456_789_012_345_678, -5];
        let mut words = [0i64; 2];
        values.iter().for_each(|value| add(&mut words, *value, 1));
        assert_eq!(total(&words), Some(values.iter().sum()));
        values.iter().for_each(|value| add(&mut words, *value, -1));
        assert_eq!(words, [0; 2]);
    }

    #[test]
    fn many_large_weights_carry_by_themselves() {
        let (mut words, mut sum) = ([0i64; 3], 0i128);
        for value in [-1i128, -2, -3, -4, 5, i128::from(u32::MAX), 1 << 40].repeat(4) {
            add(&mut words, value, 1_024_000_000);
            sum += value * 1_024_000_000;
            assert_eq!(total(&words), Some(sum));
        }
    }

    #[test]
    fn carrying_makes_room_and_changes_no_number() {
        let mut words = [0i64; 3];
        let mut sum = 0i128;
        for value in [-1i128, i128::from(i64::MAX), -7, i128::from(i64::MIN), 1 << 70] {
            add(&mut words, value, 1_000_000_007);
            sum += value * 1_000_000_007;
            carry(&mut words);
            assert_eq!(total(&words), Some(sum));
            assert!(words[..2].iter().all(|word| (0..1 << 32).contains(word)));
        }
        add(&mut words, sum, -1);
        carry(&mut words);
        assert_eq!(words, [0; 3]);
    }

    #[test]
    fn a_row_may_be_there_more_often_than_there_is_room_for() {
        let mut words = [0i64; 3];
        add(&mut words, -1, i64::from(u32::MAX) * 5);
        assert_eq!(total(&words), Some(i128::from(u32::MAX) * -5));
    }

    #[test]
    fn a_sum_past_128_bits_is_noticed() {
        let mut words = [0i64; 4];
        add(&mut words, i128::MAX, 1);
        assert_eq!(total(&words), Some(i128::MAX));
        add(&mut words, i128::MAX, 1);
        assert_eq!(total(&words), None);
        add(&mut words, i128::MAX, -1);
        add(&mut words, i128::MIN, 1);
        assert_eq!(total(&words), Some(-1));
    }
}
