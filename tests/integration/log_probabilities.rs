//! Logsumexp and the log-probabilities of draws, against sums in f64.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use crate::common::values::{
    furthest, log_probs, log_probs_by_logsumexp, log_probs_in_single, next, shifted_rows,
};
use gumbel::conformance;
use gumbel::{
    CpuSampler, Error, Isa, LogProbsOf, Logits, Method, SampleOptions, Truncation, Weights,
    reference,
};

/// The error of a log-probability that the documentation promises.
const PROMISED: f64 = 5e-6;

/// Returns the error of a sum that the documentation promises.
fn tolerance(expected: f64) -> f64 {
    5e-6 + 6e-8 * expected.abs()
}

fn engines() -> impl Iterator<Item = CpuSampler> {
    let isas = Isa::available();
    isas.map(|isa| CpuSampler::new().with_isa(isa).unwrap())
}

/// Returns the largest error as a fraction of the tolerance; rows without a sum must be NaN in
/// both.
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
            assert!(worst <= 1.0, "{case}: {worst} tolerances, {}", engine.isa());
            most = most.max(worst);
        }
    }
    println!("{most} tolerances at most");
    // the tolerance is less than a hundred times the largest error
    assert!(most > 0.01);
}

/// A row whose sum several threads take. The comparison notices a sum that lacks one of its largest terms, or is added
/// up in f32 one term after the other.
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

/// Of the options, temperature and sentinels count for the sum of a row. Options that no draw takes, row ids of a wrong
/// number among them, change nothing.
#[test]
fn sums_have_no_row_ids() {
    let data = [0.0, 1.0, 2.0, 3.0, 4.0, f32::NAN];
    let (logits, plain) = (Logits::new(&data, 2).unwrap(), SampleOptions::default());
    let plain = plain.with_sentinels(true).with_temperature(0.5);
    let others = [
        plain.with_row_ids(&[7]),
        plain.with_row_ids(&[7, 7, 7, 7]),
        plain.with_draws(0),
        plain.with_first_draw(u32::MAX).with_draws(9),
        plain.with_method(Method::InverseCdf),
        plain.with_seed(9),
    ];
    let sums = |options: &SampleOptions<'_>| {
        let all = [
            CpuSampler::new().logsumexp_rows(logits, options).unwrap(),
            reference::logsumexp_rows(logits, options).unwrap(),
        ];
        all.concat().into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    let expected = sums(&plain);
    for options in others {
        assert_eq!(sums(&options), expected, "{options:?}");
    }
    // the comparison notices another temperature
    assert_ne!(sums(&plain.with_temperature(0.6)), expected);
    let refuse = CpuSampler::new().logsumexp_rows(logits, &plain.with_sentinels(false));
    assert!(matches!(refuse, Err(Error::UndrawableRow { row: 2, .. })));
}

/// Each log-probability is log softmax at the drawn index, within the promised error. The
/// comparison notices the log-probability of the category after it in four of five cases; in the
/// others, rows are flat or have a single category.
#[test]
fn draws_have_their_log_probabilities() {
    let (mut scored_cases, mut seen, mut most) = (0, 0, 0f64);
    for case in conformance::cases().filter(|case| case.options().temperature > 0.0) {
        let (batch, options) = (case.batch(), case.options());
        let races = batch.rows() * options.draws as usize;
        if races * batch.categories() > 200_000 {
            continue;
        }
        let exact = reference::sample_rows_scored(batch, &options).unwrap();
        for engine in engines() {
            let scored = engine.sample_rows_scored(batch, &options).unwrap();
            assert_eq!(scored.draws, engine.sample_rows(batch, &options).unwrap(), "{case}");
            let sums = engine.logsumexp_rows(batch, &options).unwrap();
            let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
            assert!(scored.logsumexps.iter().zip(&sums).all(same), "{case}");

            let off = |draws: &[u32]| {
                furthest(&scored.log_probs, &log_probs(batch, &options, draws), PROMISED)
            };
            let worst = off(&scored.draws);
            assert!(worst <= 1.0, "{case}: {worst} tolerances, {}", engine.isa());
            most = most.max(worst);
            scored_cases += 1;
            seen += usize::from(off(&next(&scored.draws, batch.categories())) > 1.0);
        }
        // the definition shares no code with this file, and differs by roundings alone
        let expected = log_probs(batch, &options, &exact.draws);
        let definition = furthest(&exact.log_probs, &expected, 1e-7);
        assert!(definition <= 1.0, "{case}: {definition}");
    }
    println!("{most} tolerances at most");
    println!("the next category is seen in {seen} of {scored_cases} cases");
    assert!(10 * seen > 8 * scored_cases);
}

/// A number added to all logits leaves log-probabilities unchanged: with one draw and several, by either method, at
/// several temperatures. The comparison notices the difference from a logsumexp where f64 cannot hold both the shift
/// and the difference, and that in single precision wherever there is a shift.
#[test]
fn shifts_leave_log_probabilities_alone() {
    for rows in shifted_rows() {
        let (shift, categories) = (rows.shift, rows.categories);
        let batch = Logits::new(&rows.logits, categories).unwrap().into();
        for (method, draws, temperature) in [
            (Method::Gumbel, 1, 1.0),
            (Method::Gumbel, 5, 1.0),
            (Method::InverseCdf, 5, 1.0),
            (Method::Gumbel, 1, 0.7),
        ] {
            let options = SampleOptions::default()
                .with_method(method)
                .with_draws(draws)
                .with_temperature(temperature);
            for engine in engines() {
                let scored = engine.sample_rows_scored(batch, &options).unwrap();
                let expected = log_probs(batch, &options, &scored.draws);
                let worst = furthest(&scored.log_probs, &expected, PROMISED);
                let isa = engine.isa();
                assert!(worst <= 1.0, "{shift:e}, {categories}, {method:?}: {worst}, {isa}");

                let faulty = log_probs_by_logsumexp(batch, &options, &scored.draws);
                assert_eq!(furthest(&faulty, &expected, PROMISED) > 1.0, rows.beyond_f64);
                let faulty = log_probs_in_single(batch, &options, &scored.draws);
                assert_eq!(furthest(&faulty, &expected, PROMISED) > 1.0, shift != 0.0);
            }
        }
    }
}

