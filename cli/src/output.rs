//! Where numbers and text go: a file that appears when it is complete, or a stream.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use npyz::WriterBuilder;
use tempfile::NamedTempFile;

use crate::error::Error;

/// The number of bytes that are gathered before they are written.
const BUFFER: usize = 1 << 18;
/// Paths that name this process's own standard output.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// A destination of numbers or text.
pub(crate) struct Output {
    /// The name that the user gave the output.
    name: String,
    form: Form,
}

/// The kind of destination.
enum Form {
    /// A file under a temporary name beside its final one, so that a failure leaves nothing.
    File { writer: BufWriter<NamedTempFile>, destination: PathBuf },
    /// A stream: a pipe, a device.
    Stream(Box<dyn Write>),
}

/// Whether a path names this process's standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    STDOUT.iter().any(|name| path == Path::new(name))
}

impl Output {
    /// Opens a .npy file of u32 of this shape.
    pub(crate) fn words(path: &Path, shape: &[u64]) -> Result<Self, Error> {
        Self::npy(path, "<u4", shape)
    }

    /// Opens a .npy file of f64 of this shape.
    pub(crate) fn doubles(path: &Path, shape: &[u64]) -> Result<Self, Error> {
        Self::npy(path, "<f8", shape)
    }

    /// Opens a .npy file of f32 of this shape.
    pub(crate) fn floats(path: &Path, shape: &[u64]) -> Result<Self, Error> {
        Self::npy(path, "<f4", shape)
    }

    fn npy(path: &Path, descr: &str, shape: &[u64]) -> Result<Self, Error> {
        let mut output = Self::text(path)?;
        match write_header(output.form.writer(), descr, shape) {
            Ok(()) => Ok(output),
            Err(error) => Err(Error::write(&output.name, error)),
        }
    }

    /// Opens a file of text.
    pub(crate) fn text(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        match Form::open(path) {
            Ok(form) => Ok(Self { name, form }),
            Err(error) => Err(Error::write(&name, error)),
        }
    }

    /// Opens standard output for text.
    pub(crate) fn stdout() -> Self {
        let form = Form::Stream(Box::new(stdout()));
        Self { name: "standard output".to_owned(), form }
    }

    /// Returns whether both would write the same file: the second to finish would replace the
    /// first.
    pub(crate) fn is_also(&self, other: &Self) -> bool {
        match (&self.form, &other.form) {
            (Form::File { destination, .. }, Form::File { destination: others, .. }) => {
                place(destination) == place(others)
            }
            _ => false,
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
            self.write(bytes)?;
        }
        Ok(())
    }

    /// Writes the next piece of a text.
    pub(crate) fn write_text(&mut self, text: &str) -> Result<(), Error> {
        self.write(text.as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.form.writer().write_all(bytes);
        written.map_err(|error| Error::write(&self.name, error))
    }

    /// Writes the gathered bytes, and gives a file its final name.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let result = match self.form {
            Form::File { writer, destination } => writer
                .into_inner()
                .map_err(io::IntoInnerError::into_error)
                .and_then(|file| file.persist(destination).map_err(|failed| failed.error))
                .map(drop),
            Form::Stream(mut writer) => writer.flush(),
        };
        result.map_err(|error| Error::write(&self.name, error))
    }
}

impl Form {
    /// Opens a temporary file if `path` is or will be a regular file, and `path` itself otherwise.
    fn open(path: &Path) -> io::Result<Self> {
        if is_stdout(path) {
            return Ok(Self::Stream(Box::new(stdout())));
        }
        let existing = match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // a file that this process has open already, under any name that the system has for it
        let descriptor = path == Path::new("/dev/stderr")
            || path.starts_with("/dev/fd")
            || path.starts_with("/proc/self/fd");
        if let Some(existing) = &existing {
            // this fails, as it should, for a directory and for a file that must not be written
            let file = OpenOptions::new().write(true).open(path)?;
            if descriptor || !existing.is_file() {
                return Ok(Self::Stream(Box::new(BufWriter::with_capacity(BUFFER, file))));
            }
        }
        // follows a link, so that the file is replaced and not the link
        let destination = match existing {
            Some(_) => fs::canonicalize(path)?,
            None => target(path),
        };
        let file = temporary(&destination)?;
        remove_on_signal(file.path())?;
        if let Some(existing) = existing {
            file.as_file().set_permissions(existing.permissions())?;
        }
        Ok(Self::File { writer: BufWriter::with_capacity(BUFFER, file), destination })
    }

    /// Returns the writer of the bytes.
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::File { writer, .. } => writer,
            Self::Stream(writer) => writer,
        }
    }
}

/// Returns the directory, in canonical form, and the file name.
fn place(path: &Path) -> (Option<PathBuf>, Option<&OsStr>) {
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    (fs::canonicalize(directory.unwrap_or(Path::new("."))).ok(), path.file_name())
}

/// Returns where a new file at `path` is to be: `path` may be a link to a file that does not exist
/// yet.
fn target(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // as many links as Linux follows; `open` has refused a circle of links before
    for _ in 0..40 {
        let Ok(link) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(link);
    }
    path
}

/// Removes the temporary files when Ctrl-C or `kill` ends the process. The process then ends by the
/// same signal, as without this function: a shell's loop stops on Ctrl-C only then. SIGHUP is left
/// alone, since nohup relies on that.
#[cfg(unix)]
fn remove_on_signal(temporary: &Path) -> io::Result<()> {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    static TEMPORARIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    let temporaries =
        || -> MutexGuard<'static, _> { TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner) };
    temporaries().push(temporary.to_owned());
    if temporaries().len() > 1 {
        // the thread below is running already
        return Ok(());
    }
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            for temporary in temporaries().iter() {
                // fails, harmlessly, if the file has its final name already
                drop(fs::remove_file(temporary));
            }
            drop(emulate_default_handler(signal));
        }
    })?;
    Ok(())
}

/// Without signals such a file has to be removed by hand.
#[cfg(not(unix))]
fn remove_on_signal(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a file in the directory of `destination`, with the permissions of any new file.
fn temporary(destination: &Path) -> io::Result<NamedTempFile> {
    let directory = match destination.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // a trailing separator would otherwise fail only when the file gets its name, after all the
    // work
    let separated = destination.to_string_lossy().ends_with(std::path::is_separator);
    if separated || destination.file_name().is_none() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    tempfile::Builder::new().prefix(".gumbel-").suffix(".tmp").make_in(directory, |path| {
        // like tempfile's own file, but with the permissions that the umask allows instead of
        // private ones
        File::options().read(true).write(true).create_new(true).open(path)
    })
}

/// Returns standard output with a larger buffer than Rust's.
fn stdout() -> impl Write {
    BufWriter::with_capacity(BUFFER, io::stdout())
}

fn write_header(writer: &mut dyn Write, descr: &str, shape: &[u64]) -> io::Result<()> {
    let dtype = descr.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    npyz::WriteOptions::new_header_only()
        .dtype(npyz::DType::Plain(dtype))
        .shape(shape)
        .writer(writer)
        .write_header_only()?;
    Ok(())
}
