//! Draws as a table: a line for each draw.

use gumbel::NO_DRAW;
use gumbel_io::{Cells, TableFormat, TableWriter};

use crate::args::{OutputFormat, SampleArgs};
use crate::error::Error;
use crate::output::Output;
use crate::sink::{Ids, Piece, with_name};

/// A table of draws that is being written.
pub(crate) struct Table {
    writer: TableWriter<Output>,
    /// The name of the output, for errors.
    name: String,
    k: usize,
    /// Whether draws have numbers, which they need if a row has several.
    numbered: bool,
    has_places: bool,
}

impl Table {
    pub(crate) fn new(
        format: OutputFormat,
        output: Output,
        args: &SampleArgs,
        keep: &[String],
    ) -> Result<Self, Error> {
        let format = match format {
            OutputFormat::Csv | OutputFormat::Npy | OutputFormat::Text => TableFormat::Csv,
            OutputFormat::Jsonl => TableFormat::JsonLines,
            OutputFormat::Arrow if output.is_stream() => TableFormat::ArrowStream,
            OutputFormat::Arrow => TableFormat::Arrow,
            OutputFormat::Parquet => TableFormat::Parquet,
        };
        let (numbered, has_places) = (args.draws > 1, args.top.is_some());
        let mut names = vec!["row_id"];
        names.extend(numbered.then_some("draw_number"));
        names.extend(has_places.then_some("place"));
        names.push("draw");
        names.extend(args.with.map(with_name));
        if let Some(taken) = keep.iter().find(|name| names.contains(&name.as_str())) {
            let what = format!("--keep {taken}: the table has a column of that name already");
            return Err(Error::Usage(what));
        }
        let names = names.into_iter().map(str::to_owned).chain(keep.iter().cloned()).collect();
        let name = output.name().to_owned();
        let writer =
            TableWriter::new(format, names, output).map_err(|error| failed(&name, error))?;
        let k = args.top.map_or(1, |top| top as usize);
        Ok(Self { writer, name, k, numbered, has_places })
    }

    /// Writes the draws of a piece, and takes the columns that it carries.
    pub(crate) fn write(&mut self, piece: &mut Piece) -> Result<(), Error> {
        let all = piece.drawn.categories.len();
        if all == 0 {
            return Ok(());
        }
        let in_row = all / piece.rows.max(1);
        let ids: Vec<u64> = match &piece.ids {
            Ids::From(first) => {
                (0..all).map(|at| first.wrapping_add((at / in_row) as u64)).collect()
            }
            Ids::Each(ids) => ids.iter().flat_map(|&id| std::iter::repeat_n(id, in_row)).collect(),
        };
        let mut columns = vec![Cells::Ids(ids)];
        let counted = |count: &dyn Fn(usize) -> u32| {
            Cells::Categories((0..all).map(|at| Some(count(at))).collect())
        };
        let (k, first) = (self.k, piece.first_draw);
        if self.numbered {
            columns.push(counted(&|at| first.wrapping_add((at % in_row / k) as u32)));
        }
        if self.has_places {
            columns.push(counted(&|at| (at % k) as u32));
        }
        let drawn = piece.drawn.categories.iter().map(|&draw| (draw != NO_DRAW).then_some(draw));
        columns.push(Cells::Categories(drawn.collect()));
        if !piece.drawn.values.is_empty() {
            columns.push(Cells::Numbers(piece.drawn.values.clone()));
        }
        for column in piece.kept.drain(..) {
            columns.push(Cells::Kept(column.repeated(in_row).map_err(Error::Usage)?));
        }
        self.writer.write(columns).map_err(|error| failed(&self.name, error))
    }

    pub(crate) fn finish(self, rows: u64) -> Result<(), Error> {
        let output = self.writer.finish().map_err(|error| failed(&self.name, error))?;
        output.finish(rows)
    }
}

/// The error of a failed write, or of a format that this build does not have.
fn failed(name: &str, error: std::io::Error) -> Error {
    use std::io::ErrorKind::{InvalidInput, Unsupported};
    match error.kind() {
        InvalidInput | Unsupported => Error::Usage(error.to_string()),
        _ => Error::write(name, error),
    }
}
