//! The contract: which noise a category gets, and how two categories are compared.
//!
//! All of it is integer arithmetic, except for the reciprocal of the temperature, which is taken
//! once for a call, on the CPU, and of rows of `f64`, which the host makes [`relative`]. Every other file but [`verification`], which only the host
//! needs, has a shader of its
//! stem under `shaders/`, and every function of that shader has a Rust function of its name here; `best_none` has the constant
//! [`Best::NONE`](order::Best::NONE). Tests compare each pair of functions word for word, directly
//! or through their callers, on every adapter. From the ground up:
//!
//! * [`wide`]: 32 × 32 → 64-bit products, the one primitive that WGSL lacks.
//! * [`pair`]: 64-bit integers as pairs of words, as WGSL has to write them.
//! * [`philox`]: the counter-based generator Philox4x32-10.
//! * [`bits`]: the counter layout; 64 bits of noise for one (seed, row, draw, category).
//! * [`groups`]: the same for rows of more than 4,096 categories, whose noise comes from the top down.
//! * [`gumbel`]: those bits as Gumbel noise, in units of 2⁻²⁴.
//! * [`order`]: a logit in the same units, the sum of logit and noise as a key, and which of two
//!   keys wins.
//! * [`weights`]: the logarithm of a positive weight in these units, in the place of a logit.
//! * [`exp`]: the integer weight of a logit, for draws by an inverse CDF.
//! * [`relative`]: the row of `f32` that a row of `f64` is drawn from as.
//! * [`cdf`]: the integer weights of positive weights, and the number below their sum that decides
//!   a draw.
//! * [`cuts`]: shares of sums of integer weights, for truncations.
//! * [`verification`]: the ratio test of speculative decoding.

pub mod bits;
pub mod cdf;
pub mod cuts;
pub mod exp;
pub mod groups;
pub mod gumbel;
pub mod order;
pub mod pair;
pub mod philox;
pub mod relative;
pub mod verification;
pub mod weights;
pub mod wide;
