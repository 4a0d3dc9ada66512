//! Makes a batch, and the options to draw from it, of the fuzzer's bytes.

use std::fmt;

use arbitrary::Arbitrary;
use gumbel::noise::bits::{FLAT, MAX_DRAWS, Stream, coarse, coarse_block};
use gumbel::noise::exp::log2_floor;
use gumbel::noise::groups::{
    first_alarm, first_member, group_block, group_of, later_alarm, leading_bits, member_of, noise,
    own_noise, word_in,
};
use gumbel::noise::gumbel::{UNIT, gumbel};
use gumbel::{Batch, Method, SampleOptions};

use crate::kind::Kind;
use crate::own::{Own, OwnInput};
use crate::restriction::{Restriction, RestrictionInput};

/// The most values of one case, counted once for each draw: few enough for one thread, and for
/// speed.
const MOST: usize = 1 << 13;
/// The most categories of a row: longer rows have no other algorithm on one thread. Of the rows that may be so long,
/// one in three has noise from the top down.
const MAX_CATEGORIES: usize = 9000;
/// The most categories of most rows.
const FEW_CATEGORIES: usize = 1100;

/// The way in which the fuzzer's words become values.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Values {
    /// A word is the bits of a value.
    Bits,
    /// Noise decides among the values.
    Moderate,
    /// A value cancels its noise except for a few units, so that all keys are about the same.
    Level,
    /// A value cancels the best noise that the bits allow which an engine looks at first.
    LevelBounds,
    /// Below a row's largest value, a value lies where its integer weight for an inverse CDF is
    /// rounded to 0.
    Resolution,
}

/// The fuzzer's choices for a case, of any kind of values.
#[derive(Arbitrary, Debug)]
pub struct Input {
    rows: u8,
    categories: u16,
    row_stride: Option<u16>,
    seed: u64,
    first_row: u64,
    ids: Option<[u64; 3]>,
    first_draw: u32,
    draws: u8,
    /// Bits of a temperature; `None` for a temperature of 1.
    temperature: Option<u32>,
    values: Values,
    /// The categories, numbered modulo 64, that take the next word of the pattern; the others take
    /// the fill.
    mask: u64,
    fill: u32,
    /// A position in the memory and a word for it alone, so that a word which comes once may come
    /// late.
    odd: Option<(u16, u32)>,
    restriction: Option<RestrictionInput>,
    pattern: Vec<u32>,
}

impl Input {
    fn word(&self, at: usize) -> u32 {
        match (self.odd, self.pattern.len()) {
            (Some((odd, word)), _) if usize::from(odd) % MOST == at => word,
            (_, count) if count > 0 && self.mask >> (at % 64) & 1 == 1 => self.pattern[at % count],
            _ => self.fill,
        }
    }

    /// Returns the value at this position of the memory, of this category in a row of so many.
    fn value<K: Kind>(
        &self,
        at: usize,
        (category, categories): (u32, u32),
        stream: Stream,
        temperature: f32,
    ) -> K::Value {
        let word = self.word(at);
        // mostly a few units
        let beside = i64::from(word as i32 >> (word % 32));
        let noise = match self.values {
            Values::Moderate => return K::moderate(word),
            // infinities and NaNs, and for counts the largest
            _ if word & 0x7f80_0000 == 0x7f80_0000 => return K::from_word(word),
            Values::Bits => return K::from_word(word),
            Values::Level => noise(stream, category, categories as usize),
            Values::LevelBounds => best_noise(stream, category, categories as usize),
            Values::Resolution => {
                let units = if word.is_multiple_of(5) {
                    0.0
                } else {
                    // half of the smallest integer weight
                    let powers = f64::from(63 - log2_floor(categories));
                    beside as f64 / UNIT as f64 - powers * std::f64::consts::LN_2
                };
                return K::from_log(units * f64::from(temperature) + K::LARGEST_LOG);
            }
        };
        let units = (beside - i64::from(gumbel(noise))) as f64 / UNIT as f64;
        K::from_log(units * f64::from(temperature))
    }
}

/// Returns a temperature that is 0 or at least `least`.
fn temperature(bits: u32, least: f32) -> f32 {
    let temperature = f32::from_bits(bits & 0x7fff_ffff);
    // any temperature of the range, and 0 for those below it
    if temperature < least {
        0.0
    } else if temperature <= 2f32.powi(100) {
        temperature
    } else {
        f32::from_bits(bits & 0x7f_ffff | 0x3f80_0000)
    }
}

