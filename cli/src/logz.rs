//! `gumbel logz`: the logarithm of each row's normaliser, and its estimate from races.

use std::fmt::Write;

use gumbel::{Batch, CpuSampler, LogZ, Logits, SampleOptions, Sampler};
use gumbel_io::Kind;

use crate::args::LogzArgs;
use crate::call::{self, Call};
use crate::engine;
use crate::error::Error;
use crate::input::Input;
use crate::output::Output;
use crate::progress::Progress;
use crate::restrict::Restriction;

/// Prints log Z of each row of a file.
pub(crate) fn run(args: &LogzArgs) -> Result<(), Error> {
    engine::check(&args.place)?;
    let kind = if args.source.weights { Kind::Weights } else { Kind::Logits };
    let mut input = Input::open(&args.source.input, kind)?;
    let options = SampleOptions::default()
        .with_seed(args.noise.seed.value)
        .with_draws(args.draws.unwrap_or(1))
        .with_temperature(args.noise.temperature);
    let categories = input.categories();
    // errors of the options come before anything is written
    Logits::strided::<f32>(&[], 0, categories, categories)?;
    let none = input.no_rows()?;
    let restriction = Restriction::new(&args.restrict, categories)?;
    let restricted = restriction.of_rows(options, 0, 0)?;
    CpuSampler::new().logsumexp_rows(input.batch(&none)?, &restricted)?;
    let mut output = match &args.output {
        Some(path) if args.draws.is_some() => Output::doubles(path, input.rows(), &[3])?,
        Some(path) => Output::doubles(path, input.rows(), &[])?,
        None => Output::stdout(),
    };
    let values = input.values(args.draws.unwrap_or(1));
    let sampler = engine::open(&args.place, values)?;

    let mut progress = Progress::new(input.rows(), "rows", args.output.is_none());
    progress = progress.hidden_if(args.quiet);
    // an estimate keeps less for each draw than a race with k = 1 does
    let chunk = call::chunk(args.chunk, &sampler, &input, options.draws);
    let call = Call::new(categories, options.draws, 1, chunk);
    let rows = input.visit(call.rows, |batch, block| {
        let options = options.with_first_row(args.first_row.wrapping_add(block.first_row));
        let options = restriction.of_rows(options, block.first_row, block.rows)?;
        let found = numbers(&sampler, batch, &options, args.draws.map(|_| call.draws))
            .map_err(|error| Error::in_file(error, block.first_row))?;
        match args.output {
            Some(_) => output.write_doubles(&found)?,
            None => output.write_text(&lines(&found, args.draws.map_or(1, |_| 3)))?,
        }
        progress.add(block.rows as u64);
        Ok(())
    })?;
    drop(progress);
    output.finish(rows)?;
    args.noise.seed.tell();
    engine::tell(&sampler, &args.place, values, args.quiet);
    Ok(())
}

/// Returns one number for each row, or three if `at_once` is given. It is the number of draws in
/// each call of the sampler.
fn numbers(
    sampler: &Sampler,
    batch: Batch<'_>,
    options: &SampleOptions<'_>,
    at_once: Option<u32>,
) -> Result<Vec<f64>, gumbel::Error> {
    let sums = sampler.logsumexp_rows(batch, options)?;
    let Some(at_once) = at_once else { return Ok(sums) };
    let mut estimates = vec![LogZ::default(); sums.len()];
    let mut draw = 0;
    while draw < options.draws {
        let count = at_once.min(options.draws - draw);
        let part = options.with_first_draw(draw).with_draws(count);
        let share = f64::from(count) / f64::from(options.draws);
        for (whole, part) in estimates.iter_mut().zip(sampler.estimate_log_z(batch, &part)?) {
            whole.estimate += share * part.estimate;
            // the parts are independent, so their variances add up
            whole.standard_error = whole.standard_error.hypot(share * part.standard_error);
        }
        draw += count;
    }
    let both = sums.iter().zip(&estimates);
    Ok(both.flat_map(|(&sum, log_z)| [sum, log_z.estimate, log_z.standard_error]).collect())
}

/// Returns the numbers as text, `in_row` of them in a line.
fn lines(numbers: &[f64], in_row: usize) -> String {
    let mut text = String::new();
    for row in numbers.chunks(in_row) {
        for (i, number) in row.iter().enumerate() {
            // writing to a String does not fail
            let _ = write!(text, "{}{number:?}", if i == 0 { "" } else { " " });
        }
        text.push('\n');
    }
    text
}
