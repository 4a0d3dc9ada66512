//! The lines of a text that are rows, as many at a time as a block takes.

use std::io::{self, Read};

use crate::error::{Error, Name};
use crate::format::Format;
use crate::source::Source;
use crate::values::grow;

/// The bytes that are read at a time.
const PIECE: usize = 1 << 18;
/// The bytes of lines after which a block has enough of them, if it has one.
const ENOUGH: usize = 1 << 23;
/// The longest line.
const LONGEST: usize = 1 << 30;

/// A line: where it begins and ends among the bytes, and its number in the file.
#[derive(Clone, Copy)]
struct Line {
    from: usize,
    to: usize,
    number: u64,
}

/// The text that has been read and not been taken.
pub(crate) struct Lines {
    source: Source,
    bytes: Vec<u8>,
    /// Where the search for the next end of a line goes on, and where that line begins.
    searched: usize,
    begin: usize,
    /// Whether the search is within quotes, in which a line goes on.
    in_quotes: bool,
    at_end: bool,
    /// The lines that ended before `begin`, whether they are rows or not.
    passed: u64,
    /// The ends of lines within the line that is searched.
    within: u64,
    rows: Vec<Line>,
}

/// Why there is no further line.
pub(crate) enum Fault {
    Io(io::Error),
    Memory,
    Long { line: u64 },
}

impl Fault {
    pub(crate) fn error(self, name: &Name, row: u64) -> Error {
        match self {
            Self::Io(error) => name.read(error),
            Self::Memory => name.row(row, "it does not fit into memory"),
            Self::Long { line } => {
                let what = format!(
                    "line {line} is longer than {LONGEST} bytes, or a quote in it has no end"
                );
                name.malformed(Format::Text, what)
            }
        }
    }
}

impl Lines {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            bytes: Vec::new(),
            searched: 0,
            begin: 0,
            in_quotes: false,
            at_end: false,
            passed: 0,
            within: 0,
            rows: Vec::new(),
        }
    }

    /// Reads on until there are `most` rows, or enough bytes of some.
    pub(crate) fn fill(&mut self, most: usize) -> Result<(), Fault> {
        loop {
            self.search(most);
            let enough = self.rows.len() >= most || (self.begin >= ENOUGH && !self.rows.is_empty());
            if enough || self.at_end {
                return Ok(());
            }
            if self.bytes.len() - self.begin > LONGEST {
                return Err(Fault::Long { line: self.passed + 1 });
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<(), Fault> {
        let from = self.bytes.len();
        grow(&mut self.bytes, PIECE).map_err(|_| Fault::Memory)?;
        let result = loop {
            match self.source.read(&mut self.bytes[from..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let count = *result.as_ref().unwrap_or(&0);
        self.bytes.truncate(from + count);
        self.at_end = result.map_err(Fault::Io)? == 0;
        if from == 0 && self.passed == 0 && self.bytes.starts_with(b"\xef\xbb\xbf") {
            // the mark by which some editors say UTF-8
            (self.begin, self.searched) = (3, 3);
        }
        if self.at_end && self.begin < self.bytes.len() {
            // the last line may have no end
            let to = self.bytes.len();
            self.end_line(to);
            self.searched = to;
        }
        Ok(())
    }

    /// Finds the ends of lines, until there are `most` rows.
    fn search(&mut self, most: usize) {
        while self.rows.len() < most && self.searched < self.bytes.len() {
            let rest = &self.bytes[self.searched..];
            let found = rest.iter().position(|&byte| byte == b'\n' || byte == b'"');
            let Some(found) = found else {
                self.searched = self.bytes.len();
                return;
            };
            let at = self.searched + found;
            self.searched = at + 1;
            if self.bytes[at] == b'"' {
                // a comment's quotation marks are no quotes
                self.in_quotes ^= self.bytes[self.begin] != b'#';
            } else if self.in_quotes {
                self.within += 1;
            } else {
                self.end_line(at);
            }
        }
    }

    /// The line that was begun ends before `to`.
    fn end_line(&mut self, to: usize) {
        let line = &self.bytes[self.begin..to];
        let is_row = line.first() != Some(&b'#') && !line.trim_ascii().is_empty();
        if is_row {
            self.rows.push(Line { from: self.begin, to, number: self.passed + 1 });
        }
        self.passed += 1 + self.within;
        self.within = 0;
        self.in_quotes = false;
        self.begin = (to + 1).min(self.bytes.len());
    }

    /// The rows that are there.
    pub(crate) fn rows(&self) -> View<'_> {
        View { bytes: &self.bytes, rows: &self.rows }
    }

    pub(crate) fn first(&self) -> Option<&[u8]> {
        (!self.rows.is_empty()).then(|| self.rows().get(0))
    }

    /// Removes the first row, which has names.
    pub(crate) fn drop_first(&mut self) {
        self.rows.remove(0);
    }

    /// Removes all rows that are there.
    pub(crate) fn take(&mut self) {
        self.rows.clear();
        self.bytes.drain(..self.begin);
        self.searched -= self.begin;
        self.begin = 0;
    }
}

/// The rows that have been read and not been taken, for all threads.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    bytes: &'a [u8],
    rows: &'a [Line],
}

impl<'a> View<'a> {
    /// The number of rows.
    pub(crate) fn count(self) -> usize {
        self.rows.len()
    }

    /// A row's text.
    pub(crate) fn get(self, row: usize) -> &'a [u8] {
        let line = self.rows[row];
        &self.bytes[line.from..line.to]
    }

    /// The number of a row's line in the file, counted from 1.
    pub(crate) fn number(self, row: usize) -> u64 {
        self.rows[row].number
    }
}
