//! A validated call that softens draws, which the engines are given.
//!
//! Soft samples are made of exact keys: a weight is exp((key − largest key)/τ), and the difference of two keys is an exact
//! integer. So the drawn category has the largest weight, and τ → 0 and τ → ∞ need no special case. From logits of 2³¹ on keys are
//! codes; the host makes such rows by the reference. Only the weights are floats: GPUs agree to some 10⁻⁵, the CPU's instruction
//! sets bit for bit.

use std::ops::Range;

use super::{Job, lengthen};
use crate::error::Error;
use crate::noise::gumbel::UNIT;
use crate::noise::order::{FAR, Scale};
use crate::options::{Data, Logits, Relaxation, SampleOptions, Value, with_rows};

/// A call that has passed every check that does not look at the logits themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Softening<'a> {
    pub(crate) job: Job<'a>,
    pub(crate) scale: Scale,
    pub(crate) relaxation: Relaxation,
}

impl<'a> Softening<'a> {
    pub(crate) fn new(
        logits: Logits<'a>,
        options: &SampleOptions<'a>,
        relaxation: Relaxation,
    ) -> Result<Self, Error> {
        let tau = relaxation.tau;
        if !(Scale::MIN_TEMPERATURE..=Scale::MAX_TEMPERATURE).contains(&tau) {
            return Err(Error::Tau { got: tau });
        }
        let job = Job::new(logits, options)?.by_gumbel("a soft sample")?;
        let job = job.with_noise(Error::SoftGreedy)?;
        let floats = job.total().checked_mul(logits.categories());
        if floats.is_none_or(|n| n > isize::MAX as usize / size_of::<f32>()) {
            return Err(Self::too_many(&job));
        }
        Ok(Self { job, scale: job.scale(), relaxation })
    }

    /// The call for each row alone.
    pub(crate) fn each_row(&self) -> impl Iterator<Item = Self> {
        (0..self.job.logits.rows()).map(|row| self.part(row..row + 1))
    }

    /// The call for some of the rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        let job = self.job.part(rows);
        Self { job, scale: job.scale(), ..*self }
    }

    /// Whether the row at position `row` has a logit that is finite, and so far from 0 that keys are codes: the difference
    /// of two keys is then not that of the perturbed logits.
    pub(crate) fn is_far(&self, row: usize) -> bool {
        let inverse = f64::from(self.scale.reciprocal());
        let is_far = |logit: f64| (FAR..f64::INFINITY).contains(&(logit * inverse).abs());
        with_rows!(self.job.logits.data(), rows => {
            rows.row(row).iter().any(|logit| is_far(logit.log_weight()))
        })
    }

    fn too_many(job: &Job<'_>) -> Error {
        let (rows, categories) = (job.logits.rows(), job.logits.categories());
        Error::TooManySamples { rows, draws: job.draws, categories }
    }

    pub(crate) fn categories(&self) -> usize {
        self.job.logits.categories()
    }

    /// The number of floats of the samples of a row: draws × categories.
    pub(crate) fn samples_of_row(&self) -> usize {
        self.job.draws as usize * self.categories()
    }

    /// The number of floats of all samples: rows × draws × categories.
    pub(crate) fn samples(&self) -> usize {
        self.job.total() * self.categories()
    }

    /// The number of floats of all gradients: rows × categories.
    pub(crate) fn gradients(&self) -> usize {
        self.job.logits.rows() * self.categories()
    }

    /// The amount by which log₂ of a category's soft weight falls when its key falls by one unit: 2⁻²⁴ log₂ e / τ.
    pub(crate) fn fall(&self) -> f64 {
        std::f64::consts::LOG2_E / (UNIT as f64 * f64::from(self.relaxation.tau))
    }

    /// The factor from derivatives by (logit/T + noise)/τ to derivatives by logits: 1/(τ·T).
    pub(crate) fn slope(&self) -> f64 {
        f64::from(self.scale.reciprocal()) / f64::from(self.relaxation.tau)
    }

    /// Memory for `floats` floats.
    pub(crate) fn allocate(&self, floats: usize) -> Result<Vec<f32>, Error> {
        let mut memory = Vec::new();
        self.lengthen(&mut memory, floats)?;
        Ok(memory)
    }

    /// Makes memory hold `floats` floats.
    pub(crate) fn lengthen(&self, memory: &mut Vec<f32>, floats: usize) -> Result<(), Error> {
        lengthen(memory, floats, 0.0).map_err(|_| Self::too_many(&self.job))
    }

    /// Returns the job's error if a row has no draw and sentinels were not asked for.
    pub(crate) fn check_samples(&self, samples: &[f32]) -> Result<(), Error> {
        self.check_nan(samples, |row| {
            Err(Error::Gpu {
                while_doing: "drawing".to_owned(),
                message: format!("row {row} has a draw, but the device gave none"),
            })
        })
    }

    /// Returns the job's error if a row has no gradient and sentinels were not asked for. Gradients of a row that has
    /// draws may be NaN as well, since cotangents may be.
    pub(crate) fn check_gradients(&self, gradients: &[f32]) -> Result<(), Error> {
        self.check_nan(gradients, |_| Ok(()))
    }

    /// Returns the error of the first row that begins with NaN and has no draw; for a row that begins with NaN and has
    /// a draw, `drawable` decides.
    fn check_nan(
        &self,
        floats: &[f32],
        drawable: impl Fn(usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.job.sentinels || floats.is_empty() {
            return Ok(());
        }
        let each = floats.len() / self.job.logits.rows();
        for (row, first) in floats.iter().step_by(each).enumerate() {
            if first.is_nan() {
                match self.job.undrawable(row) {
                    Some(error) => return Err(error),
                    None => drawable(row)?,
                }
            }
        }
        Ok(())
    }
}

/// Writes the one-hot vector of a draw; NaN if the draw is not in the sample, as `NO_DRAW` is not.
pub(crate) fn one_hot(draw: u32, sample: &mut [f32]) {
    match sample.get(draw as usize) {
        None => sample.fill(f32::NAN),
        Some(_) => {
            sample.fill(0.0);
            sample[draw as usize] = 1.0;
        }
    }
}
