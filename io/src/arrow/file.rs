//! Files of Arrow IPC: batches whose places are in a directory at the end.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block as Place, root_as_footer, root_as_message};

use super::message::{check_sizes, message_of};
use super::plan::Plan;
use super::{Batches, bad, names};
use crate::Request;
use crate::error::{Error, Name};
use crate::format::Format;
use crate::source::Section;

/// The batches of a file.
pub(crate) struct File {
    name: Name,
    section: Section,
    decoder: FileDecoder,
    places: std::vec::IntoIter<Place>,
    rows: Option<u64>,
}

/// Reads the directory.
pub(crate) fn open(
    name: &Name,
    section: Section,
    request: &Request,
) -> Result<(File, Plan), Error> {
    let malformed = |what: &str| name.malformed(Format::Arrow, what);
    let length = section.length();
    let mut trailer = [0; 10];
    let at = length.checked_sub(10).ok_or_else(|| malformed("it ends in its header"))?;
    section.read_exact_at(&mut trailer, at).map_err(|error| name.read(error))?;
    if !trailer.ends_with(b"ARROW1") {
        return Err(malformed("it does not end as such a file does: it is truncated"));
    }
    let footer_length = read_footer_length(trailer).map_err(|error| bad(name, &error))? as u64;
    let at = at
        .checked_sub(footer_length)
        .ok_or_else(|| malformed("its directory is longer than it is"))?;
    let footer = section.bytes_at(at, footer_length).map_err(|error| name.read(error))?;
    let footer = root_as_footer(&footer).map_err(|_| malformed("its directory cannot be read"))?;
    let schema = footer.schema().ok_or_else(|| malformed("it has no schema"))?;
    if !schema.endianness().equals_to_target_endianness() {
        return Err(name.unsuitable("its numbers are in another byte order than this machine's"));
    }
    let schema = Arc::new(try_fb_to_schema(schema).map_err(|error| bad(name, &error))?);
    let (mut plan, columns) =
        Plan::new(&schema, &names(&schema), request).map_err(|what| name.unsuitable(what))?;
    plan.project(&columns);
    let mut decoder = FileDecoder::new(schema, footer.version()).with_projection(columns);
    for place in footer.dictionaries().iter().flatten() {
        let bytes = bytes_of(name, &section, place)?;
        check_sizes(&bytes, place.metaDataLength()).map_err(|what| malformed(&what))?;
        decoder.read_dictionary(place, &bytes).map_err(|error| bad(name, &error))?;
    }
    let places: Vec<Place> = footer.recordBatches().iter().flatten().copied().collect();
    let rows = places.iter().map(|place| rows_of(&section, place)).sum();
    let places = places.into_iter();
    Ok((File { name: name.clone(), section, decoder, places, rows }, plan))
}

impl Batches for File {
    fn next(&mut self, _: usize) -> Result<Option<RecordBatch>, Error> {
        let Some(place) = self.places.next() else { return Ok(None) };
        let bytes = bytes_of(&self.name, &self.section, &place)?;
        check_sizes(&bytes, place.metaDataLength())
            .map_err(|what| self.name.malformed(Format::Arrow, what))?;
        let batch = self.decoder.read_record_batch(&place, &bytes);
        batch.map_err(|error| bad(&self.name, &error))
    }

    fn rows(&self) -> Option<u64> {
        self.rows
    }
}

/// The bytes of a batch, if they lie in the file.
fn bytes_of(name: &Name, section: &Section, place: &Place) -> Result<Buffer, Error> {
    let read = || {
        let offset = u64::try_from(place.offset()).ok()?;
        let metadata = u64::try_from(place.metaDataLength()).ok()?;
        let length = metadata.checked_add(u64::try_from(place.bodyLength()).ok()?)?;
        // a message has more than its length
        (metadata >= 8).then(|| section.bytes_at(offset, length))
    };
    match read() {
        Some(Ok(bytes)) => Ok(Buffer::from_vec(bytes)),
        Some(Err(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Err(name.read(error))
        }
        _ => Err(name.malformed(Format::Arrow, "its directory names bytes that it does not have")),
    }
}

/// The number of rows of a batch.
fn rows_of(section: &Section, place: &Place) -> Option<u64> {
    let offset = u64::try_from(place.offset()).ok()?;
    let length = u64::try_from(place.metaDataLength()).ok()?;
    let bytes = section.bytes_at(offset, length).ok()?;
    let message = root_as_message(message_of(&bytes)?).ok()?;
    u64::try_from(message.header_as_record_batch()?.length()).ok()
}
