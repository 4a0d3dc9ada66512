//! The definition of draws and races, one category at a time.

use crate::definition::noise;
use crate::noise::bits::Stream;
use crate::noise::gumbel::gumbel;
use crate::noise::order::{Best, Scale};
use crate::vector_value::{Chance, VectorValue};

/// The key of one category.
pub fn evaluate<T: VectorValue>(stream: Stream, scale: Scale, category: u32, value: T) -> Best {
    let gumbel = gumbel(noise(stream, category));
    Best { key: value.fixed(scale) + i64::from(gumbel), category }
}

/// The keys of all categories that can be drawn; `None` if the row is invalid.
pub fn keys<T: VectorValue>(row: &[T], stream: Stream, scale: Scale) -> Option<Vec<Best>> {
    let mut keys = Vec::new();
    for (category, &value) in (0..).zip(row) {
        match value.chance() {
            Chance::Invalid => return None,
            Chance::None => {}
            Chance::Some => keys.push(evaluate(stream, scale, category, value)),
        }
    }
    Some(keys)
}

/// The category with the largest key; `None` if the row has no draw.
#[cold]
#[inline(never)]
pub fn draw<T: VectorValue>(row: &[T], stream: Stream, scale: Scale) -> Option<u32> {
    let best = keys(row, stream, scale)?.into_iter().fold(Best::NONE, Best::or);
    (best != Best::NONE).then_some(best.category)
}
