//! Draws by inverse CDF: a row's weights are added up once, and each draw is a search in the sums.
//!
//! [`weights`] turns values into running sums of weights, [`table`] makes a [`Table`](table::Table) of any
//! such sums, and [`pick`] draws from tables. [`prepared`] keeps tables for the caller.
//!
//! Sums of integers do not depend on their order. So a long row is cut into segments: threads add up each
//! segment on its own, and the sum of the segments before it is added afterwards.
//!
//! The integer weights of logits are [`noise::exp`](crate::noise::exp)'s. At temperature 1 weights are added up as they are,
//! times a power of two, and counts without any rounding ([`noise::cdf`](crate::noise::cdf)).

use rayon::prelude::*;

use super::bound::RoundKeys;
use super::simd::Isa;
use super::threads::{Division, TIMES, are_few, in_chunks, portion};
use super::values::RowValues;
use crate::error::Error;
use crate::job::Job;
use crate::noise::order::Scale;
use crate::options::{Data, with_rows};

mod pick;
mod prepared;
mod table;
mod weights;

pub(crate) use prepared::CpuTables;
pub(super) use prepared::Gathered;

pub(super) use pick::{Races, Uniforms};
pub(super) use table::{Table, guide_bits};
pub(super) use weights::weight_of_near;

use pick::Pick;
use table::zeroed;
use weights::Rule;

/// How tables and draws are divided among threads.
const DIVISION: Division = Division::WEIGHING;

/// Writes the running sums of the integer weights of the first of some rows; zeros if the row has no draw.
pub(super) fn sum_weights_of(isa: Isa, rows: Data<'_>, scale: Scale, sums: &mut [u64]) {
    with_rows!(rows, rows => {
        let row = rows.row(0);
        Rule::new(isa, row, Some(scale), false).sum_weights(isa, row, 0, sums);
    });
}

/// A call for draws by inverse CDF, and the parameters that all its rows share.
#[derive(Clone, Copy)]
pub(super) struct InverseCdfJob<'a> {
    job: &'a Job<'a>,
    scale: Scale,
    isa: Isa,
    keys: RoundKeys,
    /// The number of tables: one for each row, or one in all if all rows are the same memory.
    tables: usize,
}

impl<'a> InverseCdfJob<'a> {
    pub(super) fn new(job: &'a Job<'a>, scale: Scale, isa: Isa) -> Self {
        let rows = job.logits.rows();
        let tables = if job.logits.apart() == Some(0) { rows.min(1) } else { rows };
        Self { job, scale, isa, keys: RoundKeys::new(job.seed), tables }
    }

    /// True if the call is so small that other threads would not pay.
    pub(super) fn is_small(&self) -> bool {
        let weighed = self.tables.saturating_mul(self.job.logits.categories());
        DIVISION.is_small(weighed.saturating_add(self.job.total()))
    }

    /// Draws for all rows on the threads of the current pool, or on this thread if the call is small.
    pub(super) fn run(&self, draws: &mut [u32]) -> Result<(), Error> {
        if self.is_small() || rayon::current_num_threads() == 1 {
            return self.rows(0, draws, false);
        }
        if are_few(self.tables) {
            return self.rows(0, draws, true);
        }
        let each = self.job.draws as usize;
        let work = self.job.logits.categories().saturating_add(each);
        let rows = DIVISION.at_once(work).max(portion(self.tables, TIMES));
        draws
            .par_chunks_mut(rows * each)
            .enumerate()
            .try_for_each(|(i, draws)| self.rows(i * rows, draws, false))
    }

    /// Draws for the rows from `first` on, one after another.
    fn rows(&self, first: usize, draws: &mut [u32], parallel: bool) -> Result<(), Error> {
        let (job, categories) = (self.job, self.job.logits.categories());
        let rows = draws.len() / job.draws as usize;
        let from_each = if self.tables == 1 { draws.len() } else { job.draws as usize };
        if rows == 0 {
            return Ok(());
        }
        let bits = guide_bits(categories, from_each);
        let mut sums = zeroed(categories, categories)?;
        let mut guide = zeroed(1 << bits, categories)?;
        for (i, draws) in draws.chunks_mut(from_each).enumerate() {
            let row = first + i;
            let table = with_rows!(job.logits.data(), rows => {
                let row = rows.row(row);
                let rule = Rule::new(self.isa, row, Some(self.scale), parallel);
                Table::build(&mut sums, &mut guide, parallel, |first, sums| {
                    rule.sum_weights(self.isa, row.part(first..first + sums.len()), first, sums)
                })
            });
            let races = Races {
                ids: job.row_ids,
                first_row: row,
                first_draw: job.first_draw,
                draws: job.draws,
            };
            pick(self.isa, self.keys, table, races, draws, parallel);
        }
        Ok(())
    }
}

/// Draws from one table, a draw for each race from number 0 on.
pub(super) fn pick(
    isa: Isa,
    keys: RoundKeys,
    table: Table<'_>,
    races: Races<'_>,
    draws: &mut [u32],
    parallel: bool,
) {
    if !parallel || DIVISION.is_small(draws.len()) {
        return isa.run(Pick { table, keys, races, first: 0, draws });
    }
    let each = DIVISION.at_once(1);
    in_chunks(draws, each, true, |i, draws| {
        isa.run(Pick { table, keys, races, first: i * each, draws });
    });
}
