//! Arrays: values that lie side by side, in the order of rows or of columns.

use std::io::{self, Read};

use rayon::prelude::*;

use crate::Rows;
use crate::error::{Error, Name};
use crate::source::{Section, Source};
use crate::stored::{Decoder, NoCount, Value};
use crate::values::{Block, grow, set_length, with_vector};

/// The bytes that a thread reads and converts at a time: they stay in the cache between the two steps.
const PIECE: usize = 1 << 18;

/// How values follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Row by row.
    C,
    /// Column by column.
    Fortran,
}

/// Rows × categories.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) rows: u64,
    pub(crate) categories: usize,
}

impl Shape {
    /// The shape of an array of one or two dimensions.
    pub(crate) fn new(shape: &[u64]) -> Result<Self, String> {
        let (rows, categories) = match *shape {
            [categories] => (1, categories),
            [rows, categories] => (rows, categories),
            _ => {
                return Err(format!(
                    "it has {} dimensions, logits are one row (1-D) or rows x categories (2-D)",
                    shape.len()
                ));
            }
        };
        let categories = usize::try_from(categories)
            .map_err(|_| "its rows are larger than the address space".to_owned())?;
        Ok(Self { rows, categories })
    }
}

/// Why values cannot be read.
enum Fault {
    Io(io::Error),
    Count(NoCount),
    Memory,
}

/// An array that is being read.
pub(crate) struct Dense {
    name: Name,
    source: Source,
    decoder: Decoder,
    shape: Shape,
    order: Order,
    /// The bytes that the shape and the type need.
    expected: u64,
    /// The rows read so far.
    position: u64,
    /// The bytes that follow the array in a stream.
    after: u64,
    /// Bytes of a stream that are yet to be converted.
    bytes: Vec<u8>,
}

impl Dense {
    /// An array whose values are all that the source has. A truncated file is refused before any work is spent on it.
    pub(crate) fn new(
        name: Name,
        source: Source,
        decoder: Decoder,
        shape: Shape,
        order: Order,
    ) -> Result<Self, Error> {
        let expected = shape
            .rows
            .checked_mul(shape.categories as u64)
            .and_then(|values| values.checked_mul(decoder.bytes() as u64))
            .ok_or_else(|| name.unsuitable("its shape is larger than any file"))?;
        let source = match (source, order) {
            (source, Order::C) => source,
            (source, Order::Fortran) => Source::Section(source.into_section(&name)?),
        };
        if let Source::Section(section) = &source {
            let got = section.length();
            if got < expected {
                return Err(Error::Truncated { name: name.0, expected, got });
            }
            if got > expected {
                return Err(Error::Trailing { name: name.0, expected });
            }
        }
        Ok(Self {
            name,
            source,
            decoder,
            shape,
            order,
            expected,
            position: 0,
            after: 0,
            bytes: Vec::new(),
        })
    }

    /// The same, where so many bytes follow the array in a stream.
    pub(crate) fn followed_by(mut self, bytes: u64) -> Self {
        self.after = bytes;
        self
    }

    /// Checks that what should follow the last row does, and nothing else: a program that writes to the stream is let
    /// finish.
    fn finish(&mut self) -> Result<(), Error> {
        let Source::Stream(stream) = &mut self.source else { return Ok(()) };
        let mut rest = stream.take(self.after.saturating_add(1));
        let got = io::copy(&mut rest, &mut io::sink()).map_err(|error| self.name.read(error))?;
        let (name, expected) = (self.name.0.clone(), self.expected.saturating_add(self.after));
        match got.cmp(&std::mem::take(&mut self.after)) {
            std::cmp::Ordering::Less => {
                Err(Error::Truncated { name, expected, got: self.expected + got })
            }
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(Error::Trailing { name, expected }),
        }
    }

    /// Reads `rows` rows in place of what the vector holds.
    fn fill<T: Value>(&mut self, rows: usize, values: &mut Vec<T>) -> Result<(), Fault> {
        let count = rows * self.shape.categories;
        if count == 0 {
            values.clear();
            return Ok(());
        }
        let section = match &mut self.source {
            Source::Stream(stream) => {
                values.clear();
                return fill_from_stream(stream, self.decoder, count, values, &mut self.bytes);
            }
            Source::Section(section) => &*section,
        };
        // no more than the file has
        set_length(values, count).map_err(|_| Fault::Memory)?;
        let width = self.decoder.bytes() as u64;
        match self.order {
            Order::C => {
                let offset = self.position * self.shape.categories as u64 * width;
                fill_from_section(section, self.decoder, offset, values)
            }
            Order::Fortran if rows as u64 == self.shape.rows => {
                fill_from_section(section, self.decoder, 0, values)
            }
            Order::Fortran => {
                let (position, decoder) = (self.position, self.decoder);
                first_fault(values.par_chunks_mut(rows).enumerate().map(|(category, column)| {
                    let offset = (category as u64 * self.shape.rows + position) * width;
                    (category * rows, fill_from_section(section, decoder, offset, column))
                }))
            }
        }
    }

    /// The error of a fault among the values of the block that is being read.
    fn error(&self, fault: Fault, rows: usize) -> Error {
        let categories = self.shape.categories;
        match fault {
            Fault::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                // a file that became shorter, or a stream
                let got = match &self.source {
                    Source::Section(_) => 0,
                    Source::Stream(_) => {
                        let before =
                            self.position * categories as u64 * self.decoder.bytes() as u64;
                        before + self.bytes.len() as u64
                    }
                };
                Error::Truncated { name: self.name.0.clone(), expected: self.expected, got }
            }
            Fault::Io(error) => self.name.read(error),
            Fault::Memory => Error::OutOfMemory { rows, categories },
            Fault::Count(NoCount { at, count }) => {
                let (row, category) = match self.order {
                    Order::C => (at / categories, at % categories),
                    Order::Fortran => (at % rows, at / rows),
                };
                Error::Count { row: self.position + row as u64, category: category as u64, count }
            }
        }
    }
}

