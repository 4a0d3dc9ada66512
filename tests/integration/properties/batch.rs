//! Random batches: a few small numbers determine logits of an awkward kind.

use gumbel::noise::bits::{FLAT, MAX_DRAWS, Stream, coarse, coarse_block};
use gumbel::noise::groups::{
    first_alarm, first_member, group_block, group_of, later_alarm, leading_bits, member_of, noise,
    own_noise, word_in,
};
use gumbel::noise::gumbel::{UNIT, gumbel};
use gumbel::noise::philox::philox4x32_10;
use gumbel::{Logit, Logits, RowIds, SampleOptions, Weight, Weights};
use proptest::prelude::*;
use proptest::sample::select;

use super::restriction::Restriction;

/// The kind of the logits, before some are masked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    Normal,
    Huge,
    Subnormal,
    Zeros,
    Equal,
    Bits,
    /// Few values, so that the noise alone decides among many; the largest are zeros of both signs.
    Steps,
    /// Logits that cancel the noise, so that all keys are about the same.
    Level,
    /// Logits that cancel the best noise that the coarse bits allow, so that the coarse bits decide
    /// nothing.
    LevelBounds,
    /// One of the other kinds for each category.
    Mixed,
}

/// Which categories are masked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mask {
    Nothing,
    /// All but about this many.
    AllBut(usize),
    /// The categories before this many thousandths of the row.
    Prefix(usize),
    /// The categories from this many thousandths of the row on.
    Suffix(usize),
    /// All but one of this many neighbours.
    AllButEvery(usize),
}

/// A batch and the options to draw from it.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) rows: usize,
    pub(crate) categories: usize,
    pub(crate) row_stride: usize,
    pub(crate) base: Base,
    /// Whether the logits are multiplied by the temperature, so that the noise decides whatever it
    /// is.
    pub(crate) scaled: bool,
    /// A number that is added to all logits.
    pub(crate) offset: f32,
    pub(crate) mask: Mask,
    /// The logit of masked categories.
    pub(crate) masked: f32,
    /// If given, one of about this many logits is NaN or +∞.
    pub(crate) invalid: Option<u32>,
    /// The key of the random words from which the logits are made.
    pub(crate) word: u32,
    pub(crate) seed: u64,
    pub(crate) first_row: u64,
    /// The ids of the rows, if they are not consecutive.
    pub(crate) row_ids: Option<Vec<u64>>,
    pub(crate) first_draw: u32,
    pub(crate) draws: u32,
    pub(crate) temperature: f32,
    pub(crate) restriction: Restriction,
}

/// Numbers of categories at which some engine changes its algorithm, and their neighbours.
fn categories() -> impl Strategy<Value = usize> {
    let edges = select(vec![8, 16, 64, 128, 256, 512, 1024, 4096]);
    prop_oneof![
        4 => (edges, 0..5usize).prop_map(|(edge, near)| edge + near - 2),
        2 => 1..300usize,
        1 => 1..5000usize,
    ]
}

fn bases() -> impl Strategy<Value = Base> {
    use Base::*;
    let all = [Normal, Huge, Subnormal, Zeros, Equal, Bits, Steps, Level, LevelBounds, Mixed];
    // the kinds that engines are most likely to get wrong come more often
    prop_oneof![2 => select(all.to_vec()), 1 => select(vec![Normal, Zeros, Steps, Level, LevelBounds])]
}

fn masks() -> impl Strategy<Value = Mask> {
    prop_oneof![
        4 => Just(Mask::Nothing),
        1 => (1..5usize).prop_map(Mask::AllBut),
        1 => (0..=1000usize).prop_map(Mask::Prefix),
        1 => (0..=1000usize).prop_map(Mask::Suffix),
        1 => (2..70usize).prop_map(Mask::AllButEvery),
    ]
}

fn temperatures() -> impl Strategy<Value = f32> {
    prop_oneof![
        3 => Just(1.0),
        2 => Just(0.0),
        2 => 0.1..4f32,
        2 => (-100..100, 1.0..2f32).prop_map(|(power, x)| x * 2f32.powi(power)),
        1 => select(vec![2f32.powi(-100), 2f32.powi(100)]),
    ]
}

/// Offsets up to the size at which keys are no longer on a linear scale, and beyond.
fn offsets() -> impl Strategy<Value = f32> {
    let size = (0..42, 1.0..2f32).prop_map(|(power, x)| x * 2f32.powi(power));
    prop_oneof![3 => Just(0.0), 1 => size.clone(), 1 => size.prop_map(|x| -x)]
}

/// Returns the distance between rows with so many categories.
fn row_stride(kind: u8, other: usize, categories: usize) -> usize {
    match kind {
        0 => 0,
        1 => other % categories,
        2 => categories + 1 + other % 40,
        _ => categories,
    }
}

