//! Operations that allocate what their caller asks for, where there is no memory for it: each is an error.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use gumbel::half::{bf16, f16};
use gumbel::{
    Allowed, Batch, Bias, CpuSampler, Drafts, Error, History, Logits, Method, Particles, Penalty,
    Relaxation, Resampling, SampleOptions, Shard, ShardDraws, Truncation, Weights,
};

use crate::{LARGE_LEFT, THREADS, logits};

/// The name of an operation, and whether it gave a result.
pub(crate) type Operation = (&'static str, fn(&Asked<'_>) -> Result<(), Error>);

/// What operations are asked for.
pub(crate) struct Asked<'a> {
    cpu: &'a CpuSampler,
    logits: Logits<'a>,
    weights: Weights<'a>,
    /// Rows of numbers of two bytes, or of counts.
    other: Batch<'a>,
    /// The logits that engines read in place.
    single: &'a [f32],
    options: SampleOptions<'a>,
    of_rows: OfRows<'a>,
    /// As many as samples.
    cotangents: &'a [f32],
    log_weights: &'a [f64],
    /// A mask of few categories, for all rows.
    mask: &'a [u32],
    /// As many as rows.
    zeros: &'a [u32],
    /// One more than rows.
    offsets_of_none: &'a [usize],
}

/// What each row is asked for of its own.
struct OfRows<'a> {
    seeds: &'a [u64],
    temperatures: &'a [f32],
    truncations: &'a [Truncation],
    penalties: &'a [Penalty],
    /// Where the entries of each row begin; as many as there are categories, of one row.
    offsets: &'a [usize],
    categories: &'a [u32],
    biases: &'a [f32],
    counts: &'a [u32],
}

impl Asked<'_> {
    /// Draws, and sums, of what a truncation keeps.
    fn cut(&self, truncation: Truncation, options: SampleOptions<'_>) -> Result<(), Error> {
        let options = options.with_truncation(truncation);
        self.cpu.sample_rows(self.logits, &options)?;
        self.cpu.logsumexp_rows(self.logits, &options).map(drop)
    }

    /// Draws, races, gradients and cuts of adjusted logits.
    fn adjusted(&self, options: SampleOptions<'_>) -> Result<(), Error> {
        let soft = Relaxation::soft(0.5);
        self.cpu.sample_rows(self.logits, &options)?;
        self.cpu.race_rows(self.logits, &options, 2)?;
        self.cpu.soften_rows_vjp(self.logits, &options, soft, self.cotangents)?;
        self.cut(Truncation::new().with_top_k(9), options)?;
        self.cpu
            .cut_rows(self.logits, &options.with_truncation(Truncation::new().with_top_k(9)))
            .map(drop)
    }

    /// Rows of f32, as the halves of rows that are twice as long, and options of one draw.
    fn halves(&self) -> Result<([Shard; 2], Logits<'_>, SampleOptions<'_>), Error> {
        let categories = self.logits.categories();
        let shards = [Shard::new(0, 2 * categories)?, Shard::new(categories, 2 * categories)?];
        let cut = Truncation::new().with_top_k(600).with_top_p(0.4);
        let options = SampleOptions::default().with_temperature(0.9).with_truncation(cut);
        // of long rows few, as each has memory of its own
        let few = if categories > 1000 { 2 * categories } else { usize::MAX };
        let some = &self.single[..self.single.len().min(few)];
        Ok((shards, Logits::new(some, categories)?, options))
    }

    /// What both halves tell.
    fn told(&self) -> Result<ShardDraws, Error> {
        let ([first, second], rows, options) = self.halves()?;
        let mut draws = self.cpu.sample_shard(rows, first, &options)?;
        draws.merge(&self.cpu.sample_shard(rows, second, &options)?)?;
        Ok(draws)
    }

    /// The length of a chain of drafts for which there are rows, and options of one draw.
    fn chain(&self) -> (usize, SampleOptions<'static>) {
        (self.logits.rows() - 1, SampleOptions::default().with_temperature(0.9))
    }

    fn resample(&self, scheme: Resampling) -> Result<(), Error> {
        let plain = SampleOptions::default();
        let particles = Particles::new(self.log_weights)?;
        particles.resample(scheme, &plain, self.log_weights.len()).map(drop)
    }
}

