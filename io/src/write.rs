//! Tables as CSV, JSON lines, Arrow IPC and Parquet.

#[cfg(feature = "arrow")]
mod arrow;
mod text;

use std::io::{self, Write};

use crate::Column;

/// A format of tables that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableFormat {
    /// Numbers with commas between them, and names in the first line.
    Csv,
    /// An object in JSON a line.
    JsonLines,
    /// A file of Arrow IPC, which Feather version 2 is.
    Arrow,
    /// A stream of Arrow IPC.
    ArrowStream,
    /// A file of Parquet.
    Parquet,
}

/// The cells of a column, for some rows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cells {
    /// Ids.
    Ids(Vec<u64>),
    /// Categories, or none.
    Categories(Vec<Option<u32>>),
    /// Numbers.
    Numbers(Vec<f64>),
    /// A column that is carried along.
    Kept(Column),
}

impl Cells {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Ids(ids) => ids.len(),
            Self::Categories(categories) => categories.len(),
            Self::Numbers(numbers) => numbers.len(),
            Self::Kept(column) => column.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Writes a table, some rows at a time.
pub struct TableWriter<W: Write + Send> {
    inner: Inner<W>,
}

enum Inner<W: Write + Send> {
    Text(text::Text<W>),
    #[cfg(feature = "arrow")]
    Arrow(Box<arrow::Arrow<W>>),
}

impl<W: Write + Send> TableWriter<W> {
    /// A writer of a table with columns of these names.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] for a format that this crate was built without.
    pub fn new(format: TableFormat, names: Vec<String>, to: W) -> io::Result<Self> {
        let inner = match format {
            TableFormat::Csv | TableFormat::JsonLines => {
                Inner::Text(text::Text::new(format == TableFormat::JsonLines, names, to))
            }
            #[cfg(feature = "arrow")]
            _ => Inner::Arrow(Box::new(arrow::Arrow::new(format, names, to)?)),
            #[cfg(not(feature = "arrow"))]
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, UNSUPPORTED)),
        };
        Ok(Self { inner })
    }

    /// Writes the next rows. All columns must have as many, and each the type that it had before.
    ///
    /// # Errors
    /// Those of the writer, and [`io::ErrorKind::InvalidInput`] for a column that the format cannot hold.
    pub fn write(&mut self, columns: Vec<Cells>) -> io::Result<()> {
        match &mut self.inner {
            Inner::Text(text) => text.write(&columns),
            #[cfg(feature = "arrow")]
            Inner::Arrow(arrow) => arrow.write(columns),
        }
    }

    /// Writes what a table ends with. Returns the writer.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(self) -> io::Result<W> {
        match self.inner {
            Inner::Text(text) => text.finish(),
            #[cfg(feature = "arrow")]
            Inner::Arrow(arrow) => arrow.finish(),
        }
    }
}

/// What is missing, and how it is had.
#[cfg(not(all(feature = "arrow", feature = "parquet")))]
const UNSUPPORTED: &str =
    "this gumbel was built without that format: cargo install gumbel-cli --features arrow,parquet";
