//! Noise from the top down, as a prototype on the CPU: README.md has the definition and the figures.
//!
//! [`definition`] defines the noise, and [`reference`] draws by it, one category at a time. [`race`] draws fast, and
//! [`keys`] computes all keys of a row. The binary `check` compares them, and `bench` compares their times with
//! those of the library.

pub mod definition;
pub mod keys;
pub mod noise;
pub mod race;
pub mod random;
pub mod reference;
pub mod simd;
pub mod vector_value;

// Two modules of the library's CPU engine, which are private there. They expect `simd`, `vector_value` and `filter`
// beside them. (rustfmt would look for their unit tests.)
#[rustfmt::skip]
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../src/cpu/bound.rs"]
mod bound;
#[rustfmt::skip]
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../src/cpu/lanes.rs"]
mod lanes;

/// The library's module is private.
pub(crate) mod filter {
    /// A power of two in the unit of scores.
    pub(crate) const POWER: f32 = 8_388_608.0;
}
