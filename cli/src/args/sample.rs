//! The options of `gumbel sample`.

use std::path::PathBuf;

use clap::ValueEnum;
use gumbel::LogProbsOf;

use super::{MAX_DRAWS, Noise, OutputFormat, RestrictArgs, Source, Where};

/// The arguments of `gumbel sample`.
#[derive(Debug, clap::Args)]
pub(crate) struct SampleArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Say nothing on standard error but what went wrong (and the seed that --seed random took)
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Write the draws to this file, in the format that its extension says; `-` is standard output [default: text, one
    /// line a row]
    ///
    /// .npy is an array of u32, of shape (rows,) for one draw a row and (rows, draws) otherwise, and so is a name with
    /// another extension or none. Tables have a line for each draw: .arrow or .feather, .parquet, .csv, and .jsonl for
    /// JSON lines. Their columns are row_id, draw_number if --draws is above 1, place with --without-replacement, draw, the number that
    /// --with asks for (log_prob, time or max), and those of --keep. .txt is the text that is also the default. The file
    /// appears when it is complete; after an error there is none.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// The format of the output, in place of the one that its extension says
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) output_format: Option<OutputFormat>,
    /// Take the rows' ids from this column of a table, integers of 0 or more: a row draws the same wherever it stands
    #[arg(long, value_name = "COLUMN", conflicts_with = "first_row")]
    pub(crate) row_id: Option<String>,
    /// Carry these columns of a table through to the table that is written, with commas between
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) keep: Vec<String>,
    #[command(flatten)]
    pub(crate) restrict: RestrictArgs,
    #[command(flatten)]
    pub(crate) noise: Noise,
    /// Draw so many times from each row
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DRAWS)))]
    pub(crate) draws: u32,
    /// How a draw is found: by a race of Gumbel noise for each, or by a search in the sums of the row,
    /// which are taken once; auto is what is likely faster
    ///
    /// The two draw differently, but each the same on every device. Both have the same
    /// probabilities, except that inverse-cdf never draws what is 2^54 times less likely than the
    /// row's most probable category (of 1000; 2^44 of a million). auto is inverse-cdf for 16 draws
    /// or more from each row of up to 16777215 categories, and gumbel for all else, by the whole of
    /// --draws. --without-replacement, and --with time or max, are about races.
    #[arg(long, value_enum, default_value_t = Method::Gumbel)]
    pub(crate) method: Method,
    /// Draw K categories at a time, without replacement: the first K to arrive in each race
    ///
    /// A .npy file gets one more dimension, of K, in the order of arrival: (rows, K) for one draw a
    /// row and (rows, draws, K) otherwise. In text commas stand between them. Where a row has
    /// fewer categories of a probability above 0, the rest is 4294967295, and - in text.
    #[arg(long = "without-replacement", value_name = "K", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(u32::MAX)))]
    pub(crate) top: Option<u32>,
    /// Give a number with each draw: when it arrived in the race of exponential alarms (time), its
    /// logit with the noise that made it the largest (max), or the logarithm of its probability
    /// (logprob)
    ///
    /// In text it follows its draw after a colon, as in 17:0.25, and in a table it is a column. Beside a .npy file of
    /// draws it goes to --with-output. Draws and max are the same on every device; the others are computed in
    /// floats, a time to its last bit or two, a logprob to within 0.00002 (0.000005 on the CPU),
    /// whatever the logits are shifted by. A time is exp(-max): inf where max is below -709, and 0
    /// where it is above 745, so ask for max where logits may be as large.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) with: Option<With>,
    /// What the probabilities of --with logprob are among, where cuts take categories away
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) logprob_of: Option<LogProbOf>,
    /// Write the numbers of --with to this .npy file of f64, of the shape of --output
    #[arg(long, value_name = "OUT.npy")]
    pub(crate) with_output: Option<PathBuf>,
    /// The number of the first row: rows cut off a larger file draw what they would there
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) first_row: u64,
    #[command(flatten)]
    pub(crate) place: Where,
    /// Print a digest of the draws to standard error, by which draws of two machines are compared by eye: the CRC-32 of
    /// the bytes that a .npy file of them has
    #[arg(long)]
    pub(crate) digest: bool,
    /// Print the summary as one JSON object on standard output instead of standard error; the draws
    /// are then only written if there is an --output
    ///
    /// Its keys: engine ("cpu" or "gpu"), adapter (null on the CPU), rows, categories, draws (from
    /// each row), method ("gumbel" or "inverse-cdf"), top (if there is a --without-replacement), seconds (of
    /// sampling alone, without reading and writing), draws_per_second (over all rows).
    #[arg(long)]
    pub(crate) json: bool,
    /// At most so many values and so many draws in a call, for tests.
    #[arg(long, value_name = "N", hide = true)]
    pub(crate) chunk: Option<usize>,
}

/// How a draw is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// The largest sum of logit and noise.
    Gumbel,
    /// A search in the sums of the row.
    InverseCdf,
    /// One of the two, by the shape.
    Auto,
}

/// The number to give with a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum With {
    /// When it arrived.
    Time,
    /// Its perturbed logit.
    Max,
    /// The logarithm of its probability.
    Logprob,
}

/// What log-probabilities are among.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogProbOf {
    /// What the cuts keep, which is the distribution that is drawn from (the default)
    Kept,
    /// All that --allowed allows, cut or not
    Allowed,
}

impl From<LogProbOf> for LogProbsOf {
    fn from(of: LogProbOf) -> Self {
        match of {
            LogProbOf::Kept => Self::Kept,
            LogProbOf::Allowed => Self::Allowed,
        }
    }
}
