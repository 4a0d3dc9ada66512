//! The definition of soft samples and of their gradients, in f64.

use super::restricted::{as_adjusted, drawn_row, slopes};
use crate::error::Error;
use crate::job::soften::Softening;
use crate::noise::bits::Stream;
use crate::noise::groups::noise;
use crate::noise::gumbel::{UNIT, gumbel};
use crate::noise::order::{FAR, Scale, is_invalid, key};
use crate::options::{
    Data, Logits, Relaxation, SampleOptions, Stock, Value, with_rows, with_stock,
};

/// Returns the soft sample of one draw of one row, a number for each category, or `None` if the row has no draw.
///
/// The number of a category is proportional to exp((key − largest key)/τ), where keys are real numbers, in units of 1;
/// for a logit of −∞ it is 0. The numbers add up to 1. The difference of the keys is exact. From a logit of 2³¹ on
/// (divided by the temperature), where keys hold [codes](crate::noise::order::fixed), the difference is that of the
/// logits and of their noise instead. So the sample is softmax((logit/T + G)/τ) for all finite logits.
///
/// ```
/// use gumbel::noise::bits::Stream;
/// use gumbel::noise::order::Scale;
/// use gumbel::reference::soften_row;
/// let sample = soften_row(&[0.0, 1.0], Stream::new(1, 0, 0), Scale::ONE, 0.5);
/// assert!(sample.is_some_and(|y| (y[0] + y[1] - 1.0).abs() < 1e-15));
/// ```
pub fn soften_row(logits: &[f32], stream: Stream, scale: Scale, tau: f32) -> Option<Vec<f64>> {
    let mut perturbed = Vec::with_capacity(logits.len());
    for (category, &logit) in (0..).zip(logits) {
        if is_invalid(logit.to_bits()) {
            return None;
        }
        let g = gumbel(noise(stream, category, logits.len()));
        perturbed.push((logit != f32::NEG_INFINITY).then(|| Perturbed {
            key: key(logit.to_bits(), scale, g),
            // 48 bits, and so exact
            logit: f64::from(logit) * f64::from(scale.reciprocal()),
            noise: f64::from(g) / UNIT as f64,
        }));
    }
    let largest = perturbed.iter().flatten().max_by_key(|category| category.key)?;
    let weight = |category: &Option<Perturbed>| match category {
        Some(category) => (-largest.above(category) / f64::from(tau)).exp(),
        None => 0.0,
    };
    let mut sample: Vec<f64> = perturbed.iter().map(weight).collect();
    let sum: f64 = sample.iter().sum();
    sample.iter_mut().for_each(|y| *y /= sum);
    Some(sample)
}

/// A category that can be drawn, with its noise.
struct Perturbed {
    key: i64,
    /// The logit divided by the temperature.
    logit: f64,
    noise: f64,
}

impl Perturbed {
    /// How far this category is above one whose key is not larger.
    fn above(&self, other: &Self) -> f64 {
        if self.logit.abs() < FAR && other.logit.abs() < FAR {
            // the difference of two keys may exceed an i64
            self.key.abs_diff(other.key) as f64 / UNIT as f64
        } else {
            (self.logit - other.logit) + (self.noise - other.noise)
        }
    }
}

/// Returns the samples of a batch, rows × draws × categories in row-major order. The samples of a row without a draw
/// are NaN if the options ask for sentinels.
///
/// # Errors
/// Those of [`Sampler::soften_rows`](crate::Sampler::soften_rows).
pub fn soften_rows(
    logits: Logits<'_>,
    options: &SampleOptions<'_>,
    relaxation: Relaxation,
) -> Result<Vec<f64>, Error> {
    let softening = Softening::new(logits, options, relaxation)?;
    let mut samples = Vec::with_capacity(softening.samples());
    for row in softening.each_row() {
        as_adjusted(&row.job, |&job| {
            let row = Softening { job, ..row };
            samples.extend((0..job.draws).flat_map(|draw| sample_of(&row, draw)));
        })?;
    }
    softening.check_samples(&singles(&samples))?;
    Ok(samples)
}

