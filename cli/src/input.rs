//! Rows of logits or weights, read by a thread of its own while others are drawn from.

use std::sync::mpsc::{self, Receiver, Sender, SyncSender};

use gumbel::{Batch, Logits, Weights};
use gumbel_io::{Block, Kind, Request, Rows, Values};

use crate::args::InputArgs;
use crate::error::Error;

/// The blocks that wait to be drawn from. Together with the block that is read and the one that is drawn from they are
/// the memory that rows take.
const WAITING: usize = 1;
/// The longest rows of which several are in memory: 64 MiB of `f64`.
const LONG: usize = 1 << 23;

/// A file of logits or weights that is being read.
pub(crate) struct Input {
    rows: Box<dyn Rows>,
    weights: bool,
}

impl Input {
    /// Opens a file, or standard input for `-`, and reads its header.
    pub(crate) fn open(args: &InputArgs, kind: Kind) -> Result<Self, Error> {
        Self::open_with(args, kind, None, &[])
    }

    /// The same, with a column of ids and others that are carried along.
    pub(crate) fn open_with(
        args: &InputArgs,
        kind: Kind,
        row_id: Option<&str>,
        keep: &[String],
    ) -> Result<Self, Error> {
        let request = Request {
            kind,
            format: args.format,
            tensor: args.tensor.clone(),
            columns: args.columns.clone(),
            dtype: args.dtype,
            row_id: row_id.map(str::to_owned),
            keep: keep.to_vec(),
            header: args.header.into(),
        };
        let rows = if args.input.as_os_str() == "-" {
            gumbel_io::open_stream("standard input", Box::new(std::io::stdin()), &request)?
        } else {
            gumbel_io::open(&args.input, &request)?
        };
        Ok(Self { rows, weights: kind == Kind::Weights })
    }

    /// The number of rows, where a header tells it.
    pub(crate) fn rows(&self) -> Option<u64> {
        self.rows.rows()
    }

    /// The number of categories in each row.
    pub(crate) fn categories(&self) -> usize {
        self.rows.categories()
    }

    /// The number of values, counted once for each draw, where a header tells it.
    pub(crate) fn values(&self, draws: u32) -> Option<u64> {
        let values = self.rows()?.saturating_mul(self.categories() as u64);
        Some(values.saturating_mul(draws.into()))
    }

    /// Whether few rows take nearly as long to read as many.
    pub(crate) fn reads_far_apart(&self) -> bool {
        self.rows.reads_far_apart()
    }

    /// No row, for the errors of options.
    pub(crate) fn no_rows(&mut self) -> Result<Block, Error> {
        let mut block = Block::default();
        self.rows.read(0, &mut block)?;
        Ok(block)
    }

