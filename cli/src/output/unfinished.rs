//! A file that has no name until it is complete.
//!
//! On Linux it is in no directory before, so that nothing is left whatever ends the process, even SIGKILL. Elsewhere,
//! and on file systems that cannot do that, it has a temporary name, which signals and errors remove.

use std::fs::{File, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::place::Place;

/// A file that is being written.
pub(super) struct Unfinished {
    file: Kind,
    destination: PathBuf,
    place: Place,
}

enum Kind {
    #[cfg(target_os = "linux")]
    Nameless(File),
    Named(NamedTempFile),
}

impl Unfinished {
    /// Creates a file that is to be at `destination`, with the permissions of any new file or with these.
    pub(super) fn create(
        destination: PathBuf,
        permissions: Option<Permissions>,
    ) -> io::Result<Self> {
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
        signals::writes_may_fail()?;
        let file = Kind::create(directory)?;
        if let Some(permissions) = permissions {
            file.as_file().set_permissions(permissions)?;
        }
        let place = Place::of_path(&destination);
        Ok(Self { file, destination, place })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Gives the file its name, in place of another that may have it.
    pub(super) fn persist(self) -> io::Result<()> {
        match self.file {
            #[cfg(target_os = "linux")]
            Kind::Nameless(file) => give_name(&file, &self.destination),
            Kind::Named(file) => {
                file.persist(self.destination).map(drop).map_err(|failed| failed.error)
            }
        }
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Unfinished {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.as_file().seek(to)
    }
}

impl Kind {
    fn create(directory: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{Mode, OFlags, open};
            let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
            // the permissions that the umask allows
            let file = open(directory, flags, Mode::from_raw_mode(0o666));
            // a file that has no way to a name is none
            if let Ok(file) = file
                && Path::new("/proc/self/fd").exists()
            {
                return Ok(Self::Nameless(file.into()));
            }
        }
        let file = tempfile::Builder::new().prefix(".gumbel-").suffix(".tmp").make_in(
            directory,
            // like tempfile's own file, but with the permissions that the umask allows instead of
            // private ones
            |path| File::options().read(true).write(true).create_new(true).open(path),
        )?;
        signals::remove(file.path())?;
        Ok(Self::Named(file))
    }

    fn as_file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => file,
            Self::Named(file) => file.as_file(),
        }
    }
}

/// Links a nameless file to a name. A name that is there is replaced by one that is next to it: no name can be given in
/// place of another at once.
#[cfg(target_os = "linux")]
fn give_name(file: &File, destination: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, CWD, linkat};
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    let link = |to: &Path| linkat(CWD, &*source, CWD, to, AtFlags::SYMLINK_FOLLOW);
    match link(destination) {
        Ok(()) => return Ok(()),
        Err(error) if error == rustix::io::Errno::EXIST => {}
        Err(error) => return Err(error.into()),
    }
    let directory = destination.parent().unwrap_or(Path::new(""));
    let directory = if directory == Path::new("") { Path::new(".") } else { directory };
    let beside = tempfile::Builder::new()
        .prefix(".gumbel-")
        .suffix(".tmp")
        .make_in(directory, |path| link(path).map_err(io::Error::from))?;
    let (_, path) = beside.into_parts();
    path.persist(destination).map_err(|failed| failed.error)
}

/// What signals do to a process that writes files.
#[cfg(unix)]
mod signals {
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    /// A file that becomes larger than the user's limit is an error of the write, and does not end the process.
    pub(super) fn writes_may_fail() -> io::Result<()> {
        static ONCE: Once = Once::new();
        let mut result = Ok(());
        ONCE.call_once(|| {
            // nobody reads it: that there is a handler is enough
            let seen = Arc::new(AtomicBool::new(false));
            result = signal_hook::flag::register(SIGXFSZ, seen).map(drop);
        });
        result
    }

    /// Removes a file when a signal ends the process. The process then ends by the same signal, as without this
    /// function: a shell's loop stops on Ctrl-C only then.
    pub(super) fn remove(temporary: &Path) -> io::Result<()> {
        static TEMPORARIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
        let temporaries = || -> MutexGuard<'static, _> {
            TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner)
        };
        temporaries().push(temporary.to_owned());
        if temporaries().len() > 1 {
            // the thread below is running already
            return Ok(());
        }
        let mut numbers = vec![SIGINT, SIGTERM, SIGQUIT, SIGXCPU];
        if !is_ignored(SIGHUP) {
            numbers.push(SIGHUP);
        }
        let mut signals = Signals::new(numbers)?;
        std::thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                for temporary in temporaries().iter() {
                    // fails, harmlessly, if the file has its final name already
                    drop(std::fs::remove_file(temporary));
                }
                drop(emulate_default_handler(signal));
            }
        })?;
        Ok(())
    }

    /// Whether whoever started this process had it ignore a signal, as nohup does with SIGHUP. Where that is not known,
    /// it is taken to be so.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        ignored.is_none_or(|mask| mask & (1 << (signal - 1)) != 0)
    }
}

/// Without signals such a file has to be removed by hand.
#[cfg(not(unix))]
mod signals {
    use std::io;
    use std::path::Path;

    pub(super) fn writes_may_fail() -> io::Result<()> {
        Ok(())
    }

    pub(super) fn remove(_: &Path) -> io::Result<()> {
        Ok(())
    }
}
