//! Where numbers and text go: a file that appears when it is complete, or a stream.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::Error;

mod npy;
mod place;
mod unfinished;

use place::Place;
pub(crate) use place::is_stdout;
use unfinished::Unfinished;

/// The number of bytes that are gathered before they are written.
const BUFFER: usize = 1 << 18;

/// A destination of numbers or text.
pub(crate) struct Output {
    /// The name that the user gave the output.
    name: String,
    form: Form,
    /// The header of a .npy file whose number of rows is yet to be known.
    open_header: Option<npy::Header>,
}

/// The kind of destination.
enum Form {
    /// A file without its name, so that whatever ends this process leaves nothing.
    File(BufWriter<Unfinished>),
    /// A stream: a pipe, a device.
    Stream { writer: Box<dyn Write + Send>, place: Place },
    /// What goes to a stream when the number of rows is known.
    Spool { file: BufWriter<File>, writer: Box<dyn Write + Send>, place: Place },
}

impl Output {
    /// Opens a .npy file of u32 of this shape, whose number of rows may be yet to be known.
    pub(crate) fn words(path: &Path, rows: Option<u64>, others: &[u64]) -> Result<Self, Error> {
        Self::npy(path, "<u4", rows, others)
    }

    /// Opens a .npy file of f64 of this shape.
    pub(crate) fn doubles(path: &Path, rows: Option<u64>, others: &[u64]) -> Result<Self, Error> {
        Self::npy(path, "<f8", rows, others)
    }

    /// Opens a .npy file of f32 of this shape.
    pub(crate) fn floats(path: &Path, rows: Option<u64>, others: &[u64]) -> Result<Self, Error> {
        Self::npy(path, "<f4", rows, others)
    }

    fn npy(
        path: &Path,
        descr: &'static str,
        rows: Option<u64>,
        others: &[u64],
    ) -> Result<Self, Error> {
        let mut output = Self::open(path)?;
        let header = npy::Header::new(descr, others);
        if rows.is_none() {
            output.spool()?;
        }
        let written = output.form.writer().write_all(&header.bytes(rows));
        written.map_err(|error| Error::write(&output.name, error))?;
        output.open_header = rows.is_none().then_some(header);
        Ok(output)
    }

    /// Opens a file or a stream.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        match Form::open(path) {
            Ok(form) => Ok(Self { name, form, open_header: None }),
            Err(error) => Err(Error::write(&name, error)),
        }
    }

    /// Opens standard output for text.
    pub(crate) fn stdout() -> Self {
        let form = Form::Stream { writer: Box::new(stdout()), place: Place::stdout() };
        Self { name: "standard output".to_owned(), form, open_header: None }
    }

    /// Keeps what goes to a stream until its beginning is known.
    fn spool(&mut self) -> Result<(), Error> {
        let file = match &self.form {
            Form::Stream { .. } => tempfile::tempfile(),
            _ => return Ok(()),
        };
        let file = file.map_err(|error| Error::write("a temporary file", error))?;
        let empty = Form::Stream { writer: Box::new(io::sink()), place: Place::default() };
        if let Form::Stream { writer, place } = std::mem::replace(&mut self.form, empty) {
            self.form = Form::Spool { file: BufWriter::with_capacity(BUFFER, file), writer, place };
        }
        Ok(())
    }

    /// Whether this is a stream, to which everything goes in order.
    pub(crate) fn is_stream(&self) -> bool {
        !matches!(self.form, Form::File(_))
    }

    /// Returns whether both would write the same file or the same pipe.
    pub(crate) fn is_also(&self, other: &Self) -> bool {
        self.place().is_also(other.place())
    }

    fn place(&self) -> &Place {
        match &self.form {
            Form::File(writer) => writer.get_ref().place(),
            Form::Stream { place, .. } | Form::Spool { place, .. } => place,
        }
    }

    /// Writes the next numbers of a file of u32.
    pub(crate) fn write_words(&mut self, words: &[u32]) -> Result<(), Error> {
        self.write_numbers(words, u32::to_le_bytes)
    }

    /// Writes the next numbers of a file of f64.
    pub(crate) fn write_doubles(&mut self, doubles: &[f64]) -> Result<(), Error> {
        self.write_numbers(doubles, f64::to_le_bytes)
    }

    /// Writes the next numbers of a file of f32.
    pub(crate) fn write_floats(&mut self, floats: &[f32]) -> Result<(), Error> {
        self.write_numbers(floats, f32::to_le_bytes)
    }

    /// Writes numbers in little-endian order, as the header announces.
    fn write_numbers<T: Copy, const N: usize>(
        &mut self,
        numbers: &[T],
        to_bytes: fn(T) -> [u8; N],
    ) -> Result<(), Error> {
        let mut bytes = [0; 1 << 12];
        for numbers in numbers.chunks(bytes.len() / N) {
            let bytes = &mut bytes[..numbers.len() * N];
            for (to, &number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
                *to = to_bytes(number);
            }
            self.write_bytes(bytes)?;
        }
        Ok(())
    }

    /// Writes the next piece of a text.
    pub(crate) fn write_text(&mut self, text: &str) -> Result<(), Error> {
        self.write_bytes(text.as_bytes())
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.form.writer().write_all(bytes);
        written.map_err(|error| self.error(error))
    }

    /// The error of a failed write.
    pub(crate) fn error(&self, error: io::Error) -> Error {
        Error::write(&self.name, error)
    }

    /// The name that the user gave the output.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Writes the gathered bytes, and gives a file its name. `rows` is the number of rows that there were.
    pub(crate) fn finish(self, rows: u64) -> Result<(), Error> {
        let Self { name, form, open_header } = self;
        let header = open_header.map(|header| header.bytes(Some(rows)));
        finish(form, header.as_deref()).map_err(|error| Error::write(&name, error))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.form.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.form.writer().flush()
    }
}

fn finish(form: Form, header: Option<&[u8]>) -> io::Result<()> {
    match form {
        Form::File(writer) => {
            let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
            if let Some(header) = header {
                file.seek(SeekFrom::Start(0))?;
                file.write_all(header)?;
            }
            file.persist()
        }
        Form::Stream { mut writer, .. } => writer.flush(),
        Form::Spool { file, mut writer, .. } => {
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            let header = header.unwrap_or_default();
            file.seek(SeekFrom::Start(header.len() as u64))?;
            writer.write_all(header)?;
            io::copy(&mut file, &mut writer)?;
            writer.flush()
        }
    }
}

impl Form {
    /// Opens an unfinished file if `path` is or will be a regular file, and `path` itself otherwise.
    fn open(path: &Path) -> io::Result<Self> {
        if is_stdout(path) {
            return Ok(Self::Stream { writer: Box::new(stdout()), place: Place::stdout() });
        }
        match place::resolve(path)? {
            place::Resolved::Stream(file) => {
                let place = Place::of_stream(&file);
                let writer = Box::new(BufWriter::with_capacity(BUFFER, file));
                Ok(Self::Stream { writer, place })
            }
            place::Resolved::File { destination, permissions } => {
                let file = Unfinished::create(destination, permissions)?;
                Ok(Self::File(BufWriter::with_capacity(BUFFER, file)))
            }
        }
    }

    /// Returns the writer of the bytes.
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::File(writer) => writer,
            Self::Stream { writer, .. } => writer,
            Self::Spool { file, .. } => file,
        }
    }
}

/// Returns standard output with a larger buffer than Rust's.
fn stdout() -> impl Write + Send {
    BufWriter::with_capacity(BUFFER, io::stdout())
}
