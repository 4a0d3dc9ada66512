//! `gumbel sample`: rows in, draws out, a part at a time.

use std::io::Write;
use std::time::{Duration, Instant};

use gumbel::{CpuSampler, Logits, SampleOptions, Sampler};
use serde::Serialize;

use crate::args::{CPU_HAS_NO_ADAPTER, Engine, SampleArgs};
use crate::error::Error;
use crate::input::Input;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::{engine, one_line, say};

/// At most so many logits, and so many draws, are in memory at a time: 64 MiB of each. A row is
/// never cut, though.
pub(crate) const CHUNK: usize = 1 << 24;
/// At most so many categories are drawn from in one call, draws × categories: some seconds on the
/// CPU, after which the progress bar moves.
const WORK: u64 = 1 << 33;

/// Samples a file.
pub(crate) fn run(args: &SampleArgs) -> Result<(), Error> {
    check(args)?;
    let mut input = Input::open(&args.input)?;
    let options = SampleOptions::default()
        .with_seed(args.seed)
        .with_draws(args.draws)
        .with_temperature(args.temperature);
    let total = validate(&input, &options)?;
    let mut output = match &args.output {
        Some(path) => Output::npy(path, input.rows(), args.draws)?,
        None if args.json => Output::discard(args.draws),
        None => Output::lines(args.draws),
    };
    let sampler = engine::open(args.engine, args.adapter.as_deref())?;

    let text_on_stdout = args.output.is_none() && !args.json;
    let mut progress = Progress::new(total, "draws", text_on_stdout);
    let (rows, categories) = (input.rows(), input.categories());
    let job = Job { sampler: &sampler, options, first_row: args.first_row, chunk: args.chunk };
    let sampling = job.run(&mut input, &mut output, &mut progress)?;
    drop(progress);
    input.finish()?;
    output.finish()?;

    if args.engine == Engine::Auto && args.adapter.is_none() {
        say(&format!("--engine auto took the {sampler}: {}", one_line(sampler.reason())));
    }
    let seconds = sampling.as_secs_f64();
    Summary {
        engine: sampler.engine(),
        adapter: sampler.adapter().map(|info| info.name.as_str()),
        rows,
        categories,
        draws: args.draws,
        seconds,
        draws_per_second: if seconds > 0.0 { total as f64 / seconds } else { 0.0 },
    }
    .report(args.json)
}

/// What options can have against each other.
fn check(args: &SampleArgs) -> Result<(), Error> {
    if args.engine == Engine::Cpu && args.adapter.is_some() {
        return Err(Error::Usage(CPU_HAS_NO_ADAPTER.to_owned()));
    }
    if args.json && args.output.as_deref().is_some_and(output::is_stdout) {
        let both = "--json and --output cannot both write to standard output";
        return Err(Error::Usage(both.to_owned()));
    }
    Ok(())
}

/// Refuses what the engines would, before anything is written. The number of draws in all.
fn validate(input: &Input, options: &SampleOptions<'_>) -> Result<u64, Error> {
    let categories = input.categories();
    let none = Logits::with_row_stride(&[], 0, categories, categories)?;
    CpuSampler::new().sample_rows(none, options)?;
    input.rows().checked_mul(u64::from(options.draws)).ok_or_else(|| {
        let (rows, draws) = (input.rows(), options.draws);
        Error::Usage(format!("{draws} draws from each of {rows} rows are more than any file holds"))
    })
}

/// How to draw from a file.
struct Job<'a> {
    sampler: &'a Sampler,
    options: SampleOptions<'static>,
    first_row: u64,
    chunk: usize,
}

