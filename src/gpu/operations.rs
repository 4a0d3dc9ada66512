//! The other operations of the GPU engine on races: keys, the top k, sums and log-probabilities.

use rayon::prelude::*;

use crate::cpu::top_k_of_race;
use crate::error::Error;
use crate::job::race::RaceJob;
use crate::job::{Job, NO_DRAW, SumJob};
use crate::noise::order::Best;
use crate::options::Method;
use crate::results::{Scores, Sum, TopKSlices};

use super::Gpu;
use super::plan::{Output, Plan};

impl Gpu {
    /// Finds the first k categories of each race, with their keys.
    pub(crate) async fn race(
        &self,
        race: &RaceJob<'_>,
        to: &mut TopKSlices<'_>,
    ) -> Result<(), Error> {
        to.clear();
        if to.categories.is_empty() {
            return Ok(());
        }
        match race.k {
            1 => self.keys(&race.job, to).await,
            _ => self.k(race, to).await,
        }
    }

    /// Computes the logarithm of the sum of each row.
    pub(crate) async fn logsumexp(&self, of: &SumJob<'_>, sums: &mut [f64]) -> Result<(), Error> {
        let mut nothing = of.job.allocate()?;
        let found = self.sums(of, Output::Sums, &mut nothing).await?;
        sums.par_iter_mut().zip(found).for_each(|(to, sum)| *to = sum.ln());
        Ok(())
    }

    /// Draws for all races, with their log-probabilities, and the logarithm of the sum of each row.
    pub(crate) async fn score(&self, of: &SumJob<'_>, to: &mut Scores<'_>) -> Result<(), Error> {
        let SumJob { job, inverse } = *of;
        let sums = if job.inverse_cdf().is_some() {
            self.draw(&job, to.draws).await?;
            let rows = SumJob { job: Job { draws: 1, method: Method::Gumbel, ..job }, inverse };
            let mut nothing = rows.job.allocate()?;
            self.sums(&rows, Output::Sums, &mut nothing).await?
        } else {
            to.draws.fill(NO_DRAW);
            self.sums(of, Output::Scores, to.draws).await?
        };
        to.fill(&job, inverse, &sums);
        Ok(())
    }

    /// Allocates memory for the results of a plan.
    fn words(job: &Job<'_>, plan: &Plan) -> Result<Vec<u32>, Error> {
        let too_many = || {
            if plan.output().has_sums() {
                Error::TooManyDraws { rows: job.logits.rows(), draws: job.draws }
            } else {
                Error::TopKTooLarge { races: job.total(), k: plan.k() as usize }
            }
        };
        let count = plan.all_words().ok_or_else(too_many)?;
        let mut words = Vec::new();
        words.try_reserve_exact(count).map_err(|_| too_many())?;
        words.resize(count, 0);
        Ok(words)
    }

    /// Finds the winner of each race, with its key.
    async fn keys(&self, job: &Job<'_>, to: &mut TopKSlices<'_>) -> Result<(), Error> {
        let plan = self.plan(job, Output::Keys);
        let mut words = Self::words(job, &plan)?;
        self.run_plan(job, &plan, &mut words).await?;
        let k = to.categories.iter_mut().zip(&mut *to.keys);
        for ((category, key), words) in k.zip(words.chunks(3)) {
            if words[0] != NO_DRAW {
                (*category, *key) = (words[0], key_of(words[1], words[2]));
            }
        }
        Ok(())
    }

