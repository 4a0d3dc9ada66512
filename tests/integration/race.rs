//! The race and its theorems: which alarm rings first, when, and in what order the others follow.
//!
//! Every engine gives the reference's categories and keys; the CPU engine's, with fixed seeds, are
//! tested for the distributions that the mathematics predicts. False alarms: 10⁻⁶ a p-value.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use crate::common::statistics::{ALARM, chi_square, counts, independence, kolmogorov_smirnov};
use gumbel::conformance::{self, Case};
use gumbel::half::f16;
use gumbel::{
    Batch, CpuSampler, Error, Isa, Logits, NO_DRAW, SampleOptions, Undrawable, Weight, Weights,
    reference,
};
use statrs::distribution::{ContinuousCDF, Exp, Gumbel};

/// Returns engines with all instruction sets, and one without the filter.
fn engines() -> impl Iterator<Item = CpuSampler> {
    let isas = Isa::available();
    let isas = isas.map(|isa| CpuSampler::new().with_isa(isa).unwrap());
    isas.chain([CpuSampler::new().with_filter(false)])
}

fn is_race(case: &Case) -> bool {
    let work = case.batch().rows() * case.batch().categories() * case.options().draws as usize;
    case.options().temperature > 0.0 && work < 300_000
}

#[test]
fn every_engine_has_the_references_top_k() {
    let mut compared = 0;
    for case in conformance::cases().filter(is_race) {
        let (batch, options) = (case.batch(), case.options());
        for k in [1, 2, 5, 100] {
            let expected = reference::race_rows(batch, &options, k).unwrap();
            for engine in engines() {
                let found = engine.race_rows(batch, &options, k).unwrap();
                assert_eq!(found, expected, "{case}, the first {k}, {}", engine.isa());
                compared += expected.keys().len();
            }
        }
    }
    println!("{compared} places");
    assert!(compared > 1_000_000);
}

/// Rows of up to 33 categories, some of them without a draw, of logits, weights and counts: as many places as there are
/// categories, fewer and more.
#[test]
fn places_of_short_rows_are_the_references() {
    let mut compared = 0;
    for n in (1..=17).chain([24, 25, 31, 32, 33]) {
        let rows = 300 / n + 3;
        let number = |i: usize| match (i / n % 5, i % 11) {
            (_, 3) => 0.0,
            (3, 7) => f32::NAN,
            (4, _) if i / n % 10 == 4 => 0.0,
            (_, j) => j as f32 * 0.5,
        };
        let weights: Vec<f32> = (0..rows * n).map(number).collect();
        let logits: Vec<f32> = weights.iter().map(|x| x.ln()).collect();
        let halves: Vec<f16> = logits.iter().map(|&x| f16::from_f32(x)).collect();
        let counts: Vec<u32> = weights.iter().map(|&x| x as u32).collect();
        let batches: [Batch<'_>; 4] = [
            Logits::new(&logits, n).unwrap().into(),
            Logits::from_f16(&halves, n).unwrap().into(),
            Weights::new(&weights, n).unwrap().into(),
            Weights::from_counts(&counts, n).unwrap().into(),
        ];
        for batch in batches {
            for k in [1, n.div_ceil(6), n.div_ceil(2), n, n + 3] {
                let options = SampleOptions::default().with_draws(3).with_seed(9);
                let options = options.with_sentinels(true).with_temperature(0.7);
                let expected = reference::race_rows(batch, &options, k).unwrap();
                for engine in engines() {
                    let found = engine.race_rows(batch, &options, k).unwrap();
                    assert!(found == expected, "{n}, {k}, {}", engine.isa());
                }
                compared += expected.keys().len();
            }
        }
    }
    assert!(compared > 300_000, "{compared}");
}