impl Job<'_> {
    /// Draws from all rows, and says how long the sampler took.
    fn run(
        &self,
        input: &mut Input,
        output: &mut Output,
        progress: &mut Progress,
    ) -> Result<Duration, Error> {
        let (categories, in_row) = (input.categories(), self.options.draws);
        let call = Call::new(categories, in_row, self.chunk);
        let mut draws = Vec::new();
        let mut sampling = Duration::ZERO;
        let mut row = 0;
        while row < input.rows() {
            // no more than a usize, as the first is one
            let rows = (call.rows as u64).min(input.rows() - row) as usize;
            let batch = input.read_rows(rows)?;
            let mut draw = 0;
            while draw < in_row {
                let count = call.draws.min(in_row - draw);
                let options = self
                    .options
                    .with_first_row(self.first_row.wrapping_add(row))
                    .with_first_draw(draw)
                    .with_draws(count);
                draws.resize(rows * count as usize, 0);
                let started = Instant::now();
                self.sampler
                    .sample_rows_into(batch, &options, &mut draws)
                    .map_err(|error| Error::in_file(error, row))?;
                sampling += started.elapsed();
                output.write(&draws)?;
                progress.add(draws.len() as u64);
                draw += count;
            }
            row += rows as u64;
        }
        Ok(sampling)
    }
}

/// How much one call of the sampler is given: all draws of some rows, or some draws of one row, so
/// that the draws come in the order of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    rows: usize,
    draws: u32,
}

impl Call {
    fn new(categories: usize, draws: u32, chunk: usize) -> Self {
        let work = WORK / categories as u64;
        let draws_at_once = work.min(chunk as u64).clamp(1, u64::from(draws)) as u32;
        let rows = (chunk / categories)
            .min(chunk / draws as usize)
            .min(usize::try_from(work / u64::from(draws)).unwrap_or(usize::MAX));
        Self { rows: rows.max(1), draws: if rows == 0 { draws_at_once } else { draws } }
    }
}

/// What was done; its fields are the keys of `--json`.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    engine: &'a str,
    adapter: Option<&'a str>,
    rows: u64,
    categories: usize,
    draws: u32,
    seconds: f64,
    draws_per_second: f64,
}

impl Summary<'_> {
    fn report(&self, json: bool) -> Result<(), Error> {
        if json {
            let json = serde_json::to_string(self).map_err(|error| Error::stdout(error.into()))?;
            return writeln!(std::io::stdout(), "{json}").map_err(Error::stdout);
        }
        let Self { engine, adapter, rows, categories, draws, seconds, draws_per_second } = self;
        let adapter = adapter.map(|name| format!(", adapter {name}")).unwrap_or_default();
        say(&format!(
            "engine {engine}{adapter}: rows {rows}, categories {categories}, draws {draws} a row, \
             {seconds:.3} s of sampling, {draws_per_second:.3e} draws/s"
        ));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::MAX_DRAWS;

    #[test]
    fn a_call_is_bounded_in_logits_draws_and_work() {
        for categories in [1, 2, 1000, 128_256, CHUNK, 1 << 31] {
            for draws in [1, 2, 1000, 1 << 20, MAX_DRAWS] {
                for chunk in [1, 7, CHUNK] {
                    let call = Call::new(categories, draws, chunk);
                    let what = format!("{categories} {draws} {chunk} {call:?}");
                    assert!(call.rows >= 1 && call.draws >= 1 && call.draws <= draws, "{what}");
                    assert!(call.rows == 1 || call.draws == draws, "{what}");
                    assert!(call.rows == 1 || call.rows * categories <= chunk, "{what}");
                    let size = call.rows * call.draws as usize;
                    assert!(size <= chunk, "{what}");
                    assert!(size == 1 || size as u64 * categories as u64 <= WORK, "{what}");
                }
            }
        }
    }

    #[test]
    fn usual_shapes_are_drawn_from_in_few_calls() {
        assert_eq!(Call::new(16, 1, CHUNK), Call { rows: 1 << 20, draws: 1 });
        assert_eq!(Call::new(128_256, 1, CHUNK), Call { rows: 130, draws: 1 });
        assert_eq!(Call::new(1000, 1_000_000, CHUNK), Call { rows: 8, draws: 1_000_000 });
    }
}
