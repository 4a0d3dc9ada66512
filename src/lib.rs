//! Draw from millions of categorical distributions at once, on any GPU (wgpu and WGSL) or on the
//! CPU, with the same draws for the same seed on every device.
//!
//! A row of logits goes in, and the index of one category comes out, drawn with probability softmax(logits). The
//! category is found by the Gumbel-max trick (Gumbel 1954; Maddison, Tarlow, Minka, "A* sampling", 2014): add
//! independent Gumbel noise to every logit and take the argmax. The noise comes from a counter-based generator, so that
//! the noise of a draw depends on nothing but (seed, row, draw number).
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
//! * **Same seed, same draws**: bit for bit, on every adapter and on the CPU, for every batch, chunk and workgroup
//!   size, number of threads and position in the batch. Only integer arithmetic decides a draw; [`noise`] defines that
//!   arithmetic, and [`mod@reference`] spells out the draw.
//! * **Exact to the far tail**: the noise has 64 bits of precision at the winning end. A category of probability 10⁻¹⁵
//!   is drawn with probability 10⁻¹⁵, a category of probability 0 never. The noise is bounded, as its uniform number p
//!   is at least 2⁻⁶⁵: a logit that lies 48.9 or more below another logit of its row never wins.
//! * **About the price of reading** the logits is the aim: 16 of a category's 64 bits show for nearly every category
//!   that the category cannot win, and only the other categories are evaluated in full. Benchmarks show how near each
//!   engine comes.
//!
//! # Loops
//!
//! A call keeps no state. A draw is decided by its row, the options of its row (temperature, method, and what is added to its
//! logits or cut off), the seed, the row's id and the number of the draw, so that two calls with the same options use the same
//! noise. A [`Sequence`] numbers the draws of a loop: each call gets numbers that no call before it had.
//!
//! ```
//! use gumbel::{CpuSampler, Logits, SampleOptions, Sequence};
//! let (sampler, options, mut sequence) = (CpuSampler::new(), SampleOptions::default(), Sequence::new(42));
//! for _ in 0..10 {
//!     let logits = [0.0, 1.0, 2.0]; // of this step
//!     let draw = sampler.sample_rows(Logits::new(&logits, 3)?, &sequence.take(&options)?)?;
//! #   assert!(draw[0] < 3);
//! }
//! # Ok::<(), gumbel::Error>(())
//! ```
//!
//! For many draws from a row, choose [`Method::Auto`]: it is up to hundreds of times faster than the default, which
//! reads the row for each draw.
//!
//! # Special values
//!
//! | logit | meaning |
//! |---|---|
//! | −∞ | probability 0, never drawn |
//! | −0, +0 | the same number |
//! | NaN, +∞ | this row has no draw; no other row is harmed |
//! | all −∞ | this row has no draw |
//! | any other | counts in full, up to the largest finite number: nothing saturates |
//!
//! Logits may be `f32`, `f64`, `f16` or `bf16`. A batch of halves draws what the same numbers in `f32` draw. A row of `f64`
//! draws what its differences from its largest logit, rounded to `f32`, draw ([`noise::relative`]): logits of 10⁷ and
//! 10⁷ + ½ are told apart.
//!
//! Instead of logits a row may have positive [`Weights`] of `f32` or `f64`, or counts of `u32`:
//!
//! | weight | meaning |
//! |---|---|
//! | 0, −0 | probability 0, never drawn |
//! | negative, NaN, +∞ | this row has no draw; no other row is harmed |
//! | all 0 | this row has no draw |
//! | any other | counts in full, subnormal or huge |
//!
//! For a row without a draw, a call returns an [`Error::UndrawableRow`] that names the row and the category, or the
//! draw is [`NO_DRAW`] if the options ask for [sentinels](SampleOptions::with_sentinels).
//!
//! # Beside the draw
//!
//! | result | call |
//! |---|---|
//! | the first k categories of a race of alarms with rates exp(logit), their times and perturbed logits | [`race_rows`](Sampler::race_rows) |
//! | the log-probabilities of draws; logsumexp | [`sample_rows_scored`](Sampler::sample_rows_scored), [`logsumexp_rows`](Sampler::logsumexp_rows) |
//! | an estimate of log Z from the maxima of races, with its standard error | [`estimate_log_z`](Sampler::estimate_log_z) |
//! | very many draws from a row | [`Method::InverseCdf`], [`inverse_cdf`](Sampler::inverse_cdf) |
//! | resampling of a particle filter's particles: systematic, stratified, residual | [`Particles`] |
//! | Gumbel-softmax samples, and gradients through them | [`soften_rows`](Sampler::soften_rows), [`soften_rows_vjp`](Sampler::soften_rows_vjp) |
//! | densities and quantiles of the maxima and times of races | the feature `distributions` |
//! | seeds of the crate rand and of the system, rows as its distributions, Philox as its generator | the feature `rand`, a default |
//! | options, results and sequences saved by serde | the feature `serde` |
//! | speculative decoding: what drafts leave of the target's draws | [`verify_rows`](Sampler::verify_rows), [`Drafts`] |
//! | rows whose categories are split over devices | [`sample_shard`](Sampler::sample_shard), [`Shard`] |
//! | logit bias; repetition, frequency and presence penalties | [`Bias`], [`Penalty`], [`decoding`] |
//! | the unlikely categories cut off (top-k, top-p, min-p, epsilon); masks of allowed categories | [`Truncation`], [`Allowed`], [`cut_rows`](Sampler::cut_rows), [`decoding`] |
//!
//! [`mathematics`] has the theorems behind these operations, each with the test that checks it.
//!
//! # Accuracy
//!
//! Logits and noise are integers in units of 2⁻²⁴ ≈ 6·10⁻⁸. The noise is within 0.85 units of −ln(−ln(1 − p)) for its
//! 64-bit p, and a logit (divided by the temperature) is rounded once, to the nearest unit, so the probability of a
//! category is off by no more than some 10⁻⁷ of itself. A weight's logarithm is within 0.3 units before its rounding.
//!
//! A row of `f64` is rounded to `f32` first, relative to its largest value. For weights that adds 6·10⁻⁸. A logit that lies D
//! below the largest, divided by the temperature, is moved by up to D·2⁻²⁴, and its probability by so much of itself:
//! 6·10⁻⁸ at a distance of 1, and 3·10⁻⁶ at 48.9, where the last categories that can win have probability 10⁻²¹.
//!
//! Where the reciprocal of the temperature is no `f32`, the
//! reciprocal is rounded, as if the temperature differed by at most 6·10⁻⁸ of itself.

