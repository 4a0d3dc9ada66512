//! The race and its theorems: who rings first, when, and in what order the others follow.
//!
//! Every engine gives the reference's categories and keys; that they have the distributions that the
//! mathematics says is tested on the CPU engine, with fixed seeds. False alarms: 10⁻⁶ a p-value.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

mod common {
    pub(crate) mod statistics;
}

use common::statistics::{ALARM, chi_square, counts, independence, kolmogorov_smirnov};
use gumbel::conformance::{self, Case};
use gumbel::{
    CpuForm, CpuSampler, Error, Logits, NO_DRAW, SampleOptions, Undrawable, Weights, reference,
};
use statrs::distribution::{ContinuousCDF, Exp, Gumbel};

/// All forms of the engine, and one without the filter.
fn engines() -> impl Iterator<Item = CpuSampler> {
    let forms = CpuForm::ALL.into_iter().filter(|form| form.is_available());
    let forms = forms.map(|form| CpuSampler::new().with_form(form).unwrap());
    forms.chain([CpuSampler::new().with_filter(false)])
}

fn is_race(case: &Case) -> bool {
    let work = case.batch().rows() * case.batch().categories() * case.options().draws as usize;
    case.options().temperature > 0.0 && work < 200_000
}

#[test]
fn every_engine_has_the_references_arrivals() {
    let mut compared = 0;
    for case in conformance::cases().filter(is_race) {
        let (batch, options) = (case.batch(), case.options());
        for places in [1, 2, 5, 100] {
            let expected = reference::race_rows(batch, &options, places).unwrap();
            for engine in engines() {
                let found = engine.race_rows(batch, &options, places).unwrap();
                assert_eq!(found, expected, "{case}, {places} places, {}", engine.form());
                compared += expected.keys().len();
            }
        }
    }
    println!("{compared} places");
    assert!(compared > 1_000_000);
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
    // each once, the first one the draw, and later ones later
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
    let arrivals = CpuSampler::new().race_rows(batch, &SampleOptions::default(), 3).unwrap();
    assert_eq!(arrivals.places(), 3);
    assert!(arrivals.categories()[..2].iter().all(|c| [1, 3].contains(c)));
    assert_eq!(arrivals.categories()[2], NO_DRAW);
    let last = arrivals.maxima().zip(arrivals.times()).last();
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
    let arrivals = cpu.race_rows(batch, &options.with_sentinels(true), 2).unwrap();
    assert_eq!(arrivals.categories()[2..], [NO_DRAW; 4]);
    assert!(!arrivals.categories()[..2].contains(&NO_DRAW));
    let error = cpu.race_rows(batch, &options, 0).unwrap_err();
    assert!(matches!(error, Error::NoPlaces));
    let error = cpu.race_rows(batch, &options, usize::MAX / 2).unwrap_err();
    assert!(matches!(error, Error::TooManyPlaces { races: 3, .. }));
    let error = cpu.race_rows(batch, &options.with_temperature(0.0), 1).unwrap_err();
    assert!(matches!(error, Error::NoNoise { .. }));
    let error = cpu.race_rows(batch, &options.with_temperature(1e-9), 1).unwrap_err();
    assert!(matches!(error, Error::WeightsTemperature { .. }));
}

const RATES: [f32; 5] = [0.5, 4.0, 1.0, 0.25, 2.25];
const SUM: f64 = 8.0;
const RACES: usize = 1_000_000;

/// The first two of a million races: categories and times.
fn million() -> (Vec<u32>, Vec<f64>) {
    let rates = Weights::strided(&RATES, RACES, RATES.len(), 0).unwrap();
    let options = SampleOptions::default().with_seed(11);
    let arrivals = CpuSampler::new().race_rows(rates, &options, 2).unwrap();
    (arrivals.categories().to_vec(), arrivals.times().collect())
}

/// The index is i with probability λᵢ/Σλ, the time is Exp(Σλ), and they are independent.
///
/// Each test would see a rate, or all, that is 1 % off, or a time that depends a little on who rings.
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