/// The best noise that a category can have by the bits that an engine looks at first.
fn best_noise(stream: Stream, category: u32, categories: usize) -> u64 {
    if categories <= FLAT {
        return u64::from(coarse(coarse_block(stream, category / 8), category)) << 48;
    }
    let group = group_of(category);
    let word = word_in(group_block(stream, group / 4), group);
    let p = first_alarm(u64::from(leading_bits(word)) << 32);
    if first_member(word) == member_of(category) {
        p
    } else {
        // 28 bits
        later_alarm(p, own_noise(stream, category) >> 36 << 36)
    }
}

/// A batch of one kind of values, and the options to draw from it.
pub struct Case<K: Kind> {
    data: Vec<K::Value>,
    rows: usize,
    categories: usize,
    row_stride: usize,
    ids: Option<Vec<u64>>,
    own: Own,
    restriction: Restriction,
    options: SampleOptions<'static>,
}

impl<K: Kind> Case<K> {
    /// The case that an input describes.
    pub fn new(input: &Input) -> Self {
        let most = if input.categories >= 0xf000 { MAX_CATEGORIES } else { FEW_CATEGORIES };
        let categories = 1 + usize::from(input.categories) % most;
        let draws = (1 + usize::from(input.draws) % 70).min((MOST / categories).max(2));
        let rows = usize::from(input.rows % 65).min((MOST / (categories * draws)).max(1));
        let row_stride =
            input.row_stride.map_or(categories, |at| usize::from(at) % (categories + 9));
        let ids = input.ids.map(|ids| {
            (0..rows).map(|row| ids[row % 3].wrapping_add(row as u64 / 3)).collect::<Vec<_>>()
        });
        let first_draw = input.first_draw.min(MAX_DRAWS - draws as u32);
        let temperature =
            input.temperature.map_or(1.0, |bits| temperature(bits, K::LEAST_TEMPERATURE));
        let options = SampleOptions::default()
            .with_seed(input.seed)
            .with_first_row(input.first_row)
            .with_first_draw(first_draw)
            .with_draws(draws as u32)
            .with_temperature(temperature)
            .with_sentinels(true);
        let length = rows.checked_sub(1).map_or(0, |before| before * row_stride + categories);
        let mut data = vec![K::Value::default(); length];
        for row in 0..rows {
            let id = match &ids {
                Some(ids) => ids[row],
                None => input.first_row.wrapping_add(row as u64),
            };
            let stream = Stream::new(input.seed, id, first_draw);
            for category in 0..categories {
                let at = row * row_stride + category;
                let category = (category as u32, categories as u32);
                data[at] = input.value::<K>(at, category, stream, temperature);
            }
        }
        let (own, restriction) = (Own::default(), Self::restriction(input, rows, categories));
        Self { data, rows, categories, row_stride, ids, own, restriction, options }
    }

    fn restriction(input: &Input, rows: usize, categories: usize) -> Restriction {
        let choices = input.restriction.as_ref();
        let new = |choices| Restriction::new(choices, rows, categories, K::IS_LOGITS);
        choices.map(new).unwrap_or_default()
    }

    /// Returns the case of this input with what its rows have of their own.
    pub fn with_own(self, input: &Input, own: &OwnInput) -> Self {
        let least = K::LEAST_TEMPERATURE;
        let own = Own::new(own, self.rows, &self.options, |bits| temperature(bits, least));
        let rows = own.rows(self.rows);
        let ids = input.ids.map(|ids| (0..rows).map(|row| ids[row % 3]).collect());
        let restriction = Self::restriction(input, rows, self.categories);
        Self { own, ids, restriction, ..self }
    }

    /// Returns the same case, drawn by this method.
    pub fn with_method(self, method: Method) -> Self {
        Self { options: self.options.with_method(method), ..self }
    }

    /// Returns the same case at a temperature that has noise: 1 instead of 0.
    pub fn with_noise(mut self) -> Self {
        if self.options.temperature == 0.0 {
            self.options.temperature = 1.0;
        }
        Self { own: self.own.with_noise(), ..self }
    }

    /// Returns the rows.
    pub fn batch(&self) -> Batch<'_> {
        K::batch(&self.data, self.rows, self.categories, self.row_stride)
    }

    /// Returns the options, with sentinels, so that rows without a draw are compared too.
    pub fn options(&self) -> SampleOptions<'_> {
        let options = self.restriction.add_to(self.own.add_to(self.options));
        match &self.ids {
            None => options,
            Some(ids) => options.with_row_ids(ids),
        }
    }
}

/// The text that a failure prints for a case. The fuzzer stores the bytes of the case.
impl<K: Kind> fmt::Debug for Case<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, categories, row_stride, .. } = self;
        write!(f, "{rows} x {categories}, {row_stride} apart, {:?}", self.options())
    }
}
