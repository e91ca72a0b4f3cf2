//! Buy X, get Y: of every X + Y units that are meant, Y are cheaper, and those are the cheapest of all.

use super::super::promotion::WHOLE;
use super::{Matching, rounding};

/// Whole groups of `buy` + `get` units count, over all lines together. The units with the lowest prices are cut by `basis_points` of what is
/// left of them; of units with the same price, those of the first line.
pub(super) fn cuts(lines: &[Matching], buy: i64, get: i64, basis_points: i32) -> Vec<i64> {
    let units: i64 = lines.iter().map(|line| line.quantity).sum();
    let mut cheaper_units = units / (buy + get) * get;
    let mut cheapest_first: Vec<usize> = (0..lines.len()).collect();
    // Stable: lines of one price stay in their order.
    cheapest_first.sort_by_key(|&place| lines[place].unit_price_cents);
    let mut cuts = vec![0; lines.len()];
    for place in cheapest_first {
        let line = lines[place];
        let units = cheaper_units.min(line.quantity);
        cheaper_units -= units;
        cuts[place] =
            rounding::part(line.left_cents, i128::from(units) * i128::from(basis_points), i128::from(line.quantity) * i128::from(WHOLE));
    }
    cuts
}
