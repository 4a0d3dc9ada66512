//! The command line, as clap understands it.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand, ValueEnum};

use crate::error::Error;

mod files;
mod restrict;
mod sample;
mod seed;

pub(crate) use files::{InputArgs, OutputFormat};
pub(crate) use restrict::{CutsArgs, RestrictArgs, ShareOf};
pub(crate) use sample::{Method, SampleArgs, With};
pub(crate) use seed::Seed;

/// Draw from millions of categorical distributions at once, with the same draws on every GPU and
/// CPU.
#[derive(Debug, Parser)]
#[command(name = "gumbel", version)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draw from each row of a file of logits or weights
    Sample(SampleArgs),
    /// Soften the draws from each row of a file of logits: Gumbel-softmax samples
    ///
    /// A soft sample is softmax((logits / temperature + noise) / tau), with the noise of the draw that
    /// `gumbel sample` makes under the same seed, and has its largest number there. The numbers are
    /// 0 or positive and add up to 1. They are the same on every device but for roundings, and with
    /// --straight-through without exception.
    Soften(SoftenArgs),
    /// Print log Z of each row, the logarithm of its normaliser: logsumexp of its logits
    ///
    /// Without a sum, log Z is also the mean of the largest perturbed logits of many draws, less
    /// Euler's constant: --draws puts that estimate and its standard error beside it.
    Logz(LogzArgs),
    /// Print where the cuts of decoders (top-k, top-p, min-p, epsilon) cut each row: the least value that is kept, how many
    /// categories are kept, and their share of the probability
    ///
    /// The numbers are the same on every machine. Whoever has the logits finds the kept categories again by the threshold
    /// alone.
    Cuts(CutsArgs),
    /// Draw a picture (SVG) of what happens to one row: its probabilities, how often draws had which
    /// category, and the race of one draw
    ///
    /// The draws are those of `gumbel sample` from this row. Up to 100 categories are shown in the
    /// order of the row; of more, the 60 most probable ones, and the others as one. With --top-p and
    /// the like, the picture says what is cut, and by which option.
    Explain(ExplainArgs),
    /// List the adapters of this machine, and the one that --engine auto takes
    Adapters,
    /// Hold the engines of this machine against the reference
    ///
    /// Every draw of every case must be the reference's, bit for bit; of the smaller cases also the
    /// first three places of each race, with their keys, and draws by inverse CDF. Logsumexp and
    /// soft samples must be as near as is promised. Each adapter has three columns: gpu0 draws as
    /// `gumbel sample` does, gpu0/plain without the optional features of the adapter, gpu0/cut cuts
    /// rows and batches into the smallest pieces. Exits with 1 if anything differs, if an engine
    /// fails, or if no engine could be checked. An adapter that lacks something to run gumbel's
    /// shaders is named with what it lacks, and is no failure.
    Check(CheckArgs),
    /// Measure how long draws take on an adapter, beside an argmax, a copy and an upload
    ///
    /// Everything is first held against the CPU engine, and then timed in turn, by the device's clock
    /// where it has one: two or three minutes on two cores that emulate a GPU. Prints two tables, in
    /// Markdown, and which targets are reached: `gumbel bench > FILE.md` keeps them, as nothing else goes
    /// to standard output. Exits with 1 if a draw differs, or if there is no adapter.
    Bench(BenchArgs),
    /// Print what makes a shell complete this command: `source <(gumbel completions bash)`
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print this command's page of the manual: `gumbel man > gumbel.1`
    Man,
}

/// What is drawn from.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// The file holds weights instead: unnormalised probabilities, 0 or positive, as f16, f32 or
    /// f64, or counts as integers of any size
    ///
    /// Counts are 0 to 4294967295, and those of booleans 0 and 1. No logarithm is taken.
    #[arg(long)]
    pub(crate) weights: bool,
}

/// Which noise, and how hot.
#[derive(Debug, clap::Args)]
pub(crate) struct Noise {
    /// The seed: the same seed, the same draws, on every machine
    ///
    /// `random` is a seed that is different each time, and the command says which.
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    pub(crate) seed: Seed,
    /// Divide the logits by this; 0 takes the largest logit
    ///
    /// Weights are taken to the power of 1/T. Only plain draws have a temperature of 0: without noise
    /// there is no race, and no probability.
    #[arg(long, value_name = "T", default_value_t = 1.0, allow_hyphen_values = true)]
    pub(crate) temperature: f32,
}

