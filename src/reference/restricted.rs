//! The definition of what is kept of a row.

use crate::error::Error;
use crate::job::cuts::CutJob;
use crate::job::{Job, Temperature};
use crate::noise::cuts::{distance_of, share_of};
use crate::noise::exp::log2_floor;
use crate::noise::order::Scale;
use crate::options::{
    Batch, Chance, Data, Logits, Penalty, Rows, SampleOptions, Share, Stock, Stored, Truncation,
    Value, ValueFormat, allowed_values, relative_row, with_rows, with_stock,
};
use crate::results::Cut;

/// Does something with a job of one row, whose logits are adjusted by then.
pub(super) fn as_adjusted<R>(job: &Job<'_>, with: impl FnOnce(&Job<'_>) -> R) -> Result<R, Error> {
    if job.adjustment.is_none() {
        return Ok(with(job));
    }
    let (doubles, categories) = (adjusted(job), job.logits.categories());
    if job.logits.format() == ValueFormat::F64 {
        return Ok(with(&job.on_copies(Logits::from_f64(&doubles, categories)?.into())));
    }
    // what was finite stays finite
    let within = |x: f64| if x.is_finite() { x.clamp(f32::MIN.into(), f32::MAX.into()) } else { x };
    let singles: Vec<f32> = doubles.iter().map(|&x| within(x) as f32).collect();
    Ok(with(&job.on_copies(Logits::new(&singles, categories)?.into())))
}

/// The logits of a job of one row.
fn logits_of(job: &Job<'_>) -> Vec<f64> {
    with_stock!(job.logits.stock(), rows => {
        rows.values(0, 0..rows.categories()).map(|value| value.as_f64()).collect()
    })
}

/// The logits of a job of one row after its biases.
fn biased(job: &Job<'_>) -> Vec<f64> {
    let mut logits = logits_of(job);
    let mut biases: Vec<(u32, f32)> = job.adjustment.biases(0).collect();
    biases.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    for (category, bias) in biases {
        logits[category as usize] += f64::from(bias);
    }
    logits
}

/// How often the row of a job has had each category, if the history has it.
fn counts(job: &Job<'_>) -> Vec<Option<u32>> {
    let mut counts = vec![None; job.logits.categories()];
    for (category, more) in job.adjustment.counts(0) {
        let count = &mut counts[category as usize];
        *count = Some(count.unwrap_or(0u32).saturating_add(more));
    }
    counts
}

/// The derivatives of the adjusted logits of a job of one row by its logits.
pub(crate) fn slopes(job: &Job<'_>) -> Vec<f64> {
    let repetition = f64::from(job.adjustment.penalty(0).repetition);
    let slope = |(x, count): (f64, Option<u32>)| match count {
        None => 1.0,
        Some(_) if x > 0.0 => 1.0 / repetition,
        Some(_) => repetition,
    };
    biased(job).into_iter().zip(counts(job)).map(slope).collect()
}

/// The adjusted logits of a job of one row, as [`Penalty`](crate::Penalty) defines them.
fn adjusted(job: &Job<'_>) -> Vec<f64> {
    let (before, mut logits, counts) = (logits_of(job), biased(job), counts(job));
    let banned: Vec<bool> = logits.iter().map(|&x| x == f64::NEG_INFINITY).collect();
    let &Penalty { repetition, frequency, presence } = job.adjustment.penalty(0);
    for (x, count) in logits.iter_mut().zip(counts) {
        let Some(count) = count else { continue };
        *x = if *x > 0.0 { *x / f64::from(repetition) } else { *x * f64::from(repetition) };
        *x -= f64::from(frequency) * f64::from(count);
        *x -= if count > 0 { f64::from(presence) } else { 0.0 };
    }
    for ((x, before), is_banned) in logits.iter_mut().zip(before).zip(banned) {
        if before.is_finite() && !is_banned {
            *x = x.clamp(f64::MIN, f64::MAX);
        }
    }
    logits
}

/// Does something with the row of a job of one row as it is [drawn from](drawn_row), and with what its base takes away.
macro_rules! with_drawn_row {
    ($job:expr, $row:pat => $do:expr) => {
        as_adjusted($job, |job| {
            with_stock!(job.logits.stock(), rows => {
                let $row = drawn_row(job, rows);
                $do
            })
        })
    };
}
pub(super) use with_drawn_row;

/// The row of a job of one row as it is drawn from, and what its base takes away: probability 0 for what may not be
/// drawn.
pub(super) fn drawn_row<T: Stored>(job: &Job<'_>, rows: Rows<'_, T>) -> (Vec<T::Drawn>, f64) {
    let (mut values, shift) = relative_row(rows, 0, job.restriction.allowed);
    let (truncation, scale) = job.cut_of(0);
    if truncation.is_none(values.len()) {
        return (values, shift);
    }
    let kept = kept(&values, truncation, scale);
    for (value, kept) in values.iter_mut().zip(kept) {
        // what is invalid leaves its row without a draw
        if !kept && value.chance() == Chance::Some {
            *value = T::Drawn::NEVER;
        }
    }
    (values, shift)
}