/// Batches with up to 40 rows.
pub(crate) fn batches() -> impl Strategy<Value = Batch> {
    // now and then enough rows to be divided among threads
    let most = prop_oneof![7 => Just(1 << 15), 1 => Just(1 << 18)];
    (0..=40usize, categories(), 0..7u8, 0..5000usize, draws(), most).prop_flat_map(
        |(rows, categories, kind, other, draws, most)| {
            let draws = draws.min((most / categories) as u32).max(1);
            let rows = rows.min((most / (categories * draws as usize)).max(1));
            batches_of(rows, categories, row_stride(kind, other, categories), draws)
        },
    )
}

/// Batches of a few rows, each so long that it may be divided among threads.
pub(crate) fn long_rows() -> impl Strategy<Value = Batch> {
    (1..3usize, 131_000..200_000usize, 0..7u8, 0..5000usize, 1..3u32).prop_flat_map(
        |(rows, categories, kind, other, draws)| {
            batches_of(rows, categories, row_stride(kind, other, categories), draws)
        },
    )
}

fn draws() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(1), 1 => select(vec![2, 3, 31, 32, 33, 63, 64, 65]), 1 => 1..=70u32]
}

fn batches_of(
    rows: usize,
    categories: usize,
    row_stride: usize,
    draws: u32,
) -> impl Strategy<Value = Batch> {
    let masked = select(vec![f32::NEG_INFINITY, f32::NEG_INFINITY, -1e30, f32::MIN]);
    let invalid = prop_oneof![
        5 => Just(None),
        1 => (4..14).prop_map(|power| Some(1u32 << power)),
    ];
    let logits = (bases(), any::<bool>(), offsets(), masks(), masked, invalid, any::<u32>());
    let first_row = prop_oneof![Just(0), any::<u64>(), (1 << 32) - 40..1u64 << 32, u64::MAX - 40..];
    let row_ids = prop_oneof![
        3 => Just(None),
        1 => prop::collection::vec(any::<u64>(), rows).prop_map(Some),
    ];
    let last = MAX_DRAWS - draws;
    let first_draw = prop_oneof![Just(0), Just(last), 0..=last];
    let options = (any::<u64>(), first_row, row_ids, first_draw, temperatures());
    (logits, options).prop_map(move |(logits, options)| {
        let (base, scaled, offset, mask, masked, invalid, word) = logits;
        let (seed, first_row, row_ids, first_draw, temperature) = options;
        Batch {
            rows,
            categories,
            row_stride,
            base,
            scaled,
            offset,
            mask,
            masked,
            invalid,
            word,
            seed,
            first_row,
            row_ids,
            first_draw,
            draws,
            temperature,
            restriction: Restriction::default(),
        }
    })
}