/// Short rows, some of them without a draw, in pieces for several threads: each key is that of the drawn category.
#[test]
fn short_rows_in_pieces_have_the_references_keys() {
    let value = |i: usize| match (i / 100 % 9, i % 7) {
        (4, _) => f32::NEG_INFINITY,
        (7, 3) => f32::NAN,
        _ => (i * 7919 % 1009) as f32 / 200.0,
    };
    let data: Vec<f32> = (0..700 * 100).map(value).collect();
    let logits = Logits::new(&data, 100).unwrap();
    let options = SampleOptions::default().with_draws(5).with_seed(9).with_sentinels(true);
    let expected = reference::race_rows(logits, &options, 1).unwrap();
    for engine in engines() {
        let found = engine.race_rows(logits, &options, 1).unwrap();
        assert!(found == expected, "{}", engine.isa());
    }
}

#[test]
fn a_thousand_places_of_a_long_row() {
    let logits: Vec<f32> = (0..50_000).map(|i| (i * 7919 % 1009) as f32 / 128.0).collect();
    let batch = Logits::new(&logits, 50_000).unwrap();
    let options = SampleOptions::default().with_seed(3).with_draws(2);
    let expected = reference::race_rows(batch, &options, 1500).unwrap();
    for engine in engines() {
        assert_eq!(engine.race_rows(batch, &options, 1500).unwrap(), expected);
    }
    // each category once, the first one the draw, and each time later than the one before
    for (categories, times) in
        expected.categories().chunks(1500).zip(expected.times().collect::<Vec<_>>().chunks(1500))
    {
        let mut sorted = categories.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 1500);
        assert!(times.is_sorted() && times[0] > 0.0);
    }
    let draws = CpuSampler::new().sample_rows(batch, &options).unwrap();
    assert_eq!(draws, [expected.categories()[0], expected.categories()[1500]]);
}

#[test]
fn places_that_nobody_can_take_are_empty() {
    let weights = [0.0, 3.0, 0.0, 5.0];
    let batch = Weights::new(&weights, 4).unwrap();
    let top_k = CpuSampler::new().race_rows(batch, &SampleOptions::default(), 3).unwrap();
    assert_eq!(top_k.k(), 3);
    assert!(top_k.categories()[..2].iter().all(|c| [1, 3].contains(c)));
    assert_eq!(top_k.categories()[2], NO_DRAW);
    let last = top_k.perturbed_logits().zip(top_k.times()).last();
    assert_eq!(last, Some((f64::NEG_INFINITY, f64::INFINITY)));
}

#[test]
fn what_is_wrong_is_named() {
    let cpu = CpuSampler::new();
    let weights = [1.0, 2.0, 1.0, -2.0, 0.0, 0.0];
    let batch = Weights::new(&weights, 2).unwrap();
    let options = SampleOptions::default();
    let error = cpu.race_rows(batch, &options, 2).unwrap_err();
    let negative = Undrawable::InvalidWeight { category: 1, weight: -2.0 };
    assert!(matches!(error, Error::UndrawableRow { row: 1, reason } if reason == negative));
    assert_eq!(
        error.to_string(),
        "row 1 has no draw: its weight of category 1 is -2; a weight is 0 or positive, and finite"
    );
    for (category, wrong) in [(0, f32::NAN), (2, -f32::NAN), (1, f32::INFINITY)] {
        let mut rows = [1.0; 6];
        rows[3 + category] = wrong;
        let error = cpu.race_rows(Weights::new(&rows, 3).unwrap(), &options, 1).unwrap_err();
        let Error::UndrawableRow { row: 1, reason } = error else { panic!("{error}") };
        let Undrawable::InvalidWeight { category: at, weight } = reason else { panic!("{reason}") };
        assert_eq!((at, weight.to_bits()), (category, f64::from(wrong).to_bits()));
    }
    let top_k = cpu.race_rows(batch, &options.with_sentinels(true), 2).unwrap();
    assert_eq!(top_k.categories()[2..], [NO_DRAW; 4]);
    assert!(!top_k.categories()[..2].contains(&NO_DRAW));
    let error = cpu.race_rows(batch, &options, 0).unwrap_err();
    assert!(matches!(error, Error::ZeroK));
    let error = cpu.race_rows(batch, &options, usize::MAX / 2).unwrap_err();
    assert!(matches!(error, Error::TopKTooLarge { races: 3, .. }));
    let error = cpu.race_rows(batch, &options.with_temperature(0.0), 1).unwrap_err();
    assert!(matches!(error, Error::NoNoise { .. }));
    let error = cpu.race_rows(batch, &options.with_temperature(1e-9), 1).unwrap_err();
    assert!(matches!(error, Error::WeightsTemperature { .. }));
}

