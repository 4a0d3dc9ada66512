//! Where the draws of `gumbel sample` go, and a thread that brings them there while others are drawn.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use gumbel_io::Column;

use crate::args::{OutputFormat, SampleArgs, With};
use crate::draws::Drawn;
use crate::error::Error;
use crate::lines::Lines;
use crate::output::Output;
use crate::table::Table;

/// The draws of some rows, on their way to the output.
#[derive(Default)]
pub(crate) struct Piece {
    pub(crate) drawn: Drawn,
    /// The number of rows.
    pub(crate) rows: usize,
    /// The ids of the rows.
    pub(crate) ids: Ids,
    /// The number of the first draw.
    pub(crate) first_draw: u32,
    /// The columns that are carried along.
    pub(crate) kept: Vec<Column>,
}

/// The ids of the rows of a piece.
pub(crate) enum Ids {
    /// From this one on.
    From(u64),
    /// One for each row.
    Each(Vec<u64>),
}

impl Default for Ids {
    fn default() -> Self {
        Self::From(0)
    }
}

/// The error for two files with one name.
pub(crate) const SAME_FILE: &str = "--output and --with-output are the same file";

/// The format of a file of this name, unless another is asked for.
pub(crate) fn format_of(args: &SampleArgs) -> OutputFormat {
    let Some(path) = &args.output else { return args.output_format.unwrap_or(OutputFormat::Text) };
    args.output_format.unwrap_or_else(|| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("arrow" | "arrows" | "feather" | "ipc") => OutputFormat::Arrow,
            Some("parquet" | "pq") => OutputFormat::Parquet,
            Some("csv") => OutputFormat::Csv,
            Some("jsonl" | "ndjson") => OutputFormat::Jsonl,
            Some("txt") => OutputFormat::Text,
            _ => OutputFormat::Npy,
        }
    })
}

/// The destination of draws.
pub(crate) enum Sink {
    /// Files of the draws, and of the numbers that belong to them.
    Arrays(Output, Option<Output>),
    Text(Output, Lines),
    Table(Box<Table>),
    Nothing,
}

impl Sink {
    pub(crate) fn open(
        args: &SampleArgs,
        rows: Option<u64>,
        keep: &[String],
    ) -> Result<Self, Error> {
        let format = format_of(args);
        if args.json && args.output.is_none() {
            return Ok(Self::Nothing);
        }
        let stdout = PathBuf::from("-");
        let path: &Path = args.output.as_deref().unwrap_or(&stdout);
        let output = |path: &Path| {
            if args.output.is_some() { Output::open(path) } else { Ok(Output::stdout()) }
        };
        match format {
            OutputFormat::Text => {
                let lines = Lines::new(args.draws, args.top.map_or(1, |top| top as usize));
                Ok(Self::Text(output(path)?, lines))
            }
            OutputFormat::Npy => {
                let draws = (args.draws > 1).then_some(args.draws.into());
                let others: Vec<u64> = draws.into_iter().chain(args.top.map(u64::from)).collect();
                let draws = Output::words(path, rows, &others)?;
                let values = args.with_output.as_ref();
                let values = values.map(|path| Output::doubles(path, rows, &others)).transpose()?;
                if values.as_ref().is_some_and(|values| values.is_also(&draws)) {
                    return Err(Error::Usage(SAME_FILE.to_owned()));
                }
                Ok(Self::Arrays(draws, values))
            }
            _ => Ok(Self::Table(Box::new(Table::new(format, output(path)?, args, keep)?))),
        }
    }

    pub(crate) fn write(&mut self, piece: &mut Piece) -> Result<(), Error> {
        match self {
            Self::Arrays(draws, values) => {
                draws.write_words(&piece.drawn.categories)?;
                values.as_mut().map_or(Ok(()), |values| values.write_doubles(&piece.drawn.values))
            }
            Self::Text(output, lines) => output.write_text(lines.text(&piece.drawn)),
            Self::Table(table) => table.write(piece),
            Self::Nothing => Ok(()),
        }
    }

    pub(crate) fn finish(self, rows: u64) -> Result<(), Error> {
        match self {
            Self::Arrays(draws, values) => {
                values.map_or(Ok(()), |values| values.finish(rows))?;
                draws.finish(rows)
            }
            Self::Text(output, _) => output.finish(rows),
            Self::Table(table) => table.finish(rows),
            Self::Nothing => Ok(()),
        }
    }
}

/// The name of the column of the numbers of `--with`.
pub(crate) fn with_name(with: With) -> &'static str {
    match with {
        With::Time => "time",
        With::Max => "max",
        With::Logprob => "log_prob",
    }
}

/// The thread that writes. Without it, an output that is given up leaves nothing.
pub(crate) struct Writer {
    pieces: SyncSender<Piece>,
    empty: Receiver<Piece>,
    thread: JoinHandle<Result<Written, Error>>,
}

/// What has been written.
pub(crate) struct Written {
    /// The destination, which is yet to be finished.
    pub(crate) sink: Sink,
    /// The CRC-32 of all draws, as little-endian u32, if it was asked for.
    pub(crate) digest: Option<u32>,
}

impl Writer {
    pub(crate) fn start(sink: Sink, digest: bool) -> Result<Self, Error> {
        let (pieces, written) = sync_channel(1);
        let (done, empty) = channel();
        let thread = std::thread::Builder::new().name("writer".to_owned());
        let thread = thread.spawn(move || write(sink, digest, &written, &done));
        let thread = thread.map_err(|source| Error::write("the output", source))?;
        Ok(Self { pieces, empty, thread })
    }

    /// A piece to be filled, with the memory of one that has been written.
    pub(crate) fn piece(&self) -> Piece {
        self.empty.try_recv().unwrap_or_default()
    }

    /// Hands a piece over. Returns whether there still is a writer; if not, [`finish`](Self::finish) says why.
    pub(crate) fn write(&self, piece: Piece) -> bool {
        self.pieces.send(piece).is_ok()
    }

    /// Waits until everything is written.
    pub(crate) fn finish(self) -> Result<Written, Error> {
        drop(self.pieces);
        let lost = |_| Error::Usage("the thread that writes has ended".to_owned());
        self.thread.join().map_err(lost)?
    }
}

fn write(
    mut sink: Sink,
    digest: bool,
    pieces: &Receiver<Piece>,
    done: &Sender<Piece>,
) -> Result<Written, Error> {
    let mut digest = digest.then(crc32fast::Hasher::new);
    for mut piece in pieces {
        if let Some(digest) = &mut digest {
            let bytes = |draws: &[u32]| draws.iter().flat_map(|draw| draw.to_le_bytes()).collect();
            piece
                .drawn
                .categories
                .chunks(1 << 10)
                .map(bytes)
                .for_each(|b: Vec<u8>| digest.update(&b));
        }
        sink.write(&mut piece)?;
        // fails, harmlessly, if everything is drawn
        drop(done.send(piece));
    }
    Ok(Written { sink, digest: digest.map(crc32fast::Hasher::finalize) })
}
