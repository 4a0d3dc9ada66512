//! The public face: every operation, declared once, on every engine.
//!
//! A [`Sampler`] is an engine and the operations on it. The type of the engine is a parameter, so that [`CpuSampler`],
//! [`GpuSampler`] and [`Sampler`] have the same methods and one page of documentation. Each operation is a file in
//! `sampler/`: the methods that users call, and a type with the trait [`Operation`], which defines how each engine runs
//! the operation. [`run`] takes an operation to the engine that runs it.
//!
//! Four files have no such type. The host finds cuts for all engines ([`cuts`]). Kept tables ([`inverse_cdf`]) choose their
//! engine when they are made. Verified drafts ([`verify`]) and shards ([`shards`]) are compositions: `verify_rows` is a call of
//! `sample_rows` and a walk along the drafts, `verify_rows_by_ratio` has a test on the host in place of that walk, `sample_shard`
//! is calls of `race_rows` (none at temperature 0) with work of the host, and `sum_shard` is work of the host alone.

use crate::engine::{Auto, Cpu, Engine};

mod auto;
mod copied;
mod cpu;
mod cuts;
mod draws;
#[cfg(feature = "gpu")]
mod gpu;
mod inverse_cdf;
mod log_probs;
mod log_z;
mod logsumexp;
mod per_row;
mod race;
pub(crate) mod run;
mod shards;
mod soften;
mod verify;

pub use inverse_cdf::InverseCdf;

/// Draws from rows of logits, weights or counts: on the CPU, on a GPU, or on whichever suits a call.
///
/// A draw depends on its row and on the [options](crate::SampleOptions), and a sampler keeps no state: two calls with
/// the same options use the same noise. In a loop, let a [`Sequence`](crate::Sequence) number the draws. For many draws
/// from a row, choose [`Method::Auto`](crate::Method::Auto), which is up to hundreds of times faster.
///
/// Every operation on rows is a method, and most methods have three forms:
///
/// | form | example | |
/// |---|---|---|
/// | a value | [`sample_rows`](Self::sample_rows) | allocates and returns its results |
/// | into a slice | [`sample_rows_into`](Self::sample_rows_into) | writes its results to the caller's memory |
/// | a future | [`sample_rows_async`](Self::sample_rows_async) | for executors, and for browsers, where nothing may block |
///
/// Results that say how long they are have no form into a slice: [kept tables](Self::inverse_cdf), [verified
/// drafts](Self::verify_rows) and the draws of [shards](Self::sample_shard). [`sum_shard`](Self::sum_shard), for which the host's CPU
/// does the work on every engine, returns a value alone.
///
/// The engine is the type parameter:
///
/// | type | engine |
/// |---|---|
/// | [`Sampler`], short for `Sampler<Auto>` | chosen for each call: see [`auto`](Self::auto) |
/// | [`CpuSampler`], short for `Sampler<Cpu>` | all cores of the CPU; needs no driver |
/// | `GpuSampler`, short for `Sampler<Gpu>` | a GPU, through wgpu (feature `gpu`) |
///
/// All of them draw the same, bit for bit. A sampler is cheap to clone, and its clones share compiled shaders and
/// buffers; any number of threads can use one sampler at the same time.
///
/// ```
/// use gumbel::{Logits, SampleOptions, Sampler};
/// let sampler = Sampler::auto();
/// println!("drawing on the {sampler}: {}", sampler.reason());
/// let draws = sampler.sample_rows(Logits::new(&[0.0; 6], 3)?, &SampleOptions::default())?;
/// assert_eq!(draws.len(), 2);
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// # Futures
///
/// Natively, the future of a call on a GPU does the host's part (copies, and the compilation of shaders that are needed
/// for the first time) when the future is polled. While the GPU works, the executor's thread is free: a thread of the
/// sampler's own waits for the device. The CPU engine does all of its work when the future is first polled. Futures are
/// `Send`, except in a browser.
#[derive(Clone, Debug)]
pub struct Sampler<E: Engine = Auto> {
    pub(crate) engine: E,
}

/// A [`Sampler`] on the CPU: no driver, all cores.
///
/// ```
/// use gumbel::{CpuSampler, Logits, SampleOptions};
/// // three rows of two categories: even odds, 1 : e, and no chance for the first
/// let logits = [0.0, 0.0, 0.0, 1.0, f32::NEG_INFINITY, 0.0];
/// let draws = CpuSampler::new()
///     .sample_rows(Logits::new(&logits, 2)?, &SampleOptions::default().with_draws(4))?;
/// assert_eq!(draws.len(), 3 * 4);
/// assert_eq!(draws[8..], [1, 1, 1, 1]);
/// # Ok::<(), gumbel::Error>(())
/// ```
pub type CpuSampler = Sampler<Cpu>;

/// A [`Sampler`] on a GPU, through wgpu.
///
/// Build one sampler, and use it for any number of calls of any shape. Shaders are compiled when they are first needed,
/// and buffers are reused from call to call.
///
/// ```no_run
/// use gumbel::{GpuSampler, Logits, SampleOptions};
/// let sampler = GpuSampler::new()?;
/// let logits = vec![0.0; 1_000_000 * 16];
/// let draws = sampler.sample_rows(Logits::new(&logits, 16)?, &SampleOptions::default())?;
/// assert_eq!(draws.len(), 1_000_000);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[cfg(feature = "gpu")]
pub type GpuSampler = Sampler<crate::engine::Gpu>;
