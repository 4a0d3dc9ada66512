//! Takes the chance from categories of copied rows: from those that are not allowed, and from those that a truncation
//! cuts.

use rayon::prelude::*;

use super::Cpu;
use super::simd::{Simd, Task};
use super::threads::{Division, each, on_pool};
use super::vector_value::VectorValue;
use crate::error::Error;
use crate::job::{Job, lengthen};

pub(super) mod cut;
mod cuts;
mod door;
mod draws;
mod list;
mod maxima;
mod tally;

use cut::Cut;

/// The division of rows that are read a few times, whose values may be sorted.
const DIVISION: Division = Division::WEIGHING;

/// Restricts copies of the rows of a job, one after the other.
///
/// # Errors
/// [`Error::NoMemoryForRows`].
pub(super) fn restrict<T: VectorValue>(
    cpu: &Cpu,
    job: &Job<'_>,
    copies: &mut [T],
) -> Result<(), Error> {
    let (rows, categories, isa) = (job.logits.rows(), job.logits.categories(), cpu.isa);
    if job.restriction.is_none(categories) || rows == 0 {
        return Ok(());
    }
    let mut words = Vec::new();
    if job.restriction.truncates(categories) {
        lengthen(&mut words, copies.len(), 0).map_err(|bytes| Error::NoMemoryForRows {
            rows,
            categories,
            bytes,
        })?;
    }
    let is_small = DIVISION.is_small(copies.len());
    on_pool(cpu.pool.as_ref(), is_small, || {
        if is_small {
            return isa.run(RestrictRows { job, first: 0, copies, words: &mut words });
        }
        let at_once = DIVISION.at_once(categories) * categories;
        let copies = copies.par_chunks_mut(at_once);
        if words.is_empty() {
            each(copies, &|i, copies| {
                isa.run(RestrictRows {
                    job,
                    first: i * at_once / categories,
                    copies,
                    words: &mut [],
                });
            });
        } else {
            each(copies.zip(words.par_chunks_mut(at_once)), &|i, (copies, words)| {
                isa.run(RestrictRows { job, first: i * at_once / categories, copies, words });
            });
        }
    });
    Ok(())
}

/// Restricts the rows of a job from number `first` on.
struct RestrictRows<'a, 'r, T> {
    job: &'a Job<'a>,
    first: usize,
    copies: &'r mut [T],
    /// Memory for as many words as there are values, or none if no row is cut.
    words: &'r mut [u32],
}

impl<T: VectorValue> Task for RestrictRows<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { job, first, copies, words } = self;
        let categories = job.logits.categories();
        for (row, values) in (first..).zip(copies.chunks_mut(categories)) {
            if let Some(allowed) = job.restriction.allowed {
                allow(values, allowed.of_row(row));
            }
            if words.is_empty() {
                continue;
            }
            let (truncation, scale) = job.cut_of(row);
            if let Some(cut) = Cut::new(values, truncation, scale, &mut words[..categories]) {
                remove_below(values, cut.least);
            }
        }
    }
}

/// Removes the categories whose bits are 0.
#[inline(always)]
fn allow<T: VectorValue>(values: &mut [T], mask: &[u32]) {
    for (values, &bits) in values.chunks_mut(32).zip(mask) {
        if bits == u32::MAX {
            continue;
        }
        for (i, value) in values.iter_mut().enumerate() {
            *value = if bits >> i & 1 == 1 { *value } else { T::NEVER };
        }
    }
}

/// Removes the values whose words are below `least`.
#[inline(always)]
fn remove_below<T: VectorValue>(values: &mut [T], least: u32) {
    for value in values {
        *value = if value.word() < least { T::NEVER } else { *value };
    }
}
