//! The distributions that `gumbel::distributions` says a row's races have, and the noise itself against
//! statrs' quantiles.

use crate::common::statistics::{ALARM, kolmogorov_smirnov};
use gumbel::distributions::{
    Continuous, ContinuousCDF, Distribution, ExpError, Gumbel, GumbelError, of_maximum, of_time,
};
use gumbel::noise::gumbel::{UNIT, gumbel};
use gumbel::{CpuSampler, Logits, SampleOptions};

/// The largest keys and the times of 300,000 races, at a temperature other than 1.
///
/// False alarms: 10⁻⁶ for either.
#[test]
fn races_have_the_distributions_of_their_row() {
    let logits = [0.5, -2.0, 3.0, f32::NEG_INFINITY, 1.0, 2.5, -0.25];
    let batch = Logits::strided(&logits, 300_000, logits.len(), 0).unwrap();
    let options = SampleOptions::default().with_seed(15).with_temperature(2.0);
    let cpu = CpuSampler::new();
    let top_k = cpu.race_rows(batch, &options, 1).unwrap();
    let row = Logits::new(&logits, logits.len()).unwrap();
    let log_z = cpu.logsumexp_rows(row, &options).unwrap()[0];

    let maxima = |off: f64| {
        let maximum = of_maximum(log_z + off).unwrap();
        kolmogorov_smirnov(top_k.perturbed_logits().collect(), |x| maximum.cdf(x))
    };
    assert!(maxima(0.0) > ALARM, "{}", maxima(0.0));
    assert!(maxima(0.02) < ALARM && maxima(-0.02) < ALARM);
    let times = |off: f64| {
        let time = of_time((log_z + off).exp()).unwrap();
        kolmogorov_smirnov(top_k.times().collect(), |x| time.cdf(x))
    };
    assert!(times(0.0) > ALARM, "{}", times(0.0));
    assert!(times(0.02) < ALARM && times(-0.02) < ALARM);
}

/// The integer noise is the quantile of 1 − p for p = (V + ½)/2⁶⁴, and the quantile function is the
/// inverse of the cumulative function. This needs no statistics.
#[test]
fn the_noise_is_the_quantile_of_its_uniform_number() {
    let standard = Gumbel::new(0.0, 1.0).unwrap();
    let off = |p: f64, shift: f64| {
        let noise = f64::from(gumbel((p * 2f64.powi(64)) as u64)) / UNIT as f64;
        (noise + shift - standard.inverse_cdf(1.0 - p)).abs()
    };
    // where 1 - p has enough bits in f64
    let mut worst = 0f64;
    for i in 1..100_000 {
        let p = f64::from(i) / 100_000.0;
        worst = worst.max(off(p, 0.0));
        assert!((standard.cdf(standard.inverse_cdf(p)) - p).abs() < 1e-12);
    }
    println!("worst {worst:e}");
    assert!(worst < 0.9 / UNIT as f64, "{worst:e}");
    assert!(off(0.3, 2.0 / UNIT as f64) > 0.9 / UNIT as f64, "two units would be seen");
}

#[test]
fn densities_and_moments_are_those_of_the_formulas() {
    let maximum = of_maximum(1.5).unwrap();
    for x in [-2.0, 0.0, 1.5, 4.0] {
        let y: f64 = x - 1.5;
        assert!((maximum.pdf(x) - (-y - (-y).exp()).exp()).abs() < 1e-15);
    }
    assert!((maximum.mean().unwrap() - (1.5 + 0.577_215_664_901_532_9)).abs() < 1e-12);
    let variance = std::f64::consts::PI.powi(2) / 6.0;
    assert!((maximum.variance().unwrap() - variance).abs() < 1e-12);
    let time = of_time(8.0).unwrap();
    assert!((time.pdf(0.25) - 8.0 * (-2f64).exp()).abs() < 1e-14);
    assert_eq!(time.mean(), Some(0.125));
}

#[test]
fn rows_without_a_draw_have_no_distribution() {
    assert_eq!(of_maximum(f64::NAN), Err(GumbelError::LocationInvalid));
    for rate in [f64::NAN, 0.0, -1.0] {
        assert_eq!(of_time(rate), Err(ExpError::RateInvalid));
    }
}
