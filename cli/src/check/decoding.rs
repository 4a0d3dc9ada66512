//! The operations of decoders and of particle filters that `gumbel check` compares, and estimates of log Z: a line of the
//! table each. Where the host does an operation for all engines, an adapter's column shows that it does so.

use gumbel::conformance::Case;
use gumbel::noise::order::number;
use gumbel::{
    Cut, Drafts, Error, Isa, Logits, NO_DRAW, Particles, Resampling, SampleOptions, Sampler, Shard,
    ShardDraws, ShardSums, Share, Truncation, ValueFormat, Verified, reference,
};

use super::operations::{Off, Operation};

/// Where rows are cut.
pub(super) struct Cuts;

impl Operation for Cuts {
    type Expected = Vec<Cut>;
    type Off = usize;

    fn name(&self) -> String {
        "where rows are cut".to_owned()
    }

    fn expected(&self, case: &Case) -> Result<Vec<Cut>, Error> {
        reference::cut_rows(case.batch(), &case.options())
    }

    fn off(&self, case: &Case, engine: &Sampler, expected: &Vec<Cut>) -> Result<usize, Error> {
        let found = engine.cut_rows(case.batch(), &case.options())?;
        // the numbers of a row without a draw are NaN
        let same = |(a, b): &(&Cut, &Cut)| a == b || a.is_none() && b.is_none();
        let differ = found.iter().zip(expected).filter(|pair| !same(pair)).count();
        Ok(differ + found.len().abs_diff(expected.len()))
    }

    fn complaint(&self, off: usize, _: &Sampler) -> Option<String> {
        (off > 0).then(|| off.cell())
    }
}

/// Draws of rows that are split into three shards.
pub(super) struct Shards;

/// Returns whether the rows of a case can be split: logits of at most 32 bits where they lie, cut in two rounds at most, and
/// either all greedy or none.
pub(super) fn can_be_split(case: &Case) -> bool {
    let options = case.options();
    let takes_three =
        |of: &Truncation| of.share == Share::Rest && of.top_p.is_some() && of.epsilon.is_some();
    let mut own = options.temperatures.unwrap_or(&[]).iter();
    case.logits().is_some()
        && case.batch().format() != ValueFormat::F64
        && options.row_indices.is_none()
        && own.all(|temperature| *temperature > 0.0)
        && !takes_three(&options.truncation)
        && !options.truncations.is_some_and(|own| own.iter().any(takes_three))
}

/// The case's options, for one draw of each row.
fn single(case: &Case) -> SampleOptions<'_> {
    case.options().with_draws(1)
}

impl Operation for Shards {
    type Expected = Vec<u32>;
    type Off = usize;

    fn name(&self) -> String {
        "draws of rows that are split into shards".to_owned()
    }

    fn expected(&self, case: &Case) -> Result<Vec<u32>, Error> {
        reference::sample_rows(case.batch(), &single(case))
    }

    fn off(&self, case: &Case, engine: &Sampler, expected: &Vec<u32>) -> Result<usize, Error> {
        let Some(logits) = case.logits() else { return Ok(expected.len()) };
        let (rows, categories) = (logits.rows(), logits.categories());
        let mut ends = vec![0, categories / 5, categories / 2, categories];
        ends.dedup();
        // halves draw what the same numbers draw in f32
        let part = |shard: &[usize]| -> Result<Vec<f32>, Error> {
            let mut values = Vec::new();
            for row in 0..rows {
                values.extend_from_slice(&logits.row_f32(row)?[shard[0]..shard[1]]);
            }
            Ok(values)
        };
        let parts = ends.windows(2).map(|ends| Ok((ends[0], part(ends)?)));
        let parts: Vec<_> = parts.collect::<Result<_, Error>>()?;
        let lens: Vec<usize> = ends.windows(2).map(|ends| ends[1] - ends[0]).collect();
        let options = single(case);
        let mut draws: Option<ShardDraws> = None;
        for ((first, data), &len) in parts.iter().zip(&lens) {
            let batch = Logits::strided(data, rows, len, len)?;
            let told = engine.sample_shard(batch, Shard::new(*first, categories)?, &options)?;
            match &mut draws {
                None => draws = Some(told),
                Some(draws) => draws.merge(&told)?,
            }
        }
        let Some(draws) = draws else { return Ok(expected.len()) };
        let mut sums: Option<ShardSums> = None;
        for ((first, data), &len) in parts.iter().zip(&lens) {
            let batch = Logits::strided(data, rows, len, len)?;
            let told =
                engine.sum_shard(batch, Shard::new(*first, categories)?, &options, &draws)?;
            match &mut sums {
                None => sums = Some(told),
                Some(sums) => sums.merge(&told)?,
            }
        }
        let found = draws.draws(sums.as_ref())?;
        let differ = found.iter().zip(expected).filter(|(found, expected)| found != expected);
        Ok(differ.count() + found.len().abs_diff(expected.len()))
    }