/// Rows in which all but a few categories are equally far below the largest, so that roundings go one way; and
/// ascending rows, in which the largest changes with each category.
#[test]
fn log_probabilities_of_rows_that_are_hard_to_sum() {
    let mut most = 0f64;
    for categories in [200, 16_000, 1 << 20] {
        for i in 0..40 {
            let behind = i as f32 * -0.3877;
            let row = |j: usize| if j.is_multiple_of(categories / 8) { 0.1 } else { behind };
            let ascending = |j: usize| (j + i) as f32 * (i + 1) as f32 / categories as f32;
            let both = (0..categories).map(row).chain((0..categories).map(ascending));
            let logits: Vec<f32> = both.collect();
            let batch = Logits::new(&logits, categories).unwrap().into();
            let options = SampleOptions::default().with_seed(i as u64);
            for engine in engines() {
                if categories > 100_000 && i % 8 != 3 {
                    continue;
                }
                let scored = engine.sample_rows_scored(batch, &options).unwrap();
                let expected = log_probs(batch, &options, &scored.draws);
                let worst = furthest(&scored.log_probs, &expected, PROMISED);
                assert!(worst <= 1.0, "{categories}, {i}: {worst}, {}", engine.isa());
                most = most.max(worst);
            }
        }
    }
    println!("{most} of what is promised at most");
    assert!(most > 0.05);
}

/// Two thousand draws from one row find all five categories with a probability above 0, and the
/// probabilities of these draws add up to 1.
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

/// The draws are cut, and their probabilities are those among what is allowed: as if nothing had been cut.
#[test]
fn among_all_that_is_allowed() {
    let (mut cut, mut most) = (0, 0f64);
    let cases = conformance::restricted_cases().filter(|case| case.work() < 20_000);
    for case in cases.filter(|case| case.options().temperature > 0.0) {
        let batch = case.batch();
        let kept = case.options().with_sentinels(true);
        if kept.temperatures.is_some() {
            // some of them are 0
            continue;
        }
        let of_all = kept.with_log_probs_of(LogProbsOf::Allowed);
        let mut whole = kept;
        (whole.truncation, whole.truncations) = (Truncation::new(), None);
        let due = reference::sample_rows_scored(batch, &of_all).unwrap();
        assert_eq!(due.draws, reference::sample_rows(batch, &kept).unwrap(), "{case}");
        assert_eq!(
            format!("{:?}", due.logsumexps),
            format!("{:?}", reference::logsumexp_rows(batch, &whole).unwrap())
        );
        for engine in engines() {
            let found = engine.sample_rows_scored(batch, &of_all).unwrap();
            assert_eq!(found.draws, due.draws, "{case}");
            let worst_sum = worst(&found.logsumexps, &due.logsumexps);
            let worst = worst(&found.log_probs, &due.log_probs).max(worst_sum);
            assert!(worst <= 1.0, "{case}: {worst} tolerances, {}", engine.isa());
            most = most.max(worst);
        }
        let among_kept = CpuSampler::new().sample_rows_scored(batch, &kept).unwrap();
        let differ = |(kept, all): (&f64, &f64)| *kept > all + 1e-3;
        cut += usize::from(among_kept.log_probs.iter().zip(&due.log_probs).any(differ));
    }
    assert!(cut > 30, "in {cut} cases cuts make a difference");
    assert!(most > 0.01);
}

/// Of three categories with 4/8, 3/8 and 1/8 the first two are kept. After an error the other rows are scored.
#[test]
fn among_what_is_kept_or_allowed() {
    let row = [4f32.ln(), 3f32.ln(), 0.0];
    let batch = [row, [f32::NAN; 3], row].concat();
    let options = SampleOptions::default()
        .with_truncation(Truncation::new().with_top_k(2))
        .with_log_probs_of(LogProbsOf::Allowed)
        .with_draws(20);
    let (mut draws, mut log_probs, mut sums) = ([9; 60], [0.0; 60], [0.0; 3]);
    let logits = Logits::new(&batch, 3).unwrap();
    let scored = CpuSampler::new().sample_rows_scored_into(
        logits,
        &options,
        &mut draws,
        &mut log_probs,
        &mut sums,
    );
    assert!(matches!(scored, Err(Error::UndrawableRow { row: 1, .. })), "{scored:?}");
    for i in (0..20).chain(40..60) {
        let due: f64 = [0.5f64, 0.375][draws[i] as usize];
        assert!((log_probs[i] - due.ln()).abs() < 1e-5, "{} {}", draws[i], log_probs[i]);
    }
    assert!((sums[0] - 8f64.ln()).abs() < 1e-5 && sums[1].is_nan() && log_probs[20].is_nan());
}
