//! Rows of logits out of a .npy file or stream, a part at a time.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use gumbel::Logits;
use half::f16;
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar};

use crate::error::Error;
use crate::header;

/// Bytes that are read and converted at a time: they stay in the cache between the two.
const PIECE: usize = 1 << 18;

/// A .npy file of logits that is being read.
pub(crate) struct Input {
    /// What the user calls it.
    name: String,
    reader: Box<dyn Read>,
    format: Format,
    rows: u64,
    categories: usize,
    /// The bytes of data that the header announces.
    expected: u64,
    /// The number of logits read so far.
    position: u64,
    piece: Vec<u8>,
    values: Values,
}

/// Logits in the types that are drawn from: halves as they are, all others as `f32`. A file fills
/// one of the two.
#[derive(Default)]
struct Values {
    halves: Vec<f16>,
    singles: Vec<f32>,
}

/// How a logit is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Format {
    width: Width,
    big_endian: bool,
}

/// The size of a logit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    F16,
    F32,
    F64,
}

impl Input {
    /// Opens a file, or standard input for `-`, and reads its header.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        if path == Path::new("-") {
            return Self::new("standard input".to_owned(), Box::new(io::stdin().lock()), None);
        }
        let name = path.display().to_string();
        let (file, length) = File::open(path)
            .and_then(|file| file.metadata().map(|data| (file, data)))
            .map(|(file, data)| (file, data.is_file().then_some(data.len())))
            .map_err(|source| Error::Read { name: name.clone(), source })?;
        Self::new(name, Box::new(BufReader::with_capacity(PIECE, file)), length)
    }

    /// `length`: the bytes in all, where they are known beforehand. Then a truncated file is
    /// refused before any work is spent on it.
    fn new(name: String, mut reader: Box<dyn Read>, length: Option<u64>) -> Result<Self, Error> {
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
        let format = Format::new(&header.dtype()).map_err(unsuitable)?;
        let (rows, categories) = shape(&header).map_err(unsuitable)?;
        let expected = rows
            .checked_mul(categories as u64)
            .and_then(|logits| logits.checked_mul(format.width.bytes() as u64))
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

    /// The next `rows` rows.
    ///
    /// Memory grows with what is read, not with what the header announces.
    pub(crate) fn read_rows(&mut self, rows: usize) -> Result<Logits<'_>, Error> {
        self.values.halves.clear();
        self.values.singles.clear();
        let width = self.format.width.bytes();
        let mut left = rows * self.categories;
        while left > 0 {
            let count = left.min(PIECE / width);
            self.piece.resize(count * width, 0);
            self.fill_piece()?;
            match self.format.width {
                Width::F16 => self.values.halves.try_reserve(count),
                Width::F32 | Width::F64 => self.values.singles.try_reserve(count),
            }
            .map_err(|_| Error::OutOfMemory { categories: self.categories })?;
            self.format.decode(&self.piece, &mut self.values).map_err(|(at, value)| {
                let index = self.position + at as u64;
                let categories = self.categories as u64;
                Error::OutOfRange { row: index / categories, category: index % categories, value }
            })?;
            self.position += count as u64;
            left -= count;
        }
        Ok(match self.format.width {
            Width::F16 => Logits::from_f16(&self.values.halves, self.categories)?,
            Width::F32 | Width::F64 => Logits::new(&self.values.singles, self.categories)?,
        })
    }

    fn fill_piece(&mut self) -> Result<(), Error> {
        let mut filled = 0;
        while filled < self.piece.len() {
            match self.reader.read(&mut self.piece[filled..]) {
                Ok(0) => {
                    let got = self.position * self.format.width.bytes() as u64 + filled as u64;
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

    /// Makes sure that nothing follows the last row.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let name = self.name;
        match io::copy(&mut self.reader.by_ref().take(1), &mut io::sink()) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Error::Trailing { name, expected: self.expected }),
            Err(source) => Err(Error::Read { name, source }),
        }
    }
}

impl Width {
    fn bytes(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl Format {
    fn new(dtype: &DType) -> Result<Self, String> {
        if let DType::Plain(plain) = dtype
            && plain.type_char() == TypeChar::Float
        {
            let width = match plain.size_field() {
                2 => Some(Width::F16),
                4 => Some(Width::F32),
                8 => Some(Width::F64),
                _ => None,
            };
            if let Some(width) = width {
                return Ok(Self { width, big_endian: plain.endianness() == Endianness::Big });
            }
        }
        Err(format!("its type is {}, logits are f2, f4 or f8", dtype.descr()))
    }

    /// Appends the logits in `bytes`. Fails with the place and value of one that is finite, but
    /// beyond f32.
    fn decode(self, bytes: &[u8], values: &mut Values) -> Result<(), (usize, f64)> {
        let Values { halves, singles } = values;
        match (self.width, self.big_endian) {
            (Width::F16, false) => halves.extend(words(bytes).map(f16::from_le_bytes)),
            (Width::F16, true) => halves.extend(words(bytes).map(f16::from_be_bytes)),
            (Width::F32, false) => singles.extend(words(bytes).map(f32::from_le_bytes)),
            (Width::F32, true) => singles.extend(words(bytes).map(f32::from_be_bytes)),
            (Width::F64, false) => narrow(words(bytes).map(f64::from_le_bytes), singles)?,
            (Width::F64, true) => narrow(words(bytes).map(f64::from_be_bytes), singles)?,
        }
        Ok(())
    }
}

/// The bytes, N at a time.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + Clone {
    bytes.as_chunks().0.iter().copied()
}

/// Rounds to f32.
fn narrow(
    values: impl Iterator<Item = f64> + Clone,
    logits: &mut Vec<f32>,
) -> Result<(), (usize, f64)> {
    let beyond = |value: f64| (value as f32).is_infinite() && value.is_finite();
    // a flag rather than a test a value: that loop is vectorised
    if values.clone().fold(false, |any, value| any | beyond(value))
        && let Some(found) = values.clone().enumerate().find(|&(_, value)| beyond(value))
    {
        return Err(found);
    }
    logits.extend(values.map(|value| value as f32));
    Ok(())
}

/// Rows and categories.
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
