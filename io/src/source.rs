//! Where bytes come from: a part of a regular file, which many threads read at once, or a stream.
//!
//! Files are read at positions and are not mapped: a mapped file that another process shortens ends the process, and
//! reading on all threads into memory that stays in the cache is as fast.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::error::{Error, Name};

/// Bytes to read.
pub(crate) enum Source {
    /// A part of a regular file.
    Section(Section),
    /// A pipe, a device or a decompressor.
    Stream(Box<dyn Read + Send>),
}

/// A part of a regular file.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    file: Arc<File>,
    start: u64,
    length: u64,
}

impl Source {
    /// Returns the bytes as a part of a file: those of a stream are copied to a temporary one, which has no name.
    pub(crate) fn into_section(self, name: &Name) -> Result<Section, Error> {
        let mut stream = match self {
            Self::Section(section) => return Ok(section),
            Self::Stream(stream) => stream,
        };
        let mut file = tempfile::tempfile().map_err(|error| name.spool(error))?;
        let mut buffer = vec![0; 1 << 18];
        let mut length = 0;
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    io::Write::write_all(&mut file, &buffer[..count])
                        .map_err(|error| name.spool(error))?;
                    length += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(name.read(error)),
            }
        }
        Ok(Section { file: Arc::new(file), start: 0, length })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Section(section) => {
                let count = section.read_at(buffer, 0)?;
                *section = section.from(count as u64);
                Ok(count)
            }
            Self::Stream(stream) => stream.read(buffer),
        }
    }
}

impl Section {
    /// The whole of a regular file of `length` bytes.
    pub(crate) fn whole(file: File, length: u64) -> Self {
        Self { file: Arc::new(file), start: 0, length }
    }

    /// The number of bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The bytes from `offset` on.
    pub(crate) fn from(&self, offset: u64) -> Self {
        let offset = offset.min(self.length);
        let (file, start) = (self.file.clone(), self.start.saturating_add(offset));
        Self { file, start, length: self.length - offset }
    }

    /// The first `length` bytes.
    pub(crate) fn first(mut self, length: u64) -> Self {
        self.length = self.length.min(length);
        self
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.length.saturating_sub(offset);
        let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let (buffer, at) = (&mut buffer[..count], self.start.saturating_add(offset));
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(&*self.file, buffer, at);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, at);
        #[cfg(not(any(unix, windows)))]
        {
            let mut file = &*self.file;
            file.seek(SeekFrom::Start(at))?;
            file.read(buffer)
        }
    }

    /// Fills the buffer with the bytes at `offset`.
    pub(crate) fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    buffer = &mut buffer[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns `length` bytes at `offset`, which must lie within the section: a file decides about `length`.
    #[cfg(feature = "arrow")]
    pub(crate) fn bytes_at(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        bytes.resize(length, 0);
        self.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    /// A reader with a position of its own.
    pub(crate) fn reader(&self) -> SectionReader {
        SectionReader { section: self.clone(), position: 0 }
    }
}

/// Reads a section from its beginning to its end.
#[derive(Debug)]
pub(crate) struct SectionReader {
    section: Section,
    position: u64,
}

impl Read for SectionReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.section.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SectionReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.section.length.checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
