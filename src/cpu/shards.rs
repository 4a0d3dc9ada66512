//! Shards of rows: what the host finds of them beside their races.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::adjusted::CopyRow;
use super::threads::{Division, each, on_pool};
use super::vector_value::VectorValue;
use super::{Copies, Cpu};
use crate::error::Error;
use crate::job::{Job, lengthen};
use crate::noise::exp::{log2_floor, weight};
use crate::noise::order::Best;
use crate::options::{Chance, Data, Logits, Rows, Shard, Truncation, Value, Widen};
use crate::results::{Candidate, Parts, Row, RowSums, ShardDraws, ShardSums, TopK};

/// The division of rows that are copied.
const DIVISION: Division = Division::READING;

/// Rows in which only the categories of a shard can be drawn.
#[derive(Debug)]
pub(crate) struct ShardRows {
    values: Vec<f32>,
    shard: Shard,
    /// The number of the shard's categories.
    categories: usize,
}

impl ShardRows {
    /// Memory for the rows of a shard as whole rows, and the logits of the shard in their places. Threads share the rows.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`], and [`Error::NeedsLogits`] if the rows are weights.
    pub(crate) fn new(cpu: &Cpu, rows: Data<'_>, shard: Shard) -> Result<Self, Error> {
        match rows {
            Data::F32(rows) => Self::of(cpu, rows, shard),
            Data::F16(rows) => Self::of(cpu, rows, shard),
            Data::Bf16(rows) => Self::of(cpu, rows, shard),
            Data::Weights(_) | Data::Counts(_) => Err(Error::NeedsLogits { operation: "a shard" }),
        }
    }

    fn of<T: VectorValue + Widen>(
        cpu: &Cpu,
        rows: Rows<'_, T>,
        shard: Shard,
    ) -> Result<Self, Error> {
        let (count, whole, categories) = (rows.rows(), shard.whole(), rows.categories());
        let mut values = Vec::new();
        lengthen(&mut values, count.saturating_mul(whole), f32::NEG_INFINITY)
            .map_err(|bytes| Error::NoMemoryForRows { rows: count, categories: whole, bytes })?;
        on_pool(cpu.pool.as_ref(), DIVISION.is_small(values.len()), || {
            each(values.par_chunks_mut(whole), &|row, to| {
                let to = &mut to[shard.first()..][..categories];
                cpu.isa.run(CopyRow { rows, row, to });
            });
        });
        Ok(Self { values, shard, categories })
    }

    /// The categories of the shard, as parts of whole rows.
    pub(crate) fn parts(&self) -> Parts {
        let first = self.shard.first();
        Parts { whole: self.shard.whole(), ends: vec![[first, first + self.categories]] }
    }

    pub(crate) fn logits(&self) -> Result<Logits<'_>, Error> {
        Logits::new(&self.values, self.shard.whole())
    }
}

