//! Copies of rows that engines cannot read where they are: of rows of `f64`, which become
//! [relative](crate::noise::relative) rows of `f32`, of rows whose values do not lie side by side, and of rows of which
//! not all categories may be drawn.

use std::ops::Range;

use rayon::prelude::*;

use super::Cpu;
use super::adjusted::Adjusted;
use super::restrict::restrict;
use super::simd::{Isa, Simd, Task};
use super::threads::{Division, are_few, each, on_pool, results};
use super::vector_value::VectorValue;
use crate::error::Error;
use crate::job::{Job, lengthen};
use crate::options::{
    Allowed, Batch, Data, Owned, Rows, Stock, Stored, Value, ValueFormat, allowed_values,
    with_rows, with_stock,
};

const DIVISION: Division = Division::READING;
/// Values that do not lie side by side are read for so many rows at once, since neighbouring rows may share their cache
/// lines, ...
const ROWS: usize = 32;
/// ... and for so many categories.
const CATEGORIES: usize = 64;

/// Copies of rows.
#[derive(Debug)]
pub(crate) struct Copies {
    values: Owned,
    /// The type of the values that were copied.
    format: ValueFormat,
    rows: usize,
    categories: usize,
    layout: Layout,
    /// For each copy, what it takes away from the logarithms of probabilities.
    shifts: Vec<f64>,
}

/// Which copy a row is.
#[derive(Debug)]
enum Layout {
    /// Each row has a copy.
    Each,
    /// All rows are the same memory, and have one copy.
    One,
    /// The rows from which the rows are gathered have a copy each: for each row, the number of its copy.
    Gathered(Vec<u32>),
}

/// The rows to copy for a job, if they are other rows than those of the job: one for all, or those from which the
/// rows are gathered, with the position of each row among them.
fn shared<'a>(job: &Job<'a>) -> Option<(Batch<'a>, Option<&'a [u32]>)> {
    let batch = job.logits;
    // rows that are the same in memory may be restricted or adjusted in different ways
    if !job.restriction.is_none(batch.categories()) || !job.adjustment.is_none() {
        return None;
    }
    if batch.apart() == Some(0) && batch.rows() > 0 {
        return Some((batch.part(0..1), None));
    }
    let (sources, indices) = batch.sources()?;
    let pays = sources.rows() <= indices.len() && !sources.overlap();
    pays.then_some((sources, Some(indices)))
}

impl Copies {
    /// The most bytes of copies that a thread of the CPU makes at a time, unless a row is longer: so few that they are in
    /// the thread's cache when they are drawn from.
    pub(crate) const IN_CACHE: usize = 1 << 19;

    /// The number of rows of a job that are copied at once, if their copies may take so many bytes.
    pub(crate) fn at_once(job: &Job<'_>, bytes: usize) -> usize {
        let batch = job.logits;
        if shared(job).is_some() {
            return batch.rows().max(1);
        }
        let least = if batch.category_stride() == 1 { 1 } else { ROWS };
        // no value is drawn from as more than four bytes
        (bytes / 4 / batch.categories()).max(least)
    }

