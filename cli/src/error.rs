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
    /// The input does not start as a .npy file does.
    #[error("{name} is not a .npy file: {what}")]
    Malformed {
        /// The input as it was named.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// The input is a .npy file of something other than rows of numbers to draw from.
    #[error("{name} cannot be sampled: {what}")]
    Unsuitable {
        /// The input as it was named.
        name: String,
        /// What it holds, and what is needed.
        what: String,
    },
    /// The input ends too early.
    #[error("{name} is truncated: its header announces {expected} bytes of data, it has {got}")]
    Truncated {
        /// The input as it was named.
        name: String,
        /// The bytes that the shape and the type need.
        expected: u64,
        /// The bytes that there are.
        got: u64,
    },
    /// The input goes on after its last row.
    #[error("{name} has trailing bytes after the {expected} bytes of data of its header's shape")]
    Trailing {
        /// The input as it was named.
        name: String,
        /// The bytes that the shape and the type need.
        expected: u64,
    },
    /// An integer that is not a valid count.
    #[error(
        "row {row} has no draw: its count of category {category} is {count}; a count is 0 to \
         4294967295"
    )]
    Count {
        /// The row in the file.
        row: u64,
        /// The category.
        category: u64,
        /// The integer.
        count: i128,
    },
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
    /// An error of the library.
    #[error(transparent)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_out_is_said_in_options() {
        let error = gumbel::Error::NoMemoryForSums { categories: 5, bytes: 40 };
        let theirs = error.to_string();
        assert!(theirs.contains("Method::Gumbel"), "{theirs}");
        let ours = Error::in_file(error, 0).to_string();
        assert_eq!(ours, theirs.replace("Method::Gumbel", "--method gumbel"));
    }
}