impl Cpu {
    /// What a shard tells of its rows: of a call on whole rows of `f32`, whose truncations are still to come. The race has the
    /// first categories of each row; at temperature 0 there is none. The result says too whether all winners are among
    /// these categories.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    pub(crate) fn look_at_shard(
        &self,
        job: &Job<'_>,
        of: &ShardRows,
        race: Option<&TopK>,
    ) -> Result<(Vec<Row>, bool), Error> {
        let (first, whole) = (of.shard.first() as u32, of.shard.whole());
        let are_complete = AtomicBool::new(true);
        let rows = self.each_row(job, of, &|row, values| {
            let (truncation, scale) = job.cut_of(row);
            let top_k = truncation.k_of(whole).map(|k| k as u32);
            let truncation = Truncation { top_k, ..*truncation };
            let drawable =
                || (first..).zip(values).filter(|(_, value)| value.chance() == Chance::Some);
            let candidate = |category: u32, key: i64| {
                let k = values[(category - first) as usize].fixed(scale);
                Candidate { k, key, category }
            };
            let mut winners = Vec::new();
            match race {
                Some(race) => {
                    let count = race.race(row).count();
                    winners.try_reserve_exact(count).map_err(|_| Error::NoMemoryForRows {
                        rows: 1,
                        categories: values.len(),
                        bytes: count.saturating_mul(size_of::<Candidate>()),
                    })?;
                    winners.extend(race.race(row).map(|won| candidate(won.category, won.key)));
                }
                None => {
                    let all =
                        drawable().map(|(i, value)| Best { key: value.greedy(), category: i });
                    let best = all.fold(Best::NONE, Best::or);
                    winners
                        .extend((best != Best::NONE).then(|| candidate(best.category, best.key)));
                }
            }
            let ks = || drawable().map(|(_, value)| value.fixed(scale));
            let mut told = Row {
                is_invalid: values.iter().any(|value| value.chance() == Chance::Invalid),
                winners,
                largest: largest_of(ks(), &truncation, values.len())?,
                truncation,
            };
            told.tidy();
            // without a cut the first winner is all that matters
            let is_complete =
                told.is_invalid || truncation.is_none(whole) || told.most() == ks().max();
            are_complete.fetch_and(is_complete, Ordering::Relaxed);
            Ok(told)
        })?;
        Ok((rows, are_complete.into_inner()))
    }

    /// The sums of a shard's rows, given what all shards tell.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    pub(crate) fn sum_shard(
        &self,
        job: &Job<'_>,
        of: &ShardRows,
        draws: &ShardDraws,
    ) -> Result<ShardSums, Error> {
        let log2_categories = log2_floor(of.shard.whole() as u32);
        let rows = self.each_row(job, of, &|row, values| {
            let (told, (_, scale)) = (&draws.rows[row], job.cut_of(row));
            let mut sums = RowSums::default();
            lengthen(&mut sums.above, told.winners.len(), 0).map_err(|bytes| {
                Error::NoMemoryForRows { rows: 1, categories: values.len(), bytes }
            })?;
            let Some(most) = told.most() else { return Ok(sums) };
            let [of_k, of_rest] = told.least();
            for value in values.iter().filter(|value| value.chance() == Chance::Some) {
                let k = value.fixed(scale);
                let weight = weight(most.abs_diff(k), log2_categories);
                sums.all += weight;
                sums.of_k += if k >= of_k { weight } else { 0 };
                sums.of_rest += if k >= of_rest { weight } else { 0 };
                for (above, winner) in sums.above.iter_mut().zip(&told.winners) {
                    *above += if k > winner.k { weight } else { 0 };
                }
            }
            Ok(sums)
        })?;
        Ok(ShardSums { parts: of.parts(), rows })
    }

    /// Does something with the shard's values in each row. Threads share the rows.
    fn each_row<R: Clone + Default + Send>(
        &self,
        job: &Job<'_>,
        of: &ShardRows,
        work: &(impl Fn(usize, &[f32]) -> Result<R, Error> + Sync),
    ) -> Result<Vec<R>, Error> {
        // a mask takes values away, and so it is a copy of the rows that is looked at
        let free = Job { restriction: job.restriction.without_truncation(), ..*job };
        let copies = match free.is_in_place() {
            true => None,
            false => Some(Copies::new(self, &free)?),
        };
        let Data::F32(rows) = copies.as_ref().map_or(job.logits, Copies::batch).data() else {
            unreachable!("the rows of shards are of f32")
        };
        let mut all = Vec::new();
        lengthen(&mut all, rows.rows(), R::default()).map_err(|bytes| Error::NoMemoryForRows {
            rows: rows.rows(),
            categories: of.categories,
            bytes,
        })?;
        let categories = of.shard.first()..of.shard.first() + of.categories;
        on_pool(self.pool.as_ref(), rows.rows() < 2, || {
            all.par_iter_mut().enumerate().try_for_each(|(row, to)| {
                *to = work(row, &rows.row(row)[categories.clone()])?;
                Ok(())
            })
        })?;
        Ok(all)
    }
}

/// The largest Ks of a row, as many as top-k keeps, in any order.
fn largest_of(
    all: impl Iterator<Item = i64>,
    truncation: &Truncation,
    categories: usize,
) -> Result<Vec<i64>, Error> {
    let Some(k) = truncation.top_k.map(|k| k as usize) else { return Ok(Vec::new()) };
    let mut largest = Vec::new();
    largest.try_reserve_exact(categories).map_err(|_| Error::NoMemoryForRows {
        rows: 1,
        categories,
        bytes: categories.saturating_mul(size_of::<i64>()),
    })?;
    largest.extend(all);
    if largest.len() > k {
        largest.select_nth_unstable_by(k - 1, |a, b| b.cmp(a));
        largest.truncate(k);
        largest.shrink_to_fit();
    }
    Ok(largest)
}
