//! `gumbel sample`: rows in, draws out, a part at a time.

use std::time::{Duration, Instant};

use gumbel::{LogProbsOf, Logits, Method, SampleOptions, Sampler};
use gumbel_io::Kind;

use crate::args::{self, OutputFormat, SampleArgs, With};
use crate::call::{self, Call};
use crate::draws::{Asked, Drawn};
use crate::error::Error;
use crate::input::Input;
use crate::output;
use crate::progress::Progress;
use crate::restrict::Restriction;
use crate::sink::{self, Ids, SAME_FILE, Sink, Writer};
use crate::summary::{BOTH_ON_STDOUT, Summary};
use crate::{engine, say};

/// Samples a file.
pub(crate) fn run(args: &SampleArgs) -> Result<(), Error> {
    check(args)?;
    let kind = if args.source.weights { Kind::Weights } else { Kind::Logits };
    let mut input = Input::open_with(&args.source.input, kind, args.row_id.as_deref(), &args.keep)?;
    let options = SampleOptions::default()
        .with_seed(args.noise.seed.value)
        .with_draws(args.draws)
        .with_temperature(args.noise.temperature)
        .with_log_probs_of(args.logprob_of.map_or(LogProbsOf::Kept, LogProbsOf::from))
        .with_method(method(args, input.categories())?);
    let asked = Asked { top: args.top, with: args.with };
    let restriction = Restriction::new(&args.restrict, input.categories())?;
    let total = validate(&mut input, asked, &restriction.of_rows(options, 0, 0)?)?;
    let sink = Sink::open(args, input.rows(), &args.keep)?;
    let values = input.values(args.draws);
    let sampler = engine::open(&args.place, values)?;

    let text_on_stdout = args.output.is_none() && !args.json;
    let mut progress = Progress::new(total, "draws", text_on_stdout).hidden_if(args.quiet);
    let categories = input.categories();
    let chunk = call::chunk(args.chunk, &sampler, &input, args.draws);
    let table = matches!(sink, Sink::Table(_));
    let first_row = args.first_row;
    let restriction = &restriction;
    let job = Job { sampler: &sampler, options, restriction, asked, first_row, chunk, table };
    let writer = Writer::start(sink, args.digest)?;
    let ran = job.run(input, &writer, &mut progress);
    let written = writer.finish();
    drop(progress);
    // an output that cannot be written ends the draws
    let (written, (rows, sampling)) = match (written, ran) {
        (Err(error), Ok(_) | Err(Error::ClosedPipe)) => return Err(error),
        (written, ran) => {
            let ran = ran?;
            (written?, ran)
        }
    };
    written.sink.finish(rows)?;

    args.noise.seed.tell();
    engine::tell(&sampler, &args.place, values, args.quiet);
    let method = options.method.name();
    if args.method == args::Method::Auto && !args.quiet {
        let draws = args.draws;
        say(&format!("--method auto took {method}: draws {draws} a row, categories {categories}"));
    }
    if let Some(digest) = written.digest {
        say(&format!("digest {digest:08x}"));
    }
    if !args.quiet {
        hint(args, categories);
    }
    let mut summary = Summary::new(&sampler, (rows, categories, args.draws), sampling);
    (summary.method, summary.top) = (Some(method), args.top);
    summary.report(args.json, args.quiet)
}

