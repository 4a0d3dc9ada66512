//! Gradients against finite differences.

use gumbel::noise::bits::Stream;
use gumbel::noise::order::Scale;
use gumbel::reference::{self, soften_row};
use gumbel::{CpuSampler, Logits, Relaxation, SampleOptions};

use super::ramp;

/// Returns the loss Σ wᵢ yᵢ² of a sample, by the definition alone.
fn loss(logits: &[f32], weights: &[f64], scale: Scale, tau: f32, draws: u32) -> f64 {
    let of_draw = |draw| {
        let sample = soften_row(logits, Stream::new(3, 4, draw), scale, tau).unwrap();
        sample.iter().zip(weights).map(|(y, w)| w * y * y).sum::<f64>()
    };
    (0..draws).map(of_draw).sum()
}

/// The definition's gradient is the derivative of the definition's samples. Logits are multiples of
/// 2⁻¹⁰ and the temperature is a power of two, so that no key is rounded. The remaining error is
/// the third derivative's, (2⁻¹⁰/(τT))²/6, at most 2·10⁻⁵ here.
#[test]
fn gradients_are_finite_differences() {
    const DRAWS: u32 = 3;
    for (categories, temperature, tau) in
        [(1, 1.0, 0.5), (2, 1.0, 0.25), (7, 1.0, 1.0), (9, 2.0, 0.5), (40, 0.5, 2.0)]
    {
        let scale = Scale::from_temperature(temperature).unwrap();
        let mut logits = ramp(categories);
        if categories > 8 {
            logits[3] = f32::NEG_INFINITY;
        }
        let weights: Vec<_> = (0..categories).map(|i| (i * 5 % 7) as f64 - 2.5).collect();
        let options = SampleOptions::default().with_seed(3).with_first_row(4).with_draws(DRAWS);
        let options = options.with_temperature(temperature);
        let (rows, soft) = (Logits::new(&logits, categories).unwrap(), Relaxation::soft(tau));
        let samples = reference::soften_rows(rows, &options, soft).unwrap();
        let weight = |i: usize| 2.0 * weights[i % categories];
        let cotangents: Vec<_> =
            samples.iter().enumerate().map(|(i, y)| (weight(i) * y) as f32).collect();
        let gradient = reference::soften_rows_vjp(rows, &options, soft, &cotangents).unwrap();
        let engines = CpuSampler::new().soften_rows_vjp(rows, &options, soft, &cotangents).unwrap();
        let mut largest = 0f64;
        for i in 0..categories {
            let h = 2f32.powi(-10);
            let at = |change: f32| {
                let mut logits = logits.clone();
                logits[i] += change;
                loss(&logits, &weights, scale, tau, DRAWS)
            };
            let difference = (at(h) - at(-h)) / (2.0 * f64::from(h));
            let error = (gradient[i] - difference).abs();
            assert!(error < 1e-4, "{categories} categories, {i}: {} {difference}", gradient[i]);
            assert!((f64::from(engines[i]) - difference).abs() < 1e-4);
            largest = largest.max(difference.abs());
        }
        // the derivatives are not small beside the tolerance
        assert!(categories == 1 || largest > 0.05, "{largest}");
        assert!(categories <= 8 || engines[3] == 0.0);
    }
}