    /// The batch of a block.
    pub(crate) fn batch<'a>(&self, block: &'a Block) -> Result<Batch<'a>, Error> {
        batch(block, self.weights, self.categories())
    }

    /// Skips rows, without a look at their values, and reads the next one. Fails with the number of rows if there are
    /// too few.
    pub(crate) fn row(&mut self, row: u64) -> Result<Result<Block, u64>, Error> {
        let skipped = self.rows.skip(row)?;
        let mut block = Block::default();
        Ok(if self.rows.read(1, &mut block)? { Ok(block) } else { Err(skipped) })
    }

    /// Calls `visit` with the rows, at most `most` at a time, each batch with its block. Returns how many rows there
    /// were.
    pub(crate) fn visit(
        self,
        most: usize,
        mut visit: impl FnMut(Batch<'_>, &mut Block) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let (weights, categories) = (self.weights, self.categories());
        if categories > LONG {
            return self.visit_in_turn(most, visit);
        }
        let (full, blocks) = mpsc::sync_channel(WAITING);
        let (done, empty) = mpsc::channel();
        let rows = self.rows;
        // not joined: where drawing fails, the thread may wait for a pipe that has no more to give.
        let reader = std::thread::Builder::new().name("reader".to_owned());
        let reader = reader.spawn(move || read(rows, most, &full, &empty));
        reader.map_err(|source| Error::Read { name: "the input".to_owned(), source })?;
        let mut count = 0;
        drive(&blocks, &done, |block| {
            count += block.rows as u64;
            visit_block(block, weights, categories, &mut visit)
        })?;
        Ok(count)
    }

    /// The same, with one block in memory.
    fn visit_in_turn(
        mut self,
        most: usize,
        mut visit: impl FnMut(Batch<'_>, &mut Block) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let (mut block, mut count) = (Block::default(), 0);
        let (weights, categories) = (self.weights, self.categories());
        while self.rows.read(most, &mut block)? {
            count += block.rows as u64;
            visit_block(&mut block, weights, categories, &mut visit)?;
        }
        Ok(count)
    }
}

/// Reads blocks until the end, an error, or nobody wants more.
fn read(
    mut rows: Box<dyn Rows>,
    most: usize,
    full: &SyncSender<Result<Block, gumbel_io::Error>>,
    empty: &Receiver<Block>,
) {
    loop {
        // memory that has been drawn from is used again
        let mut block = empty.try_recv().unwrap_or_default();
        let next = match rows.read(most, &mut block) {
            Ok(true) => Ok(block),
            Ok(false) => return,
            Err(error) => Err(error),
        };
        let is_last = next.is_err();
        if full.send(next).is_err() || is_last {
            return;
        }
    }
}

fn drive(
    blocks: &Receiver<Result<Block, gumbel_io::Error>>,
    done: &Sender<Block>,
    mut visit: impl FnMut(&mut Block) -> Result<(), Error>,
) -> Result<(), Error> {
    for block in blocks {
        let mut block = block?;
        visit(&mut block)?;
        // fails, harmlessly, if the reader has read everything
        drop(done.send(block));
    }
    Ok(())
}

fn visit_block(
    block: &mut Block,
    weights: bool,
    categories: usize,
    visit: &mut impl FnMut(Batch<'_>, &mut Block) -> Result<(), Error>,
) -> Result<(), Error> {
    let values = std::mem::take(&mut block.values);
    let result =
        batch_of(&values, block, weights, categories).and_then(|batch| visit(batch, block));
    block.values = values;
    result
}

/// The batch of a block's rows.
pub(crate) fn batch(block: &Block, weights: bool, categories: usize) -> Result<Batch<'_>, Error> {
    batch_of(&block.values, block, weights, categories)
}

fn batch_of<'a>(
    values: &'a Values,
    block: &Block,
    weights: bool,
    categories: usize,
) -> Result<Batch<'a>, Error> {
    let Block { rows, row_stride, category_stride, .. } = *block;
    let (rows, row, category) = (rows, row_stride, category_stride);
    Ok(match (values, weights) {
        (Values::F16(v), _) => Logits::with_strides(v, rows, categories, row, category)?.into(),
        (Values::Bf16(v), _) => Logits::with_strides(v, rows, categories, row, category)?.into(),
        (Values::F32(v), false) => Logits::with_strides(v, rows, categories, row, category)?.into(),
        (Values::F64(v), false) => Logits::with_strides(v, rows, categories, row, category)?.into(),
        (Values::F32(v), true) => Weights::with_strides(v, rows, categories, row, category)?.into(),
        (Values::F64(v), true) => Weights::with_strides(v, rows, categories, row, category)?.into(),
        (Values::Counts(v), _) => Weights::with_strides(v, rows, categories, row, category)?.into(),
        _ => return Err(Error::Usage("values of a type that cannot be drawn from".to_owned())),
    })
}

/// The numbers of a block: logits, weights or counts.
pub(crate) fn numbers(block: &Block) -> Vec<f64> {
    match &block.values {
        Values::F16(v) => v.iter().map(|&x| x.into()).collect(),
        Values::Bf16(v) => v.iter().map(|&x| x.into()).collect(),
        Values::F32(v) => v.iter().map(|&x| x.into()).collect(),
        Values::F64(v) => v.clone(),
        Values::Counts(v) => v.iter().map(|&x| x.into()).collect(),
        _ => Vec::new(),
    }
}
