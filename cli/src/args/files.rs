//! The options of files.

use std::path::PathBuf;

use clap::ValueEnum;

/// A file of rows.
#[derive(Debug, clap::Args)]
pub(crate) struct InputArgs {
    /// A file of rows of logits: .npy, .npz (FILE.npz:NAME), safetensors, Arrow IPC or Feather, Parquet, CSV or other
    /// text with a row a line; `-` reads it from standard input
    ///
    /// Its first bytes tell the format. Floats of 16 bits (also bfloat16), 32 or 64 bits are drawn from as they are: a
    /// row x of f64 draws what x - max(x) draws in f32. Files larger than memory are read a part at a time.
    pub(crate) input: PathBuf,
    /// The format of the input, in place of the one that its first bytes tell: npy, npz, safetensors, arrow, parquet or
    /// csv (any text)
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<gumbel_io::Format>,
    /// Draw from this tensor of a safetensors file, or this array of an .npz file
    #[arg(long, value_name = "NAME")]
    pub(crate) tensor: Option<String>,
    /// Draw from these columns of a table: one of lists, or one of numbers for each category, with commas between;
    /// p0..p26 stands for 27 of them [default: the only column of lists, or all columns of floats]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// The type of the values where the file does not say it: bf16 for the .npy files of ml_dtypes; f16, bf16, f32 or
    /// f64 for text [default: f64]
    #[arg(long, value_name = "TYPE")]
    pub(crate) dtype: Option<gumbel_io::Dtype>,
    /// Whether the first line of a text has the names of its columns; auto: if one of its fields is no number
    #[arg(long, value_enum, value_name = "WHETHER", default_value_t = HeaderLine::Auto)]
    pub(crate) header: HeaderLine,
}

/// Whether a text begins with the names of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HeaderLine {
    /// If one of its fields is no number.
    Auto,
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl From<HeaderLine> for gumbel_io::Header {
    fn from(line: HeaderLine) -> Self {
        match line {
            HeaderLine::Auto => Self::Auto,
            HeaderLine::Yes => Self::Yes,
            HeaderLine::No => Self::No,
        }
    }
}

/// The format of draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// An array.
    Npy,
    /// A line a row.
    Text,
    /// A table as text.
    Csv,
    /// A table of objects, a line each.
    Jsonl,
    /// A table, a file of Arrow IPC; on a pipe a stream.
    Arrow,
    /// A table.
    Parquet,
}
