//! The reasons why a command cannot do what it was asked to.

use std::io;

use gumbel::Undrawable;

/// An error. Each variant is one sentence, without the leading `gumbel: `.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The input cannot be opened or read.
    #[error("cannot read {name}: {source}")]
    Read {
        /// The input as it was named.
        name: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The input is not what it should be.
    #[error(transparent)]
    Input(#[from] gumbel_io::Error),
    /// A row of the file has no draw.
    #[error("row {row} has no draw: {reason}")]
    Undrawable {
        /// The row in the file.
        row: u64,
        /// What is wrong with it.
        reason: Undrawable,
    },
    /// The file of labels has too few or too many lines.
    #[error("{name} has {got} lines, a label each, but a row has {categories} categories")]
    Labels {
        /// The file as it was named.
        name: String,
        /// Its lines.
        got: usize,
        /// The number of categories.
        categories: usize,
    },
    /// The sums of a row do not fit into memory. The message is the library's, except that it names
    /// the command's own way out.
    #[error(
        "the sums of rows of {categories} categories need {bytes} bytes, which are not to be had; \
         try --method gumbel, which needs none"
    )]
    NoMemoryForSums {
        /// The number of categories.
        categories: usize,
        /// The bytes that were asked for.
        bytes: usize,
    },
    /// A row does not fit into memory.
    #[error("a row of {categories} categories does not fit into memory")]
    OutOfMemory {
        /// The number of categories.
        categories: usize,
    },
    /// The output cannot be created or written.
    #[error("cannot write {name}: {source}")]
    Write {
        /// The output as it was named.
        name: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The reader of the output has gone, which is not worth a message.
    #[error("the output was closed")]
    ClosedPipe,
    /// Options that contradict each other, or a value that an option cannot have.
    #[error("{0}")]
    Usage(String),
    /// An error of the measurements.
    #[error(transparent)]
    Bench(gumbel_bench::Error),
    /// An error of the library, in the command line's words.
    #[error("{}", words(.0))]
    Gumbel(#[from] gumbel::Error),
}

impl From<gumbel_bench::Error> for Error {
    fn from(error: gumbel_bench::Error) -> Self {
        match error {
            gumbel_bench::Error::Gumbel(error) => Self::Gumbel(error),
            error => Self::Bench(error),
        }
    }
}

impl Error {
    /// The error of a failed write to what the user knows as `name`.
    pub(crate) fn write(name: &str, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Write { name: name.to_owned(), source }
        }
    }

    /// The error of a failed write to standard output.
    pub(crate) fn stdout(source: io::Error) -> Self {
        Self::write("standard output", source)
    }

    /// Returns the library's error with its row counted in the file; row 0 of the batch is row
    /// `first` of the file.
    pub(crate) fn in_file(error: gumbel::Error, first: u64) -> Self {
        match error {
            gumbel::Error::UndrawableRow { row, reason } => {
                Self::Undrawable { row: first + row as u64, reason }
            }
            gumbel::Error::NoMemoryForSums { categories, bytes } => {
                Self::NoMemoryForSums { categories, bytes }
            }
            error => Self::Gumbel(error),
        }
    }
}

/// What the library says, with the ways out that this command has in place of the library's.
fn words(error: &gumbel::Error) -> String {
    use gumbel::Error::{
        NeedsGumbel, NoMemoryForSums, OutOfMemory, ShaderRefused, Timeout, TopKTooLarge,
    };
    match error {
        NoMemoryForSums { categories, bytes } => {
            Error::NoMemoryForSums { categories: *categories, bytes: *bytes }.to_string()
        }
        NeedsGumbel { operation } => format!("{operation} needs --method gumbel"),
        TopKTooLarge { races, k } => format!(
            "--without-replacement {k} in {races} races does not fit into memory, or on a GPU that of one race into a chunk: try a \
             smaller --without-replacement, or --engine cpu"
        ),
        OutOfMemory { adapter, while_doing, .. } => {
            format!("{adapter} ran out of memory while {while_doing}: try --engine cpu")
        }
        ShaderRefused { adapter, shader, message } => format!(
            "{adapter} refused {shader}: try --engine cpu, or a newer driver, and please report it, with these \
             words: {message}"
        ),
        Timeout { adapter, while_doing, timeout } => {
            format!("{adapter} did not finish {while_doing} within {timeout:?}: try --engine cpu")
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Errors that name a way out name an option, and nothing of the library's.
    #[test]
    fn the_library_s_words_stay_in_the_library() {
        use gumbel::Error as E;
        let (adapter, while_doing) = ("a GPU".to_owned(), "drawing".to_owned());
        let (shader, message) = ("a shader".to_owned(), "why".to_owned());
        let bytes = Some(7);
        for error in [
            E::NoMemoryForSums { categories: 5, bytes: 40 },
            E::NeedsGumbel { operation: "the first k" },
            E::TopKTooLarge { races: 7, k: 5 },
            E::OutOfMemory { adapter: adapter.clone(), while_doing: while_doing.clone(), bytes },
            E::ShaderRefused { adapter: adapter.clone(), shader, message },
            E::Timeout { adapter, while_doing, timeout: std::time::Duration::from_secs(9) },
        ] {
            let (theirs, ours) = (error.to_string(), Error::from(error).to_string());
            let is_library = |text: &str| text.contains("::") || text.contains("with_");
            assert!(is_library(&theirs), "{theirs}");
            assert!(!is_library(&ours) && ours.contains("--"), "{ours}");
        }
    }

    #[test]
    fn a_way_out_is_said_in_options() {
        let error = gumbel::Error::NoMemoryForSums { categories: 5, bytes: 40 };
        let theirs = error.to_string();
        assert!(theirs.contains("Method::Gumbel"), "{theirs}");
        let ours = Error::in_file(error, 0).to_string();
        assert_eq!(ours, theirs.replace("Method::Gumbel", "--method gumbel"));
    }
}
