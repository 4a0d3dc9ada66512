//! Reads rows of logits or weights from a .npy file or stream, a part at a time.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use gumbel::Batch;
use npyz::{NpyHeader, Order};

use crate::args::Source;
use crate::error::Error;
use crate::format::{Format, Values, Wanted};
use crate::header;

/// The number of bytes that are read and then converted at a time: they stay in the cache between
/// the two steps.
const PIECE: usize = 1 << 18;

/// A .npy file of logits or weights that is being read.
pub(crate) struct Input {
    /// The name that the user gave the file.
    name: String,
    reader: Box<dyn Read>,
    format: Format,
    rows: u64,
    categories: usize,
    /// The bytes of data that the header announces.
    expected: u64,
    /// The number of values read so far.
    position: u64,
    piece: Vec<u8>,
    values: Values,
}

impl Input {
    /// Opens a file, or standard input for `-`, and reads its header.
    pub(crate) fn open(source: &Source) -> Result<Self, Error> {
        let wanted = if source.weights { Wanted::Weights } else { Wanted::Logits };
        Self::open_as(&source.input, wanted)
    }

    /// Opens the file at `path` and reads its header; its values are to be of the kind `wanted`.
    pub(crate) fn open_as(path: &Path, wanted: Wanted) -> Result<Self, Error> {
        if path == Path::new("-") {
            let reader = Box::new(io::stdin().lock());
            return Self::new("standard input".to_owned(), reader, None, wanted);
        }
        let name = path.display().to_string();
        let (file, length) = File::open(path)
            .and_then(|file| file.metadata().map(|data| (file, data)))
            .map(|(file, data)| (file, data.is_file().then_some(data.len())))
            .map_err(|source| Error::Read { name: name.clone(), source })?;
        Self::new(name, Box::new(BufReader::with_capacity(PIECE, file)), length, wanted)
    }

    /// `length` is the number of bytes of the file, if it is known beforehand. A truncated file is
    /// then refused before any work is spent on it.
    fn new(
        name: String,
        mut reader: Box<dyn Read>,
        length: Option<u64>,
        wanted: Wanted,
    ) -> Result<Self, Error> {
        let (header, header_bytes) = match header::read(&mut *reader) {
            Ok(read) => read,
            Err(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Error::Malformed { name, what: "it ends in its header".to_owned() });
            }
            Err(source) if source.kind() == io::ErrorKind::InvalidData => {
                return Err(Error::Malformed { name, what: source.to_string() });
            }
            Err(source) => return Err(Error::Read { name, source }),
        };
        let unsuitable = |what| Error::Unsuitable { name: name.clone(), what };
        let format = Format::new(&header.dtype(), wanted).map_err(unsuitable)?;
        let (rows, categories) = shape(&header).map_err(unsuitable)?;
        let expected = rows
            .checked_mul(categories as u64)
            .and_then(|values| values.checked_mul(format.bytes() as u64))
            .ok_or_else(|| unsuitable("its shape is larger than any file".to_owned()))?;
        match length.map(|length| length.saturating_sub(header_bytes)) {
            Some(got) if got < expected => Err(Error::Truncated { name, expected, got }),
            Some(got) if got > expected => Err(Error::Trailing { name, expected }),
            _ => Ok(Self {
                name,
                reader,
                format,
                rows,
                categories,
                expected,
                position: 0,
                piece: Vec::new(),
                values: Values::default(),
            }),
        }
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The number of categories in each row.
    pub(crate) fn categories(&self) -> usize {
        self.categories
    }

    /// Reads the next `rows` rows.
    ///
    /// Memory grows with the bytes that are read, not with the number that the header announces.
    pub(crate) fn read_rows(&mut self, rows: usize) -> Result<Batch<'_>, Error> {
        self.values.clear();
        let width = self.format.bytes();
        let mut left = rows * self.categories;
        while left > 0 {
            let count = left.min(PIECE / width);
            self.piece.resize(count * width, 0);
            self.fill_piece()?;
            self.values
                .reserve(self.format, count)
                .map_err(|_| Error::OutOfMemory { categories: self.categories })?;
            self.format.decode(&self.piece, &mut self.values).map_err(|bad| {
                let index = self.position + bad.at as u64;
                let categories = self.categories as u64;
                bad.error(index / categories, index % categories)
            })?;
            self.position += count as u64;
            left -= count;
        }
        Ok(self.values.batch(self.format, self.categories)?)
    }

    /// Skips the next `rows` rows, without a look at their values.
    pub(crate) fn skip_rows(&mut self, rows: u64) -> Result<(), Error> {
        let width = self.format.bytes();
        let mut left = rows * self.categories as u64;
        while left > 0 {
            let count = left.min((PIECE / width) as u64) as usize;
            self.piece.resize(count * width, 0);
            self.fill_piece()?;
            self.position += count as u64;
            left -= count as u64;
        }
        Ok(())
    }

    /// Returns the logarithms of the unnormalised probabilities that were read last: logits, or ln
    /// of weights.
    pub(crate) fn log_weights(&self) -> Vec<f64> {
        self.values.log_weights(self.format)
    }

    fn fill_piece(&mut self) -> Result<(), Error> {
        let mut filled = 0;
        while filled < self.piece.len() {
            match self.reader.read(&mut self.piece[filled..]) {
                Ok(0) => {
                    let got = self.position * self.format.bytes() as u64 + filled as u64;
                    let (name, expected) = (self.name.clone(), self.expected);
                    return Err(Error::Truncated { name, expected, got });
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::Read { name: self.name.clone(), source }),
            }
        }
        Ok(())
    }

    /// Checks that nothing follows the last row.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let name = self.name;
        match io::copy(&mut self.reader.by_ref().take(1), &mut io::sink()) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Error::Trailing { name, expected: self.expected }),
            Err(source) => Err(Error::Read { name, source }),
        }
    }
}

/// Returns the number of rows and of categories.
fn shape(header: &NpyHeader) -> Result<(u64, usize), String> {
    let (rows, categories) = match *header.shape() {
        [categories] => (1, categories),
        [rows, categories] => (rows, categories),
        ref other => {
            return Err(format!(
                "it has {} dimensions, logits are one row (1-D) or rows x categories (2-D)",
                other.len()
            ));
        }
    };
    if header.order() == Order::Fortran && rows > 1 && categories > 1 {
        return Err(
            "it is in Fortran order, rows must follow each other (numpy.ascontiguousarray)"
                .to_owned(),
        );
    }
    let categories = usize::try_from(categories)
        .map_err(|_| "its rows are larger than the address space".to_owned())?;
    Ok((rows, categories))
}
