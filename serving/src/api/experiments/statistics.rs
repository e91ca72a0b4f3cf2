//! What counts say about variants: intervals of 95 %, and tests. Pure.

use serde::Serialize;

mod tails;

pub use tails::chi_square_tail;

/// Of the standard normal distribution: 95 % lie between minus this and this.
const Z: f64 = 1.959_963_984_540_054;

/// How large differences of conversion are thought to be, in the sequential test: about one in a hundred. The test is valid whatever stands
/// here, as long as it is chosen before the data is seen; it is the most powerful for differences of this size.
const EFFECT: f64 = 0.01;

/// An estimate, and what it may well be: 95 % of such intervals hold the true value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = ExperimentInterval)]
pub struct Interval {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

/// Of so many, these did it. Never more than all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    pub of: u64,
    pub did: u64,
}

impl Proportion {
    fn rate(self) -> f64 {
        self.did as f64 / self.of as f64
    }

    /// The score interval of E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). Good for
    /// small numbers too, and never outside of 0 to 1. `None` of nobody.
    pub fn interval(self) -> Option<Interval> {
        if self.of == 0 {
            return None;
        }
        let (n, rate) = (self.of as f64, self.rate());
        let centre = rate + Z * Z / (2.0 * n);
        let spread = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        // Where nobody did it, or everybody, rounding must not show.
        let low = if self.did == 0 { 0.0 } else { (centre - spread) / scale };
        let high = if self.did == self.of { 1.0 } else { (centre + spread) / scale };
        Some(Interval { estimate: rate, low, high })
    }

    /// By how much the rate here is above the control's: method 10 of R. G. Newcombe, "Interval estimation for the difference between
    /// independent proportions", Statistics in Medicine 17 (1998), which is made of two of Wilson's intervals.
    pub fn difference(self, control: Self) -> Option<Interval> {
        let (a, b) = (self.interval()?, control.interval()?);
        let estimate = a.estimate - b.estimate;
        let below = (a.estimate - a.low).hypot(b.high - b.estimate);
        let above = (a.high - a.estimate).hypot(b.estimate - b.low);
        Some(Interval { estimate, low: estimate - below, high: estimate + above })
    }

    /// How surprising the difference to the control is if there is none, however often and whenever one looks: the mixture sequential
    /// probability ratio test of R. Johari, P. Koomen, L. Pekelis and D. Walsh, "Always valid inference: continuous monitoring of A/B tests",
    /// Operations Research 70 (2022), with a normal mixture around no difference.
    ///
    /// The chance that this is ever at or below 0.05, over all the looks of a whole experiment, is at most 5 % if the variants convert alike.
    /// The paper's p-value is the smallest one so far; this is the present one, which is no smaller.
    ///
    /// 1 where the normal approximation would be a poor one: with fewer than ten who did, or did not, on both sides together.
    pub fn sequential_p_value(self, control: Self) -> f64 {
        let (did, of) = (self.did + control.did, self.of + control.of);
        if self.of == 0 || control.of == 0 || did < 10 || of - did < 10 {
            return 1.0;
        }
        // As if there were no difference.
        let rate = did as f64 / of as f64;
        let variance = rate * (1.0 - rate) * (1.0 / self.of as f64 + 1.0 / control.of as f64);
        let difference = self.rate() - control.rate();
        let mixture = EFFECT * EFFECT;
        let ln_ratio =
            0.5 * (variance / (variance + mixture)).ln() + mixture * difference * difference / (2.0 * variance * (variance + mixture));
        (-ln_ratio).exp().min(1.0)
    }
}

/// What each of so many spent: sums in thousandths of a unit of currency, and of their squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    pub subjects: u64,
    pub sum_milli: i128,
    pub squares_micro: i128,
}

/// A mean and the square of its standard error.
struct Mean {
    mean: f64,
    error_squared: f64,
}

impl Spending {
    /// What one spends on average, with the normal approximation. `None` of fewer than two.
    pub fn interval(self) -> Option<Interval> {
        self.mean().map(|Mean { mean, error_squared }| around(mean, error_squared))
    }

    /// By how much that is above the control's; the two may vary differently (B. L. Welch, 1938).
    pub fn difference(self, control: Self) -> Option<Interval> {
        let (a, b) = (self.mean()?, control.mean()?);
        Some(around(a.mean - b.mean, a.error_squared + b.error_squared))
    }

    fn mean(self) -> Option<Mean> {
        if self.subjects < 2 {
            return None;
        }
        let n = i128::from(self.subjects);
        // Exact: the difference of two large numbers that are close to each other would lose its digits.
        let scatter = n.checked_mul(self.squares_micro)?.checked_sub(self.sum_milli.checked_mul(self.sum_milli)?)?.max(0);
        let n = self.subjects as f64;
        Some(Mean { mean: self.sum_milli as f64 / 1e3 / n, error_squared: scatter as f64 / 1e6 / (n * (n - 1.0)) / n })
    }
}

fn around(estimate: f64, error_squared: f64) -> Interval {
    let spread = Z * error_squared.sqrt();
    Interval { estimate, low: estimate - spread, high: estimate + spread }
}

/// How surprising these numbers of subjects are, given the shares: a chi-square test of fit. Very small, and something is wrong with who is
/// counted (a variant that crashes before it is noted, say), and with whatever is concluded from them.
pub fn sample_ratio_p_value(subjects_and_shares: &[(u64, u16)]) -> Option<f64> {
    let subjects: u64 = subjects_and_shares.iter().map(|(subjects, _)| subjects).sum();
    let shares: u64 = subjects_and_shares.iter().map(|(_, share)| u64::from(*share)).sum();
    if subjects == 0 || subjects_and_shares.len() < 2 || subjects_and_shares.iter().any(|(_, share)| *share == 0) {
        return None;
    }
    let statistic = subjects_and_shares.iter().map(|(seen, share)| {
        let expected = subjects as f64 * f64::from(*share) / shares as f64;
        (*seen as f64 - expected).powi(2) / expected
    });
    Some(chi_square_tail(statistic.sum(), subjects_and_shares.len() - 1))
}

#[cfg(test)]
mod tests;
