//! The measures of `gumbel::conformance` tell what is wrong with an engine. Here the engine is right, and what is expected of it
//! is not.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use gumbel::conformance::{self, Case, SumTolerance};
use gumbel::{CpuSampler, ScoredDraws};

fn case(name: &str) -> Case {
    conformance::cases().find(|case| case.to_string() == name).unwrap()
}

/// No entry differs from the races of the case, and every entry from those of another seed.
#[test]
fn faults_of_races_are_counted() {
    let (case, engine) = (case("33 x 131: 5 draws a row"), CpuSampler::new());
    let options = case.options();
    let of_seed = |seed| {
        let options = options.with_seed(seed);
        gumbel::reference::race_rows(case.batch(), &options, 3).unwrap()
    };
    let count = |seed| case.race_mismatches(&engine, &of_seed(seed)).unwrap();
    assert_eq!(count(options.seed), 0);
    assert_eq!(count(options.seed + 1), 33 * 5 * 3);
}

#[test]
fn faults_of_draws_by_inverse_cdf_are_counted() {
    let case = case("33 x 131: 5 draws a row");
    let engine = CpuSampler::new();
    let mut expected = case.expected_inverse_cdf().unwrap();
    assert_eq!(case.inverse_cdf_mismatches(&engine, &expected).unwrap(), 0);
    expected[7] ^= 1;
    assert_eq!(case.inverse_cdf_mismatches(&engine, &expected).unwrap(), 1);
    // draws by inverse CDF are not those of races
    assert!(case.inverse_cdf_mismatches(&engine, &case.expected()).unwrap() > 100);
}

#[test]
fn sums_that_are_off_or_missing_are_seen() {
    let name = "41 x 203: NaN, infinities and nothing drawable in single rows";
    let (case, engine) = (case(name), CpuSampler::new());
    let expected = case.expected_logsumexp().unwrap();
    assert!(expected[0].is_finite() && expected[1].is_nan());
    let error =
        |expected: &[f64]| case.logsumexp_error(&engine, SumTolerance::CPU, expected).unwrap();
    let fraction = error(&expected);
    assert!(fraction > 0.0 && fraction <= 1.0, "{fraction}");
    let with = |row: usize, sum: f64| {
        let mut other = expected.clone();
        other[row] = sum;
        error(&other)
    };
    assert!(with(0, expected[0] + 2e-5) > 1.0);
    assert_eq!(with(0, f64::NAN), f64::INFINITY);
    assert_eq!(with(1, 0.5), f64::INFINITY);
    assert_eq!(error(&expected[1..]), f64::INFINITY);
}

#[test]
fn log_probabilities_that_are_off_or_of_other_draws_are_seen() {
    let name = "41 x 203: NaN, infinities and nothing drawable in single rows";
    let engine = CpuSampler::new();
    let error = |case: &Case, expected: &ScoredDraws| {
        case.log_probs_error(&engine, SumTolerance::CPU_LOG_PROBS, expected).unwrap()
    };
    let few = case(name);
    let expected = few.expected_scores().unwrap();
    assert!(expected.log_probs[0].is_finite() && expected.log_probs[1].is_nan());
    let fraction = error(&few, &expected);
    assert!(fraction > 0.0 && fraction <= 1.0, "{fraction}");
    let with = |change: fn(&mut ScoredDraws)| {
        let mut other = expected.clone();
        change(&mut other);
        error(&few, &other)
    };
    assert!(with(|scored| scored.log_probs[0] += 2e-5) > 1.0);
    assert_eq!(with(|scored| scored.log_probs[0] = f64::NAN), f64::INFINITY);
    assert_eq!(with(|scored| scored.log_probs[1] = -0.5), f64::INFINITY);
    assert_eq!(with(|scored| scored.draws[0] ^= 1), f64::INFINITY);
    // as differences from a large logsumexp, log-probabilities keep too few digits
    let far = case("41 x 203: near +3e38");
    let mut expected = far.expected_scores().unwrap();
    assert!(error(&far, &expected) <= 1.0);
    for (log_prob, logsumexp) in expected.log_probs.iter_mut().zip(&expected.logsumexps) {
        *log_prob = (*log_prob + logsumexp) - logsumexp;
    }
    assert!(error(&far, &expected) > 1.0);
}
