//! Comparisons of an engine's soft samples and gradients of the cases with the reference's.

use super::Case;
use crate::engine::Blocking;
use crate::error::Error;
use crate::job::soften::Softening;
use crate::noise::philox::philox4x32_10;
use crate::options::Relaxation;
use crate::reference;
use crate::sampler::Sampler;

/// The largest errors of an engine's soft samples and gradients of a batch, relative to the reference.
///
/// An error is infinite if a number is NaN in one of the two and not in the other, if a drawn category's y is not the
/// largest of its sample, or if a gradient is not 0 where all samples are: where a logit is −∞, or what a row's cut or
/// mask takes away.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoftErrors {
    /// The largest error of a sample, as a fraction of y + 10⁻³¹.
    pub samples: f64,
    /// The largest error of a gradient, as a fraction of what the gradient would be if nothing cancelled, Σ_draws (y +
    /// 10⁻³¹)·(|g| + Σ y|g|)/(τ·T), times the slope of a repetition penalty.
    pub gradients: f64,
}

impl SoftErrors {
    const INFINITE: Self = Self { samples: f64::INFINITY, gradients: f64::INFINITY };
    /// The bounds that the CPU engine promises.
    pub const CPU: Self = Self { samples: 1e-6, gradients: 1e-6 };
    /// The bounds that the GPU engine promises.
    pub const GPU: Self = Self { samples: 2e-5, gradients: 2e-5 };

    /// Whether both errors are below those of `promise`.
    pub fn are_within(self, promise: Self) -> bool {
        self.samples < promise.samples && self.gradients < promise.gradients
    }

    /// The larger error of each kind.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let samples = self.samples.max(other.samples);
        Self { samples, gradients: self.gradients.max(other.gradients) }
    }
}

/// A number that is added to y, so that the errors of the smallest samples are relative to this number.
const FLOOR: f64 = 1e-31;

/// The cases of logits, which alone have soft samples: those of [`cases`](super::cases) first, and then those with options
/// of rows, and whose rows are copied or restricted.
pub fn soft_cases() -> impl Iterator<Item = Case> {
    let others = super::per_row_cases().chain(super::copied_cases());
    let others = others.chain(super::restricted_cases());
    super::boxed(super::cases().chain(others).filter(|case| case.logits().is_some()))
}

impl Case {
    /// The number of logits, counted once a draw.
    pub fn work(&self) -> usize {
        self.drawn_rows() * self.categories * self.options.draws as usize
    }

    /// Cotangents for the samples: rows × draws × categories numbers between −1 and 1.
    pub fn cotangents(&self) -> Vec<f32> {
        let word = |i: usize| philox4x32_10([(i / 4) as u32, 0, 0, 7], [5, 6])[i % 4] as i32;
        (0..self.work()).map(|i| word(i) as f32 / 2f32.powi(31)).collect()
    }

