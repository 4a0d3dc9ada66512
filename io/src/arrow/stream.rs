//! Streams of Arrow IPC: messages one after the other, until the end.

use std::io::{self, Read};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block as Place, MessageHeader, root_as_message};

use super::message::{check_sizes, message_of};
use super::plan::Plan;
use super::{Batches, bad, names};
use crate::Request;
use crate::error::{Error, Name};
use crate::format::Format;
use crate::source::Source;
use crate::values::grow;

/// The bytes that are read at a time: memory grows with what has been read, not with what a message announces.
const PIECE: usize = 1 << 20;

/// The messages of a stream.
struct Messages {
    name: Name,
    source: Source,
}

/// A message with its body.
struct Message {
    place: Place,
    bytes: Buffer,
    kind: MessageHeader,
}

/// The batches of a stream.
pub(crate) struct Stream {
    messages: Messages,
    decoder: FileDecoder,
}

/// Reads the schema.
pub(crate) fn open(
    name: &Name,
    source: Source,
    request: &Request,
) -> Result<(Stream, Plan), Error> {
    let mut messages = Messages { name: name.clone(), source };
    let malformed = |what: &str| name.malformed(Format::Arrow, what);
    let first = messages.next()?.ok_or_else(|| malformed("it ends in its header"))?;
    let message = message_of(&first.bytes).and_then(|bytes| root_as_message(bytes).ok());
    let message = message.ok_or_else(|| malformed("its first message cannot be read"))?;
    let schema = message.header_as_schema();
    let schema = schema.ok_or_else(|| malformed("its first message is no schema"))?;
    if !schema.endianness().equals_to_target_endianness() {
        return Err(name.unsuitable("its numbers are in another byte order than this machine's"));
    }
    let schema = Arc::new(try_fb_to_schema(schema).map_err(|error| bad(name, &error))?);
    let (mut plan, columns) =
        Plan::new(&schema, &names(&schema), request).map_err(|what| name.unsuitable(what))?;
    plan.project(&columns);
    let decoder = FileDecoder::new(schema, message.version()).with_projection(columns);
    Ok((Stream { messages, decoder }, plan))
}

impl Messages {
    /// The next message; `None` at the end.
    fn next(&mut self) -> Result<Option<Message>, Error> {
        let mut bytes = Vec::new();
        let got = self.read(&mut bytes, 4)?;
        if got == 0 || bytes == [0; 4] {
            return Ok(None);
        }
        if bytes == [0xff; 4] {
            self.read(&mut bytes, 4)?;
        }
        let malformed = |what: &str| self.name.malformed(Format::Arrow, what);
        let truncated = || malformed("it ends within a message: it is truncated");
        let length = bytes.last_chunk().filter(|_| bytes.len() % 4 == 0).ok_or_else(truncated)?;
        let length = usize::try_from(i32::from_le_bytes(*length));
        let length = length.map_err(|_| malformed("a message of it has a length below 0"))?;
        if length == 0 {
            return Ok(None);
        }
        let metadata = bytes.len() + length;
        if self.read(&mut bytes, length)? < length {
            return Err(self
                .name
                .malformed(Format::Arrow, "it ends within a message: it is truncated"));
        }
        let malformed = |what: &str| self.name.malformed(Format::Arrow, what);
        let message = message_of(&bytes).and_then(|bytes| root_as_message(bytes).ok());
        let message = message.ok_or_else(|| malformed("a message of it cannot be read"))?;
        let (kind, body) = (message.header_type(), message.bodyLength());
        let length = usize::try_from(body);
        let length = length.map_err(|_| malformed("a message of it has a length below 0"))?;
        if self.read(&mut bytes, length)? < length {
            return Err(self
                .name
                .malformed(Format::Arrow, "it ends within a batch: it is truncated"));
        }
        // the length was an i32's
        let place = Place::new(0, metadata as i32, body);
        Ok(Some(Message { place, bytes: Buffer::from_vec(bytes), kind }))
    }

    /// Appends up to `length` bytes; fewer only where the stream ends.
    fn read(&mut self, bytes: &mut Vec<u8>, length: usize) -> Result<usize, Error> {
        let mut got = 0;
        while got < length {
            let from = bytes.len();
            let memory = |_| self.name.read(io::ErrorKind::OutOfMemory.into());
            grow(bytes, (length - got).min(PIECE)).map_err(memory)?;
            let count = self.source.read(&mut bytes[from..]);
            bytes.truncate(from + *count.as_ref().unwrap_or(&0));
            match count {
                Ok(0) => break,
                Ok(count) => got += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.name.read(error)),
            }
        }
        Ok(got)
    }
}

impl Batches for Stream {
    fn next(&mut self, _: usize) -> Result<Option<RecordBatch>, Error> {
        let name = self.messages.name.clone();
        while let Some(message) = self.messages.next()? {
            check_sizes(&message.bytes, message.place.metaDataLength())
                .map_err(|what| name.malformed(Format::Arrow, what))?;
            match message.kind {
                MessageHeader::DictionaryBatch => {
                    let read = self.decoder.read_dictionary(&message.place, &message.bytes);
                    read.map_err(|error| bad(&name, &error))?;
                }
                _ => {
                    let batch = self.decoder.read_record_batch(&message.place, &message.bytes);
                    if let Some(batch) = batch.map_err(|error| bad(&name, &error))? {
                        return Ok(Some(batch));
                    }
                }
            }
        }
        Ok(None)
    }

    fn rows(&self) -> Option<u64> {
        None
    }
}