/// Where to draw.
#[derive(Debug, clap::Args)]
pub(crate) struct Where {
    /// Where to draw: auto is a hardware GPU if there is one and the CPU otherwise
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    pub(crate) engine: Engine,
    /// Draw on the first GPU adapter whose name or driver contains this, see `gumbel adapters`; the
    /// one way to a software adapter
    #[arg(long, value_name = "NAME")]
    pub(crate) adapter: Option<String>,
}

/// The arguments of `gumbel soften`.
#[derive(Debug, clap::Args)]
pub(crate) struct SoftenArgs {
    /// Say nothing on standard error but what went wrong (and the seed that --seed random took)
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// A hidden option, so that its refusal can say why.
    #[arg(long, hide = true)]
    pub(crate) weights: bool,
    /// Write the samples to this .npy file of f32, of shape (rows, categories) for one draw a row and
    /// (rows, draws, categories) otherwise; `-` is standard output [default: text, one line a row]
    ///
    /// In text a space stands between draws, and commas stand between the numbers of one. The file
    /// appears when it is complete; after an error there is none.
    #[arg(short, long, value_name = "OUT.npy")]
    pub(crate) output: Option<PathBuf>,
    /// How soft: towards 0 a sample becomes the draw, 1 at its category and 0 elsewhere, and with a
    /// large tau all its numbers become the same
    ///
    /// Unlike the temperature, which changes what is drawn, tau changes only how near to it a sample
    /// is.
    #[arg(long, value_name = "TAU", allow_hyphen_values = true)]
    pub(crate) tau: f32,
    /// Write 1 at the category of the draw and 0 elsewhere, whatever tau is: straight-through samples,
    /// of which only the gradient is soft
    #[arg(long)]
    pub(crate) straight_through: bool,
    /// The seed: the same seed, the same draws, on every machine
    ///
    /// `random` is a seed that is different each time, and the command says which.
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    pub(crate) seed: Seed,
    /// Divide the logits by this, which is above 0: what is drawn changes with it
    #[arg(long, value_name = "T", default_value_t = 1.0, allow_hyphen_values = true)]
    pub(crate) temperature: f32,
    /// Draw so many times from each row
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DRAWS)))]
    pub(crate) draws: u32,
    /// The number of the first row: rows cut off a larger file draw what they would there
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) first_row: u64,
    #[command(flatten)]
    pub(crate) restrict: RestrictArgs,
    #[command(flatten)]
    pub(crate) place: Where,
    /// Print the summary as one JSON object on standard output instead of standard error; the samples
    /// are then only written if there is an --output
    ///
    /// Its keys: engine ("cpu" or "gpu"), adapter (null on the CPU), rows, categories, draws (from
    /// each row), seconds (of sampling alone, without reading and writing), draws_per_second (over all
    /// rows).
    #[arg(long)]
    pub(crate) json: bool,
    /// At most so many values and so many numbers of samples in a call, for tests.
    #[arg(long, value_name = "N", hide = true)]
    pub(crate) chunk: Option<usize>,
}

/// The arguments of `gumbel logz`.
#[derive(Debug, clap::Args)]
pub(crate) struct LogzArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Say nothing on standard error but what went wrong (and the seed that --seed random took)
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Write to this .npy file of f64, of shape (rows,), or (rows, 3) with --draws; `-` is standard
    /// output [default: text, one line a row]
    ///
    /// The file appears when it is complete; after an error there is none.
    #[arg(short, long, value_name = "OUT.npy")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) restrict: RestrictArgs,
    #[command(flatten)]
    pub(crate) noise: Noise,
    /// Estimate log Z as well, from the maxima of so many draws: three numbers a row, log Z, the
    /// estimate and its standard error
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DRAWS)))]
    pub(crate) draws: Option<u32>,
    /// The number of the first row: rows cut off a larger file draw what they would there
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) first_row: u64,
    #[command(flatten)]
    pub(crate) place: Where,
    /// At most so many values and so many draws in a call, for tests.
    #[arg(long, value_name = "N", hide = true)]
    pub(crate) chunk: Option<usize>,
}

/// The arguments of `gumbel explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The row, counted from 0
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub(crate) row: u64,
    /// Write the picture to this file; `-` is standard output
    #[arg(short, long, value_name = "OUT.svg", default_value = "-")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) restrict: RestrictArgs,
    #[command(flatten)]
    pub(crate) noise: Noise,
    /// Draw so many times; the first of the draws is the race that is shown
    #[arg(long, value_name = "N", default_value_t = 1000, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DRAWS)))]
    pub(crate) draws: u32,
    /// A file of text with the names of the categories, a line each [default: their numbers]
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Where,
}

