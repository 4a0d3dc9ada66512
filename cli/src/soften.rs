//! `gumbel soften`: rows of logits in, soft samples out, a part at a time.

use std::time::{Duration, Instant};

use gumbel::{Batch, CpuSampler, Logits, Relaxation, SampleOptions, Sampler};
use gumbel_io::Kind;

use crate::args::SoftenArgs;
use crate::call::{self, Call};
use crate::engine;
use crate::error::Error;
use crate::input::Input;
use crate::lines::Lines;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::restrict::Restriction;
use crate::summary::{BOTH_ON_STDOUT, Summary};

/// The number of floats that become text at a time.
const PIECE: usize = 1 << 12;

/// Writes soft samples of the rows of a file.
pub(crate) fn run(args: &SoftenArgs) -> Result<(), Error> {
    engine::check(&args.place)?;
    if args.json && args.output.as_deref().is_some_and(output::is_stdout) {
        return Err(Error::Usage(BOTH_ON_STDOUT.to_owned()));
    }
    let kind = if args.weights { Kind::Weights } else { Kind::LogitsOnly };
    let mut input = Input::open(&args.input, kind)?;
    let options = SampleOptions::default()
        .with_seed(args.seed.value)
        .with_draws(args.draws)
        .with_temperature(args.temperature);
    let relaxation = Relaxation::soft(args.tau).with_hard(args.straight_through);
    let restriction = Restriction::new(&args.restrict, input.categories())?;
    let total = validate(&mut input, &restriction.of_rows(options, 0, 0)?, relaxation)?;
    let (rows, categories) = (input.rows(), input.categories());
    let mut output = Sink::open(args, rows, categories)?;
    let values = input.values(args.draws);
    let sampler = engine::open(&args.place, values)?;

    let text_on_stdout = args.output.is_none() && !args.json;
    let mut progress = Progress::new(total, "draws", text_on_stdout).hidden_if(args.quiet);
    let chunk = call::chunk(args.chunk, &sampler, &input, args.draws);
    let first_row = args.first_row;
    let job =
        Job { sampler: &sampler, options, restriction: &restriction, relaxation, first_row, chunk };
    let (rows, sampling) = job.run(input, &mut output, &mut progress)?;
    drop(progress);
    output.finish(rows)?;

    args.seed.tell();
    engine::tell(&sampler, &args.place, values, args.quiet);
    let summary = Summary::new(&sampler, (rows, categories, args.draws), sampling);
    summary.report(args.json, args.quiet)
}

/// Makes the errors that the engines would, before anything is written. Returns the total number of
/// draws.
fn validate(
    input: &mut Input,
    options: &SampleOptions<'_>,
    relaxation: Relaxation,
) -> Result<Option<u64>, Error> {
    let categories = input.categories();
    // the library refuses a bad number of categories, and words the error
    Logits::strided::<f32>(&[], 0, categories, categories)?;
    let none = input.no_rows()?;
    let none = logits(input.batch(&none)?)?;
    CpuSampler::new().soften_rows(none, options, relaxation)?;
    let draws = options.draws;
    let Some(rows) = input.rows() else { return Ok(None) };
    let total = rows.checked_mul(u64::from(draws));
    let bytes = total.and_then(|total| total.checked_mul(categories as u64)?.checked_mul(4));
    match (total, bytes) {
        (Some(total), Some(_)) => Ok(Some(total)),
        _ => Err(Error::Usage(format!(
            "samples of {categories} categories for {draws} draws from each of {rows} rows are more \
             than any file holds"
        ))),
    }
}

/// Returns the rows, which must be logits.
fn logits(batch: Batch<'_>) -> Result<Logits<'_>, Error> {
    batch.logits().ok_or_else(|| {
        let what =
            "soft samples are of logits: leave out --weights, and give the logarithms of weights";
        Error::Usage(what.to_owned())
    })
}

/// The destination of samples.
enum Sink {
    Array(Output),
    Text(Output, Lines),
    Nothing,
}

impl Sink {
    fn open(args: &SoftenArgs, rows: Option<u64>, categories: usize) -> Result<Self, Error> {
        Ok(match &args.output {
            Some(path) => {
                let draws = (args.draws > 1).then_some(args.draws.into());
                let others: Vec<u64> = draws.into_iter().chain([categories as u64]).collect();
                Self::Array(Output::floats(path, rows, &others)?)
            }
            None if args.json => Self::Nothing,
            None => Self::Text(Output::stdout(), Lines::new(args.draws, categories)),
        })
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), Error> {
        match self {
            Self::Array(output) => output.write_floats(samples),
            Self::Text(output, lines) => samples
                .chunks(PIECE)
                .try_for_each(|numbers| output.write_text(lines.text_of(numbers))),
            Self::Nothing => Ok(()),
        }
    }

    fn finish(self, rows: u64) -> Result<(), Error> {
        match self {
            Self::Array(output) | Self::Text(output, _) => output.finish(rows),
            Self::Nothing => Ok(()),
        }
    }
}

/// The settings of the soft samples of a file.
struct Job<'a> {
    sampler: &'a Sampler,
    options: SampleOptions<'static>,
    restriction: &'a Restriction,
    relaxation: Relaxation,
    first_row: u64,
    chunk: usize,
}

impl Job<'_> {
    /// Makes soft samples of all rows. Returns how many rows there were, and how long the sampler took.
    fn run(
        &self,
        input: Input,
        output: &mut Sink,
        progress: &mut Progress,
    ) -> Result<(u64, Duration), Error> {
        let (categories, in_row) = (input.categories(), self.options.draws);
        // a soft sample keeps all categories of a draw
        let call = Call::new(categories, in_row, categories, self.chunk);
        let mut samples = Vec::new();
        let mut sampling = Duration::ZERO;
        let rows = input.visit(call.rows, |batch, block| {
            let (batch, rows, row) = (logits(batch)?, block.rows, block.first_row);
            let of_block = self.restriction.of_rows(self.options, row, rows)?;
            let mut draw = 0;
            while draw < in_row {
                let count = call.draws.min(in_row - draw);
                let options = of_block
                    .with_first_row(self.first_row.wrapping_add(row))
                    .with_first_draw(draw)
                    .with_draws(count);
                let floats = rows * count as usize * categories;
                samples.clear();
                samples.try_reserve(floats).map_err(|_| Error::OutOfMemory { categories })?;
                samples.resize(floats, 0.0);
                let started = Instant::now();
                self.sampler
                    .soften_rows_into(batch, &options, self.relaxation, &mut samples)
                    .map_err(|error| Error::in_file(error, row))?;
                sampling += started.elapsed();
                output.write(&samples)?;
                progress.add(rows as u64 * u64::from(count));
                draw += count;
            }
            Ok(())
        })?;
        Ok((rows, sampling))
    }
}