impl Batch {
    pub(crate) fn options(&self) -> SampleOptions<'_> {
        let mut options = SampleOptions::default()
            .with_seed(self.seed)
            .with_draws(self.draws)
            .with_first_draw(self.first_draw)
            .with_temperature(self.temperature)
            .with_sentinels(true);
        options.row_ids = match &self.row_ids {
            Some(ids) => RowIds::Each(ids),
            None => RowIds::Consecutive(self.first_row),
        };
        self.restriction.add_to(options, self.categories)
    }

    /// Returns the noise of draw `draw` of a row, counted from the first.
    pub(crate) fn stream(&self, row: usize, draw: u32) -> Stream {
        let row = match &self.row_ids {
            Some(ids) => ids[row],
            None => self.first_row.wrapping_add(row as u64),
        };
        Stream::new(self.seed, row, self.first_draw + draw)
    }

    /// Returns the logits' memory. Where rows overlap, each later row is whole.
    pub(crate) fn data(&self) -> Vec<f32> {
        let Some(before) = self.rows.checked_sub(1) else { return Vec::new() };
        // no engine may read the memory between rows
        let mut data = vec![f32::NAN; before * self.row_stride + self.categories];
        for row in 0..self.rows {
            let stream = self.stream(row, self.word % self.draws);
            for (category, logit) in
                data[row * self.row_stride..][..self.categories].iter_mut().enumerate()
            {
                *logit = self.logit(row, category, stream);
            }
        }
        data
    }

    #[expect(clippy::unwrap_used, reason = "data of its own length")]
    pub(crate) fn logits<'a>(&self, data: &'a [f32]) -> Logits<'a> {
        Logits::strided(data, self.rows, self.categories, self.row_stride).unwrap()
    }

    /// Returns logits of another type, with the layout of this batch.
    #[expect(clippy::unwrap_used, reason = "data of its own length")]
    pub(crate) fn logits_of<'a, T: Logit>(&self, data: &'a [T]) -> Logits<'a> {
        Logits::strided(data, self.rows, self.categories, self.row_stride).unwrap()
    }

    /// Returns the batch with a temperature that weights can have.
    pub(crate) fn of_weights(&self) -> Self {
        let least = 2f32.powi(-20);
        let temperature = match self.temperature {
            0.0 => 0.0,
            temperature => temperature.max(least),
        };
        Self { temperature, restriction: self.restriction.of_weights(), ..self.clone() }
    }

    /// Returns the exponentials of the data as weights: exp(−T·G) where the data cancel the noise.
    /// Values that are awkward by their bits are weights themselves, and invalid values stay
    /// invalid.
    pub(crate) fn weights(&self) -> Vec<f32> {
        let weight = |x: f32| match self.base {
            _ if x == f32::NEG_INFINITY => 0.0,
            _ if x.is_nan() || x == f32::INFINITY => x,
            Base::Huge | Base::Subnormal | Base::Zeros => x.abs(),
            Base::Bits => x,
            _ => f64::from(x).exp().min(f32::MAX.into()) as f32,
        };
        self.data().into_iter().map(weight).collect()
    }

    /// Returns counts in proportion to the weights, or any 32 bits.
    pub(crate) fn counts(&self) -> Vec<u32> {
        let count = |x: f32| match self.base {
            _ if x == f32::NEG_INFINITY => 0,
            Base::Bits | Base::Subnormal => x.to_bits(),
            _ => (f64::from(x).exp() * f64::from(1 << 20)) as u32,
        };
        self.data().into_iter().map(count).collect()
    }

    #[expect(clippy::unwrap_used, reason = "data of its own length")]
    pub(crate) fn weights_of<'a, T: Weight>(&self, data: &'a [T]) -> Weights<'a> {
        Weights::strided(data, self.rows, self.categories, self.row_stride).unwrap()
    }

    fn logit(&self, row: usize, category: usize, stream: Stream) -> f32 {
        let key = [self.word, row as u32];
        let words = philox4x32_10([category as u32, 0, 0, 0], key);
        let one_of = |count: u32| words[0].is_multiple_of(count);
        if let Some(count) = self.invalid
            && one_of(count)
        {
            let invalid = [f32::NAN, f32::INFINITY, -f32::NAN];
            return invalid[words[1] as usize % 3];
        }
        let thousandths = 1000 * category / self.categories;
        let masked = match self.mask {
            Mask::Nothing => false,
            Mask::AllBut(count) => !one_of((self.categories / count).max(1) as u32),
            Mask::Prefix(end) => thousandths < end,
            Mask::Suffix(start) => thousandths >= start,
            Mask::AllButEvery(count) => category % count != row % count,
        };
        if masked {
            return self.masked;
        }
        let mut value = self.base.value((category as u32, self.categories), stream, words);
        if self.offset != 0.0 {
            // only if there is an offset: −0 + 0 is +0
            value += self.offset;
        }
        // at temperature 0 the factor would make all of them equal
        if self.scaled && self.temperature > 0.0 { value * self.temperature } else { value }
    }
}

impl Base {
    /// The value of a category in a row of so many.
    fn value(
        self,
        (category, categories): (u32, usize),
        stream: Stream,
        [_, word, small, which]: [u32; 4],
    ) -> f32 {
        let sign = f32::from_bits(1f32.to_bits() | word & 0x8000_0000);
        // mostly 0, so that there are ties
        let little = [0, 0, 0, 1, -1, 2, 1 << 12, 1 << 17][small as usize % 8];
        let beside = |noise: u64| (little - i64::from(gumbel(noise))) as f32 / UNIT as f32;
        match self {
            Self::Normal => {
                let bytes: u32 = word.to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
                (bytes as f32 - 510.0) * (3.0 / 147.8)
            }
            Self::Huge => sign * (3.4e38 - (small % 4) as f32 * 1e37),
            Self::Subnormal => f32::from_bits(word & 0x807f_ffff),
            Self::Zeros => f32::from_bits(word & 0x8000_0000),
            Self::Equal => 0.25,
            Self::Bits => f32::from_bits(word),
            Self::Steps if word.is_multiple_of(3) => sign * 0.0,
            Self::Steps => -((word % 3) as f32),
            Self::Level => beside(noise(stream, category, categories)),
            Self::LevelBounds => beside(best_noise(stream, category, categories)),
            Self::Mixed => {
                use Base::*;
                let one = [Normal, Subnormal, Zeros, Equal, Steps, Level, LevelBounds, Huge];
                // few logits are huge, since these leave nothing to decide
                let one = if which < 1 << 21 { Huge } else { one[which as usize % 7] };
                one.value((category, categories), stream, [0, word, small, 0])
            }
        }
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
