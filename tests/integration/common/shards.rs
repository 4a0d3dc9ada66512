//! What shards tell makes the draws of the whole rows, whichever engines tell it.

#![expect(
    clippy::unwrap_used,
    reason = "shards of these sizes, and values of these rows, are valid"
)]

use std::ops::Range;

use gumbel::engine::Blocking;
use gumbel::half::bf16;
use gumbel::noise::philox::philox4x32_10;
use gumbel::{
    Allowed, Batch, Bias, CpuSampler, Error, History, Logits, Penalty, SampleOptions, Sampler,
    Shard, ShardDraws, ShardSums, Share, Truncation,
};

/// The name of a kind of rows, and the value of a random word there.
type Made = (&'static str, fn(usize) -> f32);

/// Random rows, rows with ties, and rows that make the most of what shards tell.
const ROWS: [Made; 5] = [
    ("normal", normal),
    ("ties", |i| (word(i) % 5) as f32),
    ("equal", |_| 0.25),
    ("falling", |i| -(i as f32) / 100.0),
    ("some never", |i| if word(i).is_multiple_of(3) { normal(i) } else { f32::NEG_INFINITY }),
];

/// Splits rows of these numbers of rows and categories, under masks, biases, penalties and all cuts, and compares the draws
/// with those of whole rows on the CPU. The first sampler is told every second shard, and the second the others.
///
/// # Errors
/// The engines' errors.
///
/// # Panics
/// If draws differ.
pub(crate) fn agree<A: Blocking, B: Blocking>(
    first: &Sampler<A>,
    second: &Sampler<B>,
    sizes: &[(usize, usize)],
) -> Result<(), Error> {
    for &(rows, categories) in sizes {
        for (name, fill) in ROWS {
            let data: Vec<f32> =
                (0..rows * categories).map(|i| bf16::from_f32(fill(i)).to_f32()).collect();
            let whole = Logits::new(&data, categories)?;
            under_all_options(rows, categories, |options| {
                let expected = CpuSampler::new().sample_rows(whole, options)?;
                for (shards, halves) in [(2, false), (3, true), (7, false)] {
                    let split = Split { data: &data, categories, options, shards, halves };
                    let got = split.draws(first, second)?;
                    assert_eq!(got, expected, "{name}, {categories}, {shards} shards, {options:?}");
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Calls `with` with options for so many rows of at least 7 categories.
fn under_all_options(
    rows: usize,
    categories: usize,
    mut with: impl FnMut(&SampleOptions<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let new = Truncation::new;
    let all = new().with_top_k(40).with_top_p(0.9).with_min_p(0.01).with_epsilon(1e-4);
    let of_rest = new().with_top_k(30).with_top_p(0.9).with_min_p(0.05).with_share(Share::Rest);
    let ids: Vec<u64> = (0..rows as u64).map(|row| row * row + 7).collect();
    let seeds: Vec<u64> = (0..rows as u64).map(|row| ((row / 2) << 33) | 11).collect();
    let first_draws: Vec<u32> = (0..rows).map(|row| [5, 0, 1 << 30, 5][row % 4]).collect();
    let temperatures: Vec<f32> = (0..rows).map(|row| [1.0, 0.5, 2.0][row % 3]).collect();
    let truncations: Vec<Truncation> =
        (0..rows).map(|row| [new(), all, new().with_top_p(0.5)][row % 3]).collect();
    let words = categories.div_ceil(32);
    let mask: Vec<u32> = (0..rows * words).map(|i| word(i) | 0x10).collect();
    let (favoured, values) = ([1, 5, 6], [3.0, f32::NEG_INFINITY, -1.0]);
    // each row has had one category more than the row before, up to four; most are in other shards than the first
    let had: Vec<Vec<u32>> =
        (0..rows).map(|row| (0..row % 5).map(|i| word(9 * row + i)).collect()).collect();
    let offsets: Vec<usize> = (0..=rows).map(|row| had[..row].iter().map(Vec::len).sum()).collect();
    let had: Vec<u32> = had.concat().iter().map(|word| word % categories as u32).collect();
    let counts: Vec<u32> = (0..had.len() as u32).map(|i| i % 4).collect();
    // below 0, so that few rows show what a history does: what they have had is drawn again
    let penalty = Penalty::new().with_repetition(1.3).with_frequency(-4.0).with_presence(0.5);

    let plain = SampleOptions::default().with_seed(5).with_row_ids(&ids).with_sentinels(true);
    let penalised =
        plain.with_history(History::each(&offsets, &had, &counts)).with_penalty(penalty);
    for options in [
        plain,
        plain.with_truncation(new().with_top_k(3)),
        plain.with_truncation(new().with_min_p(0.1)),
        plain.with_truncation(new().with_top_p(0.8)),
        plain.with_truncation(new().with_top_p(0.1).with_at_temperature(3.0)),
        plain.with_truncation(new().with_epsilon(0.01)),
        plain.with_truncation(all),
        plain.with_truncation(all.with_share(Share::All)),
        plain.with_truncation(of_rest),
        plain.with_temperatures(&temperatures).with_truncations(&truncations),
        plain
            .with_allowed(Allowed::each(&mask, words))
            .with_bias(Bias::shared(&favoured, &values))
            .with_truncation(new().with_top_p(0.7)),
        plain.with_seeds(&seeds),
        plain.with_first_draws(&first_draws).with_truncation(new().with_top_k(4)),
        penalised,
        penalised
            .with_seeds(&seeds)
            .with_first_draws(&first_draws)
            .with_bias(Bias::shared(&favoured, &values))
            .with_truncations(&truncations),
        plain.with_temperature(0.0),
        plain.with_temperature(0.0).with_truncation(all),
        penalised.with_temperature(0.0),
    ] {
        with(&options)?;
    }
    Ok(())
}

/// Rows that are to be split among so many shards, as they are or as halves.
struct Split<'a> {
    data: &'a [f32],
    categories: usize,
    options: &'a SampleOptions<'a>,
    shards: usize,
    halves: bool,
}

impl Split<'_> {
    /// The draws, by results that are merged in some order.
    fn draws<A: Blocking, B: Blocking>(
        &self,
        first: &Sampler<A>,
        second: &Sampler<B>,
    ) -> Result<Vec<u32>, Error> {
        let Self { data, categories, options, shards, halves } = *self;
        let parts: Vec<Part> = ends(shards, categories)
            .windows(2)
            .map(|ends| Part::new(data, categories, ends[0]..ends[1], halves))
            .collect();
        let is_first = |i: usize| i.is_multiple_of(2);
        let tell = |(i, part): (usize, &Part)| match is_first(i) {
            true => first.sample_shard(part.batch(), part.shard, options),
            false => second.sample_shard(part.batch(), part.shard, options),
        };
        let told: Vec<ShardDraws> = parts.iter().enumerate().map(tell).collect::<Result<_, _>>()?;
        // one after the other, and in a tree from the end
        let mut draws = told[0].clone();
        told[1..].iter().for_each(|told| draws.merge(told).unwrap());
        let mut level = told;
        while level.len() > 1 {
            let last = level.pop().unwrap();
            let at = level.len() / 2;
            level[at].merge(&last).unwrap();
        }
        assert_eq!(level[0], draws);
        let sum = |(i, part): (usize, &Part)| match is_first(i) {
            true => first.sum_shard(part.batch(), part.shard, options, &draws),
            false => second.sum_shard(part.batch(), part.shard, options, &draws),
        };
        let mut sums: Vec<ShardSums> =
            parts.iter().enumerate().map(sum).collect::<Result<_, _>>()?;
        let mut all = sums.pop().unwrap();
        sums.iter().for_each(|sums| all.merge(sums).unwrap());
        draws.draws(draws.need_sums().then_some(&all))
    }
}

/// A shard and its logits.
pub(crate) struct Part {
    pub(crate) shard: Shard,
    categories: usize,
    singles: Vec<f32>,
    /// In place of the logits of `f32`, if rows are of halves.
    halves: Option<Vec<bf16>>,
}

impl Part {
    /// Some of the categories of rows.
    pub(crate) fn new(data: &[f32], whole: usize, shard: Range<usize>, halves: bool) -> Self {
        let rows = data.chunks(whole);
        let singles: Vec<f32> = rows.flat_map(|row| &row[shard.clone()]).copied().collect();
        Self {
            shard: Shard::new(shard.start, whole).unwrap(),
            categories: shard.len(),
            halves: halves.then(|| singles.iter().map(|&x| bf16::from_f32(x)).collect()),
            singles,
        }
    }

    /// The logits.
    pub(crate) fn batch(&self) -> Batch<'_> {
        match &self.halves {
            Some(halves) => Logits::from_bf16(halves, self.categories).unwrap().into(),
            None => Logits::new(&self.singles, self.categories).unwrap().into(),
        }
    }
}

/// Where shards begin, and where the last ends: 2, 3 or 7 of uneven sizes, none of them empty.
fn ends(shards: usize, categories: usize) -> Vec<usize> {
    let weights = [1, 5, 2, 9, 3, 1, 4];
    let total: usize = weights[..shards].iter().sum();
    let mut ends: Vec<usize> =
        (0..=shards).map(|i| weights[..i].iter().sum::<usize>() * categories / total).collect();
    for i in 1..shards {
        ends[i] = ends[i].max(ends[i - 1] + 1);
    }
    ends
}

/// Words that are as good as random.
fn word(i: usize) -> u32 {
    philox4x32_10([i as u32, 0, 0, 0], [3, 1])[0]
}

/// Numbers that are nearly normal.
pub(crate) fn normal(i: usize) -> f32 {
    let bytes: u32 = word(i).to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
    (bytes as f32 - 510.0) * (3.0 / 147.8)
}
