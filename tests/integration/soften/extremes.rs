//! Soft samples and gradients of huge logits and cotangents, and of the least and the largest τ.

use gumbel::reference::{soften_rows, soften_rows_vjp};
use gumbel::{CpuSampler, Logits, Relaxation, SampleOptions};

use super::{isas, ramp};

/// Cotangents whose differences, or sums, are beyond an f32 have gradients that are not.
#[test]
fn huge_cotangents_have_finite_gradients() {
    for categories in [2, 600, 9000] {
        let mut row = vec![f32::NEG_INFINITY; categories];
        (row[0], row[1]) = (0.0, 0.0);
        let logits = Logits::new(&row, categories).unwrap();
        let (options, soft) = (SampleOptions::default(), Relaxation::soft(1.0));
        // of two categories, y·(1 − y)·(g₀ − g₁) and its negative
        let sample = soften_rows(logits, &options, soft).unwrap();
        for (first, second) in [(3e38, -3e38), (3e38, 2.9e38), (f32::MAX, f32::MIN)] {
            let mut cotangents = vec![0.0; categories];
            (cotangents[0], cotangents[1]) = (first, second);
            let slope = sample[0] * sample[1] * (f64::from(first) - f64::from(second));
            let mut expected = vec![0.0; categories];
            (expected[0], expected[1]) = (slope, -slope);
            let reference = soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
            let of_engines =
                isas().map(|engine| engine.soften_rows_vjp(logits, &options, soft, &cotangents));
            let of_engines = of_engines.map(|found| found.unwrap().into_iter().map(f64::from));
            for found in of_engines.map(Vec::from_iter).chain([reference]) {
                for (found, expected) in found.into_iter().zip(&expected) {
                    let near = expected.abs() * 1e-5;
                    assert!(
                        (found - expected).abs() <= near,
                        "{first}, {second}: {found}, {expected}"
                    );
                }
            }
        }
    }
}

/// The same as numbers.
#[test]
fn the_gradients_of_two_huge_cotangents() {
    let (options, soft) = (SampleOptions::default(), Relaxation::soft(1.0));
    let logits = Logits::new(&[0.0, 0.0], 2).unwrap();
    for (cotangents, expected) in [([3e38, -3e38], 8.66e37), ([3e38, 2.9e38], 1.44e36)] {
        let near = |found: f64, expected: f64| (found - expected).abs() < expected.abs() * 3e-3;
        let reference = soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
        assert!(near(reference[0], expected) && near(reference[1], -expected), "{reference:?}");
        for engine in isas() {
            let found = engine.soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
            let [first, second] = [found[0], found[1]].map(f64::from);
            assert!(near(first, expected) && near(second, -expected), "{found:?}");
        }
    }
}

/// A category that cannot be drawn has gradient 0, whatever the cotangents are: of the others one is infinite here, so that
/// the mean is, and no difference from it is a number.
#[test]
fn a_masked_category_has_no_gradient_beside_an_infinite_cotangent() {
    let (options, soft) = (SampleOptions::default().with_draws(2), Relaxation::soft(1.0));
    for categories in [3, 600, 9000] {
        let mut row = vec![f32::NEG_INFINITY; categories];
        (row[0], row[2]) = (0.0, 0.0);
        let logits = Logits::new(&row, categories).unwrap();
        let mut cotangents = vec![0.0; 2 * categories];
        (cotangents[0], cotangents[1]) = (f32::INFINITY, 5.0);
        let reference = soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
        let as_singles = reference.iter().map(|&x| x as f32).collect();
        let of_engines =
            isas().map(|engine| engine.soften_rows_vjp(logits, &options, soft, &cotangents));
        for gradients in of_engines.map(Result::unwrap).chain([as_singles]) {
            // y·(∞ − ∞), 0 and y·(0 − ∞)
            assert!(gradients[0].is_nan() && gradients[1] == 0.0, "{:?}", &gradients[..3]);
            assert_eq!(gradients[2], f32::NEG_INFINITY);
            assert!(gradients[3..].iter().all(|&x| x == 0.0));
        }
    }
}

