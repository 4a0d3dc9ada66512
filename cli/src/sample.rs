//! `gumbel sample`: rows in, draws out, a part at a time.

use std::time::{Duration, Instant};

use gumbel::{Logits, Method, SampleOptions, Sampler};

use crate::args::{self, SampleArgs, With};
use crate::call::Call;
use crate::draws::{Asked, Drawn};
use crate::error::Error;
use crate::input::Input;
use crate::lines::Lines;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::summary::{BOTH_ON_STDOUT, Summary};
use crate::{engine, say};

/// The error for two files with one name.
const SAME_FILE: &str = "--output and --with-output are the same file";

/// Samples a file.
pub(crate) fn run(args: &SampleArgs) -> Result<(), Error> {
    check(args)?;
    let mut input = Input::open(&args.source)?;
    let options = SampleOptions::default()
        .with_seed(args.noise.seed)
        .with_draws(args.draws)
        .with_temperature(args.noise.temperature)
        .with_method(method(args, input.categories())?);
    let asked = Asked { top: args.top, with: args.with };
    let total = validate(&mut input, asked, &options)?;
    let mut output = Sink::open(args, input.rows())?;
    let sampler = engine::open(&args.place)?;

    let text_on_stdout = args.output.is_none() && !args.json;
    let mut progress = Progress::new(total, "draws", text_on_stdout);
    let (rows, categories) = (input.rows(), input.categories());
    let (first_row, chunk) = (args.first_row, args.chunk);
    let job = Job { sampler: &sampler, options, asked, first_row, chunk };
    let sampling = job.run(&mut input, &mut output, &mut progress)?;
    drop(progress);
    input.finish()?;
    output.finish()?;

    engine::tell(&sampler, &args.place);
    let method = options.method.name();
    if args.method == args::Method::Auto {
        let draws = args.draws;
        say(&format!("--method auto took {method}: draws {draws} a row, categories {categories}"));
    }
    let mut summary = Summary::new(&sampler, (rows, categories, args.draws), sampling);
    (summary.method, summary.top) = (Some(method), args.top);
    summary.report(args.json)
}

/// Checks that the options do not contradict each other.
fn check(args: &SampleArgs) -> Result<(), Error> {
    let usage = |what: &str| Err(Error::Usage(what.to_owned()));
    engine::check(&args.place)?;
    let is_stdout = |path: &Option<_>| path.as_deref().is_some_and(output::is_stdout);
    if args.json && is_stdout(&args.output) {
        return usage(BOTH_ON_STDOUT);
    }
    if args.json && is_stdout(&args.with_output) {
        return usage("--json and --with-output cannot both write to standard output");
    }
    if is_stdout(&args.output) && is_stdout(&args.with_output) {
        return usage(SAME_FILE);
    }
    match (args.with, &args.output, &args.with_output) {
        (None, _, Some(_)) => usage("--with-output has nothing to write without --with"),
        (Some(_), None, Some(_)) => {
            usage("--with-output needs an --output beside it; text has the numbers of --with in it")
        }
        (Some(_), Some(_), None) => {
            usage("--with needs a --with-output for its numbers: those of --output are draws")
        }
        (Some(With::Logprob), _, _) if args.top.is_some() => usage(
            "--with logprob is of draws that do not depend on each other, --top draws without \
             replacement: leave out one",
        ),
        _ => Ok(()),
    }
}

/// Returns the method for the whole file, chosen by all its draws: the choice must not depend on
/// how the draws are divided among calls. Refuses options that need a race if the method has none.
fn method(args: &SampleArgs, categories: usize) -> Result<Method, Error> {
    let method = match args.method {
        args::Method::Gumbel => Method::Gumbel,
        args::Method::InverseCdf => Method::InverseCdf,
        args::Method::Auto => Method::Auto.resolve(categories, args.draws),
    };
    let of_races = match (args.top, args.with) {
        (Some(_), _) => Some("--top"),
        (None, Some(With::Time)) => Some("--with time"),
        (None, Some(With::Max)) => Some("--with max"),
        (None, Some(With::Logprob) | None) => None,
    };
    if method == Method::InverseCdf
        && let Some(flag) = of_races
    {
        let draws = args.draws;
        let found = match args.method {
            args::Method::Auto => format!(
                "--method auto draws by inverse-cdf {draws} times from each row of {categories} \
                 categories, without one"
            ),
            _ => "--method inverse-cdf draws without one".to_owned(),
        };
        return Err(Error::Usage(format!(
            "{flag} needs a race, and {found}: take --method gumbel"
        )));
    }
    Ok(method)
}