/// Operations that depend on the options of the call.
const OPERATIONS: [Operation; 19] = [
    ("draws", |a| a.cpu.sample_rows(a.logits, &a.options).map(drop)),
    ("draws of weights", |a| a.cpu.sample_rows(a.weights, &a.options).map(drop)),
    ("draws by inverse CDF", |a| {
        a.cpu.sample_rows(a.logits, &a.options.with_method(Method::InverseCdf)).map(drop)
    }),
    ("the first of races", |a| a.cpu.race_rows(a.logits, &a.options, 1).map(drop)),
    ("the first three of races", |a| a.cpu.race_rows(a.logits, &a.options, 3).map(drop)),
    ("many places of races", |a| {
        a.cpu.race_rows(a.logits, &a.options, a.logits.categories().min(2000)).map(drop)
    }),
    ("logsumexps", |a| a.cpu.logsumexp_rows(a.logits, &a.options).map(drop)),
    ("log-probabilities", |a| a.cpu.sample_rows_scored(a.logits, &a.options).map(drop)),
    ("log-probabilities of draws by inverse CDF", |a| {
        let options = a.options.with_method(Method::InverseCdf);
        a.cpu.sample_rows_scored(a.logits, &options).map(drop)
    }),
    ("estimates of log Z", |a| a.cpu.estimate_log_z(a.logits, &a.options).map(drop)),
    ("a kept inverse CDF", |a| a.cpu.inverse_cdf(a.weights, &a.options).map(drop)),
    ("draws from a kept inverse CDF", |a| {
        let draws = a.options.draws;
        a.cpu.inverse_cdf(a.logits, &a.options)?.sample_rows(0, draws).map(drop)
    }),
    ("soft samples", |a| a.cpu.soften_rows(a.logits, &a.options, Relaxation::soft(0.5)).map(drop)),
    ("hard samples", |a| {
        a.cpu.soften_rows(a.logits, &a.options, Relaxation::straight_through(0.5)).map(drop)
    }),
    ("gradients", |a| {
        let soft = Relaxation::soft(0.5);
        a.cpu.soften_rows_vjp(a.logits, &a.options, soft, a.cotangents).map(drop)
    }),
    ("draws from the top k", |a| a.cut(Truncation::new().with_top_k(40), a.options)),
    ("draws from a nucleus", |a| a.cut(Truncation::new().with_top_p(0.4), a.options)),
    ("draws of what is allowed", |a| {
        let allowed = a.options.with_allowed(Allowed::shared(a.mask));
        a.cut(Truncation::new(), allowed)?;
        a.cut(Truncation::new().with_top_k(9), allowed)
    }),
    ("cuts", |a| {
        let options = a.options.with_truncation(Truncation::new().with_top_p(0.4));
        a.cpu.cut_rows(a.logits, &options)?;
        a.cpu.cut_rows(a.weights, &options).map(drop)
    }),
];