/// Says that another method would have taken a hundredth of the time or less.
fn hint(args: &SampleArgs, categories: usize) {
    let races_only = args.top.is_some() || !matches!(args.with, None | Some(With::Logprob));
    let other = Method::Auto.resolve(categories, args.draws) == Method::InverseCdf;
    if args.method != args::Method::Gumbel || races_only || !other {
        return;
    }
    // a race reads each category for each draw; a search takes the sums once, at some five times the price of a
    // category in a race, and then some 15 categories' price for each draw
    let (categories, draws) = (categories as f64, f64::from(args.draws));
    let (race, search) = (categories * draws, 5.0 * categories + 15.0 * draws);
    if race > 100.0 * search && race > 1e9 {
        let times = (race / search) as u64;
        say(&format!(
            "--method auto would draw as well from these rows, in some {times} times less time (other draws, of the \
             same probabilities)"
        ));
    }
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
    let format = sink::format_of(args);
    let is_table = !matches!(format, OutputFormat::Npy | OutputFormat::Text);
    if !args.keep.is_empty() && !is_table {
        return usage(
            "--keep carries columns to a table: --output OUT.parquet, .arrow, .csv or .jsonl, or --output-format",
        );
    }
    if args.with_output.is_some() && args.with.is_some() && is_table {
        return usage(
            "--with-output is beside a .npy file: a table has the numbers of --with in it",
        );
    }
    let arrays = args.output.as_ref().filter(|_| format == OutputFormat::Npy);
    if args.logprob_of.is_some() && args.with != Some(With::Logprob) {
        return usage(
            "--logprob-of says what the numbers of --with logprob are among: ask for these with it",
        );
    }
    match (args.with, arrays, &args.with_output) {
        (None, _, Some(_)) => usage("--with-output has nothing to write without --with"),
        (Some(_), None, Some(_)) => {
            usage("--with-output needs an --output beside it; text has the numbers of --with in it")
        }
        (Some(_), Some(_), None) => {
            usage("--with needs a --with-output for its numbers: those of --output are draws")
        }
        (Some(With::Logprob), _, _) if args.top.is_some() => usage(
            "--with logprob is of draws that do not depend on each other, --without-replacement draws without \
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
        (Some(_), _) => Some("--without-replacement"),
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
fn validate(
    input: &mut Input,
    asked: Asked,
    options: &SampleOptions<'_>,
) -> Result<Option<u64>, Error> {
    let categories = input.categories();
    if let Some(top) = asked.top.filter(|&top| top as usize > categories) {
        let what = format!(
            "--without-replacement {top} is more than the {categories} categories of a row"
        );
        return Err(Error::Usage(what));
    }
    // the library refuses a bad number of categories, and words the error
    Logits::strided::<f32>(&[], 0, categories, categories)?;
    let none = input.no_rows()?;
    let none = input.batch(&none)?;
    asked.draw(&gumbel::CpuSampler::new().into(), none, options, &mut Drawn::default())?;
    let draws = options.draws;
    let Some(rows) = input.rows() else { return Ok(None) };
    let total = rows.checked_mul(u64::from(draws));
    let entries = total.and_then(|total| total.checked_mul(asked.k() as u64));
    match (total, entries) {
        (Some(total), Some(_)) => Ok(Some(total)),
        _ => Err(Error::Usage(format!(
            "{draws} draws from each of {rows} rows are more than any file holds"
        ))),
    }
}

/// The settings of the draws from a file.
struct Job<'a> {
    sampler: &'a Sampler,
    options: SampleOptions<'static>,
    restriction: &'a Restriction,
    asked: Asked,
    first_row: u64,
    chunk: usize,
    /// Whether the rows' ids and the columns that are carried along go to the output.
    table: bool,
}

impl Job<'_> {
    /// Draws from all rows. Returns how many there were, and how long the sampler took.
    fn run(
        &self,
        input: Input,
        writer: &Writer,
        progress: &mut Progress,
    ) -> Result<(u64, Duration), Error> {
        let (categories, in_row) = (input.categories(), self.options.draws);
        let call = match self.options.method {
            Method::InverseCdf => Call::of_searches(categories, in_row, self.chunk),
            _ => Call::new(categories, in_row, self.asked.k(), self.chunk),
        };
        let mut sampling = Duration::ZERO;
        let rows = input.visit(call.rows, |batch, block| {
            let (first, rows) = (block.first_row, block.rows);
            let mut draw = 0;
            while draw < in_row {
                let count = call.draws.min(in_row - draw);
                let options = self.options.with_first_draw(draw).with_draws(count);
                let first_row = self.first_row.wrapping_add(first);
                let options = self.restriction.of_rows(options, first, rows)?;
                let options = match &block.row_ids {
                    Some(ids) => options.with_row_ids(ids),
                    None => options.with_first_row(first_row),
                };
                let mut piece = writer.piece();
                let started = Instant::now();
                self.asked
                    .draw(self.sampler, batch, &options, &mut piece.drawn)
                    .map_err(|error| Error::in_file(error, first))?;
                sampling += started.elapsed();
                (piece.rows, piece.first_draw) = (rows, draw);
                if self.table {
                    piece.ids = match &block.row_ids {
                        Some(ids) => Ids::Each(ids.clone()),
                        None => Ids::From(first_row),
                    };
                    piece.kept.clone_from(&block.kept);
                }
                if !writer.write(piece) {
                    // finishing it says why
                    return Err(Error::ClosedPipe);
                }
                progress.add(rows as u64 * u64::from(count));
                draw += count;
            }
            Ok(())
        })?;
        Ok((rows, sampling))
    }
}
