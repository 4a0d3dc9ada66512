//! Where an output is: which file or which stream a path means.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::path::{Path, PathBuf};

/// Paths that name this process's own standard output.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// Whether a path names this process's standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    STDOUT.iter().any(|name| path == Path::new(name))
}

/// What tells a destination from others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing does.
    #[default]
    Unknown,
    /// A directory, in canonical form, and a name in it.
    Named(Option<PathBuf>, Option<OsString>),
    /// A pipe's or a device's numbers in the system.
    Numbers(u64, u64),
}

impl Place {
    /// The place of a file that is to have this path.
    pub(super) fn of_path(path: &Path) -> Self {
        let directory = path.parent().filter(|parent| *parent != Path::new(""));
        let directory = fs::canonicalize(directory.unwrap_or(Path::new("."))).ok();
        Self::Named(directory, path.file_name().map(OsString::from))
    }

    /// The place of an open pipe or device. What goes to the null device does not get mixed.
    pub(super) fn of_stream(file: &File) -> Self {
        let is_null = |data: &fs::Metadata| {
            fs::metadata("/dev/null").is_ok_and(|null| numbers(&null) == numbers(data))
        };
        match file.metadata() {
            Ok(data) if !is_null(&data) => numbers(&data),
            _ => Self::Unknown,
        }
    }

    /// The place of standard output.
    pub(super) fn stdout() -> Self {
        fs::metadata("/dev/stdout").map_or(Self::Unknown, |data| numbers(&data))
    }

    /// Whether both are the same place.
    pub(super) fn is_also(&self, other: &Self) -> bool {
        *self != Self::Unknown && self == other
    }
}

#[cfg(unix)]
fn numbers(data: &fs::Metadata) -> Place {
    use std::os::unix::fs::MetadataExt;
    Place::Numbers(data.dev(), data.ino())
}

#[cfg(not(unix))]
fn numbers(_: &fs::Metadata) -> Place {
    Place::Unknown
}

/// What a path means.
pub(super) enum Resolved {
    /// A pipe, a device, or a file that this process has open already.
    Stream(File),
    /// A regular file, which is there and has permissions, or is to be.
    File { destination: PathBuf, permissions: Option<Permissions> },
}

/// Finds what a path means, which must be something that can be written.
pub(super) fn resolve(path: &Path) -> io::Result<Resolved> {
    let existing = match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // a file that this process has open already, under any name that the system has for it
    let descriptor = path == Path::new("/dev/stderr")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd");
    let Some(existing) = existing else {
        return Ok(Resolved::File { destination: target(path), permissions: None });
    };
    // this fails, as it should, for a directory and for a file that must not be written
    let file = OpenOptions::new().write(true).open(path)?;
    if descriptor || !existing.is_file() {
        return Ok(Resolved::Stream(file));
    }
    // follows a link, so that the file is replaced and not the link
    let destination = fs::canonicalize(path)?;
    Ok(Resolved::File { destination, permissions: Some(existing.permissions()) })
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