/// Operations with rows or options of their own.
const OTHERS: [Operation; 16] = [
    ("cuts of what is allowed", |a| {
        let nucleus = a.options.with_truncation(Truncation::new().with_top_p(0.4));
        a.cpu.cut_rows(a.logits, &nucleus.with_allowed(Allowed::shared(a.mask)))?;
        a.cpu.cut_rows(a.weights, &nucleus.with_allowed(Allowed::shared(a.mask))).map(drop)
    }),
    ("draws of halves and counts", |a| {
        a.cpu.sample_rows(a.other, &a.options)?;
        a.cpu.sample_rows(a.other, &a.options.with_method(Method::InverseCdf)).map(drop)
    }),
    ("races of halves and counts", |a| {
        a.cpu.race_rows(a.other, &a.options, 3)?;
        a.cpu.sample_rows_scored(a.other, &a.options).map(drop)
    }),
    ("cuts of halves and counts", |a| {
        let nucleus = a.options.with_truncation(Truncation::new().with_top_p(0.4));
        a.cpu.sample_rows(a.other, &nucleus)?;
        a.cpu.cut_rows(a.other, &nucleus).map(drop)
    }),
    ("seeds and temperatures of rows", |a| {
        let OfRows { seeds, temperatures, .. } = a.of_rows;
        let options = a.options.with_seeds(seeds).with_temperatures(temperatures);
        a.cpu.sample_rows(a.logits, &options)?;
        a.cpu.sample_rows(a.weights, &options.with_method(Method::InverseCdf))?;
        a.cpu.soften_rows(a.logits, &options, Relaxation::soft(0.5))?;
        a.cpu.logsumexp_rows(a.logits, &options).map(drop)
    }),
    ("truncations of rows", |a| {
        let options = a.options.with_truncations(a.of_rows.truncations);
        a.cpu.sample_rows(a.logits, &options)?;
        a.cpu.sample_rows(a.weights, &options)?;
        a.cpu.cut_rows(a.logits, &options).map(drop)
    }),
    ("a bias", |a| {
        let OfRows { categories, biases, .. } = a.of_rows;
        a.adjusted(a.options.with_bias(Bias::shared(categories, biases)))
    }),
    ("penalties of a history", |a| {
        let OfRows { penalties, offsets, categories, counts, .. } = a.of_rows;
        let history = History::each(offsets, categories, counts);
        a.adjusted(a.options.with_history(history).with_penalties(penalties))
    }),
    ("a row as f32", |a| a.logits.row_f32(0).map(drop)),
    ("verified drafts", |a| {
        let (guesses, options) = a.chain();
        let (offsets, guessed) = ([0, guesses], &a.zeros[..guesses]);
        let drafts = Drafts::chains(&offsets, guessed)?;
        a.cpu.verify_rows(a.logits, &drafts, &options).map(drop)
    }),
    ("drafts verified by ratio", |a| {
        let (guesses, options) = a.chain();
        let (offsets, guessed) = ([0, guesses], &a.zeros[..guesses]);
        let drafts = Drafts::chains(&offsets, guessed)?;
        let categories = a.logits.categories();
        let drafter = Logits::new(&a.single[..guesses * categories], categories)?;
        a.cpu.verify_rows_by_ratio(a.logits, drafter, &drafts, &options)?;
        // a request for each row, without drafts
        let none = Drafts::chains(a.offsets_of_none, &[])?;
        a.cpu
            .verify_rows_by_ratio(a.logits, Logits::new(&[], categories)?, &none, &options)
            .map(drop)
    }),
    ("shards of draws", |a| a.told().map(drop)),
    ("shards of sums", |a| {
        let ([first, second], rows, options) = a.halves()?;
        let draws = a.told()?;
        let mut sums = a.cpu.sum_shard(rows, first, &options, &draws)?;
        sums.merge(&a.cpu.sum_shard(rows, second, &options, &draws)?)?;
        draws.draws(Some(&sums)).map(drop)
    }),
    ("systematic resampling", |a| a.resample(Resampling::Systematic)),
    ("stratified resampling", |a| a.resample(Resampling::Stratified)),
    ("residual resampling", |a| a.resample(Resampling::Residual)),
];

/// Rows, categories and draws, many of each.
const MUCH: [(usize, usize, u32); 4] =
    [(60_000, 3, 1), (60, 5000, 2), (1, 300_000, 1), (1, 20, 20_000)];

