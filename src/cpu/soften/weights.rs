//! The weights of categories, from their exact keys.

use super::soft_weight::soft_weight;
use super::{Drawable, Soften};
use crate::cpu::bound::RoundKeys;
use crate::cpu::exact_keys::exact_keys;
use crate::cpu::lanes::magnitude;
use crate::cpu::simd::{Isa, Simd, Task};
use crate::cpu::tile::{NO_KEY, OCTETS, Tile};
use crate::cpu::top_down::{FirstAlarms, noise_of_span};
use crate::cpu::values::{RowValues, SideBySide};
use crate::noise::bits::{FLAT, OCTET, Stream};
use crate::noise::groups::SPAN;
use crate::noise::order::Scale;
use crate::options::{Rows, Widen};

/// The most categories of a row that shares a tile.
pub(super) const SHORT: usize = OCTETS * OCTET;

/// What weights depend on beside logits and streams.
#[derive(Clone, Copy)]
pub(super) struct Weigher {
    pub(super) isa: Isa,
    pub(super) scale: Scale,
    pub(super) keys: RoundKeys,
    pub(super) fall: f64,
    /// The number of categories of each row, which decides on its noise.
    pub(super) categories: usize,
}

impl Weigher {
    /// Writes the weights of the categories `first ..` of a race whose largest key is known, and returns
    /// their sum.
    pub(super) fn weights<V: RowValues<Value: Widen>>(
        &self,
        stream: Stream,
        logits: V,
        first: u32,
        max_key: i64,
        weights: &mut [f32],
    ) -> f64 {
        self.isa.run(LongWeights { by: self, stream, logits, first, max_key, weights })
    }
}

/// The weights of part of a row.
struct LongWeights<'a, V> {
    by: &'a Weigher,
    stream: Stream,
    logits: V,
    /// The first category, a multiple of two spans.
    first: u32,
    max_key: i64,
    weights: &'a mut [f32],
}

impl<V: RowValues<Value: Widen>> Task for LongWeights<'_, V> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        if self.by.categories > FLAT { self.in_groups(s) } else { self.flat(s) }
    }
}

impl<V: RowValues<Value: Widen>> LongWeights<'_, V> {
    /// The weights of a row with flat noise.
    #[inline(always)]
    fn flat<S: Simd>(self, s: S) -> f64 {
        let Self { by, stream, logits, first, max_key, weights } = self;
        let mut tile = Tile::new(SHORT);
        let mut sum = 0.0;
        let mut octet = first / OCTET as u32;
        for (logits, weights) in logits.parts(SHORT).zip(weights.chunks_mut(SHORT)) {
            let octets = logits.len().div_ceil(OCTET);
            tile.place(0, octets, octet, stream);
            tile.values.put_part_widened(logits);
            tile.evaluate(s, octets, by.scale, &by.keys);
            sum += weights_of(tile.keys.as_flattened(), max_key, by.fall, weights);
            octet += octets as u32;
        }
        sum
    }

    /// The weights of a row whose noise comes from the top down.
    #[inline(always)]
    fn in_groups<S: Simd>(self, s: S) -> f64 {
        const { assert!(SHORT == SPAN) }
        let Self { by, stream, logits, mut first, max_key, weights } = self;
        let mut tile = SideBySide::<f32, OCTETS>::new(SHORT);
        let mut sum = 0.0;
        let spans = FirstAlarms::spans::<S>();
        let units = logits.parts(spans * SPAN).zip(weights.chunks_mut(spans * SPAN));
        for (logits, weights) in units {
            let alarms = FirstAlarms::new(s, stream, first, &by.keys);
            let each = logits.parts(SPAN).zip(weights.chunks_mut(SPAN));
            for (span, (logits, weights)) in each.enumerate() {
                let len = logits.len();
                let noise = noise_of_span(s, stream, (&alarms, span), (first, len), &by.keys);
                tile.put_part_widened(logits);
                let mut keys = [NO_KEY; SPAN];
                exact_keys(&tile.values()[..len], by.scale, &noise, &mut keys);
                for (key, logit) in keys.iter_mut().zip(&tile.values()[..len]) {
                    *key = if logit.is_finite() { *key } else { NO_KEY };
                }
                sum += weights_of(&keys, max_key, by.fall, weights);
                first = first.wrapping_add(SPAN as u32);
            }
        }
        sum
    }
}

