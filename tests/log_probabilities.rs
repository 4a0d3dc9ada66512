//! Logsumexp and the log-probabilities of what was drawn, against sums in f64.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

mod common {
    pub(crate) mod values;
}

use common::values::{furthest, log_probs};
use gumbel::conformance;
use gumbel::{CpuForm, CpuSampler, Error, Logits, NO_DRAW, SampleOptions, Weights, reference};

/// What the documentation states.
fn tolerance(expected: f64) -> f64 {
    5e-6 + 6e-8 * expected.abs()
}

fn engines() -> impl Iterator<Item = CpuSampler> {
    let forms = CpuForm::ALL.into_iter().filter(|form| form.is_available());
    forms.map(|form| CpuSampler::new().with_form(form).unwrap())
}

/// The largest difference in tolerances; rows without a sum must have none in either.
fn worst(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).fold(0.0, |worst, (found, expected)| {
        assert_eq!(found.is_nan(), expected.is_nan(), "{found}, {expected}");
        let difference = (found - expected).abs() / tolerance(*expected);
        if difference > worst { difference } else { worst }
    })
}

#[test]
fn sums_are_as_near_as_is_said() {
    let mut most = 0f64;
    for case in conformance::cases().filter(|case| case.options().temperature > 0.0) {
        let (batch, options) = (case.batch(), case.options());
        if batch.rows() * batch.categories() > 200_000 {
            continue;
        }
        let expected = reference::logsumexp_rows(batch, &options).unwrap();
        for engine in engines() {
            let found = engine.logsumexp_rows(batch, &options).unwrap();
            let worst = worst(&found, &expected);
            assert!(worst <= 1.0, "{case}: {worst} tolerances, {}", engine.form());
            most = most.max(worst);
        }
    }
    println!("{most} tolerances at most");
    // the tolerance is not loose by a hundred
    assert!(most > 0.01);
}

/// A row that several threads sum. A sum that lacks one of its largest terms, or is added up in f32 one
/// term after the other, is seen.
#[test]
fn a_long_row() {
    let logits: Vec<f32> = (0..1u64 << 20).map(|i| (i * 7919 % 100_003) as f32 / 4096.0).collect();
    let batch = Logits::new(&logits, logits.len()).unwrap();
    let options = SampleOptions::default();
    let expected = reference::logsumexp_rows(batch, &options).unwrap();
    for engine in engines() {
        let found = engine.logsumexp_rows(batch, &options).unwrap();
        assert!(worst(&found, &expected) < 1.0);
    }
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exps = || logits.iter().map(|logit| (logit - top).exp());
    let of_sum = |sum: f64| [f64::from(top) + sum.ln()];
    let sum: f64 = exps().map(f64::from).sum();
    assert!(worst(&of_sum(sum), &expected) < 1.0);
    assert!(worst(&of_sum(sum - 1.0), &expected) > 1.0);
    assert!(worst(&of_sum(exps().sum::<f32>().into()), &expected) > 1.0);
}

/// Each is log softmax at the index that was drawn, as near as the row's sum is. That of the category
/// after it is seen in four of five cases; in the others, rows are flat or have a single category.
#[test]
fn draws_have_their_log_probabilities() {
    let (mut scored_cases, mut seen) = (0, 0);
    for case in conformance::cases().filter(|case| case.options().temperature > 0.0) {
        let (batch, options) = (case.batch(), case.options());
        let races = batch.rows() * options.draws as usize;
        if races * batch.categories() > 200_000 {
            continue;
        }
        let exact = reference::logsumexp_rows(batch, &options).unwrap();
        for engine in engines() {
            let scored = engine.sample_rows_scored(batch, &options).unwrap();
            assert_eq!(scored.draws, engine.sample_rows(batch, &options).unwrap(), "{case}");
            let sums = engine.logsumexp_rows(batch, &options).unwrap();
            let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
            assert!(scored.logsumexps.iter().zip(&sums).all(same), "{case}");

            let off = |draws: &[u32]| {
                let expected = log_probs(batch, &options, draws, &exact);
                furthest(&scored.log_probs, &expected, &exact, tolerance)
            };
            let worst = off(&scored.draws);
            assert!(worst <= 1.0, "{case}: {worst} tolerances, {}", engine.form());
            let next = |&draw: &u32| match draw {
                NO_DRAW => NO_DRAW,
                draw => (draw + 1) % batch.categories() as u32,
            };
            let others: Vec<u32> = scored.draws.iter().map(next).collect();
            scored_cases += 1;
            seen += usize::from(off(&others) > 1.0);
        }
    }
    println!("the next category is seen in {seen} of {scored_cases} cases");
    assert!(10 * seen > 8 * scored_cases);
}

/// Two thousand draws from one row find all five categories that have a chance, and the probabilities
/// that those draws tell add up to 1.
#[test]
fn probabilities_add_up() {
    let logits = [0.25f32, -3.0, 2.0, 1.5, f32::NEG_INFINITY, -0.5];
    let options = SampleOptions::default().with_draws(2000).with_temperature(1.5);
    let scored =
        CpuSampler::new().sample_rows_scored(Logits::new(&logits, 6).unwrap(), &options).unwrap();
    let mut found = [None; 6];
    for (&draw, &log_prob) in scored.draws.iter().zip(&scored.log_probs) {
        found[draw as usize] = Some(log_prob);
    }
    assert_eq!(found.iter().flatten().count(), 5);
    let sum: f64 = found.iter().flatten().map(|x| x.exp()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
}

#[test]
fn huge_shifts_and_weights_are_stable() {
    let cpu = CpuSampler::new();
    let options = SampleOptions::default();
    for shift in [-1e6f32, 0.0, 1e6] {
        let logits = [shift, shift + 1.0, shift - 2.0];
        let sum = cpu.logsumexp_rows(Logits::new(&logits, 3).unwrap(), &options).unwrap()[0];
        let expected = f64::from(shift) + (1.0 + 1f64.exp() + (-2f64).exp()).ln();
        assert!((sum - expected).abs() <= tolerance(expected), "{sum}, {expected}");
    }
    let weights = [f32::MAX, f32::MAX, f32::from_bits(1)];
    let sum = cpu.logsumexp_rows(Weights::new(&weights, 3).unwrap(), &options).unwrap()[0];
    assert!((sum - (2.0 * f64::from(f32::MAX)).ln()).abs() < 1e-12);
    let error =
        cpu.logsumexp_rows(Weights::new(&weights, 3).unwrap(), &options.with_temperature(0.0));
    assert!(matches!(error, Err(Error::NoNoise { .. })));
}
