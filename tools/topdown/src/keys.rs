//! The exact keys of all categories of a row: with flat noise, and from the top down.

use gumbel::Isa;

use crate::bound::RoundKeys;
use crate::noise::bits::Stream;
use crate::noise::order::Scale;
use crate::simd::run;

mod alarms;
mod flat;
mod gumbels;
mod top_down;

pub use alarms::{first_alarm, later_alarm};

/// The key of a category that cannot be drawn.
pub const NO_KEY: i64 = i64::MIN;
/// The number of categories whose keys are computed together.
const LANES: usize = 256;

/// A row whose keys are wanted.
pub struct AllKeys<'a> {
    /// The logits.
    pub row: &'a [f32],
    /// The stream of the noise.
    pub stream: Stream,
    /// 1/temperature.
    pub scale: Scale,
    /// The seed of the stream.
    pub seed: u64,
    /// A key for each category.
    pub keys: &'a mut [i64],
}

/// Writes the keys with the flat noise of today.
pub fn flat(isa: Isa, all: AllKeys<'_>) {
    let keys = RoundKeys::new(all.seed);
    run(isa, flat::Flat(all, keys));
}

/// Writes the keys with noise from the top down.
pub fn top_down(isa: Isa, all: AllKeys<'_>) {
    let keys = RoundKeys::new(all.seed);
    run(isa, top_down::TopDown(all, keys));
}
