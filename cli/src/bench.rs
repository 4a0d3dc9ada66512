//! `gumbel bench`: how long draws take on an adapter of this machine.

use std::io::Write;

use gumbel::AdapterReport;
use gumbel_bench::{Config, Results};

use crate::adapters::all;
use crate::args::BenchArgs;
use crate::error::Error;
use crate::output::{Output, is_stdout};
use crate::progress::Progress;
use crate::{one_line, say};

/// Measures and prints. Returns true if there is an adapter and everything that was timed draws the
/// right categories.
pub(crate) fn run(args: &BenchArgs) -> Result<bool, Error> {
    let reports = all();
    let report = match choose(&reports, args.adapter.as_deref())? {
        Ok(report) => report,
        Err(why) => {
            say(&format!("gumbel: nothing can be measured: {why}"));
            return Ok(false);
        }
    };
    let mut config = match args.quick {
        true => Config::quick(),
        false => Config::full(),
    };
    if args.restricted {
        config = Config { each: config.each, ..Config::restricted() };
    }
    if let Some(mib) = args.chunk_mib {
        config.chunk_bytes = u64::from(mib) << 20;
    }
    config.teams = args.teams;
    config.rows = args.rows;
    if !args.shapes.is_empty() {
        config.shapes.clone_from(&args.shapes);
    }
    // an output that cannot be written is refused before the minutes that measuring takes
    let csv = args.csv.as_deref().map(Output::open).transpose()?;
    let tables = !args.csv.as_deref().is_some_and(is_stdout);
    if !report.is_hardware() {
        let name = one_line(&report.to_string());
        say(&format!("{name} is a software adapter: these are the times of an emulation"));
    }

    let mut progress = Progress::new(config.shapes.len() as u64, "shapes", false);
    let mut begun = false;
    let results = gumbel_bench::run(report, &config, &mut |_| {
        progress.add(u64::from(begun));
        begun = true;
    })?;
    drop(progress);
    if tables {
        std::io::stdout().write_all(results.markdown().as_bytes()).map_err(Error::stdout)?;
    }
    if let Some(mut csv) = csv {
        csv.write_text(&results.csv())?;
        csv.finish(0)?;
    }
    Ok(passed(&results))
}

/// Returns the adapter with this name, or the best one. The inner error says why this machine has
/// none.
fn choose<'a>(
    reports: &'a [AdapterReport],
    name: Option<&str>,
) -> Result<Result<&'a AdapterReport, String>, Error> {
    let Some(name) = name else {
        return Ok(gumbel_bench::choose(reports).map_err(|why| why.to_string()));
    };
    reports.iter().find(|report| report.is_called(name)).map(Ok).ok_or_else(|| {
        let wanted = format!("is called \"{name}\"");
        let found = reports.iter().map(ToString::to_string).collect();
        gumbel::Error::NoAdapter { wanted, found }.into()
    })
}

/// Prints each wrong result on standard error. Returns true if there is none.
fn passed(results: &Results) -> bool {
    for line in results.wrong() {
        say(&one_line(&format!(
            "gumbel: {} of {} {}: {}",
            line.what, line.shape, line.format, line.note
        )));
    }
    results.wrong().next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_adapters_there_is_nothing_to_measure() {
        let why = choose(&[], None).unwrap().unwrap_err();
        assert!(why.starts_with("this machine has no adapter: install the driver"), "{why}");
        let error = choose(&[], Some("nowhere")).unwrap_err().to_string();
        assert!(error.contains("is called \"nowhere\""), "{error}");
    }
}
