//! Why a file cannot be read. Errors name the file as the user did, and ways out in the words of the command `gumbel`.

use std::io;
use std::sync::Arc;

use crate::format::Format;

/// Why rows cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input cannot be opened or read.
    #[error("cannot read {name}: {source}")]
    Read {
        /// The input as it was named.
        name: Arc<str>,
        /// The system's reason.
        source: io::Error,
    },
    /// What a format needs that is read in another order than it comes in cannot be kept in a temporary file.
    #[error(
        "{name} has to be kept in a temporary file, since it is not read from its beginning to its end, and that \
         fails: {source}"
    )]
    Spool {
        /// The input as it was named.
        name: Arc<str>,
        /// The system's reason.
        source: io::Error,
    },
    /// The input is in no format that is known.
    #[error("{name} is in no format that gumbel reads: {what}")]
    Unknown {
        /// The input as it was named.
        name: Arc<str>,
        /// What it looks like.
        what: String,
    },
    /// The input is not what its format demands.
    #[error("{name} is not {}: {what}", format.with_article())]
    Malformed {
        /// The input as it was named.
        name: Arc<str>,
        /// The format.
        format: Format,
        /// What is wrong, and where.
        what: String,
    },
    /// The input is of something other than rows of numbers to draw from.
    #[error("{name} cannot be sampled: {what}")]
    Unsuitable {
        /// The input as it was named.
        name: Arc<str>,
        /// What it holds, and what is needed.
        what: String,
    },
    /// The input ends too early.
    #[error("{name} is truncated: its header announces {expected} bytes of data, it has {got}")]
    Truncated {
        /// The input as it was named.
        name: Arc<str>,
        /// The bytes that the shape and the type need.
        expected: u64,
        /// The bytes that there are.
        got: u64,
    },
    /// The input goes on after its last row.
    #[error("{name} has trailing bytes after the {expected} bytes of data of its header's shape")]
    Trailing {
        /// The input as it was named.
        name: Arc<str>,
        /// The bytes that the shape and the type need.
        expected: u64,
    },
    /// An integer that is not a valid count.
    #[error(
        "row {row} has no draw: its count of category {category} is {count}; a count is 0 to 4294967295"
    )]
    Count {
        /// The row in the file, counted from 0.
        row: u64,
        /// The category.
        category: u64,
        /// The integer.
        count: i128,
    },
    /// A row that is not like the others, or has a value that is no number.
    #[error("{name}, row {row}: {what}")]
    Row {
        /// The input as it was named.
        name: Arc<str>,
        /// The row in the file, counted from 0.
        row: u64,
        /// What is wrong with it, and where.
        what: String,
    },
    /// Rows do not fit into memory.
    #[error("{rows} rows of {categories} categories do not fit into memory")]
    OutOfMemory {
        /// The rows that were to be in memory.
        rows: usize,
        /// The number of categories.
        categories: usize,
    },
}

/// A file's name, of which errors are made.
#[derive(Clone, Debug)]
pub(crate) struct Name(pub(crate) Arc<str>);

impl Name {
    pub(crate) fn read(&self, source: io::Error) -> Error {
        Error::Read { name: self.0.clone(), source }
    }

    pub(crate) fn spool(&self, source: io::Error) -> Error {
        Error::Spool { name: self.0.clone(), source }
    }

    pub(crate) fn unknown(&self, what: impl Into<String>) -> Error {
        Error::Unknown { name: self.0.clone(), what: what.into() }
    }

    pub(crate) fn malformed(&self, format: Format, what: impl Into<String>) -> Error {
        Error::Malformed { name: self.0.clone(), format, what: what.into() }
    }

    pub(crate) fn unsuitable(&self, what: impl Into<String>) -> Error {
        Error::Unsuitable { name: self.0.clone(), what: what.into() }
    }

    pub(crate) fn row(&self, row: u64, what: impl Into<String>) -> Error {
        Error::Row { name: self.0.clone(), row, what: what.into() }
    }

    /// The error of bytes that end where a header should go on, or of a reader that failed.
    pub(crate) fn in_header(&self, format: Format, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => self.malformed(format, "it ends in its header"),
            io::ErrorKind::InvalidData => self.malformed(format, source.to_string()),
            _ => self.read(source),
        }
    }
}