/// The second place: j after i with probability λⱼ/(Σλ − λᵢ), draws without replacement (Plackett and
/// Luce); and the wait for it is Exp(Σλ − λᵢ), since alarms have no memory.
#[test]
fn the_order_of_those_that_follow() {
    let (categories, times) = million();
    let rates = RATES.map(f64::from);
    let pair = |i: usize, j: usize| if i == j { 0.0 } else { rates[j] / (SUM - rates[i]) };
    let with = |weight: fn(f64, f64) -> f64| {
        let expected = (0..25).map(|c| weight(rates[c / 5] / SUM, pair(c / 5, c % 5)));
        let pairs = categories.chunks(2).map(|pair| pair[0] * 5 + pair[1]);
        chi_square(&counts(pairs, 25), &expected.collect::<Vec<_>>())
    };
    let p = with(|first, second| first * second);
    assert!(p > ALARM, "{p}");

    let wait = |scaled: f64| {
        let waits = categories
            .chunks(2)
            .zip(times.chunks(2))
            .map(|(who, when)| (when[1] - when[0]) * (SUM - rates[who[0] as usize]) * scaled);
        let exponential = Exp::new(1.0).unwrap();
        kolmogorov_smirnov(waits.collect(), |time| exponential.cdf(time))
    };
    assert!(wait(1.0) > ALARM, "{}", wait(1.0));
    assert!(wait(1.01) < ALARM);
}

/// The maximum is Gumbel with location logsumexp(logits), at any temperature.
#[test]
fn the_maximum_is_a_gumbel_variable() {
    let logits = [0.5, -2.0, 3.0, f32::NEG_INFINITY, 1.0, 2.5, -0.25];
    for temperature in [1.0, 2.0] {
        let batch = Logits::strided(&logits, 300_000, logits.len(), 0).unwrap();
        let options = SampleOptions::default().with_seed(5).with_temperature(temperature);
        let arrivals = CpuSampler::new().race_rows(batch, &options, 1).unwrap();
        let sum: f64 = logits.iter().map(|x| f64::from(x / temperature).exp()).sum();
        let fits = |location: f64| {
            let gumbel = Gumbel::new(location, 1.0).unwrap();
            kolmogorov_smirnov(arrivals.maxima().collect(), |x| gumbel.cdf(x))
        };
        assert!(fits(sum.ln()) > ALARM, "{}", fits(sum.ln()));
        assert!(fits(sum.ln() + 0.02) < ALARM && fits(sum.ln() - 0.02) < ALARM);
    }
}

/// Log Z from the maxima: 200 rows' errors, each in its standard errors, are standard normal.
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

/// Weights of every size in one row: the heads share what they should, and the tails are drawn.
#[test]
fn weights_have_their_probabilities() {
    // 2^-100 and 2^20 times as much
    let (one, many) = (2f32.powi(-100), 2f32.powi(-80));
    let weights = [one, 3.0 * many, many, 0.0, 2.0 * many, f32::from_bits(1)];
    let batch = Weights::strided(&weights, 1_000_000, 6, 0).unwrap();
    let draws = CpuSampler::new().sample_rows(batch, &SampleOptions::default()).unwrap();
    let fits = |weights: &[f32]| {
        let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let shares: Vec<_> = weights.iter().map(|&w| f64::from(w) / sum).collect();
        chi_square(&counts(draws.iter().copied(), 6), &shares)
    };
    assert!(fits(&weights) > ALARM);
    assert!(fits(&[one, 3.03 * many, many, 0.0, 2.0 * many, 0.0]) < ALARM);

    let counts_of = [1000u32, 3_000_000, 1_000_000, 0, 2_000_000, 1];
    let batch = Weights::strided(&counts_of, 1_000_000, 6, 0).unwrap();
    let options = SampleOptions::default().with_seed(1);
    let draws = CpuSampler::new().sample_rows(batch, &options).unwrap();
    let shares = counts_of.map(|count| f64::from(count) / 6_001_001.0);
    assert!(chi_square(&counts(draws, 6), &shares) > ALARM);
}
