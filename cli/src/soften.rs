//! `gumbel soften`: rows of logits in, soft samples out, a part at a time.

use std::time::{Duration, Instant};

use gumbel::{Batch, CpuSampler, Logits, Relaxation, SampleOptions, Sampler};

use crate::args::SoftenArgs;
use crate::call::Call;
use crate::engine;
use crate::error::Error;
use crate::format::Wanted;
use crate::input::Input;
use crate::lines::Lines;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::summary::{BOTH_ON_STDOUT, Summary};

/// The number of floats that become text at a time.
const PIECE: usize = 1 << 12;

/// Writes soft samples of the rows of a file.
pub(crate) fn run(args: &SoftenArgs) -> Result<(), Error> {
    engine::check(&args.place)?;
    if args.json && args.output.as_deref().is_some_and(output::is_stdout) {
        return Err(Error::Usage(BOTH_ON_STDOUT.to_owned()));
    }
    let wanted = if args.weights { Wanted::Weights } else { Wanted::SoftLogits };
    let mut input = Input::open_as(&args.input, wanted)?;
    let options = SampleOptions::default()
        .with_seed(args.seed)
        .with_draws(args.draws)
        .with_temperature(args.temperature);
    let relaxation = Relaxation::soft(args.tau).with_hard(args.straight_through);
    let total = validate(&mut input, &options, relaxation)?;
    let (rows, categories) = (input.rows(), input.categories());
    let mut output = Sink::open(args, rows, categories)?;
    let sampler = engine::open(&args.place)?;

    let text_on_stdout = args.output.is_none() && !args.json;
    let mut progress = Progress::new(total, "draws", text_on_stdout);
    let (first_row, chunk) = (args.first_row, args.chunk);
    let job = Job { sampler: &sampler, options, relaxation, first_row, chunk };
    let sampling = job.run(&mut input, &mut output, &mut progress)?;
    drop(progress);
    input.finish()?;
    output.finish()?;

    engine::tell(&sampler, &args.place);
    Summary::new(&sampler, (rows, categories, args.draws), sampling).report(args.json)
}

/// Makes the errors that the engines would, before anything is written. Returns the total number of
/// draws.
fn validate(
    input: &mut Input,
    options: &SampleOptions<'_>,
    relaxation: Relaxation,
) -> Result<u64, Error> {
    let categories = input.categories();
    // the library refuses a bad number of categories, and words the error
    Logits::strided::<f32>(&[], 0, categories, categories)?;
    let none = logits(input.read_rows(0)?)?;
    CpuSampler::new().soften_rows(none, options, relaxation)?;
    let (rows, draws) = (input.rows(), options.draws);
    let total = rows.checked_mul(u64::from(draws));
    let bytes = total.and_then(|total| total.checked_mul(categories as u64)?.checked_mul(4));
    match (total, bytes) {
        (Some(total), Some(_)) => Ok(total),
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
    fn open(args: &SoftenArgs, rows: u64, categories: usize) -> Result<Self, Error> {
        Ok(match &args.output {
            Some(path) => {
                let draws = (args.draws > 1).then_some(args.draws.into());
                let shape = [Some(rows), draws, Some(categories as u64)];
                let shape: Vec<u64> = shape.into_iter().flatten().collect();
                Self::Array(Output::floats(path, &shape)?)
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

    fn finish(self) -> Result<(), Error> {
        match self {
            Self::Array(output) | Self::Text(output, _) => output.finish(),
            Self::Nothing => Ok(()),
        }
    }
}

/// The settings of the soft samples of a file.
struct Job<'a> {
    sampler: &'a Sampler,
    options: SampleOptions<'static>,
    relaxation: Relaxation,
    first_row: u64,
    chunk: usize,
}

impl Job<'_> {
    /// Makes soft samples of all rows. Returns how long the sampler took.
    fn run(
        &self,
        input: &mut Input,
        output: &mut Sink,
        progress: &mut Progress,
    ) -> Result<Duration, Error> {
        let (categories, in_row) = (input.categories(), self.options.draws);
        // a soft sample keeps all categories of a draw
        let call = Call::new(categories, in_row, categories, self.chunk);
        let mut samples = Vec::new();
        let mut sampling = Duration::ZERO;
        let mut row = 0;
        while row < input.rows() {
            // the result fits a usize, as `call.rows` is one
            let rows = (call.rows as u64).min(input.rows() - row) as usize;
            let batch = logits(input.read_rows(rows)?)?;
            let mut draw = 0;
            while draw < in_row {
                let count = call.draws.min(in_row - draw);
                let options = self
                    .options
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
            row += rows as u64;
        }
        Ok(sampling)
    }
}