/// Runs every operation with memory for its first large allocations and for no more, however many these are, and expects
/// an error. (An allocation that cannot fail ends the process.) Returns the number of errors for each operation.
#[expect(clippy::unwrap_used, reason = "all that is asked for is valid")]
pub(crate) fn where_memory_ends() -> Vec<(&'static str, usize)> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS);
    let cpu = CpuSampler::new().with_pool(Arc::new(pool.build().unwrap()));
    let every = || OPERATIONS.iter().chain(&OTHERS);
    let mut errors: Vec<_> = every().map(|&(name, _)| (name, 0)).collect();
    for (rows, categories, draws) in MUCH {
        let single = logits(rows * categories);
        let double: Vec<_> = single.iter().map(|&x| f64::from(x)).collect();
        let positive: Vec<_> = double.iter().map(|x| x.exp()).collect();
        let columns = Logits::with_strides(&single, rows, categories, 1, rows).unwrap();
        let ids: Vec<_> = (0..rows as u64).collect();
        let indices: Vec<_> = (0..rows as u32).rev().collect();
        let mask: Vec<_> = (0..categories.div_ceil(32)).map(|i| u32::from(i % 8 == 0)).collect();
        let cotangents = vec![1.0; rows * categories * draws as usize];
        let halves: Vec<_> = single.iter().map(|&x| f16::from_f32(x)).collect();
        let upper: Vec<_> = single.iter().map(|&x| bf16::from_f32(x)).collect();
        let whole: Vec<_> = positive.iter().map(|&x| 1 + x.min(1e6) as u32).collect();
        let (zeros, offsets_of_none) = (vec![0; rows], vec![0; rows + 1]);
        // few rows differ, as each part of rows with the same options is a call
        let temperatures: Vec<_> = (0..rows).map(|row| [0.9, 1.3][row * 4 / rows % 2]).collect();
        let seeds: Vec<_> = (0..rows).map(|row| (row * 3 / rows) as u64).collect();
        let truncations = vec![Truncation::new().with_top_k(9).with_min_p(1e-3); rows];
        let penalties = vec![Penalty::new().with_repetition(1.2).with_presence(0.1); rows];
        // all entries are the first row's
        let entries = categories as u32;
        let offsets: Vec<_> = (0..=rows).map(|row| row.min(1) * categories).collect();
        let (named, counts): (Vec<_>, Vec<_>) = (0..entries).map(|i| (i, i % 3)).unzip();
        let biases: Vec<_> = named.iter().map(|&i| (i % 5) as f32 * 0.1).collect();
        let plain = SampleOptions::default().with_draws(draws).with_temperature(0.9);
        let all: [(_, Batch<'_>); 3] = [
            (
                Logits::new(&single, categories).unwrap(),
                Logits::from_f16(&halves, categories).unwrap().into(),
            ),
            (
                Logits::from_f64(&double, categories).unwrap(),
                Logits::from_bf16(&upper, categories).unwrap().into(),
            ),
            (columns, Weights::from_counts(&whole, categories).unwrap().into()),
        ];
        for (logits, other) in all {
            let weights = Weights::from_f64(&positive, categories).unwrap();
            let each = [plain, plain.with_row_ids(&ids), plain.with_row_indices(&indices)];
            for (options, depending) in
                each.into_iter().zip([every().count(), OPERATIONS.len(), OPERATIONS.len()])
            {
                let asked = Asked {
                    cpu: &cpu,
                    logits,
                    weights,
                    other,
                    single: &single,
                    options,
                    of_rows: OfRows {
                        seeds: &seeds,
                        temperatures: &temperatures,
                        truncations: &truncations,
                        penalties: &penalties,
                        offsets: &offsets,
                        categories: &named,
                        biases: &biases,
                        counts: &counts,
                    },
                    cotangents: &cotangents,
                    log_weights: &double,
                    mask: &mask,
                    zeros: &zeros,
                    offsets_of_none: &offsets_of_none,
                };
                for ((name, errors), (_, operation)) in
                    errors.iter_mut().zip(every()).take(depending)
                {
                    for granted in 0.. {
                        // seen if the process ends
                        let format = logits.format();
                        println!("{name}, {rows} x {categories} x {draws}, {format}: {granted}");
                        LARGE_LEFT.store(granted, Relaxed);
                        let result = operation(&asked);
                        LARGE_LEFT.store(usize::MAX, Relaxed);
                        if result.is_ok() {
                            break;
                        }
                        *errors += 1;
                    }
                    operation(&asked).unwrap();
                }
            }
        }
    }
    errors
}

/// The name of a call on a batch, and the call.
type Call<'a> = (&'static str, &'a dyn Fn(Batch<'_>) -> Result<(), Error>);

/// So many rows that nothing for each of them fits into memory, all of which are the same two logits. The allocator refuses
/// them, as a system would that grants no more than there is.
#[expect(clippy::unwrap_used, reason = "all that is asked for is valid")]
pub(crate) fn more_rows_than_memory() {
    let cpu = CpuSampler::new();
    for rows in [1 << 40, 1 << 60] {
        let logits = Logits::strided(&[0.0f32, 1.0], rows, 2, 0).unwrap();
        let weights = Weights::strided(&[1.0f64, 2.0], rows, 2, 0).unwrap();
        let cut = SampleOptions::default().with_truncation(Truncation::new().with_top_k(1));
        let (options, soft) = (SampleOptions::default(), Relaxation::soft(0.5));
        let all: [Call<'_>; 9] = [
            ("draws", &|batch| cpu.sample_rows(batch, &options).map(drop)),
            ("one place", &|batch| cpu.race_rows(batch, &options, 1).map(drop)),
            ("three places", &|batch| cpu.race_rows(batch, &options, 3).map(drop)),
            ("sums", &|batch| cpu.logsumexp_rows(batch, &options).map(drop)),
            ("scores", &|batch| cpu.sample_rows_scored(batch, &options).map(drop)),
            ("estimates", &|batch| cpu.estimate_log_z(batch, &options).map(drop)),
            ("samples", &|_| cpu.soften_rows(logits, &options, soft).map(drop)),
            ("cuts", &|batch| cpu.cut_rows(batch, &cut).map(drop)),
            ("a shard", &|_| cpu.sample_shard(logits, Shard::new(0, 9)?, &options).map(drop)),
        ];
        for (name, operation) in all {
            for batch in [Batch::from(logits), weights.into()] {
                println!("{name} of {rows} rows of {}", batch.format());
                LARGE_LEFT.store(0, Relaxed);
                let result = operation(batch);
                LARGE_LEFT.store(usize::MAX, Relaxed);
                assert!(result.is_err(), "{name} of {rows} rows");
            }
        }
    }
}