/// Makes the errors that the engines would, before anything is written. Returns the total number of
/// draws.
fn validate(input: &mut Input, asked: Asked, options: &SampleOptions<'_>) -> Result<u64, Error> {
    let categories = input.categories();
    if let Some(top) = asked.top.filter(|&top| top as usize > categories) {
        let what = format!("--top {top} is more than the {categories} categories of a row");
        return Err(Error::Usage(what));
    }
    // the library refuses a bad number of categories, and words the error
    Logits::strided::<f32>(&[], 0, categories, categories)?;
    let none = input.read_rows(0)?;
    asked.draw(&gumbel::CpuSampler::new().into(), none, options, &mut Drawn::default())?;
    let (rows, draws) = (input.rows(), options.draws);
    let total = rows.checked_mul(u64::from(draws));
    let entries = total.and_then(|total| total.checked_mul(asked.k() as u64));
    match (total, entries) {
        (Some(total), Some(_)) => Ok(total),
        _ => Err(Error::Usage(format!(
            "{draws} draws from each of {rows} rows are more than any file holds"
        ))),
    }
}

/// The destination of draws.
enum Sink {
    /// Files of the draws, and of the numbers that belong to them.
    Arrays(Output, Option<Output>),
    Text(Output, Lines),
    Nothing,
}

impl Sink {
    fn open(args: &SampleArgs, rows: u64) -> Result<Self, Error> {
        let Some(path) = &args.output else {
            let lines = Lines::new(args.draws, args.top.map_or(1, |top| top as usize));
            return Ok(if args.json { Self::Nothing } else { Self::Text(Output::stdout(), lines) });
        };
        let draws = (args.draws > 1).then_some(args.draws.into());
        let shape = [Some(rows), draws, args.top.map(u64::from)];
        let shape: Vec<u64> = shape.into_iter().flatten().collect();
        let draws = Output::words(path, &shape)?;
        let values = args.with_output.as_ref().map(|path| Output::doubles(path, &shape));
        let values = values.transpose()?;
        if values.as_ref().is_some_and(|values| values.is_also(&draws)) {
            return Err(Error::Usage(SAME_FILE.to_owned()));
        }
        Ok(Self::Arrays(draws, values))
    }

    fn write(&mut self, drawn: &Drawn) -> Result<(), Error> {
        match self {
            Self::Arrays(draws, values) => {
                draws.write_words(&drawn.categories)?;
                values.as_mut().map_or(Ok(()), |values| values.write_doubles(&drawn.values))
            }
            Self::Text(output, lines) => output.write_text(lines.text(drawn)),
            Self::Nothing => Ok(()),
        }
    }

    fn finish(self) -> Result<(), Error> {
        match self {
            Self::Arrays(draws, values) => {
                values.map_or(Ok(()), Output::finish)?;
                draws.finish()
            }
            Self::Text(output, _) => output.finish(),
            Self::Nothing => Ok(()),
        }
    }
}

/// The settings of the draws from a file.
struct Job<'a> {
    sampler: &'a Sampler,
    options: SampleOptions<'static>,
    asked: Asked,
    first_row: u64,
    chunk: usize,
}

impl Job<'_> {
    /// Draws from all rows. Returns how long the sampler took.
    fn run(
        &self,
        input: &mut Input,
        output: &mut Sink,
        progress: &mut Progress,
    ) -> Result<Duration, Error> {
        let (categories, in_row) = (input.categories(), self.options.draws);
        let call = match self.options.method {
            // at temperature 0 a call adds up no sums
            Method::InverseCdf if self.options.temperature != 0.0 => {
                Call::of_searches(categories, in_row, self.chunk)
            }
            _ => Call::new(categories, in_row, self.asked.k(), self.chunk),
        };
        let mut drawn = Drawn::default();
        let mut sampling = Duration::ZERO;
        let mut row = 0;
        while row < input.rows() {
            // the result fits a usize, as `call.rows` is one
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
                let started = Instant::now();
                self.asked
                    .draw(self.sampler, batch, &options, &mut drawn)
                    .map_err(|error| Error::in_file(error, row))?;
                sampling += started.elapsed();
                output.write(&drawn)?;
                progress.add(rows as u64 * u64::from(count));
                draw += count;
            }
            row += rows as u64;
        }
        Ok(sampling)
    }
}
