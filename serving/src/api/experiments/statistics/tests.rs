use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

fn is_close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 1e-7 * wanted.abs().max(1e-3)
}

/// The values of Newcombe's two papers of 1998 (81 of 263, 15 of 148, 0 of 20, 1 of 29; 56 of 70 and 48 of 80, 9 of 10 and 3 of 10), to more
/// digits: for one rate the roots of (p - π)² = z² π (1 - π) / n, found by mpmath.
#[test]
fn intervals_of_proportions_are_those_of_the_literature() {
    for (did, of, low, high) in [
        (81, 263, 0.255_288_519_9, 0.366_209_577),
        (15, 148, 0.062_386_399_53, 0.160_487_241_7),
        (0, 20, 0.0, 0.161_125_158_1),
        (1, 29, 0.006_113_214_293, 0.171_755_218_8),
        (20, 20, 0.838_874_841_9, 1.0),
    ] {
        let found = Proportion { of, did }.interval().expect("somebody");
        assert!(is_close(found.low, low) && is_close(found.high, high), "{did} of {of}: {found:?}");
    }
    for ((a, b), (estimate, low, high)) in [((56, 70), (48, 80)), ((9, 10), (3, 10))]
        .into_iter()
        .zip([(0.2, 0.052_431_472_4, 0.333_872_654), (0.6, 0.170_522_723_9, 0.809_017_973_5)])
    {
        let found = Proportion { did: a.0, of: a.1 }.difference(Proportion { did: b.0, of: b.1 }).expect("somebody");
        assert!(is_close(found.estimate, estimate) && is_close(found.low, low) && is_close(found.high, high), "{found:?}");
    }
    assert_eq!(Proportion { of: 0, did: 0 }.interval(), None);
    assert_eq!(Proportion { of: 1, did: 1 }.difference(Proportion { of: 0, did: 0 }), None);
}

/// Against the mixture integrated numerically by mpmath: of the likelihood ratio of a difference θ to none, over θ normal around 0.
#[test]
fn the_sequential_test_is_the_integral_that_it_stands_for() {
    for (a, b, wanted) in [
        ((310, 5000), (250, 5000), 0.144_012_255_815),
        ((505, 9900), (500, 10_000), 1.0),
        ((160, 1200), (100, 1000), 0.454_504_861_352),
        ((30, 400), (20, 400), 0.882_844_704_56),
    ] {
        let (a, b) = (Proportion { did: a.0, of: a.1 }, Proportion { did: b.0, of: b.1 });
        let found = a.sequential_p_value(b);
        assert!(is_close(found, wanted) && is_close(b.sequential_p_value(a), wanted), "{a:?} {b:?}: {found}");
    }
    let few = |did, of| Proportion { did, of };
    assert_eq!([few(9, 100).sequential_p_value(few(0, 100)), few(5, 5).sequential_p_value(few(0, 0))], [1.0, 1.0]);
}

/// Somebody who looks again and again, and stops at the first p-value of at most 0.05. Returns in how many of the experiments they stopped: with
/// the sequential test, and with the test for one look.
fn stopped(experiments: u64, rates: (f64, f64)) -> (u64, u64) {
    let (mut sequential, mut fixed) = (0, 0);
    for seed in 0..experiments {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut a, mut b) = (Proportion { of: 0, did: 0 }, Proportion { of: 0, did: 0 });
        let (mut is_sequential, mut is_fixed) = (false, false);
        for _ in 0..60 {
            for _ in 0..100 {
                a = Proportion { of: a.of + 1, did: a.did + u64::from(random.random_bool(rates.0)) };
                b = Proportion { of: b.of + 1, did: b.did + u64::from(random.random_bool(rates.1)) };
            }
            is_sequential |= a.sequential_p_value(b) <= 0.05;
            let rate = (a.did + b.did) as f64 / (a.of + b.of) as f64;
            let error = (rate * (1.0 - rate) * (1.0 / a.of as f64 + 1.0 / b.of as f64)).sqrt();
            is_fixed |= (a.rate() - b.rate()).abs() > Z * error;
        }
        sequential += u64::from(is_sequential);
        fixed += u64::from(is_fixed);
    }
    (sequential, fixed)
}

#[test]
fn who_looks_all_the_time_is_rarely_misled_and_finds_what_is_there() {
    let (sequential, fixed) = stopped(400, (0.1, 0.1));
    assert!(sequential <= 20, "{sequential} of 400 stopped at a difference that is not there: more than 5 %");
    // The same looks with a test that is good for one of them: this is what the other one is for.
    assert!(fixed >= 80, "{fixed} of 400");
    let (sequential, _) = stopped(50, (0.13, 0.1));
    assert!(sequential >= 45, "{sequential} of 50 found a difference of three in a hundred");
}

#[test]
fn spending_is_averaged_exactly() {
    // 0, 0, 10 and 30: the mean is 10, the variance 200, the standard error √50.
    let spending = Spending { subjects: 4, sum_milli: 40_000, squares_micro: 1_000_000_000 };
    let found = spending.interval().expect("four");
    let spread = Z * 50_f64.sqrt();
    assert!(is_close(found.estimate, 10.0) && is_close(found.low, 10.0 - spread) && is_close(found.high, 10.0 + spread), "{found:?}");
    // 0 and 4: the mean is 2, the squared standard error 4.
    let control = Spending { subjects: 2, sum_milli: 4000, squares_micro: 16_000_000 };
    let found = spending.difference(control).expect("enough");
    assert!(is_close(found.estimate, 8.0) && is_close(found.high - 8.0, Z * 54_f64.sqrt()), "{found:?}");
    assert_eq!(Spending { subjects: 1, ..control }.interval(), None);
    // Everybody spends the same: floating-point sums of squares would see a variance.
    let same = Spending { subjects: 3, sum_milli: 3 * 100_000_001, squares_micro: 3 * 100_000_001 * 100_000_001 };
    let found = same.interval().expect("three");
    assert!(found.low.to_bits() == found.high.to_bits());
    assert_eq!(Spending { subjects: 2, sum_milli: i128::MAX, squares_micro: 0 }.interval(), None, "too large to be computed exactly");
}

#[test]
fn a_ratio_that_is_off_is_seen() {
    // (60 - 50)² / 50 twice is 4, of one degree: erfc(√2) by mpmath.
    assert!(is_close(sample_ratio_p_value(&[(60, 5000), (40, 5000)]).expect("a value"), 0.045_500_263_896_358_4));
    assert!(is_close(sample_ratio_p_value(&[(50, 2500), (150, 7500)]).expect("a value"), 1.0));
    assert!(sample_ratio_p_value(&[(5300, 5000), (4700, 5000)]).expect("a value") < 1e-8);
    assert_eq!([sample_ratio_p_value(&[(0, 5000), (0, 5000)]), sample_ratio_p_value(&[(9, 5000)])], [None, None]);
}