    /// Finds the first k of each race, for k above 1.
    async fn k(&self, race: &RaceJob<'_>, to: &mut TopKSlices<'_>) -> Result<(), Error> {
        let &RaceJob { ref job, k, .. } = race;
        let too_many = || Error::TopKTooLarge { races: job.total(), k };
        let output = Output::TopK(u32::try_from(k).map_err(|_| too_many())?);
        let plan = self.plan(job, output);
        let record = plan.record();
        if 4 * record as u64 > self.limits.chunk_bytes.min(self.limits.binding_bytes) {
            return Err(too_many());
        }
        let mut words = Self::words(job, &plan)?;
        self.run_plan(job, &plan, &mut words).await?;

        let segments = plan.segments().count();
        let mut rest = &words[..];
        for chunk in plan.chunks() {
            let (records, later) = rest.split_at(chunk.races() * segments * record);
            rest = later;
            let races = chunk
                .rows
                .clone()
                .flat_map(|row| chunk.draws.clone().map(move |number| (row, number)));
            for (i, (row, number)) in races.enumerate() {
                // a chunk's records come segment by segment
                let of_race = records.chunks_exact(record).skip(i).step_by(chunk.races());
                let at = k * (row * job.draws as usize + number as usize);
                let (categories, keys) = (&mut to.categories[at..][..k], &mut to.keys[at..][..k]);
                match ranked(of_race).ok_or_else(too_many)? {
                    Ranking::NoDraw => {}
                    Ranking::Of(found) => {
                        for ((category, key), best) in categories.iter_mut().zip(keys).zip(found) {
                            (*category, *key) = (best.category, best.key);
                        }
                    }
                    // more categories may be among the first k than a record of the device has
                    // memory for
                    Ranking::Unknown => {
                        let RaceJob { job, scale, .. } = race.part(row..row + 1);
                        top_k_of_race(&job, scale, (0, number), categories, keys)
                            .ok_or_else(too_many)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the sum of each row, and writes the draws if `output` has them. The sum of a row
    /// without a draw has no logarithm.
    async fn sums(
        &self,
        of: &SumJob<'_>,
        output: Output,
        draws: &mut [u32],
    ) -> Result<Vec<Sum>, Error> {
        let SumJob { ref job, inverse } = *of;
        let rows = job.logits.rows();
        let too_many = |_| Error::TooManyDraws { rows, draws: job.draws };
        let mut sums = Vec::new();
        sums.try_reserve_exact(rows).map_err(too_many)?;
        sums.resize(rows, Sum::NONE);
        if draws.is_empty() {
            return Ok(sums);
        }
        let plan = self.plan(job, output);
        let mut words = Self::words(job, &plan)?;
        self.run_plan(job, &plan, &mut words).await?;
        let each = job.draws as usize;
        let format = job.logits.format();
        let mut rest = &words[..];
        // each segment has its draws, and then two words for each part of each row
        for (chunk, _) in plan.steps() {
            let (words, later) = rest.split_at(plan.words(&chunk));
            rest = later;
            let (of_races, of_rows) = words.split_at(chunk.races());
            let first = chunk.rows.start * each + chunk.draws.start as usize;
            draws[first..][..of_races.len()].copy_from_slice(of_races);
            // a chunk of later draws of a row has no sums
            let of_rows = of_rows.chunks_exact(2 * plan.sums_of_row());
            for (sum, words) in sums[chunk.rows].iter_mut().zip(of_rows) {
                for part in words.chunks_exact(2) {
                    let most = format.logarithm(part[0]) * inverse;
                    let part = Sum { most, sum: f64::from(f32::from_bits(part[1])) };
                    *sum = sum.join(part);
                }
            }
        }
        Ok(sums)
    }
}

/// The findings of the device in a race.
enum Ranking {
    NoDraw,
    Of(Vec<Best>),
    Unknown,
}

/// Ranks what the records of a race's segments have: the number of categories that were found, and
/// then three words of each. `None` if there is no memory for them.
fn ranked<'a>(records: impl Iterator<Item = &'a [u32]>) -> Option<Ranking> {
    let mut all = Vec::new();
    let mut overflows = false;
    for words in records {
        if words[0] == NO_DRAW {
            return Some(Ranking::NoDraw);
        }
        let found = words[1..].chunks_exact(3);
        overflows |= words[0] as usize > found.len();
        let found = found.take(words[0] as usize);
        all.try_reserve(found.len()).ok()?;
        all.extend(found.map(|w| Best { category: w[0], key: key_of(w[1], w[2]) }));
    }
    if overflows {
        return Some(Ranking::Unknown);
    }
    all.sort_unstable_by_key(|best| (std::cmp::Reverse(best.key), best.category));
    Some(Ranking::Of(all))
}

fn key_of(low: u32, high: u32) -> i64 {
    (u64::from(high) << 32 | u64::from(low)) as i64
}