/// Returns the vector-Jacobian product of the samples of a batch with cotangents of the samples' shape (rows × draws ×
/// categories): rows × categories, summed over a row's draws. With y the soft sample and g its cotangent,
///
/// ```text
/// ∂/∂logitᵢ = sᵢ/(τ·T) · Σ_draws yᵢ (gᵢ − Σⱼ yⱼ gⱼ)
/// ```
///
/// where 1/T is the [reciprocal](Scale::reciprocal) of the temperature with which the draw is made, and sᵢ the derivative of
/// the adjusted logit by the logit: that of a repetition penalty, or 1. A cotangent where y
/// is 0 is ignored, whatever it is. The gradients of a row without a draw are NaN if the options ask for sentinels.
///
/// # Errors
/// Those of [`Sampler::soften_rows_vjp`](crate::Sampler::soften_rows_vjp).
pub fn soften_rows_vjp(
    logits: Logits<'_>,
    options: &SampleOptions<'_>,
    relaxation: Relaxation,
    cotangents: &[f32],
) -> Result<Vec<f64>, Error> {
    let soft = Relaxation { hard: false, ..relaxation };
    let softening = Softening::new(logits, options, soft)?;
    Error::check_floats("cotangents", softening.samples(), cotangents.len())?;
    let categories = logits.categories();
    let mut gradients = vec![0.0; softening.gradients()];
    let per_row = categories * softening.job.draws as usize;
    let rows = gradients.chunks_exact_mut(categories).zip(cotangents.chunks_exact(per_row));
    for ((gradient, cotangents), row) in rows.zip(softening.each_row()) {
        as_adjusted(&row.job, |&job| {
            gradient.copy_from_slice(&gradients_of(&Softening { job, ..row }, cotangents));
        })?;
        for (gradient, slope) in gradient.iter_mut().zip(slopes(&row.job)) {
            *gradient *= slope;
        }
    }
    softening.check_gradients(&singles(&gradients))?;
    Ok(gradients)
}

/// The gradients of a call of one row.
pub(crate) fn gradients_of(row: &Softening<'_>, cotangents: &[f32]) -> Vec<f64> {
    let categories = row.categories();
    let mut gradient = vec![0.0; categories];
    for (draw, cotangent) in (0..).zip(cotangents.chunks_exact(categories)) {
        let sample = sample_of(row, draw);
        // 0·∞ is NaN, and so is y·(g − ∞) for a y of 0
        let term = |y: f64, g: f64| if y == 0.0 { 0.0 } else { y * g };
        let pairs = || sample.iter().copied().zip(cotangent.iter().copied().map(f64::from));
        let mean: f64 = pairs().map(|(y, g)| term(y, g)).sum();
        for (gradient, (y, g)) in gradient.iter_mut().zip(pairs()) {
            *gradient += term(y, g - mean);
        }
    }
    gradient.iter_mut().for_each(|x| *x *= row.slope());
    gradient
}

/// The sample of one draw of a call of one row; NaN if the row has no draw.
pub(crate) fn sample_of(row: &Softening<'_>, draw: u32) -> Vec<f64> {
    let Softening { job, scale, relaxation } = row;
    // logits become no other type but f32
    let logits: Vec<f32> = with_stock!(job.logits.stock(), rows => {
        drawn_row(job, rows).0.iter().map(|logit| logit.number() as f32).collect()
    });
    let sample = soften_row(&logits, job.stream(0, draw), *scale, relaxation.tau);
    let Some(sample) = sample else { return vec![f64::NAN; logits.len()] };
    if !relaxation.hard {
        return sample;
    }
    let draw = super::sample_row(&logits, job.stream(0, draw), job.temperature);
    (0..).zip(&sample).map(|(i, _)| if draw == Some(i) { 1.0 } else { 0.0 }).collect()
}

fn singles(floats: &[f64]) -> Vec<f32> {
    floats.iter().map(|&x| x as f32).collect()
}