/// Logits beyond 2³¹, whose keys are codes, and the softmax of logit/(T·τ), beside which their noise is nothing.
#[test]
fn logits_beyond_the_codes_have_their_softmax() {
    let far: [(&[f32], f32, f32); 6] = [
        (&[1.6e10, 1e10], 1.0, 1e10),
        (&[3e38, -3e38, 0.0], 1.0, 1e30),
        (&[4e9, 3e9, 1.0, f32::NEG_INFINITY], 1.0, 2e9),
        (&[-5e12, -4e12, -3.5e12], 1.0, 1e12),
        // neighbours, whose codes do not tell how far apart they are
        (&[1e16, 1e16 + 1_073_741_824.0], 0.7, 1e9),
        (&[1e3, 0.0], 1e-9, 1e12),
    ];
    for (logits, temperature, tau) in far {
        let inverse = f64::from(1.0 / temperature) / f64::from(tau);
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        let odds = logits.iter().map(|&x| ((f64::from(x) - f64::from(most)) * inverse).exp());
        let odds: Vec<f64> = odds.collect();
        let expected: Vec<f64> = odds.iter().map(|x| x / odds.iter().sum::<f64>()).collect();
        let options = SampleOptions::default().with_temperature(temperature);
        let (count, soft) = (logits.len(), Relaxation::soft(tau));
        // beside a row that is near
        let both = [logits, &vec![0.0; count]].concat();
        let batch = Logits::new(&both, count).unwrap();
        let cotangents: Vec<f32> = (0..2 * count).map(|i| i as f32).collect();
        let near = |found: f64, expected: f64| (found - expected).abs() <= 2e-6 * expected.max(0.1);
        for engine in isas() {
            let samples = engine.soften_rows(batch, &options, soft).unwrap();
            for (&found, &expected) in samples.iter().zip(&expected) {
                assert!(near(found.into(), expected), "{logits:?} {tau}: {found}, {expected}");
            }
            let mean: f64 = expected.iter().zip(&cotangents).map(|(y, &g)| y * f64::from(g)).sum();
            let gradients = engine.soften_rows_vjp(batch, &options, soft, &cotangents).unwrap();
            for (i, (&found, y)) in gradients.iter().zip(&expected).enumerate() {
                let (found, expected) = (f64::from(found) / inverse, y * (i as f64 - mean));
                assert!(near(found, expected), "{logits:?} {tau}: {found}, {expected}");
            }
        }
    }
}

/// From the smallest τ to the largest, samples go from one-hot to uniform and are finite. Between the largest logits of
/// f32 no τ is large.
#[test]
fn the_limits_are_stable() {
    let rows = [ramp(16), vec![3e38, -3e38, 1e30, 0.0, 1e-45, -0.0, 2e38, -1e30]].map(|mut row| {
        row.resize(16, f32::NEG_INFINITY);
        row
    });
    let data = rows.concat();
    let (logits, engine) = (Logits::new(&data, 16).unwrap(), CpuSampler::new());
    for temperature in [2f32.powi(-100), 1.0, 2f32.powi(100)] {
        let options = SampleOptions::default().with_temperature(temperature).with_draws(50);
        for tau in [2f32.powi(-100), 1e-3, 1e3, 2f32.powi(100)] {
            let soft = Relaxation::soft(tau);
            let samples = engine.soften_rows(logits, &options, soft).unwrap();
            assert!(samples.iter().all(|y| (0.0..=1.0).contains(y)), "{temperature} {tau}");
            let cotangents = vec![1.5; samples.len()];
            let gradients = engine.soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
            assert!(!gradients.iter().any(|x| x.is_nan()), "{temperature} {tau}");
            if tau == 2f32.powi(-100) {
                assert!(samples.iter().all(|&y| y == 0.0 || y == 1.0));
                assert!(gradients.iter().all(|&x| x == 0.0));
            }
            if tau == 2f32.powi(100) && temperature == 1.0 {
                let uniform = |(i, y): (usize, f32)| {
                    let expected = match i % (50 * 16 * 2) {
                        i if i < 50 * 16 => 1.0 / 16.0,
                        i if i % 16 == 0 => 1.0,
                        _ => 0.0,
                    };
                    (y - expected).abs() < 1e-7
                };
                assert!(samples.into_iter().enumerate().all(uniform));
            }
        }
    }
}