const RATES: [f32; 5] = [0.5, 4.0, 1.0, 0.25, 2.25];
const SUM: f64 = 8.0;
const RACES: usize = 1_000_000;

/// Returns the first two of a million races: categories and times.
fn million() -> (Vec<u32>, Vec<f64>) {
    let rates = Weights::strided(&RATES, RACES, RATES.len(), 0).unwrap();
    let options = SampleOptions::default().with_seed(11);
    let top_k = CpuSampler::new().race_rows(rates, &options, 2).unwrap();
    let times: Vec<_> = top_k.times().collect();
    let all = top_k.into_times();
    assert!(all.1 == times, "on several threads times are others");
    all
}

/// The index is i with probability λᵢ/Σλ, the time is Exp(Σλ), and they are independent.
///
/// The tests would notice one rate, or all, that is 1 % off, or a time that depends a little on
/// which alarm rings.
#[test]
fn the_first_to_ring_and_when() {
    let (categories, times) = million();
    let first: Vec<u32> = categories.iter().step_by(2).copied().collect();
    let times: Vec<f64> = times.iter().step_by(2).copied().collect();

    let share = |rates: [f32; 5]| {
        let sum: f64 = rates.iter().map(|&rate| f64::from(rate)).sum();
        let probabilities = rates.map(|rate| f64::from(rate) / sum);
        chi_square(&counts(first.iter().copied(), 5), &probabilities)
    };
    assert!(share(RATES) > ALARM, "{}", share(RATES));
    assert!(share([0.5, 4.05, 1.0, 0.25, 2.25]) < ALARM);

    let exponential = |rate: f64| {
        let exponential = Exp::new(rate).unwrap();
        kolmogorov_smirnov(times.clone(), |time| exponential.cdf(time))
    };
    assert!(exponential(SUM) > ALARM, "{}", exponential(SUM));
    assert!(exponential(SUM * 1.01) < ALARM && exponential(SUM * 0.99) < ALARM);

    // by eighths of the time's distribution
    let eighth = |time: f64| ((1.0 - (-SUM * time).exp()) * 8.0) as usize;
    let table = |late: f64| {
        let mut table = vec![vec![0; 8]; 5];
        for (&category, &time) in first.iter().zip(&times) {
            let time = if category == 1 { time * late } else { time };
            table[category as usize][eighth(time)] += 1;
        }
        table
    };
    let independent = independence(&table(1.0));
    assert!(independent > ALARM, "{independent}");
    assert!(independence(&table(1.02)) < ALARM);
}

/// The second category: j after i with probability λⱼ/(Σλ − λᵢ), draws without replacement
/// (Plackett and Luce). The wait for it is Exp(Σλ − λᵢ), since alarms have no memory.
#[test]
fn the_order_of_those_that_follow() {
    let (categories, times) = million();
    let rates = RATES.map(f64::from);
    let pairs = counts(categories.chunks(2).map(|pair| pair[0] * 5 + pair[1]), 25);
    // the p-value of the pairs, given the probability of j after i for different i and j
    let fits = |rates: [f64; 5], after: fn(f64, f64, f64) -> f64| {
        let sum: f64 = rates.iter().sum();
        let pair = |i: usize, j: usize| match i == j {
            true => 0.0,
            false => rates[i] * after(rates[i], rates[j], sum),
        };
        let expected: Vec<f64> = (0..25).map(|c| pair(c / 5, c % 5)).collect();
        let all: f64 = expected.iter().sum();
        chi_square(&pairs, &expected.iter().map(|p| p / all).collect::<Vec<_>>())
    };
    let p = fits(rates, |first, second, sum| second / (sum - first));
    assert!(p > ALARM, "{p}");
    // rates that are 1 % off, up or down; and a second category that is drawn with replacement,
    // anew until it differs from the first
    assert!(fits([0.495, 4.04, 0.99, 0.2475, 2.2275], |i, j, sum| j / (sum - i)) < ALARM);
    assert!(fits(rates, |_, second, sum| second / sum) < ALARM);

    let wait = |scaled: f64| {
        let exponential = Exp::new(1.0).unwrap();
        let waits = waits(&categories, &times).iter().map(|wait| wait * scaled).collect();
        kolmogorov_smirnov(waits, |time| exponential.cdf(time))
    };
    assert!(wait(1.0) > ALARM, "{}", wait(1.0));
    assert!(wait(1.01) < ALARM);
}

