use super::*;
use crate::noise::gumbel::UNIT;
use rayon::prelude::*;

/// The least and largest relative error of a function like [`exp2_neg`], for `arguments` arguments
/// all over [0, 1).
fn errors(function: impl Fn(u32) -> u64 + Sync, arguments: u32) -> (f64, f64) {
    let step = u32::MAX / arguments;
    (0..arguments)
        .into_par_iter()
        .map(|i| {
            let f = i * step + i % step;
            let exact = (-f64::from(f) / 2f64.powi(32)).exp2();
            let error = function(f) as f64 / 2f64.powi(32) / exact - 1.0;
            (error, error)
        })
        .reduce(|| (0.0, 0.0), |a, b| (a.0.min(b.0), a.1.max(b.1)))
}

const PROMISED: f64 = 1.0 / (1u64 << 30) as f64;

#[test]
fn powers_are_as_accurate_as_promised() {
    let (least, most) = errors(exp2_neg, 1 << 26);
    println!("errors {:.2} ..= {:.2} in 2^-32", least * 2f64.powi(32), most * 2f64.powi(32));
    assert!(least > -PROMISED && most < PROMISED, "{least:e} {most:e}");
    assert_eq!(exp2_neg(0), 1 << 32);
    assert!(((1 << 31) - 2..=1 << 32).contains(&exp2_neg(u32::MAX)));
}

/// A wrong bit of a coefficient is seen.
#[test]
fn a_wrong_coefficient_is_seen() {
    let wrong = |f: u32| exp2_neg(f) - u64::from(mul_high(mul_high(f, f), 1 << 5));
    let (least, most) = errors(wrong, 1 << 16);
    assert!(least < -PROMISED || most > PROMISED, "{least:e} {most:e}");
}

/// The error of a weight as a fraction of the promised one, half an integer plus 2⁻³⁰ of the
/// weight.
fn error(d: u64, log2_categories: u32, weight: u64) -> f64 {
    let exact = (-(d as f64) / UNIT as f64).exp() * 2f64.powi(62 - log2_categories as i32);
    (weight as f64 - exact).abs() / (0.5 + exact * PROMISED * 1.01)
}

/// Against f64, over the whole range of distances, for every number of categories.
#[test]
fn weights_are_the_nearest_integers_to_the_exponential() {
    let worst = (0..1u64 << 22)
        .into_par_iter()
        .map(|i| {
            let d = i * (NOTHING_FROM >> 22) + i * 0x9e37 % 256;
            let log2_categories = (i % 32) as u32;
            let here = error(d, log2_categories, weight(d, log2_categories));
            // a larger logit never has a smaller weight
            assert!(weight(d + 1, log2_categories) <= weight(d, log2_categories), "{d}");
            here
        })
        .reduce(|| 0.0, f64::max);
    println!("worst error: {worst} of what is promised");
    assert!(worst <= 1.0);
    // and the bound is not loose
    assert!(worst > 0.5);
    assert!(error(UNIT as u64, 9, weight(UNIT as u64 + 1, 9)) > 1.0);
}

/// A distance that is larger by one unit never has a larger weight.
#[test]
fn weights_never_increase_with_the_distance() {
    let monotone = (0..1u64 << 10).into_par_iter().all(|block| {
        let first = block * (NOTHING_FROM >> 10);
        (first..first + (1 << 14)).all(|d| weight(d + 1, 0) <= weight(d, 0))
    });
    assert!(monotone);
}

#[test]
fn the_largest_weight_and_the_sum() {
    for n in [1u32, 2, 3, 7, 8, 9, 1000, 1 << 20, (1 << 20) - 1, 1 << 31, u32::MAX] {
        let log2 = log2_floor(n);
        assert_eq!(weight(0, log2), 1 << (62 - log2));
        assert!(u128::from(n) * u128::from(weight(0, log2)) < 1 << 63, "{n}");
    }
}

/// The edge is a distance of ln 2 times a number of powers, in units: a category just within it has
/// weight 1, and one just beyond it weight 0.
#[test]
fn the_edge_of_the_resolution() {
    for n in [1u32, 1000, 1_000_000, u32::MAX] {
        let log2 = log2_floor(n);
        let edge = f64::from(63 - log2) * std::f64::consts::LN_2 * UNIT as f64;
        assert_eq!(weight(edge as u64 - 1, log2), 1, "{n}");
        assert_eq!(weight(edge as u64 + 2, log2), 0, "{n}");
    }
}

/// Beyond 2³¹ neighbouring logits are 64 apart, and distances there go up to the largest integer.
#[test]
fn what_is_far_below_weighs_nothing() {
    for d in [NOTHING_FROM - 1, NOTHING_FROM, 1 << 32, (1 << 32) + 5, 1 << 63, u64::MAX] {
        for log2 in [0, 9, 31] {
            assert_eq!(weight(d, log2), 0, "{d}");
        }
    }
}
