//! Tables that are kept, to be drawn from again and again.

use std::sync::Arc;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::super::bound::RoundKeys;
use super::super::simd::CpuForm;
use super::super::values::{BatchValues, RowValues, with_values};
use super::pick::Races;
use super::table::{Table, guide_bits, zeroed};
use super::weigh::Rule;
use super::{DIVISION, pick};
use crate::error::Error;
use crate::job::kept::Kept;
use crate::job::{Job, Temperature};
use crate::options::Data;

/// Rows of logits, weights or counts, added up once, to be drawn from again and again: what
/// [`CpuSampler::inverse_cdf`](crate::CpuSampler::inverse_cdf) builds.
///
/// The draws are those of [`Method::InverseCdf`](crate::Method::InverseCdf), numbered like any others.
///
/// ```
/// use gumbel::{CpuSampler, Logits, Method, SampleOptions};
/// let logits: Vec<f32> = (0..1000).map(|i| (i % 10) as f32).collect();
/// let (engine, options) = (CpuSampler::new(), SampleOptions::default().with_seed(7));
/// let cdf = engine.inverse_cdf(Logits::new(&logits, 1000)?, &options)?;
/// let some = cdf.sample_rows(0, 100)?;
/// let more = cdf.sample_rows(100, 50)?;
/// // what one call would have drawn
/// let options = options.with_method(Method::InverseCdf).with_draws(150);
/// let all = engine.sample_rows(Logits::new(&logits, 1000)?, &options)?;
/// assert_eq!([some, more].concat(), all);
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// It holds nothing of the logits. Its memory is 8 bytes for each category of each row, and 8 to 16 for
/// a guide to them; rows that are the same memory (a row stride of 0) are held once.
#[derive(Clone, Debug)]
pub struct CpuInverseCdf {
    form: CpuForm,
    pool: Option<Arc<ThreadPool>>,
    call: Kept,
    /// Table after table. There is one if all rows are the same.
    sums: Vec<u64>,
    guides: Vec<u32>,
    bits: u32,
}

impl CpuInverseCdf {
    pub(in crate::cpu) fn build(
        job: &Job<'_>,
        form: CpuForm,
        pool: Option<Arc<ThreadPool>>,
    ) -> Result<Self, Error> {
        let (rows, categories) = (job.logits.rows(), job.logits.categories());
        let tables = if job.logits.row_stride() == 0 { rows.min(1) } else { rows };
        let bits = guide_bits(categories, usize::MAX);
        let mut cdf = Self {
            form,
            pool,
            call: Kept::of(job),
            sums: zeroed(tables.saturating_mul(categories), categories)?,
            guides: zeroed(tables.saturating_mul(1 << bits), categories)?,
            bits,
        };
        let Self { sums, guides, .. } = &mut cdf;
        let sums = sums.par_chunks_mut(categories);
        let guides = guides.par_chunks_mut(1 << bits);
        sums.zip(guides).enumerate().for_each(|(row, (sums, guide))| {
            build_row(job, form, row, sums, guide);
        });
        Ok(cdf)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.call.rows
    }

    /// The number of categories in each row.
    pub fn categories(&self) -> usize {
        self.call.categories
    }

    /// The first row that has no draw.
    pub(in crate::cpu) fn without_a_draw(&self) -> Option<usize> {
        self.sums.chunks(self.call.categories).position(|sums| sums[sums.len() - 1] == 0)
    }

    /// Draws `draws` times from each row, the first of them draw number `first_draw`: rows × draws
    /// category indices, row by row.
    ///
    /// # Errors
    /// [`Error::Draws`] unless the numbers are below 2³¹, and [`Error::TooManyDraws`].
    ///
    /// # Complexity
    /// O(rows · draws).
    pub fn sample_rows(&self, first_draw: u32, draws: u32) -> Result<Vec<u32>, Error> {
        let mut all = self.call.allocate(first_draw, draws)?;
        self.sample_rows_into(first_draw, &mut all)?;
        Ok(all)
    }

    /// As [`sample_rows`](Self::sample_rows), into a slice: as many draws from each row as it has room
    /// for.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::DrawsLength`] if the slice's length is no
    /// multiple of the rows.
    pub fn sample_rows_into(&self, first_draw: u32, draws: &mut [u32]) -> Result<(), Error> {
        let Some(number) = self.call.draws_of_each(first_draw, draws.len())? else {
            return Ok(());
        };
        match &self.pool {
            Some(pool) if !DIVISION.is_small(draws.len()) => {
                pool.install(|| self.draw(first_draw, number, draws));
            }
            _ => self.draw(first_draw, number, draws),
        }
        Ok(())
    }

    fn draw(&self, first_draw: u32, each: u32, draws: &mut [u32]) {
        let (keys, ids) = (RoundKeys::of(self.call.seed), self.call.row_ids());
        let races = |first_row| Races { ids, first_row, first_draw, draws: each };
        let tables = self.sums.len() / self.call.categories;
        let large = !DIVISION.is_small(draws.len());
        let from_each = draws.len() / tables;
        if tables == 1 || !large || !DIVISION.is_small(from_each) {
            for (row, draws) in draws.chunks_mut(from_each).enumerate() {
                pick(self.form, keys, self.table(row), races(row), draws, large);
            }
        } else {
            draws.par_chunks_mut(from_each).enumerate().for_each(|(row, draws)| {
                pick(self.form, keys, self.table(row), races(row), draws, false);
            });
        }
    }

    fn table(&self, row: usize) -> Table<'_> {
        let categories = self.call.categories;
        Table::of(
            &self.sums[row * categories..][..categories],
            &self.guides[row << self.bits..][..1 << self.bits],
        )
    }
}

fn build_row(job: &Job<'_>, form: CpuForm, row: usize, sums: &mut [u64], guide: &mut [u32]) {
    let scale = match job.temperature {
        Temperature::Greedy => None,
        Temperature::Scaled(scale) => Some(scale),
    };
    let parallel = rayon::current_num_threads() > 1;
    with_values!(job, rows => {
        let row = rows.row(row);
        let rule = Rule::of(form, row, scale, parallel);
        Table::build(sums, guide, parallel, |first, sums| {
            rule.weigh(form, row.part(first..first + sums.len()), first, sums);
        });
    });
}
