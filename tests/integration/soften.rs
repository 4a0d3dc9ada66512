//! Soft samples and their gradients on the CPU are compared with the definition in f64; the
//! definition is compared with finite differences, the hard draw and its limits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod differences;
mod extremes;

use std::sync::Arc;

use gumbel::conformance::{self, Case, SoftErrors};
use gumbel::reference;
use gumbel::{
    CpuSampler, Error, Isa, Logits, Penalty, Relaxation, SampleOptions, Truncation, Undrawable,
};

/// The errors that the engine's documentation promises.
const SAMPLES: f64 = SoftErrors::CPU.samples;
const GRADIENTS: f64 = SoftErrors::CPU.gradients;

fn isas() -> impl Iterator<Item = CpuSampler> {
    let available = Isa::available();
    available.map(|isa| CpuSampler::new().with_isa(isa).unwrap())
}

/// Returns roughly normal logits, multiples of 2⁻¹⁰.
fn ramp(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 7919 % 4093) as f32 / 1024.0 - 2.0).collect()
}

/// Returns samples and gradients, in memory that was used before.
fn made(engine: &CpuSampler, case: &Case, tau: f32) -> (Vec<f32>, Vec<f32>) {
    let (logits, options, soft) =
        (case.logits().unwrap(), case.warm_options(), Relaxation::soft(tau));
    let mut samples = vec![7.5; case.work()];
    engine.soften_rows_into(logits, &options, soft, &mut samples).unwrap();
    let mut gradients = vec![7.5; case.work() / options.draws as usize];
    let cotangents = case.cotangents();
    engine.soften_rows_vjp_into(logits, &options, soft, &cotangents, &mut gradients).unwrap();
    (samples, gradients)
}

fn bits(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn every_form_is_near_the_reference() {
    for case in conformance::soft_cases().filter(|case| case.work() <= 25_000) {
        let taus: &[f32] = if case.work() < 7000 { &[0.01, 0.5, 10.0] } else { &[0.5] };
        for &tau in taus {
            let (samples, gradients) = made(&CpuSampler::new(), &case, tau);
            let errors = case.soft_errors(tau, &samples, &gradients).unwrap();
            let near = errors.samples < SAMPLES && errors.gradients < GRADIENTS;
            assert!(near, "{case}, tau {tau}: {errors:?}");
            for engine in isas() {
                let other = made(&engine, &case, tau);
                assert!(bits(&other.0) == bits(&samples), "{case}: samples of {}", engine.isa());
                assert!(
                    bits(&other.1) == bits(&gradients),
                    "{case}: gradients of {}",
                    engine.isa()
                );
            }
        }
    }
}

/// Rows that are cut among threads, and rows as long as vocabularies.
#[test]
fn long_rows_on_any_number_of_threads() {
    let long = |case: &Case| (100_000..300_000).contains(&case.work()) && case.batch().rows() < 3;
    let cases: Vec<_> = conformance::soft_cases().filter(long).collect();
    assert!(cases.len() > 1);
    for case in cases {
        let alone = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
        let alone = made(&CpuSampler::new().with_pool(alone), &case, 0.5);
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(5).build().unwrap());
        let (samples, gradients) = made(&CpuSampler::new().with_pool(pool), &case, 0.5);
        assert!(alone == (samples.clone(), gradients.clone()), "{case}");
        let errors = case.soft_errors(0.5, &samples, &gradients).unwrap();
        assert!(errors.samples < SAMPLES && errors.gradients < GRADIENTS, "{case}: {errors:?}");
    }
}

/// The comparison sees each of these faults: a gradient without 1/τ, the noise of another draw, a
/// neighbour's row id, a drawn category that is not the largest.
#[test]
fn faults_are_seen() {
    let case = conformance::soft_cases().find(|case| case.to_string().contains("5 draws")).unwrap();
    let engine = CpuSampler::new();
    let (samples, gradients) = made(&engine, &case, 0.5);
    let errors = |samples: &[f32], gradients: &[f32]| {
        let errors = case.soft_errors(0.5, samples, gradients).unwrap();
        (errors.samples >= SAMPLES, errors.gradients >= GRADIENTS)
    };
    assert_eq!(errors(&samples, &gradients), (false, false));
    let forgotten: Vec<_> = gradients.iter().map(|x| x * 0.5).collect();
    assert_eq!(errors(&samples, &forgotten), (false, true));

    let (logits, soft) = (case.logits().unwrap(), Relaxation::soft(0.5));
    let options = case.warm_options();
    for wrong in [options.with_first_draw(1), options.with_first_row(1), options.with_seed(9)] {
        let samples = engine.soften_rows(logits, &wrong, soft).unwrap();
        let cotangents = case.cotangents();
        let gradients = engine.soften_rows_vjp(logits, &wrong, soft, &cotangents).unwrap();
        assert_eq!(errors(&samples, &gradients), (true, true));
    }
    let mut swapped = samples.clone();
    swapped.swap(0, 1);
    assert_eq!(errors(&swapped, &gradients), (true, false));
    let mut nan = gradients.clone();
    nan[7] = f32::NAN;
    assert_eq!(errors(&samples, &nan), (false, true));
    let largest = samples[..131].iter().position(|&y| samples[..131].iter().all(|&x| x <= y));
    let mut tied = samples.clone();
    tied[(largest.unwrap() + 1) % 131] = tied[largest.unwrap()] * 1.000_001;
    assert!(errors(&tied, &gradients).0);
}