    fn complaint(&self, off: usize, _: &Sampler) -> Option<String> {
        (off > 0).then(|| off.cell())
    }
}

/// What is left of drafts: the rows of a case are those of requests with two guesses each.
pub(super) struct Verification {
    /// Whether drafts are tested by the ratio of probabilities, those of a drafter whose logits are all 0.
    pub(super) by_ratio: bool,
}

/// The rows of a request: its root, and a row for each guess.
const ROWS_OF_REQUEST: usize = 3;

/// Returns whether a drafter whose logits are all 0 can have guessed what the target draws.
pub(super) fn can_be_tested(case: &Case) -> bool {
    let options = case.options();
    let adjusts = options.bias.is_some() || options.history.is_some();
    case.logits().is_some() && options.row_indices.is_none() && !adjusts
}

/// The drafts of a case, and what the reference leaves of them.
pub(super) struct Verdict {
    offsets: Vec<usize>,
    guesses: Vec<u32>,
    verified: Verified,
}

/// The logits of a drafter that has made these guesses.
fn drafter(case: &Case, guesses: &[u32]) -> Vec<f32> {
    vec![0.0; guesses.len() * case.batch().categories()]
}

impl Operation for Verification {
    type Expected = Verdict;
    type Off = usize;

    fn name(&self) -> String {
        if self.by_ratio { "drafts verified by ratio" } else { "verified drafts" }.to_owned()
    }

    fn expected(&self, case: &Case) -> Result<Verdict, Error> {
        let (batch, options) = (case.batch(), single(case));
        let categories = batch.categories();
        let draws = reference::sample_rows(batch, &options)?;
        let (mut offsets, mut guesses) = (vec![0], Vec::new());
        for (request, draws) in draws.chunks(ROWS_OF_REQUEST).enumerate() {
            let guess = |(i, &draw): (usize, &u32)| match draw {
                NO_DRAW => 0,
                // coupled drafts are right or wrong; the ratio decides by itself
                draw if (request + i) % 2 == 1 && !self.by_ratio => (draw + 1) % categories as u32,
                draw => draw,
            };
            guesses.extend(draws[..draws.len() - 1].iter().enumerate().map(guess));
            offsets.push(guesses.len());
        }
        let drafts = Drafts::chains(&offsets, &guesses)?;
        let verified = if self.by_ratio {
            let zeros = drafter(case, &guesses);
            let rows = Logits::strided(&zeros, guesses.len(), categories, categories)?;
            reference::verify_rows_by_ratio(batch, rows, &drafts, &options)
        } else {
            reference::verify_rows(batch, &drafts, &options)
        }?;
        Ok(Verdict { offsets, guesses, verified })
    }

    fn off(&self, case: &Case, engine: &Sampler, expected: &Verdict) -> Result<usize, Error> {
        let (batch, options) = (case.batch(), single(case));
        let Verdict { offsets, guesses, verified } = expected;
        let drafts = Drafts::chains(offsets, guesses)?;
        let found = if self.by_ratio {
            let (zeros, categories) = (drafter(case, guesses), batch.categories());
            let rows = Logits::strided(&zeros, guesses.len(), categories, categories)?;
            engine.verify_rows_by_ratio(batch, rows, &drafts, &options)
        } else {
            engine.verify_rows(batch, &drafts, &options)
        }?;
        let of = |verified: &Verified, i| {
            (verified.accepted(i), verified.categories(i).to_vec(), verified.rows(i).to_vec())
        };
        let requests = drafts.requests().min(found.requests());
        let differ = (0..requests).filter(|&i| of(&found, i) != of(verified, i)).count();
        Ok(differ + found.requests().abs_diff(drafts.requests()))
    }

