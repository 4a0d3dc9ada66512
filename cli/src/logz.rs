//! `gumbel logz`: the logarithm of each row's normaliser, and its estimate from races.

use std::fmt::Write;

use gumbel::{Batch, CpuSampler, LogZ, Logits, SampleOptions, Sampler};

use crate::args::LogzArgs;
use crate::call::Call;
use crate::engine;
use crate::error::Error;
use crate::input::Input;
use crate::output::Output;
use crate::progress::Progress;

/// Prints log Z of each row of a file.
pub(crate) fn run(args: &LogzArgs) -> Result<(), Error> {
    engine::check(&args.place)?;
    let mut input = Input::open(&args.source)?;
    let options = SampleOptions::default()
        .with_seed(args.noise.seed)
        .with_draws(args.draws.unwrap_or(1))
        .with_temperature(args.noise.temperature);
    let categories = input.categories();
    // errors of the options come before anything is written
    Logits::strided::<f32>(&[], 0, categories, categories)?;
    CpuSampler::new().logsumexp_rows(input.read_rows(0)?, &options)?;
    let mut output = match &args.output {
        Some(path) if args.draws.is_some() => Output::doubles(path, &[input.rows(), 3])?,
        Some(path) => Output::doubles(path, &[input.rows()])?,
        None => Output::stdout(),
    };
    let sampler = engine::open(&args.place)?;

    let mut progress = Progress::new(input.rows(), "rows", args.output.is_none());
    // an estimate keeps less for each draw than a race with k = 1 does
    let call = Call::new(categories, options.draws, 1, args.chunk);
    let mut row = 0;
    while row < input.rows() {
        let rows = (call.rows as u64).min(input.rows() - row) as usize;
        let batch = input.read_rows(rows)?;
        let options = options.with_first_row(args.first_row.wrapping_add(row));
        let found = numbers(&sampler, batch, &options, args.draws.map(|_| call.draws))
            .map_err(|error| Error::in_file(error, row))?;
        match args.output {
            Some(_) => output.write_doubles(&found)?,
            None => output.write_text(&lines(&found, args.draws.map_or(1, |_| 3)))?,
        }
        progress.add(rows as u64);
        row += rows as u64;
    }
    drop(progress);
    input.finish()?;
    output.finish()?;
    engine::tell(&sampler, &args.place);
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