/// Writes the weight of each key, given the largest key of the row, and returns the sum of the weights.
#[inline(always)]
fn weights_of(keys: &[i64], max_key: i64, fall: f64, weights: &mut [f32]) -> f64 {
    for (weight_of, &key) in weights.iter_mut().zip(keys) {
        // at most 2⁶⁴ − 1
        let gap = max_key.wrapping_sub(key) as u64;
        let one = soft_weight(gap, fall);
        *weight_of = if key == NO_KEY { 0.0 } else { one };
    }
    sum(weights.iter().copied())
}

/// The sum of up to [`SHORT`] floats, sixteen side by side.
#[inline(always)]
pub(super) fn sum(floats: impl ExactSizeIterator<Item = f32>) -> f64 {
    let mut sums = [0.0f32; 16];
    for (i, float) in floats.enumerate() {
        sums[i % 16] += float;
    }
    sums.iter().map(|&sum| f64::from(sum)).sum()
}

/// The samples of the races `first ..` of short rows, as many as `samples` has memory for.
pub(super) struct ShortSamples<'a, T> {
    pub(super) of: Soften<'a>,
    pub(super) rows: Rows<'a, T>,
    pub(super) first: usize,
    pub(super) samples: &'a mut [f32],
}

impl<T: Drawable> Task for ShortSamples<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { of, rows, first, samples } = self;
        let categories = rows.categories();
        let at_once = OCTETS / categories.div_ceil(OCTET);
        let mut tile = Tile::new(categories);
        let mut races = of.softening.job.races(first);
        for samples in samples.chunks_mut(at_once * categories) {
            let these = races.by_ref().take(samples.len() / categories);
            let sound = fill(s, &mut tile, of, rows, these);
            let each = tile.keys.as_flattened().chunks(categories.next_multiple_of(OCTET));
            for (i, (sample, keys)) in samples.chunks_exact_mut(categories).zip(each).enumerate() {
                match short_weights(keys, sound & 1 << i != 0, of.weigher.fall, sample) {
                    None => sample.fill(f32::NAN),
                    Some(sum) => {
                        let scale = (1.0 / sum) as f32;
                        sample.iter_mut().for_each(|y| *y *= scale);
                    }
                }
            }
        }
    }
}

/// Evaluates the keys of some short races. Returns a bit for each race: 1 if its logits have no NaN and no
/// +∞.
#[inline(always)]
pub(super) fn fill<S: Simd, T: Drawable>(
    s: S,
    tile: &mut Tile<f32>,
    of: Soften<'_>,
    rows: Rows<'_, T>,
    races: impl Iterator<Item = (usize, u32)>,
) -> u32 {
    let categories = rows.categories();
    let octets = categories.div_ceil(OCTET);
    let (mut sound, mut filled) = (0, 0);
    for (i, (row, draw)) in races.enumerate() {
        tile.place(filled, octets, 0, of.softening.job.stream(row, draw));
        let logits = tile.values.put_widened(i, rows.row(row));
        let farthest = logits.iter().fold(0, |far, &logit| far.max(magnitude(logit)));
        sound |= u32::from(farthest < f32::INFINITY.to_bits()) << i;
        filled += octets;
    }
    tile.evaluate(s, filled, of.weigher.scale, &of.weigher.keys);
    sound
}

/// Writes the weights of a short row and returns their sum, or `None` if the row has no draw.
#[inline(always)]
pub(super) fn short_weights(
    keys: &[i64],
    sound: bool,
    fall: f64,
    weights: &mut [f32],
) -> Option<f64> {
    let max_key = keys.iter().fold(NO_KEY, |most, &key| if key > most { key } else { most });
    (sound && max_key != NO_KEY).then(|| weights_of(keys, max_key, fall, weights))
}