/// The arguments of `gumbel check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Check only the CPU engine, or only the adapters [default: both]
    #[arg(long, value_enum)]
    pub(crate) engine: Option<CheckedEngine>,
    /// Of the adapters, check only those whose name or driver contains this
    #[arg(long, value_name = "NAME")]
    pub(crate) adapter: Option<String>,
    /// Print a line for each case and each operation, and not only one for each engine
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Take some seconds instead of minutes: only the cases of at most 1000 values
    #[arg(long)]
    pub(crate) quick: bool,
    /// Check nothing, and write the cases of up to 20000 logits with the reference's results to this folder, for
    /// implementations in other languages: cases.json, their numbers in cases.bin, and the shaders in shaders.json
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["engine", "adapter", "verbose"])]
    pub(crate) write_cases: Option<PathBuf>,
}

/// The arguments of `gumbel bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Measure the first adapter whose name or driver contains this [default: the first hardware
    /// adapter, or the first software adapter if there is none]
    #[arg(long, value_name = "NAME")]
    pub(crate) adapter: Option<String>,
    /// Measure these batches, ROWSxCATEGORIES and commas between them
    #[arg(long, value_name = "SHAPES", value_delimiter = ',')]
    pub(crate) shapes: Vec<gumbel_bench::Shape>,
    /// Write all times to this CSV file; `-` is standard output, which then gets no tables
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Bring at most so many MiB of logits to the device at once in sample_rows, and in the upload
    /// beside it [default: 16]
    ///
    /// A device that binds less than that gets less. To see which size is best on a device:
    /// `for n in 1 4 16 64; do gumbel bench --shapes 1x128256,10000000x16 --chunk-mib $n; done`
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) chunk_mib: Option<u32>,
    /// Lay races out in teams of other sizes than gumbel has for the adapter: NAME=N and commas between
    ///
    /// For kinds of devices that have not been measured. The names are team, shared-workgroup, alone-octets,
    /// octets-per-lane, busy-invocations and holds-logits; src/gpu/layout.rs says what they are, and what they are for a
    /// GPU unless they are given. Numbers that the device cannot have are lowered to those that it can.
    #[arg(long, value_name = "TEAMS", value_parser = gumbel_bench::teams)]
    pub(crate) teams: Option<gumbel::Teams>,
    /// Measure draws with a mask, min-p, top-k and top-p, beside draws from all categories, and nothing else
    #[arg(long)]
    pub(crate) restricted: bool,
    /// Measure rows of other logits than normal ones: rows that make the work of a truncation the most
    #[arg(long, value_name = "ROWS", default_value = "normal", value_parser = rows)]
    pub(crate) rows: gumbel_bench::Rows,
    /// Take some seconds instead of minutes: fewer shapes unless there are --shapes, and fewer samples
    #[arg(long)]
    pub(crate) quick: bool,
}

/// The rows of this name.
fn rows(name: &str) -> Result<gumbel_bench::Rows, String> {
    let all = gumbel_bench::Rows::ALL;
    let named = all.into_iter().find(|rows| rows.name() == name);
    named.ok_or_else(|| format!("it is one of {}", all.map(gumbel_bench::Rows::name).join(", ")))
}

/// Which engine draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// A hardware GPU if there is one, the CPU otherwise.
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU.
    Gpu,
}

/// Which engines are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckedEngine {
    /// The CPU.
    Cpu,
    /// All adapters.
    Gpu,
}

/// Draws are numbered with 31 bits.
pub(crate) const MAX_DRAWS: u32 = 1 << 31;

/// Returns the error for a command line that clap refuses, without clap's page on the usage.
/// Returns `None` for the help and the version, which are pages and no errors.
pub(crate) fn refusal(error: &clap::Error) -> Option<Error> {
    let page = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || error.kind() == page {
        return None;
    }
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let what = paragraphs.next().unwrap_or_default().trim_start_matches("error: ");
    let tip = paragraphs.find(|paragraph| paragraph.starts_with("tip: "));
    Some(Error::Usage(tip.map_or_else(|| what.to_owned(), |tip| format!("{what} ({tip})"))))
}

/// The refusal of an adapter for an engine that has none.
pub(crate) const CPU_HAS_NO_ADAPTER: &str = "--engine cpu has no adapter: leave out --adapter";
