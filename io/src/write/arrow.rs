//! Arrow IPC and Parquet.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{
    Array, ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::{Cells, TableFormat};
use crate::Column;

/// A table that is being written. The types of its columns are those of its first rows.
pub(super) struct Arrow<W: Write + Send> {
    format: TableFormat,
    names: Vec<String>,
    state: State<W>,
}

enum State<W: Write + Send> {
    /// Nothing has been written.
    New(Option<W>),
    File(FileWriter<W>),
    Stream(StreamWriter<W>),
    #[cfg(feature = "parquet")]
    Parquet(Box<::parquet::arrow::ArrowWriter<W>>),
}

impl<W: Write + Send> Arrow<W> {
    pub(super) fn new(format: TableFormat, names: Vec<String>, to: W) -> io::Result<Self> {
        #[cfg(not(feature = "parquet"))]
        if format == TableFormat::Parquet {
            return Err(io::Error::new(io::ErrorKind::Unsupported, super::UNSUPPORTED));
        }
        Ok(Self { format, names, state: State::New(Some(to)) })
    }

    pub(super) fn write(&mut self, columns: Vec<Cells>) -> io::Result<()> {
        let arrays: Vec<ArrayRef> = columns.into_iter().map(array).collect();
        self.begin(&arrays)?;
        let batch = RecordBatch::try_new(self.schema(&arrays), arrays).map_err(io_error)?;
        match &mut self.state {
            State::New(_) => Ok(()),
            State::File(writer) => writer.write(&batch).map_err(io_error),
            State::Stream(writer) => writer.write(&batch).map_err(io_error),
            #[cfg(feature = "parquet")]
            State::Parquet(writer) => writer.write(&batch).map_err(|error| io_error(error.into())),
        }
    }

    fn schema(&self, arrays: &[ArrayRef]) -> SchemaRef {
        let fields = self.names.iter().zip(arrays).map(|(name, array)| {
            // ids are never absent, and what a column that is kept has may be
            Field::new(name, array.data_type().clone(), name != "row_id")
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Writes what a table begins with.
    fn begin(&mut self, arrays: &[ArrayRef]) -> io::Result<()> {
        let schema = self.schema(arrays);
        let State::New(to) = &mut self.state else { return Ok(()) };
        let Some(to) = to.take() else { return Ok(()) };
        self.state = match self.format {
            TableFormat::ArrowStream => {
                State::Stream(StreamWriter::try_new(to, &schema).map_err(io_error)?)
            }
            #[cfg(feature = "parquet")]
            TableFormat::Parquet => {
                use ::parquet::basic::Compression;
                use ::parquet::file::properties::WriterProperties;
                let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
                let writer =
                    ::parquet::arrow::ArrowWriter::try_new(to, schema, Some(properties.build()));
                State::Parquet(Box::new(writer.map_err(|error| io_error(error.into()))?))
            }
            _ => State::File(FileWriter::try_new(to, &schema).map_err(io_error)?),
        };
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        if matches!(self.state, State::New(_)) {
            // a table without rows has the columns that it would have, and kept ones as text
            let cells = |name: &String| match name.as_str() {
                "row_id" => Cells::Ids(Vec::new()),
                "draw" | "draw_number" | "place" => Cells::Categories(Vec::new()),
                "log_prob" | "time" | "max" => Cells::Numbers(Vec::new()),
                _ => Cells::Kept(Column::Text(Vec::new())),
            };
            let arrays: Vec<ArrayRef> = self.names.iter().map(cells).map(array).collect();
            self.begin(&arrays)?;
        }
        match self.state {
            State::New(to) => to.ok_or_else(|| io::ErrorKind::Other.into()),
            State::File(mut writer) => {
                writer.finish().map_err(io_error)?;
                writer.into_inner().map_err(io_error)
            }
            State::Stream(mut writer) => {
                writer.finish().map_err(io_error)?;
                writer.into_inner().map_err(io_error)
            }
            #[cfg(feature = "parquet")]
            State::Parquet(writer) => writer.into_inner().map_err(|error| io_error(error.into())),
        }
    }
}

fn array(cells: Cells) -> ArrayRef {
    match cells {
        Cells::Ids(ids) => Arc::new(UInt64Array::from(ids)),
        Cells::Categories(categories) => Arc::new(UInt32Array::from(categories)),
        Cells::Numbers(numbers) => Arc::new(Float64Array::from(numbers)),
        Cells::Kept(Column::Text(texts)) => Arc::new(StringArray::from(texts)),
        Cells::Kept(Column::Arrow(array)) => array,
    }
}

/// An error of Arrow's crates, or the error of the writer that is in it.
fn io_error(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        ArrowError::ExternalError(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}

/// Appends a cell of a column to a line of text.
pub(super) fn cell(
    array: &dyn Array,
    row: usize,
    is_json: bool,
    line: &mut String,
) -> io::Result<std::fmt::Result> {
    if array.is_null(row) {
        line.push_str(if is_json { "null" } else { "" });
        return Ok(Ok(()));
    }
    let number = |x: f64, line: &mut String| Ok(super::text::number(x, is_json, line));
    match array.data_type() {
        DataType::Utf8 => super::text::text(array.as_string::<i32>().value(row), is_json, line),
        DataType::LargeUtf8 => {
            super::text::text(array.as_string::<i64>().value(row), is_json, line)
        }
        DataType::Utf8View => super::text::text(array.as_string_view().value(row), is_json, line),
        DataType::Float64 => number(array.as_primitive::<Float64Type>().value(row), line),
        DataType::Float32 => {
            let x = array.as_primitive::<Float32Type>().value(row);
            if is_json && !x.is_finite() {
                number(x.into(), line)
            } else {
                Ok(write!(line, "{x:?}"))
            }
        }
        DataType::Float16 => number(array.as_primitive::<Float16Type>().value(row).into(), line),
        DataType::Boolean => Ok(write!(line, "{}", array.as_boolean().value(row))),
        dtype if dtype.is_integer() => {
            let slice = array.slice(row, 1);
            let integer = crate::arrow::integers(slice.as_ref()).next().unwrap_or(0);
            Ok(write!(line, "{integer}"))
        }
        dtype => {
            let what = format!(
                "a column of {dtype} has no form as text that --keep could write: Arrow and Parquet hold it"
            );
            Err(io::Error::new(io::ErrorKind::InvalidInput, what))
        }
    }
}