/// The comparison sees rows that are not cut, masked or penalised, the first draw of another row, gradients by the logits
/// after penalties, and a gradient where nothing is drawn.
#[test]
fn faults_of_rows_are_seen() {
    let (engine, soft) = (CpuSampler::new(), Relaxation::soft(0.5));
    let case = |name: &str| {
        let mut all = conformance::soft_cases();
        all.find(|case| case.to_string().starts_with(name)).unwrap()
    };
    type Change = for<'a> fn(SampleOptions<'a>) -> SampleOptions<'a>;
    let changes: [(&str, Change); 4] = [
        ("50 x 9: top-k 5", |o| o.with_truncation(Truncation::new())),
        ("7 x 203: NaN where nothing is allowed", |mut o| {
            o.allowed = None;
            o
        }),
        ("50 x 9: penalties", |o| o.with_penalty(Penalty::new())),
        ("33 x 131: options of rows", |mut o| {
            o.first_draws = None;
            o
        }),
    ];
    for (name, change) in changes {
        let case = case(name);
        let (samples, gradients) = made(&engine, &case, 0.5);
        let right = case.soft_errors(0.5, &samples, &gradients).unwrap();
        assert!(right.are_within(SoftErrors::CPU), "{name}: {right:?}");
        let (logits, options) = (case.logits().unwrap(), change(case.warm_options()));
        let samples = engine.soften_rows(logits, &options, soft).unwrap();
        let cotangents = case.cotangents();
        let gradients = engine.soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
        let errors = case.soft_errors(0.5, &samples, &gradients).unwrap();
        let seen = errors.samples >= SAMPLES && errors.gradients >= GRADIENTS;
        assert!(seen, "{name}: {errors:?}");
    }
    let penalised = case("50 x 9: penalties");
    let (samples, mut gradients) = made(&engine, &penalised, 0.5);
    gradients.iter_mut().for_each(|x| *x *= 1.3);
    assert!(penalised.soft_errors(0.5, &samples, &gradients).unwrap().gradients >= GRADIENTS);
    // a gradient where nothing is drawn, however small
    let cut = case("50 x 9: top-k 5");
    let (samples, mut gradients) = made(&engine, &cut, 0.5);
    let never = gradients.iter().position(|&x| x == 0.0).unwrap();
    gradients[never] = 1e-37;
    assert_eq!(cut.soft_errors(0.5, &samples, &gradients).unwrap().gradients, f64::INFINITY);
}

/// At any τ the largest entry of a soft sample is at the drawn category, and the straight-through
/// sample is the one-hot vector of that category.
#[test]
fn soft_and_hard_agree() {
    let engine = CpuSampler::new();
    for (rows, categories) in [(500, 2), (300, 10), (40, 257), (5, 5000)] {
        let data = ramp(rows * categories);
        let logits = Logits::new(&data, categories).unwrap();
        let options = SampleOptions::default().with_seed(8).with_draws(3).with_temperature(0.7);
        let draws = engine.sample_rows(logits, &options).unwrap();
        for tau in [2f32.powi(-100), 1e-3, 0.1, 1.0, 1e3, 2f32.powi(100)] {
            let hard = Relaxation::straight_through(tau);
            let hots = engine.soften_rows(logits, &options, hard).unwrap();
            let soft = engine.soften_rows(logits, &options, Relaxation::soft(tau)).unwrap();
            let samples = hots.chunks_exact(categories).zip(soft.chunks_exact(categories));
            for ((hot, soft), &draw) in samples.zip(&draws) {
                for (i, (&hot, &y)) in (0..).zip(hot.iter().zip(soft)) {
                    assert_eq!(hot.to_bits(), if i == draw { 1f32 } else { 0.0 }.to_bits());
                    assert!(y <= soft[draw as usize]);
                }
                let sum: f64 = soft.iter().map(|&y| f64::from(y)).sum();
                assert!((sum - 1.0).abs() < 1e-6, "{sum}");
            }
        }
    }
}