    fn complaint(&self, off: usize, _: &Sampler) -> Option<String> {
        (off > 0).then(|| off.cell())
    }
}

/// Ancestors of particles, whose log-weights are a row of a case. Each column is of all instruction sets of the CPU.
pub(super) struct Ancestors;

const SCHEMES: [Resampling; 3] =
    [Resampling::Systematic, Resampling::Stratified, Resampling::Residual];

/// Returns the log-weights of the first row of a case; none if it has no logits.
fn log_weights(case: &Case) -> Result<Vec<f64>, Error> {
    match case.logits().filter(|logits| logits.rows() > 0) {
        None => Ok(Vec::new()),
        Some(logits) => Ok(logits.row_f32(0)?.iter().map(|&x| x.into()).collect()),
    }
}

impl Operation for Ancestors {
    /// The ancestors by each scheme; none if the log-weights are refused.
    type Expected = Option<[Vec<u32>; 3]>;
    type Off = usize;

    fn name(&self) -> String {
        "ancestors of particles, on the CPU".to_owned()
    }

    fn expected(&self, case: &Case) -> Result<Self::Expected, Error> {
        let log_weights = log_weights(case)?;
        if log_weights.is_empty() {
            return Ok(None);
        }
        let positions = 2 * log_weights.len() + 1;
        let weights = reference::particle_weights(&log_weights).ok();
        let options = SampleOptions::default().with_seed(positions as u64);
        let of = |weights: Vec<u64>| {
            SCHEMES.map(|scheme| reference::resample(&weights, scheme, &options, positions))
        };
        Ok(weights.map(of))
    }

    fn off(&self, case: &Case, _: &Sampler, expected: &Self::Expected) -> Result<usize, Error> {
        let log_weights = log_weights(case)?;
        let mut differ = 0;
        for isa in Isa::available() {
            let mut particles = Particles::default().with_isa(isa)?;
            let Some(expected) = expected else {
                differ += usize::from(particles.weigh(&log_weights).is_ok());
                continue;
            };
            particles.weigh(&log_weights)?;
            for (scheme, expected) in SCHEMES.into_iter().zip(expected) {
                let options = SampleOptions::default().with_seed(expected.len() as u64);
                let found = particles.resample(scheme, &options, expected.len())?;
                differ += found.iter().zip(expected).filter(|(a, b)| a != b).count();
            }
        }
        Ok(differ)
    }

    fn complaint(&self, off: usize, _: &Sampler) -> Option<String> {
        (off > 0).then(|| off.cell())
    }
}

/// Estimates of log Z, from the keys of the reference's races.
pub(super) struct Estimates;

const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

impl Operation for Estimates {
    type Expected = Vec<f64>;
    type Off = usize;

    fn name(&self) -> String {
        "estimates of log Z".to_owned()
    }

    fn expected(&self, case: &Case) -> Result<Vec<f64>, Error> {
        let race = case.expected_race(1)?;
        let draws = case.options().draws as usize;
        let none = |pairs: &[u32]| pairs.contains(&NO_DRAW);
        let rows = race.keys().chunks(draws).zip(race.categories().chunks(draws));
        let of = |(keys, categories): (&[i64], &[u32])| match none(categories) {
            true => f64::NAN,
            false => keys.iter().map(|&key| number(key)).sum::<f64>() / draws as f64 - EULER_GAMMA,
        };
        Ok(rows.map(of).collect())
    }

    fn off(&self, case: &Case, engine: &Sampler, expected: &Vec<f64>) -> Result<usize, Error> {
        let found = engine.estimate_log_z(case.batch(), &case.warm_options())?;
        // a row of f64 is relative to its base, which keys round and estimates do not
        let apart = match case.batch().format() {
            ValueFormat::F64 | ValueFormat::WeightsF64 => 1e-7,
            _ => 1e-15,
        };
        let same = |a: f64, b: f64| {
            a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= apart * b.abs().max(1.0)
        };
        let pairs = found.iter().zip(expected);
        let differ = pairs.filter(|(found, expected)| !same(found.estimate, **expected)).count();
        Ok(differ + found.len().abs_diff(expected.len()))
    }

    fn complaint(&self, off: usize, _: &Sampler) -> Option<String> {
        (off > 0).then(|| off.cell())
    }
}