// docs.rs then shows for each item which feature it needs
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
#[doc = include_str!("../docs/decoding.md")]
pub mod decoding {}
pub mod noise;
mod options;
mod particles;
#[cfg(feature = "rand")]
mod random;
pub mod reference;
mod sampler;
#[cfg(feature = "serde")]
mod saved;
mod sequence;
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
    AdapterReport, BoundBatch, DeviceBatch, DeviceKind, DrawKernel, GpuSamplerBuilder, Teams,
    Tuning, adapters_async,
};
pub use half;
pub use job::NO_DRAW;
pub use options::{
    Allowed, Batch, Bias, Drafts, History, LogProbsOf, Logit, Logits, Method, Penalty, Relaxation,
    Resampling, RowIds, SampleOptions, Shard, Share, Truncation, ValueFormat, Weight, Weights,
};
pub use particles::Particles;
#[cfg(feature = "rand")]
pub use random::{CdfRow, GumbelRow, PhiloxRng};
pub use results::{Cut, LogZ, ScoredDraws, ShardDraws, ShardSums, TopK, Verified, Winner};
#[cfg(feature = "gpu")]
pub use sampler::GpuSampler;
pub use sampler::{CpuSampler, InverseCdf, Sampler};
#[cfg(feature = "serde")]
pub use saved::OwnedOptions;
pub use sequence::Sequence;
#[cfg(feature = "gpu")]
pub use wgpu;

/// The README and the page of examples: their code is compiled and run as doctests.
#[cfg(all(doctest, feature = "gpu"))]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/examples.md")]
struct Pages;
