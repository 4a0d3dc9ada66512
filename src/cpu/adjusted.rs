//! Copies of rows whose logits are [adjusted](crate::Penalty): by a bias or by penalties.

use rayon::prelude::*;

use super::Cpu;
use super::simd::{Simd, Task};
use super::threads::{Division, on_pool};
use super::vector_value::VectorValue;
use crate::error::Error;
use crate::job::{Job, lengthen, single};
use crate::options::{Batch, Data, Logit, Logits, Rows, Stock, Stored, Widen};

const DIVISION: Division = Division::READING;

/// Copies of the rows of a job, with the adjusted logits in their places.
#[derive(Debug)]
pub(crate) struct Adjusted {
    values: Values,
    categories: usize,
}

/// The logits: halves have become singles.
#[derive(Debug)]
enum Values {
    Singles(Vec<f32>),
    Doubles(Vec<f64>),
}

impl Adjusted {
    /// Copies of the rows of a job, made on the threads of an engine.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    pub(crate) fn new(cpu: &Cpu, job: &Job<'_>) -> Result<Self, Error> {
        let values = match job.logits.stock() {
            Stock::InPlace(data) | Stock::Spread(data) => Values::Singles(match data {
                Data::F32(rows) => copy(cpu, job, rows)?,
                Data::F16(rows) => copy(cpu, job, rows)?,
                Data::Bf16(rows) => copy(cpu, job, rows)?,
                Data::Weights(_) | Data::Counts(_) => unreachable!("only logits are adjusted"),
            }),
            Stock::F64(rows) => Values::Doubles(copy(cpu, job, rows)?),
            Stock::WeightsF64(_) => unreachable!("only logits are adjusted"),
        };
        Ok(Self { values, categories: job.logits.categories() })
    }

    /// The rows of the batch.
    ///
    /// # Errors
    /// None: the rows are whole.
    pub(crate) fn batch(&self) -> Result<Batch<'_>, Error> {
        let logits = match &self.values {
            Values::Singles(values) => Logits::new(values, self.categories),
            Values::Doubles(values) => Logits::from_f64(values, self.categories),
        };
        logits.map(Batch::from)
    }
}

/// A type of logits that can be adjusted.
pub(super) trait Adjust: Stored {
    /// The type of the adjusted logits.
    type To: Logit + Send;
    /// Copies logits that lie side by side.
    fn copy(values: &[Self], to: &mut [Self::To]);
    /// An adjusted logit.
    fn rounded(x: f64) -> Self::To;
    /// The logit itself.
    fn to(self) -> Self::To;
}

impl<T: VectorValue + Widen> Adjust for T {
    type To = f32;
    #[inline(always)]
    fn copy(values: &[Self], to: &mut [f32]) {
        T::widen_all(values, to);
    }
    #[inline(always)]
    fn rounded(x: f64) -> f32 {
        single(x)
    }
    #[inline(always)]
    fn to(self) -> f32 {
        self.widen()
    }
}

impl Adjust for f64 {
    type To = f64;
    #[inline(always)]
    fn copy(values: &[Self], to: &mut [f64]) {
        to.copy_from_slice(values);
    }
    #[inline(always)]
    fn rounded(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn to(self) -> f64 {
        self
    }
}

/// Copies rows, one after the other, with adjusted logits.
fn copy<T: Adjust>(cpu: &Cpu, job: &Job<'_>, rows: Rows<'_, T>) -> Result<Vec<T::To>, Error>
where
    T::To: Default,
{
    let (count, categories) = (rows.rows(), rows.categories());
    let no_memory = |bytes| Error::NoMemoryForRows { rows: count, categories, bytes };
    let mut all = Vec::new();
    let total = count.saturating_mul(categories);
    lengthen(&mut all, total, T::To::default()).map_err(no_memory)?;
    let is_small = DIVISION.is_small(total);
    let at_once = DIVISION.at_once(categories);
    let adjust = |first: usize, to: &mut [T::To]| {
        let mut entries = Vec::new();
        (first..).zip(to.chunks_mut(categories)).try_for_each(|(row, to)| {
            cpu.isa.run(CopyRow { rows, row, to });
            let logit = |category| rows.value(row, category).as_f64();
            let set = |category: usize, adjusted| to[category] = T::rounded(adjusted);
            job.adjustment.adjust(row, &mut entries, logit, set)
        })
    };
    on_pool(cpu.pool.as_ref(), is_small, || match is_small {
        true => adjust(0, &mut all),
        false => {
            let parts = all.par_chunks_mut(at_once * categories).enumerate();
            parts.try_for_each(|(i, to)| adjust(i * at_once, to))
        }
    })
    .map_err(no_memory)?;
    Ok(all)
}

/// Copies a row as `f32`, or as `f64` if its logits are of `f64`, wherever its values lie.
pub(super) struct CopyRow<'a, 'r, T: Adjust> {
    pub(super) rows: Rows<'a, T>,
    pub(super) row: usize,
    pub(super) to: &'r mut [T::To],
}

impl<T: Adjust> Task for CopyRow<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { rows, row, to } = self;
        if rows.category_stride() == 1 {
            T::copy(rows.row(row), to);
        } else {
            for (to, value) in to.iter_mut().zip(rows.values(row, 0..rows.categories())) {
                *to = value.to();
            }
        }
    }
}
