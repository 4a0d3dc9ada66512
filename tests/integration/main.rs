//! The tests that need no adapter, in one binary: each binary links wgpu anew.
//!
//! Only three other binaries exist: `tests/gpu/`, whose tests are made at run time, and `tests/allocations/` and
//! `tests/memory.rs`, whose allocators are those of a whole process.

mod adjustment;
mod autoencoder;
mod cdf;
mod common;
mod conformance;
mod copied;
mod cpu_engine;
mod decode;
mod distribution;
#[cfg(feature = "distributions")]
mod distributions;
mod edges;
mod errors;
mod forms;
mod golden;
mod halves;
mod hidden_chain;
mod independence;
mod invariance;
mod log_probabilities;
#[cfg(feature = "rand")]
mod nile;
#[cfg(feature = "gpu")]
mod noop;
mod oracle;
mod per_row;
mod properties;
mod race;
#[cfg(feature = "rand")]
mod random;
mod resample;
#[cfg(feature = "serde")]
mod saved;
mod sequence;
#[cfg(feature = "gpu")]
mod shaders;
mod shards;
mod soften;
mod threads;
mod truncation;
mod verify;
