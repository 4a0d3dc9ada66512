//! Log-probabilities of given categories, in `f64`.

use gumbel::{Allowed, Error, LogProbsOf, Undrawable};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rayon::prelude::*;

use crate::adjust::Adjustment;
use crate::call::of_elements;
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
    let indices = of_elements(index, "index", &shape, |tensor, layout| {
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
    if each == 0 || rows.rows == 0 {
        return output.into_array();
    }
    let (all, source, engines) = (output.values(), rows.source(), engines()?);
    let all_rows = 0..rows.rows;
    let offsets = call.offsets(&all_rows).map_err(|error| rows.error(error, 0))?;
    let options = call.options(&all_rows, &offsets, &(0..1));
    let temperature =
        |row: usize| options.temperatures.map_or(options.temperature, |each| each[row]);
    let rows_at_once = (AT_ONCE / categories).max(1);
    let engine = py.detach(|| engines.engine("cpu", 0)).map_err(|error| rows.error(error, 0))?;
    for (piece, (to, indices)) in
        all.chunks_mut(rows_at_once * each).zip(indices.chunks(rows_at_once * each)).enumerate()
    {
        let first = piece * rows_at_once;
        let outcome = at_once(py, || {
            let some = first..first + to.len() / each;
            let offsets = call.offsets(&some)?;
            let of_piece = call.options(&some, &offsets, &(0..1));
            let cuts = match call.changes_rows() {
                true => engine.run(|sampler| {
                    let cuts = sampler.cut_rows(source.part(some.clone())?, &of_piece);
                    cuts.map_err(|error| of_row_from(first, error))
                })?,
                false => Vec::new(),
            };
            let one = |(i, (to, indices)): (usize, (&mut [f64], &[usize]))| {
                let row = first + i;
                let kept = Kept {
                    // among all that is allowed, cuts are checked and take nothing away
                    threshold: match of {
                        LogProbsOf::Kept => cuts.get(i).map(|cut| cut.threshold),
                        _ => None,
                    },
                    mask: of_piece.allowed.map(|allowed| mask_of(allowed, i)),
                    adjustment: call.adjustment(),
                };
                log_probs(&source, row, temperature(row), &kept, indices, to)
            };
            if to.len() / each * categories <= FEW {
                return to.chunks_mut(each).zip(indices.chunks(each)).enumerate().try_for_each(one);
            }
            engine.install(|| {
                let all = to.par_chunks_mut(each).zip(indices.par_chunks(each)).enumerate();
                // of several errors the first
                let failed = all.filter_map(|of| one(of).err()).min_by_key(row_of);
                failed.map_or(Ok(()), Err)
            })
        })?;
        outcome.map_err(|error| rows.error(error, 0))?;
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
    fn allows(&self, category: usize) -> bool {
        self.mask.is_none_or(|mask| mask[category / 32] >> (category % 32) & 1 == 1)
    }

    fn cuts(&self, value: f64) -> bool {
        self.threshold.is_some_and(|threshold| value < threshold)
    }
}

fn mask_of(allowed: Allowed<'_>, row: usize) -> &[u32] {
    match allowed.words_per_row() {
        None => allowed.words(),
        Some(each) => &allowed.words()[row * each..][..each],
    }
}

/// The error of a call for the rows from `first` on, with the number of the row in the array.
fn of_row_from(first: usize, error: Error) -> Error {
    match error {
        Error::UndrawableRow { row, reason } => Error::UndrawableRow { row: first + row, reason },
        Error::OfRow { row, error } => Error::OfRow { row: first + row, error },
        other => other,
    }
}

fn row_of(error: &Error) -> usize {
    match error {
        Error::UndrawableRow { row, .. } | Error::OfRow { row, .. } => *row,
        _ => 0,
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
    if temperature == 0.0 {
        return Err(Error::NoNoise { operation: "a log-probability" });
    }
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
        if !kept.allows(category) {
            *value = f64::NEG_INFINITY;
            continue;
        }
        let is_cut = kept.cuts(*value);
        let reason = match source.kind {
            Kind::Weights if *value >= 0.0 && value.is_finite() => {
                *value = value.ln();
                None
            }
            Kind::Weights => Some(Undrawable::InvalidWeight { category, weight: *value }),
            Kind::Logits if value.is_nan() => Some(Undrawable::Nan { category }),
            Kind::Logits if *value == f64::INFINITY => {
                Some(Undrawable::PositiveInfinity { category })
            }
            Kind::Logits => None,
        };
        if let Some(reason) = reason {
            return Err(Error::UndrawableRow { row, reason });
        }
        if is_cut {
            *value = f64::NEG_INFINITY;
        }
        largest = largest.max(*value);
    }
    if largest == f64::NEG_INFINITY {
        let reason = match source.kind {
            Kind::Weights => Undrawable::NoWeight,
            Kind::Logits => Undrawable::NothingDrawable,
        };
        return Err(Error::UndrawableRow { row, reason });
    }
    let relative = |value: f64| (value - largest) / f64::from(temperature);
    let log_sum = values.iter().map(|&value| relative(value).exp()).sum::<f64>().ln();
    for (to, &index) in to.iter_mut().zip(indices) {
        *to = relative(values[index]) - log_sum;
    }
    Ok(())
}
