//! Draw from millions of categorical distributions at once, on any GPU (wgpu and WGSL) or on the
//! CPU, with the same draws for the same seed on every device.
//!
//! A row of logits goes in, the index of one category comes out, with probability softmax(logits).
//! It is found by the Gumbel-max trick (Gumbel 1954; Maddison, Tarlow, Minka, "A* sampling", 2014):
//! add independent Gumbel noise to every logit and take the argmax. The noise comes from a
//! counter-based generator, so that a draw depends on nothing but (seed, row, draw number).
//!
//! ```
//! use gumbel::{Logits, SampleOptions, Sampler};
//!
//! let sampler = Sampler::auto(); // a hardware GPU if there is one, the CPU otherwise
//! let logits = [0.0, 1.0, 2.0, /* second row */ 5.0, f32::NEG_INFINITY, 0.0];
//! let options = SampleOptions::default().with_seed(42).with_draws(1000);
//! let draws = sampler.sample_rows(Logits::new(&logits, 3)?, &options)?;
//!
//! let share = |row: usize, category| {
//!     let draws = &draws[1000 * row..][..1000];
//!     draws.iter().filter(|&&draw| draw == category).count() as f64 / 1000.0
//! };
//! assert!((share(0, 2) - 0.665).abs() < 0.05); // e^2 / (1 + e + e^2)
//! assert_eq!(share(1, 1), 0.0); // -inf has probability 0
//! # Ok::<(), gumbel::Error>(())
//! ```
//!
//! # What is promised
//!
//! * **Same seed, same draws**: bit for bit, on every adapter and on the CPU, for every batch,
//!   chunk and workgroup size, number of threads and position in the batch. All that decides a draw
//!   is integer arithmetic, defined in [`noise`] and spelled out in [`mod@reference`].
//! * **Exact to the far tail**: the noise has 64 bits where it decides. A category of probability
//!   10⁻¹⁵ is drawn with probability 10⁻¹⁵, one of probability 0 never. The noise ends where p is
//!   2⁻⁶⁵: a logit that lies 48.9 or more below another of its row never wins.
//! * **About the price of reading**, in aim: 16 of a category's 64 bits tell for nearly every
//!   category that it cannot win; the rest is evaluated only for the others. Benchmarks say how near
//!   an engine is.
//!
//! # Special values
//!
//! | logit | meaning |
//! |---|---|
//! | −∞ | probability 0, never drawn |
//! | −0, +0 | the same |
//! | NaN, +∞ | this row has no draw; no other row is harmed |
//! | all −∞ | this row has no draw |
//! | any other | counts in full, up to the largest finite number: nothing saturates |
//!
//! Logits may be `f32`, `f16` or `bf16`; halves draw what the same numbers in `f32` do.
//!
//! Instead of logits a row may have positive [`Weights`]: 0 is probability 0, any other finite number
//! counts in full, and a negative or NaN or infinite one leaves its row without a draw.
//!
//! A row without a draw is an [`Error::UndrawableRow`] that names it and the category, or
//! [`NO_DRAW`] if [sentinels](SampleOptions::with_sentinels) are asked for.
//!
//! # Beside the draw
//!
//! | what is asked for | call |
//! |---|---|
//! | when the winner rings, in a race of alarms of rate exp(logit); its perturbed logit; the first k | [`race_rows`](Sampler::race_rows) |
//! | the logarithm of a draw's probability; logsumexp | [`sample_rows_scored`](Sampler::sample_rows_scored), [`logsumexp_rows`](Sampler::logsumexp_rows) |
//! | log Z from maxima, with its standard error | [`estimate_log_z`](Sampler::estimate_log_z) |
//! | very many draws from a row | [`Method::InverseCdf`], [`inverse_cdf`](Sampler::inverse_cdf) |
//! | Gumbel-softmax samples, and gradients through them | [`soften_rows`](Sampler::soften_rows), [`soften_rows_vjp`](Sampler::soften_rows_vjp) |
//! | densities and quantiles of what races tell | the feature `distributions` |
//!
//! The theorems behind them, each with the test that holds it, are in [`mathematics`].
//!
//! # Accuracy
//!
//! Logits and noise count in units of 2⁻²⁴ ≈ 6·10⁻⁸. The noise is within 0.85 units of
//! −ln(−ln(1 − p)) for its 64-bit p, and a logit (divided by the temperature) is rounded once, to
//! the nearest unit: a category's probability is off by no more than some 10⁻⁷ of itself. With a
//! temperature whose reciprocal is no `f32`, the logits are those for a temperature that differs by
//! at most 6·10⁻⁸ of itself.

// docs.rs says of each item which feature it needs
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod cpu;
#[cfg(feature = "distributions")]
pub mod distributions;
pub mod engine;
mod error;
mod filter;
#[cfg(feature = "gpu")]
mod gpu;
mod job;
mod results;
#[doc = include_str!("../docs/mathematics.md")]
pub mod mathematics {}
pub mod noise;
mod options;
pub mod reference;
mod sampler;
pub mod shaders;

pub use cpu::Isa;
pub use error::{Error, Undrawable};
#[cfg(feature = "gpu")]
#[doc(hidden)]
pub use gpu::PlanKind;
#[cfg(all(feature = "gpu", not(target_family = "wasm")))]
pub use gpu::adapters;
#[cfg(feature = "gpu")]
pub use gpu::{
    AdapterReport, BoundBatch, DeviceBatch, DeviceKind, GpuSamplerBuilder, Teams, Tuning,
    adapters_async,
};
pub use half;
pub use job::NO_DRAW;
pub use options::{
    Batch, Logit, Logits, Method, Relaxation, RowIds, SampleOptions, ValueFormat, Weight, Weights,
};
pub use results::{LogZ, ScoredDraws, TopK, Winner};
#[cfg(feature = "gpu")]
pub use sampler::GpuSampler;
pub use sampler::{CpuSampler, InverseCdf, Sampler};
#[cfg(feature = "gpu")]
pub use wgpu;

/// The code of these pages compiles and runs.
#[cfg(all(doctest, feature = "gpu"))]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/examples.md")]
struct Pages;