impl Rows for Dense {
    fn categories(&self) -> usize {
        self.shape.categories
    }

    fn rows(&self) -> Option<u64> {
        Some(self.shape.rows)
    }

    fn reads_far_apart(&self) -> bool {
        self.order == Order::Fortran
    }

    fn read(&mut self, most: usize, block: &mut Block) -> Result<bool, Error> {
        let left = self.shape.rows - self.position;
        let rows = (most as u64).min(left) as usize;
        let mut values = std::mem::take(&mut block.values);
        values.take_type_of(&self.decoder.values());
        *block = Block { first_row: self.position, rows, ..Block::default() };
        (block.row_stride, block.category_stride) = match self.order {
            Order::C => (self.shape.categories, 1),
            Order::Fortran => (1, rows),
        };
        let filled = with_vector!(&mut values, vector => self.fill(rows, vector));
        filled.map_err(|fault| self.error(fault, rows))?;
        block.values = values;
        self.position += rows as u64;
        if rows == 0 && most > 0 {
            self.finish()?;
        }
        Ok(rows > 0)
    }

    fn skip(&mut self, rows: u64) -> Result<u64, Error> {
        let rows = rows.min(self.shape.rows - self.position);
        if let Source::Stream(stream) = &mut self.source {
            let bytes = rows * self.shape.categories as u64 * self.decoder.bytes() as u64;
            let got = io::copy(&mut stream.take(bytes), &mut io::sink())
                .map_err(|e| self.name.read(e))?;
            if got < bytes {
                let before =
                    self.position * self.shape.categories as u64 * self.decoder.bytes() as u64;
                let (name, expected) = (self.name.0.clone(), self.expected);
                return Err(Error::Truncated { name, expected, got: before + got });
            }
        }
        self.position += rows;
        Ok(rows)
    }
}

/// Reads and converts values on all threads.
fn fill_from_section<T: Value>(
    section: &Section,
    decoder: Decoder,
    offset: u64,
    values: &mut [T],
) -> Result<(), Fault> {
    let (width, is_stored) = (decoder.bytes(), T::is_stored(decoder));
    let piece = PIECE / width;
    let read = |scratch: &mut Vec<u8>, (index, out): (usize, &mut [T])| {
        let at = index * piece;
        let offset = offset + (at * width) as u64;
        let result = if is_stored {
            section.read_exact_at(bytemuck::cast_slice_mut(out), offset).map_err(Fault::Io)
        } else {
            scratch.resize(out.len() * width, 0);
            let read = section.read_exact_at(scratch, offset).map_err(Fault::Io);
            read.and_then(|()| T::decode(decoder, scratch, out).map_err(Fault::Count))
        };
        (at, result)
    };
    if values.len() <= piece {
        return read(&mut Vec::new(), (0, values)).1;
    }
    first_fault(values.par_chunks_mut(piece).enumerate().map_init(Vec::new, read))
}

/// The fault that comes first, whichever thread is faster; its position is counted from the beginning of all.
fn first_fault(
    results: impl ParallelIterator<Item = (usize, Result<(), Fault>)>,
) -> Result<(), Fault> {
    let faults = results.filter_map(|(at, result)| result.err().map(|fault| (at, fault)));
    match faults.min_by_key(|&(at, _)| at) {
        None => Ok(()),
        Some((before, Fault::Count(NoCount { at, count }))) => {
            Err(Fault::Count(NoCount { at: before + at, count }))
        }
        Some((_, fault)) => Err(fault),
    }
}

/// Reads values from a stream. Memory grows with the bytes that are read, not with the number that a header announces.
fn fill_from_stream<T: Value>(
    stream: &mut dyn Read,
    decoder: Decoder,
    count: usize,
    values: &mut Vec<T>,
    bytes: &mut Vec<u8>,
) -> Result<(), Fault> {
    let width = decoder.bytes();
    bytes.clear();
    if T::is_stored(decoder) {
        while values.len() < count {
            let from = values.len();
            let more = (count - from).min((4 * PIECE) / width);
            grow(values, more).map_err(|_| Fault::Memory)?;
            let piece = bytemuck::cast_slice_mut::<T, u8>(&mut values[from..]);
            let filled = read_up_to(stream, piece).map_err(Fault::Io)?;
            if filled < piece.len() {
                bytes.resize(from * width + filled, 0);
                return Err(Fault::Io(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        return Ok(());
    }
    let all = count.checked_mul(width).ok_or(Fault::Memory)?;
    while bytes.len() < all {
        let from = bytes.len();
        grow(bytes, (all - from).min(4 * PIECE)).map_err(|_| Fault::Memory)?;
        let filled = read_up_to(stream, &mut bytes[from..]).map_err(Fault::Io)?;
        if from + filled < bytes.len() {
            bytes.truncate(from + filled);
            return Err(Fault::Io(io::ErrorKind::UnexpectedEof.into()));
        }
    }
    set_length(values, count).map_err(|_| Fault::Memory)?;
    let piece = PIECE / width;
    let pieces = values.par_chunks_mut(piece).zip(bytes.par_chunks(piece * width)).enumerate();
    first_fault(pieces.map(|(index, (out, bytes))| {
        (index * piece, T::decode(decoder, bytes, out).map_err(Fault::Count))
    }))
}

/// Fills the buffer as far as the stream goes.
fn read_up_to(stream: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