    /// Copies of the rows of a job, made on the threads of an engine. In the copies logits are adjusted, and nothing can be
    /// drawn that may not be.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    pub(crate) fn new(cpu: &Cpu, job: &Job<'_>) -> Result<Self, Error> {
        if !job.adjustment.is_none() {
            let adjusted = Adjusted::new(cpu, job)?;
            return Self::new(cpu, &job.on_copies(adjusted.batch()?));
        }
        let batch = job.logits;
        let (format, rows, categories) = (batch.format(), batch.rows(), batch.categories());
        let (copied, layout) =
            match shared(job) {
                None => (batch, Layout::Each),
                Some((one, None)) => (one, Layout::One),
                Some((sources, Some(indices))) => {
                    let mut own = Vec::new();
                    lengthen(&mut own, indices.len(), 0)
                        .map_err(|bytes| Error::NoMemoryForRows { rows, categories, bytes })?;
                    own.copy_from_slice(indices);
                    (sources, Layout::Gathered(own))
                }
            };
        let (mut values, mut shifts) = (Owned::default(), Vec::new());
        with_stock!(copied.stock(), rows => copy(cpu, job, rows, &mut values, &mut shifts))?;
        Ok(Self { values, format, rows, categories, layout, shifts })
    }

    /// The rows of the batch.
    pub(crate) fn batch(&self) -> Batch<'_> {
        let Self { values, format, rows, categories, layout, shifts } = self;
        let of = |rows, stride| Batch::from_owned(values, *format, rows, *categories, stride);
        match layout {
            Layout::Each => of(*rows, *categories),
            Layout::One => of(*rows, 0),
            Layout::Gathered(indices) => of(shifts.len(), *categories).gathered_again(indices),
        }
    }

    /// What the copy of a row takes away from the logarithms of probabilities; `None` if no copy takes anything away.
    pub(crate) fn shifts(&self) -> Option<impl Fn(usize) -> f64> {
        let is_relative = matches!(self.format, ValueFormat::F64 | ValueFormat::WeightsF64);
        is_relative.then_some(|row: usize| match &self.layout {
            Layout::Each => self.shifts[row],
            Layout::One => self.shifts[0],
            Layout::Gathered(indices) => self.shifts[indices[row] as usize],
        })
    }
}

/// Copies rows, one after the other.
fn copy<T: Stored<Drawn: VectorValue>>(
    cpu: &Cpu,
    job: &Job<'_>,
    rows: Rows<'_, T>,
    values: &mut Owned,
    shifts: &mut Vec<f64>,
) -> Result<(), Error> {
    let (count, categories, isa) = (rows.rows(), rows.categories(), cpu.isa);
    let allowed = job.restriction.allowed;
    let total = count.saturating_mul(categories);
    let to = <T::Drawn as Value>::vector(values);
    lengthen(to, total, T::Drawn::NEVER)
        .and_then(|()| lengthen(shifts, count, 0.0))
        .map_err(|bytes| Error::NoMemoryForRows { rows: count, categories, bytes })?;
    let is_small = DIVISION.is_small(total);
    on_pool(cpu.pool.as_ref(), is_small, || {
        if is_small {
            isa.run(CopyRows { rows, allowed, first: 0, to: &mut *to, shifts });
        } else if DIVISION.is_long(categories) && are_few(count) {
            let copies = to.chunks_mut(categories).zip(shifts);
            for (row, (to, shift)) in copies.enumerate() {
                *shift = cut(isa, rows, allowed, row, to);
            }
        } else {
            let at_once = match rows.category_stride() {
                1 => DIVISION.at_once(categories),
                _ => DIVISION.at_once(categories).next_multiple_of(ROWS),
            };
            let copies =
                to.par_chunks_mut(at_once * categories).zip(shifts.par_chunks_mut(at_once));
            each(copies, &|i, (to, shifts)| {
                isa.run(CopyRows { rows, allowed, first: i * at_once, to, shifts });
            });
        }
    });
    restrict(cpu, job, to)
}

/// Copies a long row on all threads, which take a segment each, and returns its shift.
fn cut<T: Stored>(
    isa: Isa,
    rows: Rows<'_, T>,
    allowed: Option<Allowed<'_>>,
    row: usize,
    to: &mut [T::Drawn],
) -> f64 {
    let (end, segment) = (rows.categories(), DIVISION.segment);
    let largest = match T::NEEDS_LARGEST {
        false => f64::NEG_INFINITY,
        true => {
            let of_segments = results(end.div_ceil(segment), &|i| {
                let categories = i * segment..end.min((i + 1) * segment);
                isa.run(FindLargest { rows, allowed, row, categories })
            });
            of_segments.into_iter().fold(f64::NEG_INFINITY, f64::max)
        }
    };
    let base = T::base(largest);
    each(to.par_chunks_mut(segment), &|i, to| {
        isa.run(CopySegment { rows, row, first: i * segment, base, to });
    });
    T::shift(base)
}