    /// How far an engine's samples and gradients at this τ are from the reference's. A number that the engine leaves
    /// unwritten counts as an error. For a case of weights, which has no soft samples, both errors are infinite.
    ///
    /// ```
    /// use gumbel::conformance::{self, SoftErrors};
    /// use gumbel::CpuSampler;
    /// let engine = CpuSampler::new();
    /// for case in conformance::soft_cases().filter(|case| case.work() < 100) {
    ///     assert!(case.soften(&engine, 0.5)?.are_within(SoftErrors::CPU), "{case}");
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Sampler::soften_rows_into`] and [`Sampler::soften_rows_vjp_into`], such as [`Error::Tau`].
    pub fn soften(&self, engine: &Sampler<impl Blocking>, tau: f32) -> Result<SoftErrors, Error> {
        let Some(logits) = self.logits() else { return Ok(SoftErrors::INFINITE) };
        let (options, soft) = (self.warm_options(), Relaxation::soft(tau));
        // 7.5 is no sample, and 1e30 no gradient
        let mut samples = vec![7.5; self.work()];
        engine.soften_rows_into(logits, &options, soft, &mut samples)?;
        let mut gradients = vec![1e30; self.drawn_rows() * self.categories];
        engine.soften_rows_vjp_into(logits, &options, soft, &self.cotangents(), &mut gradients)?;
        self.soft_errors(tau, &samples, &gradients)
    }

    /// How far the samples and gradients that an engine has made with [`warm_options`](Self::warm_options) and
    /// [`cotangents`](Self::cotangents) are from the reference's. Infinite if the number of samples or gradients is
    /// wrong.
    ///
    /// # Errors
    /// [`Error::Tau`].
    pub fn soft_errors(
        &self,
        tau: f32,
        samples: &[f32],
        gradients: &[f32],
    ) -> Result<SoftErrors, Error> {
        let Some(logits) = self.logits() else { return Ok(SoftErrors::INFINITE) };
        let (options, soft) = (self.warm_options(), Relaxation::soft(tau));
        let cotangents = self.cotangents();
        let expected = reference::soften_rows(logits, &options, soft)?;
        let pulled = reference::soften_rows_vjp(logits, &options, soft, &cotangents)?;
        let draws = reference::sample_rows(logits, &options)?;
        let mut errors = SoftErrors::default();
        if (samples.len(), gradients.len()) != (expected.len(), pulled.len()) {
            return Ok(SoftErrors::INFINITE);
        }
        for (&got, &expected) in samples.iter().zip(&expected) {
            errors.samples = worse(errors.samples, share(got, expected, expected.abs() + FLOOR));
        }
        let categories = logits.categories();
        for (sample, &draw) in samples.chunks_exact(categories).zip(&draws) {
            let drawn = sample.get(draw as usize);
            if drawn.is_some_and(|&drawn| sample.iter().any(|&y| y > drawn)) {
                errors.samples = f64::INFINITY;
            }
        }
        let per_row = categories * options.draws as usize;
        for (row, call) in Softening::new(logits, &options, soft)?.each_row().enumerate() {
            let of_row = row * per_row..(row + 1) * per_row;
            let row_samples = &expected[of_row.clone()];
            let whole = uncancelled(row_samples, &cotangents[of_row], categories);
            let slopes = reference::slopes(&call.job);
            for (category, whole) in whole.into_iter().enumerate() {
                let (got, expected) =
                    (gradients[row * categories + category], pulled[row * categories + category]);
                let mut error = share(got, expected, call.slope() * slopes[category] * whole);
                let mut of_category = row_samples.iter().skip(category).step_by(categories);
                if got != 0.0 && of_category.all(|&y| y == 0.0) {
                    error = f64::INFINITY;
                }
                errors.gradients = worse(errors.gradients, error);
            }
        }
        Ok(errors)
    }
}

/// The larger, or infinity if one is NaN.
fn worse(a: f64, b: f64) -> f64 {
    if b.is_nan() { f64::INFINITY } else { a.max(b) }
}

/// The difference as a fraction of `of`; 0 if both numbers are the same float.
fn share(got: f32, expected: f64, of: f64) -> f64 {
    // also if both are NaN, or beyond the range of the engine's floats
    let same = f64::from(got) == f64::from(expected as f32) || got.is_nan() && expected.is_nan();
    // less the rounding of a subnormal float
    let apart = (f64::from(got) - expected).abs() - 2e-45;
    // a NaN is not below 0
    if same || apart < 0.0 { 0.0 } else { apart / of }
}

/// The gradients of a row's samples by keys, as they would be if nothing cancelled.
fn uncancelled(samples: &[f64], cotangents: &[f32], categories: usize) -> Vec<f64> {
    let mut whole = vec![0.0; categories];
    let draws = samples.chunks_exact(categories).zip(cotangents.chunks_exact(categories));
    for (sample, cotangents) in draws {
        let pairs = || sample.iter().zip(cotangents).map(|(&y, &g)| (y, f64::from(g).abs()));
        let mean: f64 = pairs().map(|(y, g)| y * g).sum();
        whole.iter_mut().zip(pairs()).for_each(|(x, (y, g))| *x += (y + FLOOR) * (g + mean));
    }
    whole
}
