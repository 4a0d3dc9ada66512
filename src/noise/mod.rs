//! The contract: which noise a category gets, and how two categories are compared.
//!
//! Every function here is pure integer arithmetic and has a WGSL twin of the same name in the file
//! of the same stem under `shaders/`; tests hold the two against each other word for word. From the
//! ground up:
//!
//! * [`wide`]: 32 × 32 → 64-bit products, the one primitive that WGSL lacks.
//! * [`pair`]: 64-bit integers as pairs of words, as WGSL has to write them.
//! * [`philox`]: the counter-based generator Philox4x32-10.
//! * [`bits`]: the counter layout; 64 bits of noise for one (seed, row, draw, category).
//! * [`gumbel`]: those bits as Gumbel noise, in units of 2⁻²⁴.
//! * [`order`]: a logit in the same units, their sum as a key, and which of two keys wins.

pub mod bits;
pub mod gumbel;
pub mod order;
pub mod pair;
pub mod philox;
pub mod wide;
