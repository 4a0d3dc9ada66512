//! The options of what may be drawn, and of `gumbel cuts`, which tells.

use std::path::PathBuf;

use clap::ValueEnum;

use super::Source;

/// What may be drawn of a row.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What may be drawn")]
pub(crate) struct RestrictArgs {
    /// Keep the K most probable categories of each row, and those that are as probable as the last of them
    ///
    /// The same seed draws the same category with and without a cut, unless that category is cut. All cuts may be given
    /// together.
    #[arg(long, value_name = "K")]
    pub(crate) top_k: Option<u32>,
    /// Keep the most probable categories of each row until they have this share of the probability
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    pub(crate) top_p: Option<f32>,
    /// Keep categories that have at least this share of the largest probability
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    pub(crate) min_p: Option<f32>,
    /// Keep categories of at least this probability, and the most probable
    #[arg(long, value_name = "E", allow_hyphen_values = true)]
    pub(crate) epsilon: Option<f32>,
    /// Cut by the probabilities at this temperature instead of --temperature: 1 to cut first and divide by the
    /// temperature then
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub(crate) cut_temperature: Option<f32>,
    /// What --top-p is a share of: of what --top-k keeps, of all, or of what all other cuts keep
    #[arg(long, value_enum, default_value_t = ShareOf::TopK)]
    pub(crate) share: ShareOf,
    /// Draw only what a mask allows: a .npy file of u32 or i32, rows x words, or words alone for one mask for all rows
    ///
    /// Bit i % 32 of word i / 32 is 1 if category i is allowed.
    #[arg(long, value_name = "MASK.npy")]
    pub(crate) allowed: Option<PathBuf>,
}

impl RestrictArgs {
    /// Whether everything may be drawn.
    pub(crate) fn is_none(&self) -> bool {
        let numbers = [self.top_p, self.min_p, self.epsilon];
        self.top_k.is_none() && numbers == [None; 3] && self.allowed.is_none()
    }
}

/// What --top-p is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShareOf {
    /// What --top-k keeps
    TopK,
    /// All categories that are allowed
    All,
    /// What all other cuts keep
    Rest,
}

/// The arguments of `gumbel cuts`.
#[derive(Debug, clap::Args)]
pub(crate) struct CutsArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Say nothing on standard error but what went wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Write to this .npy file of f64, of shape (rows, 3); `-` is standard output [default: text, one line a row]
    ///
    /// The file appears when it is complete; after an error there is none.
    #[arg(short, long, value_name = "OUT.npy")]
    pub(crate) output: Option<PathBuf>,
    /// Divide the logits by this; rows at temperature 0 are cut at temperature 1
    #[arg(long, value_name = "T", default_value_t = 1.0, allow_hyphen_values = true)]
    pub(crate) temperature: f32,
    #[command(flatten)]
    pub(crate) restrict: RestrictArgs,
    /// At most so many values in a call, for tests.
    #[arg(long, value_name = "N", hide = true)]
    pub(crate) chunk: Option<usize>,
}