/// Soft and straight-through samples have the same gradient, and the reference's is the engine's.
#[test]
fn straight_through_has_the_soft_gradient() {
    let data = ramp(30);
    let (logits, options) = (Logits::new(&data, 10).unwrap(), SampleOptions::default());
    let cotangents = ramp(30);
    let of = |relaxation| {
        CpuSampler::new().soften_rows_vjp(logits, &options, relaxation, &cotangents).unwrap()
    };
    assert_eq!(of(Relaxation::soft(0.3)), of(Relaxation::straight_through(0.3)));
    let hard = Relaxation::straight_through(0.3);
    let ones = reference::soften_rows(logits, &options, hard).unwrap();
    let engine = CpuSampler::new().soften_rows(logits, &options, hard).unwrap();
    assert!(ones.iter().zip(&engine).all(|(a, b)| *a == f64::from(*b)));
}

/// The number of draws of a row is the largest for which the accuracy is promised.
#[test]
fn gradients_of_a_hundred_draws() {
    for categories in [30, 300] {
        let data = ramp(categories);
        let logits = Logits::new(&data, categories).unwrap();
        let (options, soft) = (SampleOptions::default().with_draws(100), Relaxation::soft(0.5));
        let cotangents: Vec<_> = ramp(100 * categories).iter().map(|x| x + 1.0).collect();
        let gradient = CpuSampler::new().soften_rows_vjp(logits, &options, soft, &cotangents);
        let expected = reference::soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
        let samples = reference::soften_rows(logits, &options, soft).unwrap();
        let mut whole = vec![0.0; categories];
        for (y, g) in samples.chunks(categories).zip(cotangents.chunks(categories)) {
            let products = || y.iter().zip(g).map(|(y, g)| y * f64::from(*g).abs());
            let mean: f64 = products().sum();
            let each = whole.iter_mut().zip(y).zip(products());
            each.for_each(|((whole, y), product)| *whole += 2.0 * (product + y * mean));
        }
        for ((&got, expected), whole) in gradient.unwrap().iter().zip(expected).zip(whole) {
            let error = (f64::from(got) - expected).abs();
            assert!(error < GRADIENTS * whole, "{got} {expected} {whole}");
        }
    }
}

/// A category of probability 0 has neither sample nor gradient, and its cotangent may be anything.
#[test]
fn masked_categories_are_exactly_zero() {
    let engine = CpuSampler::new();
    for categories in [9, 300] {
        let mut data = ramp(categories);
        data[5] = f32::NEG_INFINITY;
        let logits = Logits::new(&data, categories).unwrap();
        let (options, soft) = (SampleOptions::default().with_draws(4), Relaxation::soft(5.0));
        let samples = engine.soften_rows(logits, &options, soft).unwrap();
        assert!(samples.iter().enumerate().all(|(i, &y)| (i % categories == 5) == (y == 0.0)));
        let mut cotangents = ramp(samples.len());
        let expected = engine.soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
        assert_eq!(expected[5].to_bits(), 0);
        cotangents.iter_mut().skip(5).step_by(categories).for_each(|g| *g = f32::NAN);
        let gradient = engine.soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
        assert_eq!(bits(&gradient), bits(&expected));
    }
}

#[test]
fn rows_without_a_draw_are_nan_and_harm_no_other() {
    let engine = CpuSampler::new();
    for categories in [6, 400] {
        let sound = ramp(4 * categories);
        let mut data = sound.clone();
        data[categories + 2] = f32::NAN;
        data[2 * categories + 5] = f32::INFINITY;
        data[3 * categories..].fill(f32::NEG_INFINITY);
        for draws in [1, 3] {
            let options = SampleOptions::default().with_draws(draws);
            let lenient = options.with_sentinels(true);
            let [whole, broken] =
                [&sound, &data].map(|data| Logits::new(data, categories).unwrap());
            let cotangents = ramp(sound.len() * draws as usize);
            let is_nan = |floats: &[f32]| floats.iter().all(|x| x.is_nan());
            for relaxation in [Relaxation::soft(0.5), Relaxation::straight_through(0.5)] {
                let expected = engine.soften_rows(whole, &options, relaxation).unwrap();
                let samples = engine.soften_rows(broken, &lenient, relaxation).unwrap();
                let (first, others) = samples.split_at(categories * draws as usize);
                assert_eq!(first, &expected[..first.len()]);
                assert!(is_nan(others));

                let mut partial = vec![7.5; samples.len()];
                let error = engine.soften_rows_into(broken, &options, relaxation, &mut partial);
                let reason = Undrawable::Nan { category: 2 };
                assert!(
                    matches!(error, Err(Error::UndrawableRow { row: 1, reason: r }) if r == reason)
                );
                assert_eq!(bits(&partial), bits(&samples));
            }
            let soft = Relaxation::soft(0.5);
            let expected = engine.soften_rows_vjp(whole, &options, soft, &cotangents).unwrap();
            let gradients = engine.soften_rows_vjp(broken, &lenient, soft, &cotangents).unwrap();
            assert_eq!(gradients[..categories], expected[..categories]);
            assert!(is_nan(&gradients[categories..]));
            let error = engine.soften_rows_vjp(broken, &options, soft, &cotangents);
            assert!(matches!(error, Err(Error::UndrawableRow { row: 1, .. })));
        }
    }
}

