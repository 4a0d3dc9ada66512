//! The crate [`rand`] in both directions: its generators give gumbel seeds and uniform numbers, and gumbel's Philox is
//! one of its generators.

mod philox;
mod rows;
mod seeds;
// as in Cargo.toml, which says why
#[cfg(not(all(target_family = "wasm", any(target_os = "unknown", target_os = "none"))))]
mod system;

pub use philox::PhiloxRng;
pub use rows::{CdfRow, GumbelRow};
