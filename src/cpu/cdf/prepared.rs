//! Prepared tables, to be drawn from again and again.

use std::sync::Arc;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::super::bound::RoundKeys;
use super::super::simd::Isa;
use super::super::threads::{each, in_chunks, on_pool};
use super::super::values::RowValues;
use super::pick::{PickGathered, Races};
use super::table::{Table, guide_bits, zeroed};
use super::weights::Rule;
use super::{DIVISION, pick};
use crate::cpu::Cpu;
use crate::error::Error;
#[cfg(feature = "rand")]
use crate::job::NO_DRAW;
use crate::job::prepared::PreparedRows;
use crate::job::{Job, Temperature};
#[cfg(feature = "rand")]
use crate::noise::cdf::point;
use crate::options::{Data, RowIds, with_rows};

/// The tables of a call's rows. They do not refer to the logits.
#[derive(Clone, Debug)]
pub(crate) struct CpuTables {
    isa: Isa,
    pool: Option<Arc<ThreadPool>>,
    /// The number of categories in each row.
    categories: usize,
    /// The sums of one table after the other. There is one table if all rows are the same memory.
    sums: Vec<u64>,
    guides: Vec<u32>,
    bits: u32,
}

impl Cpu {
    /// Adds up the rows of a job that has one draw a row. A row without a draw is an error unless the job
    /// allows sentinels.
    pub(crate) fn tables(&self, job: &Job<'_>) -> Result<CpuTables, Error> {
        let build = || CpuTables::build(job, self.isa, self.pool.clone());
        let tables = on_pool(self.pool.as_ref(), false, build)?;
        match tables.without_a_draw().filter(|_| !job.sentinels) {
            Some(row) => job.undrawable(row).map_or(Ok(tables), Err),
            None => Ok(tables),
        }
    }
}

/// A job by inverse CDF whose rows are gathered from no more rows than there are: each of those is added up once.
pub(in crate::cpu) struct Gathered<'a> {
    job: &'a Job<'a>,
    sources: Job<'a>,
    indices: &'a [u32],
}

impl<'a> Gathered<'a> {
    pub(in crate::cpu) fn new(job: &'a Job<'a>) -> Option<Self> {
        job.inverse_cdf()?;
        let (logits, indices) = job.logits.sources()?;
        let row_ids = RowIds::Consecutive(0);
        let pays =
            logits.rows() <= indices.len() && (logits.apart() == Some(0) || !logits.overlap());
        let sources = Job { logits, row_ids, draws: 1, ..*job };
        pays.then_some(Self { job, sources, indices })
    }

    pub(in crate::cpu) fn draw(&self, cpu: &Cpu, draws: &mut [u32]) -> Result<(), Error> {
        let Self { job, sources, indices } = self;
        let is_small = DIVISION.is_small(job.work().try_into().unwrap_or(usize::MAX));
        on_pool(cpu.pool.as_ref(), is_small, || {
            let tables = CpuTables::build(sources, cpu.isa, None)?;
            tables.pick_gathered(job, indices, draws);
            Ok(())
        })
    }
}

impl CpuTables {
    fn build(job: &Job<'_>, isa: Isa, pool: Option<Arc<ThreadPool>>) -> Result<Self, Error> {
        let (rows, categories) = (job.logits.rows(), job.logits.categories());
        let tables = if job.logits.apart() == Some(0) { rows.min(1) } else { rows };
        let bits = guide_bits(categories, usize::MAX);
        let mut cdf = Self {
            isa,
            pool,
            categories,
            sums: zeroed(tables.saturating_mul(categories), categories)?,
            guides: zeroed(tables.saturating_mul(1 << bits), categories)?,
            bits,
        };
        let Self { sums, guides, .. } = &mut cdf;
        let sums = sums.par_chunks_mut(categories);
        let guides = guides.par_chunks_mut(1 << bits);
        each(sums.zip(guides), &|row, (sums, guide)| {
            build_row(job, isa, row, sums, guide);
        });
        Ok(cdf)
    }

    /// The first row that has no draw.
    fn without_a_draw(&self) -> Option<usize> {
        self.sums.chunks(self.categories).position(|sums| sums[sums.len() - 1] == 0)
    }

    /// Writes `each` draws from each row of the call to `draws`, from draw number `first_draw` on.
    pub(crate) fn draw(&self, call: &PreparedRows, first_draw: u32, each: u32, draws: &mut [u32]) {
        let is_small = DIVISION.is_small(draws.len());
        on_pool(self.pool.as_ref(), is_small, || self.pick(call, first_draw, each, draws));
    }

    fn pick(&self, call: &PreparedRows, first_draw: u32, each: u32, draws: &mut [u32]) {
        let (keys, ids) = (RoundKeys::new(call.seed), call.row_ids());
        let races = |first_row| Races { ids, first_row, first_draw, draws: each };
        let tables = self.tables();
        let large = !DIVISION.is_small(draws.len());
        let from_each = draws.len() / tables;
        if tables == 1 || !large || !DIVISION.is_small(from_each) {
            for (row, draws) in draws.chunks_mut(from_each).enumerate() {
                pick(self.isa, keys, self.table(row), races(row), draws, large);
            }
        } else {
            in_chunks(draws, from_each, true, |row, draws| {
                pick(self.isa, keys, self.table(row), races(row), draws, false);
            });
        }
    }

    /// The draw from the row at position `row` that belongs to a uniform number, `NO_DRAW` for a row without a draw.
    #[cfg(feature = "rand")]
    pub(crate) fn find(&self, row: usize, uniform: u64) -> u32 {
        let table = self.table(row);
        let total = table.total();
        if total == 0 {
            return NO_DRAW;
        }
        let point = point(uniform, total);
        let guess = table.guess((uniform >> table.shift()) as usize);
        table.find(table.near(guess, point), point)
    }

    /// Writes the draws of each row of a job to `draws`; `indices` says which table is a row's.
    fn pick_gathered(&self, job: &Job<'_>, indices: &[u32], draws: &mut [u32]) {
        let keys = RoundKeys::new(job.seed);
        let Job { row_ids: ids, first_draw, draws: each, .. } = *job;
        let races = Races { ids, first_row: 0, first_draw, draws: each };
        let table_of = |row: usize| self.table(indices.get(row).map_or(0, |&index| index as usize));
        let grain = DIVISION.at_once(1);
        in_chunks(draws, grain, !DIVISION.is_small(draws.len()), |i, draws| {
            let first = i * grain;
            self.isa.run(PickGathered { table_of, keys, races, first, draws });
        });
    }

    /// The number of tables.
    fn tables(&self) -> usize {
        self.sums.len() / self.categories
    }

    /// The table of the row at a position: the only one if all rows are the same memory.
    fn table(&self, row: usize) -> Table<'_> {
        let categories = self.categories;
        let row = if self.tables() == 1 { 0 } else { row };
        Table::new(
            &self.sums[row * categories..][..categories],
            &self.guides[row << self.bits..][..1 << self.bits],
        )
    }
}

fn build_row(job: &Job<'_>, isa: Isa, row: usize, sums: &mut [u64], guide: &mut [u32]) {
    let scale = match job.temperature {
        Temperature::Greedy => None,
        Temperature::Scaled(scale) => Some(scale),
    };
    let parallel = rayon::current_num_threads() > 1;
    with_rows!(job.logits.data(), rows => {
        let row = rows.row(row);
        let rule = Rule::new(isa, row, scale, parallel);
        Table::build(sums, guide, parallel, |first, sums| {
            rule.sum_weights(isa, row.part(first..first + sums.len()), first, sums);
        });
    });
}
