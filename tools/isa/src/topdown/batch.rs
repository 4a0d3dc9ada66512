//! The batches on which waves of the prototype are compared with its definition, and their winners by it.

use gumbel::noise::bits::Stream;
use gumbel::noise::gumbel::gumbel;
use gumbel::noise::order::{self, Best, Scale};

use crate::definition::{
    SPAN, first_alarm, first_member, further_bits, group_word, later_alarm, member_of, own_noise,
    u_of,
};
use crate::workload::{self, grouped};

/// The groups of a span.
const GROUPS: usize = SPAN / crate::definition::MEMBERS;

/// The winner of a row, by the keys of all categories. None if there is none.
pub fn reference(row: &[f32], stream: Stream, scale: Scale) -> Option<u32> {
    if row.iter().any(|logit| order::is_invalid(logit.to_bits())) {
        return None;
    }
    let mut best = Best::NONE;
    for (span, values) in (0..).zip(row.chunks(SPAN)) {
        // first alarms are computed once for a group, and not for each member
        let alarms: [(u64, u32); GROUPS] = std::array::from_fn(|l| {
            let group = span * GROUPS as u32 + l as u32;
            let word = group_word(stream, group);
            (first_alarm(u_of(word, further_bits(stream, group))), first_member(word))
        });
        for (i, logit) in values.iter().enumerate() {
            if *logit == f32::NEG_INFINITY {
                continue;
            }
            let category = span * SPAN as u32 + i as u32;
            let (p, first) = alarms[i % GROUPS];
            let v = if first == member_of(category) {
                p
            } else {
                later_alarm(p, own_noise(stream, category))
            };
            let key = order::key(logit.to_bits(), scale, gumbel(v));
            best = best.or(Best { key, category });
        }
    }
    (best != Best::NONE).then_some(best.category)
}

/// A batch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// In a few words.
    pub name: String,
    /// Of a row, a multiple of four.
    pub categories: usize,
    /// Row after row.
    pub logits: Vec<f32>,
    /// The reciprocal of the temperature.
    pub scale: Scale,
}

impl Batch {
    pub(super) fn rows(&self) -> usize {
        self.logits.len() / self.categories
    }

    fn of(name: &str, rows: usize, categories: usize, f: impl Fn(usize, f32) -> f32) -> Self {
        let normal = workload::logits(rows * categories);
        let logits = normal.into_iter().enumerate().map(|(i, x)| f(i % categories, x)).collect();
        let name = format!("{} categories, {name}", grouped(categories));
        Self { name, categories, logits, scale: Scale::ONE }
    }

    fn at(self, temperature: f32) -> Self {
        let scale = Scale::from_temperature(temperature).expect("a temperature above 0");
        Self { name: format!("{}, temperature {temperature}", self.name), scale, ..self }
    }

    fn sorted(mut self, falling: bool) -> Self {
        for row in self.logits.chunks_mut(self.categories) {
            row.sort_by(f32::total_cmp);
            if falling {
                row.reverse();
            }
        }
        self
    }

    /// Those of which the price is told.
    pub fn measured() -> Vec<Self> {
        vec![
            Self::of("normal, spread 3", 48, 128_256, |_, x| x),
            Self::of("flat", 4, 128_256, |_, _| 0.5),
            Self::of("normal, spread 1", 2, 128_256, |_, x| x / 3.0),
            Self::of("normal, spread 5", 2, 128_256, |_, x| x * 5.0 / 3.0),
            Self::of("normal, spread 3, all below 0", 2, 128_256, |_, x| x - 40.0),
            Self::of("normal, spread 3, rising by 12", 2, 128_256, |i, x| x + i as f32 / 10_688.0),
            Self::of("normal, spread 3, in rising order", 1, 128_256, |_, x| x).sorted(false),
            Self::of("normal, spread 3, in falling order", 1, 128_256, |_, x| x).sorted(true),
            // of 20 that lead, the first by most
            Self::of("like a language model's", 4, 128_256, |i, x| {
                let lead = if i % 6413 == 17 { 14.0 - 0.4 * (i / 6413) as f32 } else { 0.0 };
                x * 2.5 / 3.0 + lead
            }),
            Self::of("normal, spread 3", 8, 32_000, |_, x| x),
            Self::of("normal, spread 3", 16, 8192, |_, x| x),
            Self::of("normal, spread 3", 32, 4096, |_, x| x),
            Self::of("normal, spread 3", 64, 1024, |_, x| x),
        ]
    }

    /// Those that are awkward.
    pub fn awkward() -> Vec<Self> {
        let infinite = f32::NEG_INFINITY;
        vec![
            Self::of("an end within a span", 100, 5004, |_, x| x),
            Self::of("all below 0", 16, 5004, |_, x| x - 40.0),
            Self::of("so many as one turn", 20, 16_384, |_, x| x),
            Self::of("normal, spread 3", 16, 8192, |_, x| x).at(0.3),
            Self::of("normal, spread 3", 16, 8192, |_, x| x).at(3.0),
            Self::of("less than a group", 16, 8, |_, x| x),
            Self::of("less than a span", 16, 200, |_, x| x),
            Self::of("by steps", 4, 65_536, |i, x| x + (i / 16_384) as f32 * 40.0),
            Self::of("steeply rising", 1, 20_480, |i, x| x + i as f32 / 16.0),
            Self::of("steeply falling", 2, 20_480, |i, x| x - i as f32 / 16.0),
            Self::of("seldom not masked", 4, 8192, |i, x| if i % 997 == 3 { x } else { infinite }),
            Self::of("half masked", 4, 8192, |i, x| if i % 16 < 8 { x } else { infinite }),
            Self::of("all masked", 1, 4096, |_, _| infinite),
            Self::of("one leads", 4, 8192, |i, x| if i == 5000 { 40.0 } else { x }),
            Self::of("far from 0", 2, 4096, |_, x| (x * 10.0).round() * 1e30),
            Self::of("ties", 4, 4096, |i, _| (i % 3) as f32 * 16_777_216.0),
            Self::of("one column leads", 4, 8192, |i, x| x + 4.0 * f32::from(i % 16 == 5)),
            Self::of("not a number", 2, 8192, |i, x| if i == 777 { f32::NAN } else { x }),
            Self::of("not a number, negative", 2, 8192, |i, x| if i == 77 { -f32::NAN } else { x }),
            Self::of("plus infinity", 2, 8192, |i, x| if i == 7 { f32::INFINITY } else { x }),
        ]
    }
}
