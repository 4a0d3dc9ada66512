//! Log-probabilities of given categories, in `f64`.

use std::ops::Range;

use gumbel::{Allowed, Error, LogProbsOf, SampleOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rayon::prelude::*;

use crate::adjust::Adjustment;
use crate::call::of_rows;
use crate::dlpack::Tensor;
use crate::draws::given;
use crate::engines::engines;
use crate::error::{row_words, shape_words};
use crate::numpy::Output;
use crate::pieces::at_once;
use crate::restrict::log_probs_of;
use crate::rows::{Kind, Source};
use crate::strided::integers;

/// The categories that are read between two looks for Ctrl-C.
const AT_ONCE: usize = 1 << 24;
/// The categories that are worth the hand-over to other threads.
const FEW: usize = 1 << 14;

/// log softmax at each index. `index` has the shape of the rows, and any axes behind.
#[pyfunction]
pub(crate) fn log_prob<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    weights: bool,
    call: &Bound<'py, PyTuple>,
    index: &Bound<'py, PyAny>,
    of: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, of) = (values.py(), log_probs_of(of)?);
    let (rows, call) = given(values, axis, weights, call)?;
    let (shape, categories) = (Tensor::new(index, "index")?.shape, rows.categories);
    if !shape.starts_with(&rows.shape) {
        return Err(PyValueError::new_err(format!(
            "index of shape {} does not begin with the shape of the rows, {}",
            shape_words(&shape),
            shape_words(&rows.shape)
        )));
    }
    let each: usize = shape[rows.shape.len()..].iter().product();
    let mut wrong = None;
    let indices = of_rows(index, "index", &shape, |tensor, layout| {
        integers(tensor, layout, |value| Ok(usize::try_from(value).unwrap_or(usize::MAX)))
    })?;
    if let Some(at) = indices.iter().position(|&index| index >= categories) {
        wrong = Some(at / each.max(1));
    }
    if let Some(row) = wrong {
        let row = row_words(row, &rows.shape);
        return Err(PyValueError::new_err(format!(
            "{row}: an index is from 0 to {}, as there are {categories} categories",
            categories - 1
        )));
    }
    let mut output = Output::<f64>::new(py, &shape, &[])?;
    let (all, source, engines) = (output.values(), rows.source(), engines()?);
    let engine = py.detach(|| engines.engine("cpu", 0)).map_err(|error| rows.error(error, 0))?;
    // The crate checks options and rows, so that what is added up below is drawable.
    let checked = |some: &Range<usize>, options: &SampleOptions<'_>| {
        let batch = source.part(some.clone())?;
        engine.run(|sampler| match (call.changes_rows(), of) {
            (true, LogProbsOf::Kept) => sampler.cut_rows(batch, options),
            // the cuts take nothing away, and are checked: a draw takes less time than they do
            (true, _) => sampler.sample_rows(batch, options).map(|_| Vec::new()),
            (false, _) => sampler.logsumexp_rows(batch, options).map(|_| Vec::new()),
        })
    };
    if all.is_empty() {
        let none = 0..0;
        let outcome =
            at_once(py, || checked(&none, &call.options(&none, &call.offsets(&none)?, &(0..1))))?;
        outcome.map_err(|error| rows.error(error, 0))?;
        return output.into_array();
    }
    let rows_at_once = (AT_ONCE / categories).max(1);
    for (piece, (to, indices)) in
        all.chunks_mut(rows_at_once * each).zip(indices.chunks(rows_at_once * each)).enumerate()
    {
        let first = piece * rows_at_once;
        let outcome = at_once(py, || {
            let some = first..first + to.len() / each;
            let offsets = call.offsets(&some)?;
            let options = call.options(&some, &offsets, &(0..1));
            let temperature =
                |i: usize| options.temperatures.map_or(options.temperature, |each| each[i]);
            if (0..some.len()).any(|i| temperature(i) == 0.0) {
                return Err(Error::NoNoise { operation: "a log-probability" });
            }
            let cuts = checked(&some, &options)?;
            let one = |(i, (to, indices)): (usize, (&mut [f64], &[usize]))| {
                let row = first + i;
                let kept = Kept {
                    threshold: cuts.get(i).map(|cut| cut.threshold),
                    mask: options.allowed.map(|allowed| mask_of(allowed, i)),
                    adjustment: call.adjustment(),
                };
                log_probs(&source, row, temperature(i), &kept, indices, to)
            };
            if to.len() / each * categories <= FEW {
                return to.chunks_mut(each).zip(indices.chunks(each)).enumerate().try_for_each(one);
            }
            engine.install(|| {
                to.par_chunks_mut(each).zip(indices.par_chunks(each)).enumerate().try_for_each(one)
            })
        })?;
        outcome.map_err(|error| rows.error(error, first))?;
    }
    output.into_array()
}

/// What is kept of a row, and what its logits become before that.
struct Kept<'a> {
    /// The least value that no cut takes away.
    threshold: Option<f64>,
    mask: Option<&'a [u32]>,
    adjustment: Option<&'a Adjustment>,
}

impl Kept<'_> {
    fn keeps(&self, category: usize, value: f64) -> bool {
        self.mask.is_none_or(|mask| mask[category / 32] >> (category % 32) & 1 == 1)
            && self.threshold.is_none_or(|threshold| value >= threshold)
    }
}

fn mask_of(allowed: Allowed<'_>, row: usize) -> &[u32] {
    match allowed.words_per_row() {
        None => allowed.words(),
        Some(each) => &allowed.words()[row * each..][..each],
    }
}

fn log_probs(
    source: &Source<'_>,
    row: usize,
    temperature: f32,
    kept: &Kept<'_>,
    indices: &[usize],
    to: &mut [f64],
) -> Result<(), Error> {
    let mut values = Vec::new();
    let (rows, categories) = (1, source.categories);
    let bytes = categories.saturating_mul(8);
    let no_memory = |_| Error::NoMemoryForRows { rows, categories, bytes };
    values.try_reserve_exact(categories).map_err(no_memory)?;
    source.extend_row(row, &mut values);
    if let Some(adjustment) = kept.adjustment {
        adjustment.adjust(row, &mut values, source.is_double());
    }
    let mut largest = f64::NEG_INFINITY;
    for (category, value) in values.iter_mut().enumerate() {
        *value = match source.kind {
            _ if !kept.keeps(category, *value) => f64::NEG_INFINITY,
            Kind::Weights => value.ln(),
            Kind::Logits => *value,
        };
        largest = largest.max(*value);
    }
    let relative = |value: f64| (value - largest) / f64::from(temperature);
    let log_sum = values.iter().map(|&value| relative(value).exp()).sum::<f64>().ln();
    for (to, &index) in to.iter_mut().zip(indices) {
        *to = relative(values[index]) - log_sum;
    }
    Ok(())
}