/// Returns the waits from the first alarm to the second, in units of 1/(Σλ − λᵢ), where i is the
/// first.
fn waits(categories: &[u32], times: &[f64]) -> Vec<f64> {
    categories
        .chunks(2)
        .zip(times.chunks(2))
        .map(|(who, when)| (when[1] - when[0]) * (SUM - f64::from(RATES[who[0] as usize])))
        .collect()
}

/// That wait depends neither on the time before it nor on which alarms are first and second: two
/// tables, false alarms 10⁻⁶ each. The test notices a wait that is 2 % longer after late first
/// alarms, or after one of the alarms.
#[test]
fn the_wait_for_the_second_is_independent() {
    let (categories, times) = million();
    let waits = waits(&categories, &times);
    let eighth = |time: f64| ((1.0 - (-time).exp()) * 8.0) as usize;
    let before: Vec<usize> = times.iter().step_by(2).map(|time| eighth(SUM * time)).collect();

    let of_times = |late: f64| {
        let mut table = vec![vec![0; 8]; 8];
        for (&before, &wait) in before.iter().zip(&waits) {
            table[before][eighth(if before < 4 { wait } else { wait * late })] += 1;
        }
        independence(&table)
    };
    assert!(of_times(1.0) > ALARM, "{}", of_times(1.0));
    assert!(of_times(1.02) < ALARM);

    let of_pairs = |late: f64| {
        let mut table = vec![vec![0; 8]; 25];
        for (pair, &wait) in categories.chunks(2).zip(&waits) {
            let wait = if pair[0] == 1 { wait * late } else { wait };
            table[(pair[0] * 5 + pair[1]) as usize][eighth(wait)] += 1;
        }
        // no category is second to itself
        table.retain(|row| row.iter().any(|&count| count > 0));
        assert_eq!(table.len(), 20);
        independence(&table)
    };
    assert!(of_pairs(1.0) > ALARM, "{}", of_pairs(1.0));
    assert!(of_pairs(1.02) < ALARM);
}

/// The largest key is Gumbel with location logsumexp(logits), at any temperature.
#[test]
fn the_maximum_is_a_gumbel_variable() {
    let logits = [0.5, -2.0, 3.0, f32::NEG_INFINITY, 1.0, 2.5, -0.25];
    for temperature in [1.0, 2.0] {
        let batch = Logits::strided(&logits, 300_000, logits.len(), 0).unwrap();
        let options = SampleOptions::default().with_seed(5).with_temperature(temperature);
        let top_k = CpuSampler::new().race_rows(batch, &options, 1).unwrap();
        let sum: f64 = logits.iter().map(|x| f64::from(x / temperature).exp()).sum();
        let fits = |location: f64| {
            let gumbel = Gumbel::new(location, 1.0).unwrap();
            kolmogorov_smirnov(top_k.perturbed_logits().collect(), |x| gumbel.cdf(x))
        };
        assert!(fits(sum.ln()) > ALARM, "{}", fits(sum.ln()));
        assert!(fits(sum.ln() + 0.02) < ALARM && fits(sum.ln() - 0.02) < ALARM);
    }
}

