//! A validated call that softens draws: what the engines are given.

use super::{Job, Temperature, undrawable};
use crate::error::Error;
use crate::noise::gumbel::UNIT;
use crate::noise::order::Scale;
use crate::options::{Data, Logits, Relaxation, SampleOptions, with_rows};

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
        let job = Job::new(logits, options)?;
        let Temperature::Scaled(scale) = job.temperature else { return Err(Error::SoftGreedy) };
        let floats = job.total().checked_mul(logits.categories());
        if floats.is_none_or(|n| n > isize::MAX as usize / size_of::<f32>()) {
            return Err(Self::too_many(&job));
        }
        Ok(Self { job, scale, relaxation })
    }

    fn too_many(job: &Job<'_>) -> Error {
        let (rows, categories) = (job.logits.rows(), job.logits.categories());
        Error::TooManySamples { rows, draws: job.draws, categories }
    }

    pub(crate) fn categories(&self) -> usize {
        self.job.logits.categories()
    }

    /// The floats of all samples: rows × draws × categories.
    pub(crate) fn samples(&self) -> usize {
        self.job.total() * self.categories()
    }

    /// The floats of all gradients: rows × categories.
    pub(crate) fn gradients(&self) -> usize {
        self.job.logits.rows() * self.categories()
    }

    /// By how much the power of two of a weight falls for each unit by which a key does:
    /// 2⁻²⁴ log₂ e / τ.
    pub(crate) fn fall(&self) -> f64 {
        std::f64::consts::LOG2_E / (UNIT as f64 * f64::from(self.relaxation.tau))
    }

    /// What the derivatives by keys are to be multiplied by to be those by logits: 1/(τ·T).
    pub(crate) fn slope(&self) -> f64 {
        f64::from(self.scale.reciprocal()) / f64::from(self.relaxation.tau)
    }

    /// Memory for so many floats.
    pub(crate) fn allocate(&self, floats: usize) -> Result<Vec<f32>, Error> {
        let mut memory = Vec::new();
        memory.try_reserve_exact(floats).map_err(|_| Self::too_many(&self.job))?;
        memory.resize(floats, 0.0);
        Ok(memory)
    }

    /// Whether a slice has the length that the call needs.
    pub(crate) fn check(what: &'static str, expected: usize, floats: &[f32]) -> Result<(), Error> {
        let got = floats.len();
        if got == expected { Ok(()) } else { Err(Error::FloatsLength { what, expected, got }) }
    }

    /// The job's error, if a row has no draw and sentinels were not asked for; `floats` are samples or
    /// gradients, in which such a row is NaN.
    pub(crate) fn report(&self, floats: &[f32]) -> Result<(), Error> {
        let rows = self.job.logits.rows();
        if self.job.sentinels || floats.is_empty() {
            return Ok(());
        }
        let suspects = floats.iter().step_by(floats.len() / rows).enumerate();
        for (row, _) in suspects.filter(|(_, first)| first.is_nan()) {
            // gradients of a row that has draws may be NaN as well: cotangents may be
            if let Some(reason) =
                with_rows!(self.job.logits.data(), rows => undrawable(rows.row(row)))
            {
                return Err(Error::UndrawableRow { row, reason });
            }
        }
        Ok(())
    }
}

/// The one-hot vector of each draw; NaN for a draw that there is not.
pub(crate) fn one_hot(draw: u32, sample: &mut [f32]) {
    match sample.get(draw as usize) {
        None => sample.fill(f32::NAN),
        Some(_) => {
            sample.fill(0.0);
            sample[draw as usize] = 1.0;
        }
    }
}
