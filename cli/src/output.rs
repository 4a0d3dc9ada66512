//! Where draws and tables go: a file that appears when it is complete, a stream, or lines of text.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use npyz::WriterBuilder;
use tempfile::NamedTempFile;

use crate::error::Error;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 18;
/// Paths that name this process's own standard output.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// A place for draws, row by row.
pub(crate) struct Output {
    /// What the user calls it.
    name: String,
    form: Form,
    /// Draws in a row, and how many of the current one are written.
    draws: u32,
    column: u32,
}

/// What is written.
enum Form {
    /// A file under a temporary name beside its final one, so that a failure leaves nothing.
    File { writer: BufWriter<NamedTempFile>, destination: PathBuf },
    /// A stream: a pipe, a device.
    Stream(Box<dyn Write>),
    /// A line a row.
    Lines(BufWriter<io::StdoutLock<'static>>),
    /// Nothing at all.
    Discard,
}

/// Whether a path names this process's standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    STDOUT.iter().any(|name| path == Path::new(name))
}

impl Output {
    /// A .npy file of `rows` × `draws`, or of `rows` if there is one draw a row.
    pub(crate) fn npy(path: &Path, rows: u64, draws: u32) -> Result<Self, Error> {
        let name = path.display().to_string();
        let result = Form::open(path).and_then(|mut form| {
            if let Some(writer) = form.writer() {
                write_header(writer, rows, draws)?;
            }
            Ok(form)
        });
        match result {
            Ok(form) => Ok(Self { name, form, draws, column: 0 }),
            Err(error) => Err(Error::write(&name, error)),
        }
    }

    /// Text that is written all at once.
    pub(crate) fn text(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        match Form::open(path) {
            Ok(form) => Ok(Self { name, form, draws: 1, column: 0 }),
            Err(error) => Err(Error::write(&name, error)),
        }
    }

    /// Lines of text on standard output.
    pub(crate) fn lines(draws: u32) -> Self {
        let form = Form::Lines(BufWriter::with_capacity(BUFFER, io::stdout().lock()));
        Self { name: "standard output".to_owned(), form, draws, column: 0 }
    }

    /// No output.
    pub(crate) fn discard(draws: u32) -> Self {
        Self { name: "nothing".to_owned(), form: Form::Discard, draws, column: 0 }
    }

    /// The next draws: some of a row or some rows.
    pub(crate) fn write(&mut self, draws: &[u32]) -> Result<(), Error> {
        let result = match &mut self.form {
            Form::Lines(writer) => draws.iter().try_for_each(|draw| {
                self.column += 1;
                let last = self.column == self.draws;
                if last {
                    self.column = 0;
                }
                write!(writer, "{draw}{}", if last { '\n' } else { ' ' })
            }),
            form => form.writer().map_or(Ok(()), |writer| write_words(writer, draws)),
        };
        result.map_err(|error| Error::write(&self.name, error))
    }

    /// The text of a file of text.
    pub(crate) fn write_text(&mut self, text: &str) -> Result<(), Error> {
        let written = self.form.writer().map_or(Ok(()), |file| file.write_all(text.as_bytes()));
        written.map_err(|error| Error::write(&self.name, error))
    }

    /// Writes out what is gathered, and gives a file its name.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let result = match self.form {
            Form::File { writer, destination } => writer
                .into_inner()
                .map_err(io::IntoInnerError::into_error)
                .and_then(|file| file.persist(destination).map_err(|failed| failed.error))
                .map(drop),
            Form::Stream(mut writer) => writer.flush(),
            Form::Lines(mut writer) => writer.flush(),
            Form::Discard => Ok(()),
        };
        result.map_err(|error| Error::write(&self.name, error))
    }
}

impl Form {
    /// A temporary file for what is or will be a regular file, and the thing itself for all else.
    fn open(path: &Path) -> io::Result<Self> {
        if is_stdout(path) {
            let writer = BufWriter::with_capacity(BUFFER, io::stdout().lock());
            return Ok(Self::Stream(Box::new(writer)));
        }
        let existing = match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // another program's open file, under whatever name the system lists it
        let descriptor = path == Path::new("/dev/stderr")
            || path.starts_with("/dev/fd")
            || path.starts_with("/proc/self/fd");
        if let Some(existing) = &existing {
            // fails, as it should, for a directory and a file that must not be written
            let file = OpenOptions::new().write(true).open(path)?;
            if descriptor || !existing.is_file() {
                return Ok(Self::Stream(Box::new(BufWriter::with_capacity(BUFFER, file))));
            }
        }
        // through a link, so that the file is replaced and not the link
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

    /// Where the bytes of a file go.
    fn writer(&mut self) -> Option<&mut dyn Write> {
        match self {
            Self::File { writer, .. } => Some(writer),
            Self::Stream(writer) => Some(writer),
            Self::Lines(_) | Self::Discard => None,
        }
    }
}

/// Where a new file is to be: a link may lead to a place that has none yet.
fn target(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // as many links as Linux follows; a circle of them has been refused before
    for _ in 0..40 {
        let Ok(link) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(link);
    }
    path
}

/// Removes the temporary file when Ctrl-C or `kill` ends the process, which then ends by that signal
/// as it would have anyway: a shell's loop stops on Ctrl-C only then. A hang-up is left alone, since
/// nohup relies on that.
#[cfg(unix)]
fn remove_on_signal(temporary: &Path) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    let temporary = temporary.to_owned();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            // fails if the file has its final name already
            drop(fs::remove_file(&temporary));
            drop(emulate_default_handler(signal));
        }
    })?;
    Ok(())
}

/// Elsewhere such a file has to be removed by hand.
#[cfg(not(unix))]
fn remove_on_signal(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A file beside `destination`, with the permissions that a new file has.
fn temporary(destination: &Path) -> io::Result<NamedTempFile> {
    let directory = match destination.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // a trailing separator would be found out when the file gets its name, after all the work
    let separated = destination.to_string_lossy().ends_with(std::path::is_separator);
    if separated || destination.file_name().is_none() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    tempfile::Builder::new().prefix(".gumbel-").suffix(".tmp").make_in(directory, |path| {
        // as tempfile does, but neither private nor readable by more than the umask lets
        File::options().read(true).write(true).create_new(true).open(path)
    })
}

fn write_header(writer: &mut dyn Write, rows: u64, draws: u32) -> io::Result<()> {
    let both = [rows, u64::from(draws)];
    let dtype = "<u4".parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    npyz::WriteOptions::new_header_only()
        .dtype(npyz::DType::Plain(dtype))
        .shape(if draws == 1 { &both[..1] } else { &both })
        .writer(writer)
        .write_header_only()?;
    Ok(())
}

/// Little-endian words, as the header says.
fn write_words(writer: &mut dyn Write, words: &[u32]) -> io::Result<()> {
    let mut bytes = [0; 1 << 12];
    for words in words.chunks(bytes.len() / 4) {
        let bytes = &mut bytes[..words.len() * 4];
        for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        writer.write_all(bytes)?;
    }
    Ok(())
}
