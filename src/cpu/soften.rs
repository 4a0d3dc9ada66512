//! Soft samples and their gradients: the noise of every category counts.
//!
//! All keys are the contract's integers, so that the largest is the hard draw's and the differences are
//! exact; only weights and their sums are floats.
//!
//! | shape | what is done |
//! |---|---|
//! | up to [`SHORT`] categories | several races side by side in a [tile](super::tile::Tile) |
//! | longer rows | a race finds the largest key; then the row is taken tile by tile |
//!
//! Long rows are divided among threads by segments if there are few, all others by rows.

use rayon::prelude::*;

use super::Cpu;
use super::schedule::Plan;
use super::simd::Isa;
use super::threads::{Division, are_few, each, in_chunks, on_pool};
use super::values::RowValues;
use super::vector_value::VectorValue;
use crate::error::Error;
use crate::job::soften::{Softening, one_hot};
use crate::noise::bits::Stream;
use crate::noise::order::Best;
use crate::options::{Data, Rows, Widen};
use crate::reference;

mod soft_weight;
mod vjp;
mod weights;

use weights::{SHORT, ShortSamples, Weigher};

/// How samples are divided among threads.
const DIVISION: Division = Division::SOFTENING;
const SEGMENT: usize = DIVISION.segment;
// segments begin with whole spans, two of them where instructions take two at a time
const _: () = assert!(SEGMENT.is_multiple_of(2 * SHORT));

/// A type of logits that races can be drawn from and soft samples can be made of.
pub(in crate::cpu) trait Drawable: VectorValue + Widen {}

impl<T: VectorValue + Widen> Drawable for T {}

/// Evaluates an expression with the logits of a job, whatever their type; soft samples are made of logits
/// only.
macro_rules! with_logits {
    ($job:expr, $logits:ident => $do:expr) => {
        match $job.logits.data() {
            Data::F32($logits) => $do,
            Data::F16($logits) => $do,
            Data::Bf16($logits) => $do,
            Data::Weights(_) | Data::Counts(_) => unreachable!("soft samples are of logits"),
        }
    };
}
use with_logits;

impl Cpu {
    /// Writes the samples of all races, soft ones or hard ones.
    pub(crate) fn soften(
        &self,
        softening: &Softening<'_>,
        samples: &mut [f32],
    ) -> Result<(), Error> {
        let categories = softening.categories();
        if softening.relaxation.hard {
            let mut draws = softening.job.allocate()?;
            self.draw(&softening.job, &mut draws)?;
            let hot = |(sample, &draw): (&mut [f32], &u32)| one_hot(draw, sample);
            if is_small(softening) {
                samples.chunks_exact_mut(categories).zip(&draws).for_each(hot);
            } else {
                let each = samples.par_chunks_exact_mut(categories).zip(&draws);
                let each = each.with_min_len(DIVISION.at_once(categories));
                self.on_pool(softening, || each.for_each(hot));
            }
        } else {
            let soften = Soften::new(softening, self.isa, self.filter);
            self.on_pool(softening, || soften.samples(samples));
            self.soften_far(softening, samples);
        }
        Ok(())
    }

    /// Writes the samples of the rows with logits beyond 2³¹, plainly: there are hardly ever such rows.
    pub(crate) fn soften_far(&self, softening: &Softening<'_>, samples: &mut [f32]) {
        let (each, categories) = (softening.samples_of_row(), softening.categories());
        self.in_far_rows(softening, samples, each, |row, samples| {
            let one = softening.part(row..row + 1);
            for (draw, sample) in (0..).zip(samples.chunks_mut(categories)) {
                narrow(&reference::sample_of(&one, draw), sample);
            }
        });
    }

    /// Writes the gradients of the rows with logits beyond 2³¹.
    pub(crate) fn vjp_far(
        &self,
        softening: &Softening<'_>,
        cotangents: &[f32],
        gradients: &mut [f32],
    ) {
        let each = softening.samples_of_row();
        self.in_far_rows(softening, gradients, softening.categories(), |row, gradient| {
            let cotangents = &cotangents[row * each..][..each];
            let exact = reference::gradients_of(&softening.part(row..row + 1), cotangents);
            narrow(&exact, gradient);
        });
    }

    /// Has `write` write the results of each row with logits beyond 2³¹. There are `each` results for a row.
    fn in_far_rows(
        &self,
        softening: &Softening<'_>,
        results: &mut [f32],
        each: usize,
        write: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        self.on_pool(softening, || {
            in_chunks(results, each, !is_small(softening), |row, results| {
                if softening.is_far(row) {
                    write(row, results);
                }
            });
        });
    }

