//! The summary of a command: a line, or one JSON object.

use std::io::Write;
use std::time::Duration;

use gumbel::Sampler;
use serde::Serialize;

use crate::error::Error;
use crate::say;

/// The error for a summary and numbers in one stream.
pub(crate) const BOTH_ON_STDOUT: &str = "--json and --output cannot both write to standard output";

/// The summary of a command; its fields are the keys of `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    engine: &'a str,
    adapter: Option<&'a str>,
    rows: u64,
    categories: usize,
    draws: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top: Option<u32>,
    seconds: f64,
    draws_per_second: f64,
}

impl<'a> Summary<'a> {
    /// A summary of (rows, categories, draws from each row), which took the sampler `sampling`.
    pub(crate) fn new(
        sampler: &'a Sampler,
        (rows, categories, draws): (u64, usize, u32),
        sampling: Duration,
    ) -> Self {
        let seconds = sampling.as_secs_f64();
        let total = rows as f64 * f64::from(draws);
        Self {
            engine: if sampler.as_gpu().is_some() { "gpu" } else { "cpu" },
            adapter: sampler.as_gpu().map(|gpu| gpu.adapter().name.as_str()),
            rows,
            categories,
            draws,
            method: None,
            top: None,
            seconds,
            draws_per_second: if seconds > 0.0 { total / seconds } else { 0.0 },
        }
    }

    /// Prints JSON on standard output, or a line on standard error unless nothing is to be said there.
    pub(crate) fn report(&self, json: bool, quiet: bool) -> Result<(), Error> {
        if json {
            let json = serde_json::to_string(self).map_err(|error| Error::stdout(error.into()))?;
            return writeln!(std::io::stdout(), "{json}").map_err(Error::stdout);
        }
        if quiet {
            return Ok(());
        }
        let Self { engine, adapter, rows, categories, draws, seconds, draws_per_second, .. } = self;
        let adapter = adapter.map(|name| format!(", adapter {name}")).unwrap_or_default();
        say(&format!(
            "engine {engine}{adapter}: rows {rows}, categories {categories}, draws {draws} a row, \
             {seconds:.3} s of sampling, {draws_per_second:.3e} draws/s"
        ));
        Ok(())
    }
}
