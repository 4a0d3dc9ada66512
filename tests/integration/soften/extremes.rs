//! Soft samples and gradients of huge logits and cotangents, and of the least and the largest τ.

use gumbel::reference::soften_rows_vjp;
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
        for (first, second) in [(3e38, -3e38), (3e38, 2.9e38), (f32::MAX, f32::MIN)] {
            let mut cotangents = vec![0.0; categories];
            (cotangents[0], cotangents[1]) = (first, second);
            let expected = soften_rows_vjp(logits, &options, soft, &cotangents).unwrap();
            let found = CpuSampler::new().soften_rows_vjp(logits, &options, soft, &cotangents);
            for (found, expected) in found.unwrap().into_iter().zip(expected) {
                let (found, near) = (f64::from(found), expected.abs() * 1e-5);
                assert!((found - expected).abs() <= near, "{first}, {second}: {found}, {expected}");
            }
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
