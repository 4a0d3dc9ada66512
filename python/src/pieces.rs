//! Long calls in pieces, so that Ctrl-C ends them, with the interpreter free for other threads in the meantime.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gumbel::{Batch, Error, Method, SampleOptions, Sampler};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::call::Call;
use crate::engines::{check_device, engines};
use crate::rows::Rows;

/// The work that a piece may be on the CPU, in logits: some hundredths of a second.
#[derive(Clone, Copy)]
pub(crate) enum Cost {
    /// Logits are read, and few of them evaluated.
    Reading = 1 << 24,
    /// The noise of every category is evaluated.
    Softening = 1 << 20,
}

/// On a GPU a piece is so many times as large, enough chunks to keep the device busy.
const ON_GPU: u64 = 8;

/// Whether the draws of one row may be divided among pieces. (Not if they are summed up.)
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    RowsAndDraws,
    Rows,
}

/// Some draws from some rows: all draws, unless it is one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) rows: Range<usize>,
    pub(crate) draws: Range<u32>,
}

impl Piece {
    /// Where the results of this piece lie if each of a row's `draws` draws has `each` of them.
    pub(crate) fn results(&self, draws: u32, each: usize) -> Range<usize> {
        let at = |row: usize, draw: u32| (row * draws as usize + draw as usize) * each;
        match self.rows.len() {
            0 => 0..0,
            1 => at(self.rows.start, self.draws.start)..at(self.rows.start, self.draws.end),
            _ => at(self.rows.start, 0)..at(self.rows.end, 0),
        }
    }
}

/// The pieces of a call. A call without rows is one piece without rows, in which its options are checked.
fn pieces(
    rows: usize,
    categories: usize,
    draws: u32,
    most: u64,
    cut: Cut,
) -> impl Iterator<Item = Piece> {
    let (categories, all) = (categories.max(1) as u64, u64::from(draws.max(1)));
    let at_once = usize::try_from(most / categories / all).unwrap_or(usize::MAX);
    let (rows_at_once, draws_at_once) = match (at_once, cut) {
        (0, Cut::RowsAndDraws) => (1, (most / categories).clamp(1, all) as u32),
        _ => (at_once.max(1), draws.max(1)),
    };
    let of_rows = (0..rows.max(1)).step_by(rows_at_once);
    of_rows.flat_map(move |row| {
        let rows = row..row.saturating_add(rows_at_once).min(rows);
        (0..draws.max(1)).step_by(draws_at_once as usize).map(move |draw| {
            let end = draw.saturating_add(draws_at_once).min(draws);
            Piece { rows: rows.clone(), draws: draw..end }
        })
    })
}

/// Does the work of a call, a piece at a time.
pub(crate) fn in_pieces(
    py: Python<'_>,
    rows: &Rows<'_>,
    call: &Call,
    (cost, cut): (Cost, Cut),
    mut work: impl FnMut(&Sampler, Batch<'_>, &SampleOptions<'_>, &Piece) -> Result<(), Error> + Send,
) -> PyResult<()> {
    check_device(&call.device)?;
    let source = rows.source();
    let engines = engines()?;
    let total = (rows.rows as u64).saturating_mul(rows.categories as u64);
    let total = total.saturating_mul(u64::from(call.draws));
    // An inverse CDF adds up the row in each call, and counts each draw as a logit. It takes all draws of a row at once,
    // unless the row is short beside what a piece may draw, so that adding it up again takes no time.
    let (cut, total, categories) = match call.method {
        Method::InverseCdf => {
            let each = (rows.categories as u64).saturating_add(u64::from(call.draws));
            (
                if rows.categories as u64 <= cost as u64 / 16 { cut } else { Cut::Rows },
                (rows.rows as u64).saturating_mul(each),
                each / u64::from(call.draws.max(1)),
            )
        }
        _ => (cut, total, rows.categories as u64),
    };
    let categories = usize::try_from(categories).unwrap_or(usize::MAX);
    let engine = py.detach(|| guarded(|| engines.engine(&call.device, total)))?;
    let engine = engine.map_err(|error| rows.error(error, 0))?;
    let most = cost as u64 * if engine.has_gpu() { ON_GPU } else { 1 };
    // Too many draws are a fault that the last piece alone would show: a piece without rows shows it first.
    let of_options = (total > most).then_some(Piece { rows: 0..0, draws: 0..call.draws });
    let all = pieces(rows.rows, categories, call.draws, most, cut);
    for piece in of_options.into_iter().chain(all) {
        py.check_signals()?;
        let (first, work) = (piece.rows.start, &mut work);
        let outcome = py.detach(|| {
            guarded(|| {
                let batch = source.part(piece.rows.clone())?;
                let offsets = call.offsets(&piece.rows)?;
                let options = call.options(&piece.rows, &offsets, &piece.draws);
                engine.run(|sampler| work(sampler, batch, &options, &piece))
            })
        })?;
        outcome.map_err(|error| rows.error(error, first))?;
    }
    Ok(())
}

/// Does work without the interpreter, once, and lets Ctrl-C in when it is done.
pub(crate) fn at_once<R: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<R, Error> + Send,
) -> PyResult<Result<R, Error>> {
    let outcome = py.detach(|| guarded(work))?;
    py.check_signals()?;
    Ok(outcome)
}

/// A panic is a fault of the crate. It becomes an exception that says so.
fn guarded<R>(work: impl FnOnce() -> R) -> PyResult<R> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|&words| words.to_owned()));
        let words = words.unwrap_or_default();
        PyRuntimeError::new_err(format!("a fault in gumbelmax, please report it: {words}"))
    })
}