#[test]
fn what_is_refused() {
    let engine = CpuSampler::new();
    let logits = Logits::new(&[0.0; 6], 3).unwrap();
    let (options, soft) = (SampleOptions::default().with_draws(2), Relaxation::soft(1.0));
    for tau in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-31, 2e30] {
        let error = engine.soften_rows(logits, &options, Relaxation::soft(tau)).unwrap_err();
        assert!(matches!(error, Error::Tau { got } if got.to_bits() == tau.to_bits()), "{error}");
    }
    let error = engine.soften_rows(logits, &options, Relaxation::soft(0.0)).unwrap_err();
    assert_eq!(error.to_string(), "tau must be from 7.888609e-31 to 1.2676506e30, got 0");
    let greedy = options.with_temperature(0.0);
    let error = engine.soften_rows(logits, &greedy, soft).unwrap_err();
    assert!(matches!(error, Error::SoftGreedy));
    let error = engine.soften_rows_vjp(logits, &options, soft, &[0.0; 6]).unwrap_err();
    assert_eq!(error.to_string(), "the cotangents need a slice of 12 floats, got 6");
    let error = engine.soften_rows_into(logits, &options, soft, &mut [0.0; 6]).unwrap_err();
    assert_eq!(error.to_string(), "the samples need a slice of 12 floats, got 6");
    let gradients = &mut [0.0; 12];
    let error = engine.soften_rows_vjp_into(logits, &options, soft, &[0.0; 12], gradients);
    let message = "the gradients need a slice of 6 floats, got 12";
    assert_eq!(error.unwrap_err().to_string(), message);
    let wide = Logits::strided(&[0.0f32; 1000], 1 << 30, 1000, 0).unwrap();
    let error = engine.soften_rows(wide, &options.with_draws(1 << 25), soft).unwrap_err();
    assert!(matches!(error, Error::TooManySamples { categories: 1000, .. }), "{error}");
    let none = Logits::new(&[], 3).unwrap();
    assert!(engine.soften_rows(none, &options, soft).unwrap().is_empty());
    assert!(engine.soften_rows_vjp(none, &options, soft, &[]).unwrap().is_empty());
}

/// Returns the largest |mean − p|, in standard deviations of a hard draw; a soft sample has a
/// smaller one.
fn deviation(tau: f32) -> f64 {
    const DRAWS: u32 = 100_000;
    let logits: [f32; 5] = [0.0, 1.0, 2.0, -1.0, 0.5];
    let options = SampleOptions::default().with_seed(77).with_draws(DRAWS);
    let rows = Logits::new(&logits, 5).unwrap();
    let samples = CpuSampler::new().soften_rows(rows, &options, Relaxation::soft(tau)).unwrap();
    let total: f64 = logits.iter().map(|&x| f64::from(x).exp()).sum();
    let deviation = |i: usize| {
        let p = f64::from(logits[i]).exp() / total;
        let mean = samples.iter().skip(i).step_by(5).map(|&y| f64::from(y)).sum::<f64>();
        (mean / f64::from(DRAWS) - p).abs() / (p * (1.0 - p) / f64::from(DRAWS)).sqrt()
    };
    (0..5).map(deviation).fold(0.0, f64::max)
}

/// For small τ samples are distributed as draws: their mean is softmax(logits). The bound is five standard deviations
/// in one of five categories: a false alarm in 3·10⁵ seeds. At τ = 2 the mean differs, and the test notices.
#[test]
fn the_mean_at_small_tau_is_softmax() {
    assert!(deviation(0.01) < 5.0);
    assert!(deviation(2.0) > 50.0);
}
