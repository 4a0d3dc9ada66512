//! The contract as it stands: Philox, the flat noise, G and keys.

pub use ::gumbel::noise::{bits, order, philox, wide};

// Included, not re-exported: `cpu::lanes` needs its polynomials, which the library does not show.
#[rustfmt::skip]
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../src/noise/gumbel.rs"]
pub mod gumbel;
