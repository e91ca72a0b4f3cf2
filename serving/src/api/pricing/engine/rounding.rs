//! How cents are rounded. Products are computed in 128 bits: 64 of an amount and 64 of a rate cannot overflow there.

use std::cmp::Reverse;

/// `amount_cents` · `part` / `whole`, half a cent up. No number is negative, `part` is at most `whole`, and `whole` is not 0.
pub(super) fn part(amount_cents: i64, part: i128, whole: i128) -> i64 {
    let rounded = (2 * i128::from(amount_cents) * part + whole) / (2 * whole);
    // Not above the amount, since the part is not above the whole.
    i64::try_from(rounded).unwrap_or(amount_cents)
}

/// Shares `amount_cents` out in proportion to `weights`, of which it is at most the sum: each share is its exact value rounded down, and the
/// cents that are missing go to those that lost most by it (the largest remainders), the first of equals first. No share is above its weight.
pub(super) fn share_out(amount_cents: i64, weights: &[i64]) -> Vec<i64> {
    let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    if total == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(amount_cents) * i128::from(weight);
    let mut shares: Vec<i64> = weights.iter().map(|&weight| i64::try_from(exact(weight) / total).unwrap_or(weight)).collect();
    let missing_cents = amount_cents - shares.iter().sum::<i64>();
    let mut places: Vec<usize> = (0..weights.len()).collect();
    places.sort_by_key(|&place| Reverse(exact(weights[place]) % total));
    for place in places.into_iter().take(usize::try_from(missing_cents).unwrap_or_default()) {
        shares[place] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_cent_goes_up() {
        assert_eq!([part(1, 1, 2), part(1, 49, 100), part(3, 1, 2), part(0, 1, 3), part(7, 5, 5)], [1, 0, 2, 0, 7]);
        assert_eq!(part(i64::MAX, 10_000, 10_000), i64::MAX);
    }

    #[test]
    fn shares_add_up_and_go_to_the_largest_remainders() {
        // 100 · 1/3 each: a cent is missing, and the first of equals has it.
        assert_eq!(share_out(100, &[50, 50, 50]), [34, 33, 33]);
        // Exact shares 1.25, 3.125 and 5.625: the last lost most.
        assert_eq!(share_out(10, &[10, 25, 45]), [1, 3, 6]);
        assert_eq!(share_out(80, &[10, 25, 45]), [10, 25, 45]);
        assert_eq!(share_out(0, &[0, 0]), [0, 0]);
        assert_eq!(share_out(1, &[0, 1, 0]), [0, 1, 0]);
    }
}