    /// Pulls the cotangents of all samples back to the logits, and writes the gradients.
    pub(crate) fn vjp(
        &self,
        softening: &Softening<'_>,
        cotangents: &[f32],
        gradients: &mut [f32],
    ) -> Result<(), Error> {
        let soften = Soften::new(softening, self.isa, self.filter);
        self.on_pool(softening, || soften.gradients(cotangents, gradients))?;
        self.vjp_far(softening, cotangents, gradients);
        Ok(())
    }

    fn on_pool<R: Send>(&self, softening: &Softening<'_>, work: impl FnOnce() -> R + Send) -> R {
        on_pool(self.pool.as_ref(), is_small(softening), work)
    }
}

/// Writes numbers in single precision.
fn narrow(numbers: &[f64], to: &mut [f32]) {
    to.iter_mut().zip(numbers).for_each(|(to, &number)| *to = number as f32);
}

/// True if the call is so small that other threads would not pay.
fn is_small(softening: &Softening<'_>) -> bool {
    DIVISION.is_small(softening.samples())
}

/// A call, and the parameters by which its samples are made.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Soften<'a> {
    softening: &'a Softening<'a>,
    plan: Plan<'a>,
    weigher: Weigher,
}

impl<'a> Soften<'a> {
    pub(in crate::cpu) fn new(softening: &'a Softening<'a>, isa: Isa, filter: bool) -> Self {
        let plan = Plan::new(&softening.job, isa, filter);
        let (scale, fall, keys) = (softening.scale, softening.fall(), plan.keys);
        let weigher = Weigher { isa, scale, keys, fall, categories: softening.categories() };
        Self { softening, plan, weigher }
    }

    /// Writes samples of rows × draws × categories.
    fn samples(&self, samples: &mut [f32]) {
        with_logits!(self.softening.job, rows => self.samples_of(rows, samples));
    }

    pub(in crate::cpu) fn samples_of<T: Drawable>(&self, rows: Rows<'_, T>, samples: &mut [f32]) {
        let (categories, job) = (self.softening.categories(), &self.softening.job);
        let grain = DIVISION.at_once(categories);
        if categories > SHORT && self.cuts(job.total()) {
            for (sample, race) in samples.chunks_exact_mut(categories).zip(job.races(0)) {
                self.long(rows, race, sample, true);
            }
            return;
        }
        let parallel = !is_small(self.softening);
        in_chunks(samples, grain * categories, parallel, |i, samples| {
            let first = i * grain;
            if categories > SHORT {
                let races = samples.chunks_exact_mut(categories).zip(job.races(first));
                races.for_each(|(sample, race)| self.long(rows, race, sample, false));
            } else {
                self.weigher.isa.run(ShortSamples { of: *self, rows, first, samples });
            }
        });
    }

    /// Writes the sample of one race of a long row: on all threads if `cut`.
    fn long<T: Drawable>(
        &self,
        rows: Rows<'_, T>,
        (row, draw): (usize, u32),
        sample: &mut [f32],
        cut: bool,
    ) {
        let stream = self.softening.job.stream(row, draw);
        let Some(max_key) = self.max_key(stream, rows.row(row)) else {
            return sample.fill(f32::NAN);
        };
        let segment = |(i, weights): (usize, &mut [f32])| {
            let first = i * SEGMENT;
            let logits = rows.row(row).part(first..first + weights.len());
            self.weigher.weights(stream, logits, first as u32, max_key, weights)
        };
        // segments are added up in the same order, whether threads share them or not
        let sum: f64 = if cut {
            let mut sums = vec![0.0; sample.len().div_ceil(SEGMENT)];
            let segments = sample.par_chunks_mut(SEGMENT).zip(&mut sums);
            each(segments, &|i, (weights, sum)| *sum = segment((i, weights)));
            sums.iter().sum()
        } else {
            sample.chunks_mut(SEGMENT).enumerate().map(segment).sum()
        };
        let scale = (1.0 / sum) as f32;
        in_chunks(sample, SEGMENT, cut, |_, weights| weights.iter_mut().for_each(|y| *y *= scale));
    }

    /// The largest key of a row, or `None` if it has no draw.
    fn max_key<V: RowValues>(&self, stream: Stream, logits: V) -> Option<i64> {
        let outcome = self.plan.race(stream, logits, 0);
        (!outcome.invalid && outcome.best != Best::NONE).then_some(outcome.best.key)
    }

    /// True if the rows are long and too few to be divided among threads; then each row is cut.
    fn cuts(&self, rows: usize) -> bool {
        // small calls do not ask for a pool
        DIVISION.is_long(self.softening.categories()) && are_few(rows)
    }
}