/// Returns whether a truncation keeps each category of a row of logits; none if the row has no draw. `temperature` is
/// that of the draw, and 1 for a greedy draw.
///
/// ```
/// use gumbel::{Truncation, reference};
/// let kept = reference::kept_row(&[0.0, 3.0, 1.0, 1.0], &Truncation::new().with_top_k(2), 1.0)?;
/// assert_eq!(kept, [false, true, true, true]); // ties are kept
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// # Errors
/// [`Error::Truncation`] and [`Error::Temperature`].
pub fn kept_row(
    logits: &[f32],
    truncation: &Truncation,
    temperature: f32,
) -> Result<Vec<bool>, Error> {
    truncation.check()?;
    let scale = |temperature| match Temperature::new(temperature)? {
        Temperature::Scaled(scale) => Ok(scale),
        Temperature::Greedy => Err(Error::Temperature { got: temperature }),
    };
    let at = truncation.at_temperature.map(scale).transpose()?;
    Ok(kept(logits, truncation, at.unwrap_or(scale(temperature)?)))
}

/// Whether each category of a row is kept, at this scale.
fn kept<T: Value>(values: &[T], truncation: &Truncation, scale: Scale) -> Vec<bool> {
    let mut kept = vec![false; values.len()];
    if values.iter().any(|value| value.chance() == Chance::Invalid) {
        return kept;
    }
    // the categories that can be drawn, those with the largest K first
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.retain(|&i| values[i].chance() == Chance::Some);
    let k = |i: usize| values[i].fixed(scale);
    order.sort_by_key(|&i| std::cmp::Reverse(k(i)));
    let Some(&first) = order.first() else { return kept };
    let log2_categories = log2_floor(values.len() as u32);
    let weight = |i: usize| values[i].integer_weight(values[first], scale, log2_categories);
    let sum = |some: &[usize]| some.iter().map(|&i| weight(i)).sum::<u64>();
    // how many of them each cut keeps, which are the first in any case
    let count = |keeps: &dyn Fn(usize) -> bool| {
        order.iter().take_while(|&&i| k(i) == k(first) || keeps(i)).count()
    };
    let above = |i: usize| order.partition_point(|&j| k(j) > k(i));

    let top_k = count(&|i| truncation.top_k.is_none_or(|top_k| above(i) < top_k as usize));
    let min_p = match truncation.min_p {
        Some(share) if share > 0.0 => count(&|i| k(first).abs_diff(k(i)) <= distance_of(share)),
        _ => order.len(),
    };
    let epsilon = match truncation.epsilon {
        Some(epsilon) if epsilon > 0.0 => {
            let limit = share_of(epsilon, sum(&order));
            count(&|i| weight(i) >= limit)
        }
        _ => order.len(),
    };
    let others = top_k.min(min_p).min(epsilon);
    let top_p = match truncation.top_p {
        Some(p) if p < 1.0 => {
            let whole = match truncation.share {
                Share::TopK => top_k,
                Share::All => order.len(),
                Share::Rest => others,
            };
            let limit = share_of(p, sum(&order[..whole]));
            count(&|i| sum(&order[..above(i)]) < limit)
        }
        _ => order.len(),
    };
    for &i in &order[..others.min(top_p)] {
        kept[i] = true;
    }
    kept
}

/// Returns where each row is cut.
///
/// # Errors
/// Those of [`Sampler::cut_rows`](crate::Sampler::cut_rows).
pub fn cut_rows<'a>(
    batch: impl Into<Batch<'a>>,
    options: &SampleOptions<'a>,
) -> Result<Vec<Cut>, Error> {
    let call = CutJob::new(batch, options)?;
    let mut cuts = call.unwritten()?;
    for (cut, job) in cuts.iter_mut().zip(call.job.each_row()) {
        *cut = as_adjusted(&job, |job| with_stock!(job.logits.stock(), rows => cut_of(job, rows)))?;
    }
    call.job.check_rows(|row| !cuts[row].is_none())?;
    Ok(cuts)
}

/// The cut of a job of one row.
fn cut_of<T: Stored>(job: &Job<'_>, rows: Rows<'_, T>) -> Cut {
    let (all, _) = relative_row(rows, 0, job.restriction.allowed);
    let (truncation, scale) = job.cut_of(0);
    let kept = kept(&all, truncation, scale);
    let stored = allowed_values(rows, 0, job.restriction.allowed);
    let threshold = stored.zip(&kept).filter(|(_, kept)| **kept).map(|(value, _)| value.as_f64());
    let Some(threshold) = threshold.reduce(f64::min) else { return Cut::NONE };

    let drawable = |value: &T::Drawn| value.chance() == Chance::Some;
    let some = || all.iter().copied().filter(drawable);
    let Some(most) = some().max_by_key(|value| value.word()) else { return Cut::NONE };
    let log2_categories = log2_floor(all.len() as u32);
    let weight = |value: T::Drawn| value.integer_weight(most, scale, log2_categories);
    let kept_weights = all.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(&x, _)| weight(x));
    Cut {
        threshold,
        kept: kept.iter().filter(|kept| **kept).count() as u32,
        share: kept_weights.sum::<u64>() as f64 / some().map(weight).sum::<u64>() as f64,
    }
}
