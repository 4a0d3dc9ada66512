//! `gumbel check`: every engine of this machine against the reference.

use std::io::Write;

use gumbel::conformance::{self, Case};

use crate::args::CheckArgs;
use crate::error::Error;
use crate::progress::Progress;

mod cases;
mod decoding;
mod engines;
mod operations;
mod shaders;
mod table;

use decoding::{Ancestors, Cuts, Estimates, Shards, Verification, can_be_split, can_be_tested};
use operations::{InverseCdf, LogProbs, Race, Soft, Sums};
use table::Table;

/// The most work of a case whose soft samples, shards and drafts are checked: logits, counted once for each draw.
const MOST_SOFTENED: usize = 3000;
/// The most work of a case whose races, sums, log-probabilities and draws by inverse CDF are checked: all cases but the
/// longest rows and the largest batches.
const MOST_RACED: usize = 60_000;
/// The most work of a case of a quick check.
const MOST_QUICK: usize = 1000;

/// Checks the engines that the user asked for. Returns true if each of them agrees with the
/// reference.
pub(crate) fn run(args: &CheckArgs) -> Result<bool, Error> {
    if let Some(folder) = &args.write_cases {
        let most = if args.quick { MOST_QUICK } else { usize::MAX };
        return cases::write(with_rows_of(most), folder).map(|()| true);
    }
    let candidates = engines::candidates(args)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", version()).map_err(Error::stdout)?;
    let (engines, refused) = engines::legend(candidates, &mut out)?;
    if engines.is_empty() {
        // a check that compared nothing has shown nothing
        writeln!(out, "no engine could be checked").map_err(Error::stdout)?;
        return Ok(false);
    }
    let mut table = Table::new(&engines, args.verbose, &mut out)?;
    let most = if args.quick { MOST_QUICK } else { usize::MAX };
    let mut progress = Progress::new(with_rows_of(most).count() as u64, "cases", args.verbose);
    let cases = with_rows_of(most).map(|case| {
        progress.add(1);
        let expected = case.expected();
        (case, expected)
    });
    table.draws(cases)?;
    drop(progress);
    let raced = most.min(MOST_RACED);
    table.operation(&Race { k: 1 }, with_rows_of(raced))?;
    table.operation(&Race { k: 3 }, with_rows_of(raced))?;
    table.operation(&InverseCdf { prepared: false }, with_rows_of(raced))?;
    let tables = with_rows_of(raced).filter(has_one_seed);
    table.operation(&InverseCdf { prepared: true }, tables)?;
    table.operation(&Sums { promise: operations::promised_sums }, with_rows_of(raced))?;
    table.operation(&LogProbs { promise: operations::promised_log_probs }, with_rows_of(raced))?;
    let softened = most.min(MOST_SOFTENED);
    let small = conformance::soft_cases().filter(|case| case.work() <= softened);
    table.operation(&Soft { promise: operations::promised_soft_samples }, small)?;
    table.operation(&Estimates, with_rows_of(softened))?;
    table.operation(
        &Cuts,
        conformance::restricted_cases().filter(move |case| case.work() <= raced),
    )?;
    table.operation(&Shards, with_rows_of(softened).filter(can_be_split))?;
    table.operation(&Verification { by_ratio: false }, with_rows_of(softened))?;
    let tested = with_rows_of(softened).filter(can_be_tested);
    table.operation(&Verification { by_ratio: true }, tested)?;
    table.operation(&Ancestors, with_rows_of(softened).filter(|case| case.logits().is_some()))?;
    table.report(refused)
}

/// The cases of at most this much work.
fn up_to(work: usize) -> impl Iterator<Item = Case> {
    conformance::cases().filter(move |case| case.work() <= work)
}

/// The cases of at most this much work, with those that have options of rows, and those whose rows are copied or
/// restricted.
fn with_rows_of(work: usize) -> impl Iterator<Item = Case> {
    let others = conformance::per_row_cases().chain(conformance::copied_cases());
    let others = others.chain(conformance::restricted_cases());
    up_to(work).chain(others.filter(move |case| case.work() <= work))
}

/// Returns whether the rows of a case have one seed, one temperature and one first draw, as a kept table takes them.
fn has_one_seed(case: &Case) -> bool {
    let options = case.options();
    options.seeds.is_none() && options.temperatures.is_none() && options.first_draws.is_none()
}

/// Returns the version and the platform, which a report of a mismatch has to begin with.
fn version() -> String {
    use std::env::consts::{ARCH, OS};
    format!("gumbel {} ({OS}, {ARCH})", env!("CARGO_PKG_VERSION"))
}