/// Finds the largest value of some categories of a row.
struct FindLargest<'a, T> {
    rows: Rows<'a, T>,
    allowed: Option<Allowed<'a>>,
    row: usize,
    categories: Range<usize>,
}

impl<T: Stored> Task for FindLargest<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        largest(self.rows, self.allowed, self.row, self.categories)
    }
}

/// Copies some categories of a row, whose base is known.
struct CopySegment<'a, 'r, T: Stored> {
    rows: Rows<'a, T>,
    row: usize,
    first: usize,
    base: T::Base,
    to: &'r mut [T::Drawn],
}

impl<T: Stored> Task for CopySegment<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { rows, row, first, base, to } = self;
        convert(rows, row, first, base, to);
    }
}

/// Copies rows from number `first` on, and writes what their copies take away.
struct CopyRows<'a, 'r, T: Stored> {
    rows: Rows<'a, T>,
    allowed: Option<Allowed<'a>>,
    first: usize,
    to: &'r mut [T::Drawn],
    shifts: &'r mut [f64],
}

impl<T: Stored> Task for CopyRows<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { rows, allowed, first, to, shifts } = self;
        let categories = rows.categories();
        let side_by_side = rows.category_stride() == 1;
        let at_once = if side_by_side { 1 } else { ROWS };
        let blocks = to.chunks_mut(at_once * categories).zip(shifts.chunks_mut(at_once));
        for (block, (to, shifts)) in blocks.enumerate() {
            let first = first + block * at_once;
            let mut most = [f64::NEG_INFINITY; ROWS];
            if T::NEEDS_LARGEST {
                for categories in pieces(categories, side_by_side) {
                    for (i, most) in most[..shifts.len()].iter_mut().enumerate() {
                        *most = most.max(largest(rows, allowed, first + i, categories.clone()));
                    }
                }
            }
            let bases = most.map(T::base);
            for (shift, &base) in shifts.iter_mut().zip(&bases) {
                *shift = T::shift(base);
            }
            for piece in pieces(categories, side_by_side) {
                for (i, to) in to.chunks_mut(categories).enumerate() {
                    convert(rows, first + i, piece.start, bases[i], &mut to[piece.clone()]);
                }
            }
        }
    }
}

/// The categories of some rows in the pieces in which they are read: all at once if they lie side by side.
#[inline(always)]
fn pieces(categories: usize, side_by_side: bool) -> impl Iterator<Item = Range<usize>> {
    let each = if side_by_side { categories } else { CATEGORIES };
    (0..categories).step_by(each).map(move |start| start..categories.min(start + each))
}

/// The largest value of some categories of a row, of those that are allowed.
#[inline(always)]
fn largest<T: Stored>(
    rows: Rows<'_, T>,
    allowed: Option<Allowed<'_>>,
    row: usize,
    categories: Range<usize>,
) -> f64 {
    let join = |most, value| T::largest(most, &[value]);
    if allowed.is_some() {
        let all = allowed_values(rows, row, allowed);
        return all.skip(categories.start).take(categories.len()).fold(f64::NEG_INFINITY, join);
    }
    if rows.category_stride() == 1 {
        return T::largest(f64::NEG_INFINITY, &rows.row(row)[categories]);
    }
    rows.values(row, categories).fold(f64::NEG_INFINITY, join)
}

/// Copies as many categories of a row, from number `first` on, as there is memory for.
#[inline(always)]
fn convert<T: Stored>(
    rows: Rows<'_, T>,
    row: usize,
    first: usize,
    base: T::Base,
    to: &mut [T::Drawn],
) {
    if rows.category_stride() == 1 {
        for (to, value) in to.iter_mut().zip(&rows.row(row)[first..]) {
            *to = value.drawn(base);
        }
    } else {
        let values = rows.values(row, first..first + to.len());
        for (to, value) in to.iter_mut().zip(values) {
            *to = value.drawn(base);
        }
    }
}