/// Log Z from the largest keys: 200 rows' errors, each in units of its standard error, are standard
/// normal.
#[test]
fn the_mean_of_the_maxima_is_log_z() {
    let logits: Vec<f32> = (0..200 * 30).map(|i| (i * 7919 % 1009) as f32 / 64.0).collect();
    let batch = Logits::new(&logits, 30).unwrap();
    let options = SampleOptions::default().with_seed(8).with_draws(10_000);
    let cpu = CpuSampler::new();
    let estimates = cpu.estimate_log_z(batch, &options).unwrap();
    let sums = cpu.logsumexp_rows(batch, &options).unwrap();
    let normal = statrs::distribution::Normal::standard();
    let fits = |off: f64| {
        let errors = estimates
            .iter()
            .zip(&sums)
            .map(|(log_z, sum)| (log_z.estimate - sum + off) / log_z.standard_error);
        kolmogorov_smirnov(errors.collect(), |x| normal.cdf(x))
    };
    assert!(fits(0.0) > ALARM, "{}", fits(0.0));
    assert!(fits(0.01) < ALARM);
    assert!((estimates[0].standard_error - 0.012_825_5).abs() < 1e-6);
}

/// Returns a function from expected probabilities to the p-value of a million draws from a row of
/// weights or counts.
fn fit_of<T: Weight>(weights: &[T], seed: u64) -> impl Fn(&[f64]) -> f64 {
    let batch = Weights::strided(weights, 1_000_000, weights.len(), 0).unwrap();
    let options = SampleOptions::default().with_seed(seed);
    let draws = CpuSampler::new().sample_rows(batch, &options).unwrap();
    let counts = counts(draws, weights.len());
    move |weights| {
        let sum: f64 = weights.iter().sum();
        chi_square(&counts, &weights.iter().map(|weight| weight / sum).collect::<Vec<_>>())
    }
}

/// Weights of every size in one row, subnormal ones alone, and counts have the right frequencies:
/// false alarms 10⁻⁶ for each of four rows. The test notices a largest weight that is 2 % off.
#[test]
fn weights_have_their_probabilities() {
    // tiny numbers, and 2^20 times as large ones
    let (one, many) = (2f32.powi(-100), 2f32.powi(-80));
    let tiny = f32::from_bits(1);
    let rows = [
        vec![one, 3.0 * many, many, 0.0, 2.0 * many, tiny],
        vec![tiny, 3e38, 1e38, 0.0, 2e38],
        // subnormal weights of 1 to 19 bits
        [1, 300, 100_000, 0, 200_000, 300_000].map(f32::from_bits).to_vec(),
    ];
    for (seed, row) in (0..).zip(&rows) {
        let fits = fit_of(row, seed);
        let mut weights: Vec<f64> = row.iter().map(|&weight| weight.into()).collect();
        assert!(fits(&weights) > ALARM, "{row:?}: {:e}", fits(&weights));
        let most = weights.iter().copied().fold(0.0, f64::max);
        weights.iter_mut().filter(|weight| **weight == most).for_each(|weight| *weight *= 1.02);
        assert!(fits(&weights) < ALARM, "{row:?}: {:e}", fits(&weights));
    }
    let fits = fit_of(&[1000u32, 3_000_000, 1_000_000, 0, 2_000_000, 1], 1);
    let expected = [1000.0, 3e6, 1e6, 0.0, 2e6, 1.0];
    assert!(fits(&expected) > ALARM, "{:e}", fits(&expected));
    assert!(fits(&[1000.0, 3.06e6, 1e6, 0.0, 2e6, 1.0]) < ALARM);
}

/// A category with an expectation of a tenth of a draw is drawn twice now and then, but six times
/// in no test's lifetime.
#[test]
fn rare_categories_have_a_test_of_their_own() {
    let fits = |rare| chi_square(&[500_000, 500_000, rare], &[0.5, 0.5 - 1e-7, 1e-7]);
    assert!(fits(0) > 0.1 && fits(2) > 1e-3);
    assert!(fits(6) < ALARM);
}
