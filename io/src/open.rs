//! Opens a file or a pipe in whatever format it is.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Name};
use crate::format::{Format, MAGIC};
use crate::source::{Section, Source};
use crate::{Dtype, Kind, Rows, npy, npz, safetensors, text};

/// Whether the first line of a text has the names of its columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// It has if one of its fields is no number.
    #[default]
    Auto,
    /// It has.
    Yes,
    /// It has not.
    No,
}

/// What is asked of a file.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What the values are.
    pub kind: Kind,
    /// The format, if it is not to be told by the first bytes.
    pub format: Option<Format>,
    /// The array of an archive, or the tensor of a safetensors file.
    pub tensor: Option<String>,
    /// The columns of a table that have the values: one of lists, or some of numbers. `p0..p26` stands for 27 columns.
    pub columns: Vec<String>,
    /// The type of the values, where the file does not say it.
    pub dtype: Option<Dtype>,
    /// The column of a table that has the rows' ids.
    pub row_id: Option<String>,
    /// The columns of a table that are carried along.
    pub keep: Vec<String>,
    /// Whether the first line of a text has names.
    pub header: Header,
}

/// Opens the file at `path`; `archive.npz:name` is an array of an archive.
///
/// # Errors
/// What is wrong with the file or the request.
pub fn open(path: &Path, request: &Request) -> Result<Box<dyn Rows>, Error> {
    let (path, member) = split(path);
    let name = Name(path.display().to_string().into());
    let mut request = request.clone();
    if let Some(member) = member {
        if request.tensor.is_some_and(|tensor| tensor != member) {
            return Err(name.unsuitable("--tensor and FILE.npz:NAME name two different arrays"));
        }
        request.tensor = Some(member);
    }
    let file = File::open(&path).map_err(|error| name.read(error))?;
    let metadata = file.metadata().map_err(|error| name.read(error))?;
    if metadata.is_file() {
        let section = Section::whole(file, metadata.len());
        let mut first = Vec::new();
        section.reader().take(MAGIC as u64).read_to_end(&mut first).map_err(|e| name.read(e))?;
        return start(name, &first, Source::Section(section), &request);
    }
    stream(name, Box::new(file), &request)
}

/// Reads a stream, which errors call by this name.
///
/// # Errors
/// What is wrong with the stream or the request.
pub fn open_stream(
    name: &str,
    reader: Box<dyn Read + Send>,
    request: &Request,
) -> Result<Box<dyn Rows>, Error> {
    stream(Name(name.into()), reader, request)
}

fn stream(
    name: Name,
    mut reader: Box<dyn Read + Send>,
    request: &Request,
) -> Result<Box<dyn Rows>, Error> {
    let mut first = Vec::new();
    let taken = (&mut reader).take(MAGIC as u64).read_to_end(&mut first);
    taken.map_err(|error| name.read(error))?;
    let source = Source::Stream(Box::new(Cursor::new(first.clone()).chain(reader)));
    start(name, &first, source, request)
}

/// Starts to read a source whose first bytes are these.
fn start(
    name: Name,
    first: &[u8],
    source: Source,
    request: &Request,
) -> Result<Box<dyn Rows>, Error> {
    let format = match request.format {
        Some(format) => format,
        None => Format::of_bytes(first).map_err(|what| name.unknown(what))?,
    };
    check(format, request).map_err(|what| name.unsuitable(what))?;
    match format {
        Format::Npy => npy::open(name, source, request),
        Format::Npz => npz::open(name, source, request),
        Format::Safetensors => safetensors::open(name, source, request),
        Format::Text => text::open(name, source, request),
        #[cfg(feature = "arrow")]
        Format::Arrow => crate::arrow::open(name, source, request),
        #[cfg(feature = "parquet")]
        Format::Parquet => crate::parquet::open(name, source, request),
        #[cfg(not(feature = "parquet"))]
        format => Err(name.unsuitable(format!(
            "this gumbel was built without {format}: cargo install gumbel-cli --features {format}"
        ))),
    }
}

/// Refuses what a format has no place for.
fn check(format: Format, request: &Request) -> Result<(), String> {
    let is_table = matches!(format, Format::Arrow | Format::Parquet | Format::Text);
    let has_names = matches!(format, Format::Npz | Format::Safetensors);
    let of_tables = [
        ("--columns", !request.columns.is_empty()),
        ("--row-id", request.row_id.is_some()),
        ("--keep", !request.keep.is_empty()),
    ];
    if let Some((option, _)) = of_tables.iter().find(|(_, given)| *given && !is_table) {
        return Err(format!("it is {}, which has no columns for {option}", format.with_article()));
    }
    if request.tensor.is_some() && !has_names {
        return Err(format!("it is {}, which has no names for --tensor", format.with_article()));
    }
    Ok(())
}

/// Splits `archive.npz:name`, if there is no file of the whole name.
fn split(path: &Path) -> (PathBuf, Option<String>) {
    let whole = (path.to_owned(), None);
    let Some(text) = path.to_str().filter(|_| !path.exists()) else { return whole };
    let lower = text.to_ascii_lowercase();
    match lower.find(".npz:") {
        Some(at) => (PathBuf::from(&text[..at + 4]), Some(text[at + 5..].to_owned())),
        None => whole,
    }
}
