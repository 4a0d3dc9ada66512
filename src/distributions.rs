//! The distributions of the results of races: Gumbel(location, scale) and Exp(rate), of the crate
//! [`statrs`](https://docs.rs/statrs), with the feature `distributions`.
//!
//! Density ([`Continuous::pdf`], [`Continuous::ln_pdf`]), cumulative function ([`ContinuousCDF::cdf`],
//! [`ContinuousCDF::sf`]), quantiles ([`ContinuousCDF::inverse_cdf`]), mean, variance and entropy
//! ([`Distribution`]) are statrs' own, in f64. gumbel adds the distributions that belong to a row: [`of_maximum`] and
//! [`of_time`]. [`mathematics`](crate::mathematics) proves that they do.
//!
//! **To sample**, take the quantile of a uniform number between 0 and 1:
//!
//! ```
//! use gumbel::distributions::{ContinuousCDF, Distribution, Gumbel};
//! use rand::{RngExt, SeedableRng, distr::Open01};
//!
//! let gumbel = Gumbel::new(2.0, 0.5)?;
//! let mut rng = rand::rngs::SmallRng::seed_from_u64(1);
//! let sum: f64 = (0..10_000).map(|_| gumbel.inverse_cdf(rng.sample(Open01))).sum();
//! let mean = gumbel.mean().ok_or("a Gumbel variable has a mean")?; // 2 + 0.5·0.5772
//! assert!((sum / 10_000.0 - mean).abs() < 0.03);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This also avoids a fault: in statrs 0.19.1 with its feature `rand`, Gumbel's own `sample` takes the logarithm of a
//! negative number and returns nothing but NaN. For noise with 64 bits of precision at the winning end, the same on
//! every device, there is [`noise::gumbel`](crate::noise::gumbel).

pub use statrs::distribution::{Continuous, ContinuousCDF, Exp, ExpError, Gumbel, GumbelError};
pub use statrs::statistics::Distribution;

/// The distribution of the largest perturbed logit of a race: Gumbel(logsumexp, 1), with the
/// [logsumexp](crate::Sampler::logsumexp_rows) of the row.
///
/// ```
/// use gumbel::distributions::{ContinuousCDF, of_maximum};
/// use gumbel::{CpuSampler, Logits, SampleOptions};
///
/// let row = Logits::new(&[0.0, 1.0, 2.0], 3)?;
/// let options = SampleOptions::default().with_draws(10_000);
/// let cpu = CpuSampler::new();
/// let maximum = of_maximum(cpu.logsumexp_rows(row, &options)?[0])?;
/// let arrivals = cpu.race_rows(row, &options, 1)?;
/// let below = arrivals.perturbed_logits().filter(|&x| x < maximum.inverse_cdf(0.9)).count();
/// assert!((below as f64 / 10_000.0 - 0.9).abs() < 0.015);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`GumbelError::LocationInvalid`] for the NaN of a row without a draw.
pub fn of_maximum(logsumexp: f64) -> Result<Gumbel, GumbelError> {
    Gumbel::new(logsumexp, 1.0)
}

/// The distribution of the time at which the first alarm of a race rings: Exp(total rate), with the sum of the rates of
/// the row, exp(logsumexp).
///
/// ```
/// use gumbel::distributions::{Distribution, of_time};
/// use gumbel::{CpuSampler, SampleOptions, Weights};
///
/// let options = SampleOptions::default().with_draws(10_000);
/// let arrivals = CpuSampler::new().race_rows(Weights::new(&[1.0, 2.0, 5.0], 3)?, &options, 1)?;
/// let mean = arrivals.times().sum::<f64>() / 10_000.0;
/// let time = of_time(1.0 + 2.0 + 5.0)?;
/// assert!((mean - time.mean().ok_or("it has a mean")?).abs() < 0.005);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ExpError::RateInvalid`] for a rate that is NaN, 0 or negative.
pub fn of_time(total_rate: f64) -> Result<Exp, ExpError> {
    Exp::new(total_rate)
}
