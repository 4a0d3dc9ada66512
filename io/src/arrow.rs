//! Arrow IPC, as files (Feather version 2) and as streams.

mod file;
mod message;
pub(crate) mod plan;
mod stream;
mod values;

use std::cell::Cell;
use std::io::{self, Read};
use std::sync::Once;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::{ArrowError, Schema};

use self::plan::Plan;
pub(crate) use self::values::integers;
use crate::error::{Error, Name};
use crate::format::Format;
use crate::source::Source;
use crate::values::Block;
use crate::{Column, Request, Rows};

/// Where batches of rows come from.
pub(crate) trait Batches: Send {
    /// The next batch, of about `most` rows where the source can choose; `None` at the end.
    fn next(&mut self, most: usize) -> Result<Option<RecordBatch>, Error>;
    /// The number of rows, where it is known.
    fn rows(&self) -> Option<u64>;
    /// The format, for errors.
    fn format(&self) -> Format {
        Format::Arrow
    }
}

/// A table that is being read.
pub(crate) struct Table<B> {
    name: Name,
    batches: B,
    plan: Plan,
    keep: Vec<String>,
    /// The rows that have been read and not been given.
    rest: Option<RecordBatch>,
    position: u64,
}

/// Opens a file or a stream.
pub(crate) fn open(name: Name, source: Source, request: &Request) -> Result<Box<dyn Rows>, Error> {
    guarded(&name.clone(), Format::Arrow, || open_unguarded(name, source, request))
}

thread_local! {
    /// Whether this thread is calling Arrow's crates.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Lets panics of guarded calls pass without a word: their errors say all that there is to say.
fn keep_guarded_panics_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic);
            }
        }));
    });
}

/// Calls Arrow's crates, whose panics at damaged files become errors. They check much, and not everything.
pub(crate) fn guarded<T>(
    name: &Name,
    format: Format,
    call: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    keep_guarded_panics_quiet();
    let before = GUARDED.replace(true);
    // what a panic leaves behind is not used again
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
    GUARDED.set(before);
    result.unwrap_or_else(|_| Err(name.malformed(format, "it is damaged where no check looks")))
}

fn open_unguarded(name: Name, source: Source, request: &Request) -> Result<Box<dyn Rows>, Error> {
    let mut first = [0; 6];
    let (source, is_file) = match source {
        Source::Section(section) => {
            let is_file = section.read_exact_at(&mut first, 0).is_ok() && &first == b"ARROW1";
            (Source::Section(section), is_file)
        }
        Source::Stream(mut stream) => {
            let mut taken = Vec::new();
            (&mut stream).take(6).read_to_end(&mut taken).map_err(|error| name.read(error))?;
            let is_file = taken == b"ARROW1";
            (Source::Stream(Box::new(io::Cursor::new(taken).chain(stream))), is_file)
        }
    };
    if is_file {
        // a file's directory is at its end
        let section = source.into_section(&name)?;
        let (batches, plan) = file::open(&name, section, request)?;
        Table::open(name, batches, plan, request)
    } else {
        let (batches, plan) = stream::open(&name, source, request)?;
        Table::open(name, batches, plan, request)
    }
}

impl<B: Batches + 'static> Table<B> {
    /// Reads the first batch, which tells the number of categories.
    pub(crate) fn open(
        name: Name,
        mut batches: B,
        mut plan: Plan,
        request: &Request,
    ) -> Result<Box<dyn Rows>, Error> {
        let mut rest = None;
        if plan.categories().is_none() {
            // a list's length is in its rows
            rest = batches.next(1)?;
            while rest.as_ref().is_some_and(|batch| batch.num_rows() == 0) {
                rest = batches.next(1)?;
            }
            let categories = rest.as_ref().map_or(Ok(0), |batch| plan.list_length(batch));
            plan.set_categories(categories.map_err(|what| name.row(0, what))?);
        }
        let keep = request.keep.clone();
        Ok(Box::new(Self { name, batches, plan, keep, rest, position: 0 }))
    }
}

impl<B: Batches> Rows for Table<B> {
    fn categories(&self) -> usize {
        self.plan.categories().unwrap_or(0)
    }

    fn rows(&self) -> Option<u64> {
        self.batches.rows()
    }

    fn kept(&self) -> &[String] {
        &self.keep
    }

    fn read(&mut self, most: usize, block: &mut Block) -> Result<bool, Error> {
        let (name, format) = (self.name.clone(), self.batches.format());
        guarded(&name, format, || self.read_unguarded(most, block))
    }
}

impl<B: Batches> Table<B> {
    fn read_unguarded(&mut self, most: usize, block: &mut Block) -> Result<bool, Error> {
        let categories = self.plan.categories().unwrap_or(0);
        block.begin(self.position, self.plan.values(), categories);
        let mut kept = Vec::new();
        while block.rows < most {
            let batch = match self.rest.take() {
                Some(batch) => batch,
                None => match self.batches.next(most - block.rows)? {
                    Some(batch) => batch,
                    None => break,
                },
            };
            let rows = batch.num_rows().min(most - block.rows);
            let part = batch.slice(0, rows);
            if rows < batch.num_rows() {
                self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
            }
            self.plan.append(&part, block).map_err(|fault| match fault {
                plan::Fault::Memory => Error::OutOfMemory { rows: block.rows + rows, categories },
                plan::Fault::Row(row, what) => self.name.row(self.position + row as u64, what),
                plan::Fault::Count { row, category, count } => {
                    let row = self.position + row as u64;
                    Error::Count { row, category: category as u64, count }
                }
            })?;
            kept.push(self.plan.kept(&part));
            self.position += rows as u64;
            block.rows += rows;
        }
        for which in 0..self.keep.len() {
            let parts: Vec<_> = kept.iter().map(|columns| columns[which].as_ref()).collect();
            if !parts.is_empty() {
                let whole = arrow_select::concat::concat(&parts);
                block.kept.push(Column::Arrow(whole.map_err(|error| bad(&self.name, &error))?));
            }
        }
        Ok(block.rows > 0)
    }
}

/// The error of bytes that Arrow's crates refuse.
pub(crate) fn bad(name: &Name, error: &ArrowError) -> Error {
    let text = error.to_string();
    let what = text.split_once(": ").map_or(text.as_str(), |(_, what)| what);
    name.malformed(Format::Arrow, what.to_owned())
}

/// The names of the columns.
pub(crate) fn names(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

/// Whether a column's rows are lists; their values.
pub(crate) fn list_values(array: &dyn arrow_array::Array) -> Option<&arrow_array::ArrayRef> {
    use arrow_schema::DataType::{FixedSizeList, LargeList, List};
    match array.data_type() {
        List(_) => Some(array.as_list::<i32>().values()),
        LargeList(_) => Some(array.as_list::<i64>().values()),
        FixedSizeList(..) => Some(array.as_fixed_size_list().values()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Arrow's crates do not check for becomes an error, and what others panic about stays a panic.
    #[test]
    fn a_panic_of_a_guarded_call_is_an_error() {
        let name = Name("it".into());
        let inner = || guarded::<()>(&name, Format::Arrow, || panic!("a buffer beyond the batch"));
        let outer = guarded(&name, Format::Arrow, || {
            assert!(inner().is_err() && GUARDED.get());
            Ok(7)
        });
        assert!(matches!(outer, Ok(7)) && !GUARDED.get());
        let error = inner().unwrap_err().to_string();
        assert!(error.contains("damaged") && !GUARDED.get(), "{error}");
    }
}
