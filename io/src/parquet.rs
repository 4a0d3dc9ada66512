//! Parquet files, a part of a row group at a time.

use std::io::{self, BufReader};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{ChunkReader, Length};
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use bytes::Bytes;

use crate::arrow::plan::Plan;
use crate::arrow::{Batches, Table, guarded, names};
use crate::error::{Error, Name};
use crate::format::Format;
use crate::source::{Section, SectionReader, Source};
use crate::{Request, Rows};

/// The most values in a batch.
const BATCH: usize = 1 << 20;

/// Opens a Parquet file.
pub(crate) fn open(name: Name, source: Source, request: &Request) -> Result<Box<dyn Rows>, Error> {
    guarded(&name.clone(), Format::Parquet, || open_unguarded(name, source, request))
}

fn open_unguarded(name: Name, source: Source, request: &Request) -> Result<Box<dyn Rows>, Error> {
    // a file's directory is at its end
    let section = source.into_section(&name)?;
    let bad = |error: ParquetError| refused(&name, &error);
    let metadata = ArrowReaderMetadata::load(&section, ArrowReaderOptions::new()).map_err(bad)?;
    let schema = metadata.schema().clone();
    let names = names(&schema);
    let (mut plan, columns) =
        Plan::new(&schema, &names, request).map_err(|what| name.unsuitable(what))?;
    plan.project(&columns);
    let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).ok();
    let groups = metadata.metadata().num_row_groups();
    let mut groups = Groups {
        name: name.clone(),
        section,
        metadata,
        columns,
        rows,
        batch: 1,
        reader: None,
        groups: 0..groups,
    };
    if plan.categories().is_none() {
        // how long the lists are only a row tells, which is then read again
        let first = groups.first()?;
        let length = first.map_or(Ok(0), |batch| plan.list_length(&batch));
        plan.set_categories(length.map_err(|what| name.row(0, what))?);
    }
    groups.batch = (BATCH / plan.categories().unwrap_or(1).max(1)).max(1);
    Table::open(name, groups, plan, request)
}

/// The row groups of a file.
struct Groups {
    name: Name,
    section: Section,
    metadata: ArrowReaderMetadata,
    columns: Vec<usize>,
    rows: Option<u64>,
    /// The rows of a batch.
    batch: usize,
    reader: Option<ParquetRecordBatchReader>,
    groups: std::ops::Range<usize>,
}

impl Groups {
    fn reader(&self, group: usize) -> Result<ParquetRecordBatchReader, Error> {
        let (section, metadata) = (self.section.clone(), self.metadata.clone());
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(section, metadata);
        let roots = self.columns.iter().copied();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let builder = builder.with_row_groups(vec![group]).with_projection(mask);
        let reader = builder.with_batch_size(self.batch).build();
        reader.map_err(|error| refused(&self.name, &error))
    }

    /// The first row, which remains to be read.
    fn first(&self) -> Result<Option<RecordBatch>, Error> {
        for group in self.groups.clone() {
            if let Some(batch) = self.reader(group)?.next() {
                return batch.map(Some).map_err(|error| self.bad(&error));
            }
        }
        Ok(None)
    }

    fn bad(&self, error: &ArrowError) -> Error {
        let text = error.to_string();
        let what = text.split_once(": ").map_or(text.as_str(), |(_, what)| what);
        self.name.malformed(Format::Parquet, what.to_owned())
    }
}

impl Batches for Groups {
    fn next(&mut self, _: usize) -> Result<Option<RecordBatch>, Error> {
        loop {
            if let Some(batch) = self.reader.as_mut().and_then(Iterator::next) {
                return batch.map(Some).map_err(|error| self.bad(&error));
            }
            let Some(group) = self.groups.next() else { return Ok(None) };
            self.reader = Some(self.reader(group)?);
        }
    }

    fn rows(&self) -> Option<u64> {
        self.rows
    }

    fn format(&self) -> Format {
        Format::Parquet
    }
}

fn refused(name: &Name, error: &ParquetError) -> Error {
    let text = error.to_string();
    let what = text.split_once(": ").map_or(text.as_str(), |(_, what)| what);
    name.malformed(Format::Parquet, what.to_owned())
}

impl Length for Section {
    fn len(&self) -> u64 {
        self.length()
    }
}

impl ChunkReader for Section {
    type T = BufReader<SectionReader>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(self.from(start).reader()))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.bytes_at(start, length as u64);
        bytes.map(Bytes::from).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ParquetError::EOF(format!(
                "it ends before byte {}",
                start.saturating_add(length as u64)
            )),
            _ => ParquetError::External(Box::new(error)),
        })
    }
}
