//! Messages of Arrow IPC, and what is checked of them before Arrow's crates see them.

use arrow_ipc::{CompressionType, RecordBatch, root_as_message};

/// The most that a format of compression makes of a byte: zstd makes a block of 128 KiB from a few.
const MOST_OF_A_BYTE: u64 = 1 << 16;

/// A message without the length before it, with or without the mark of newer writers.
pub(crate) fn message_of(bytes: &[u8]) -> Option<&[u8]> {
    match bytes.get(..4)? {
        [0xff, 0xff, 0xff, 0xff] => bytes.get(8..),
        _ => bytes.get(4..),
    }
}

/// Checks that compressed buffers do not claim to be larger than they can be, and that their memory is to be had:
/// Arrow's crates ask for it in a way that ends the process. `metadata` bytes are before the message's body.
pub(crate) fn check_sizes(bytes: &[u8], metadata: i32) -> Result<(), String> {
    let message = message_of(bytes).and_then(|bytes| root_as_message(bytes).ok());
    let message = message.ok_or("a message of it cannot be read")?;
    let body = usize::try_from(metadata).ok().and_then(|metadata| bytes.get(metadata..));
    let body = body.ok_or("a message of it is longer than its batch")?;
    let in_dictionary = message.header_as_dictionary_batch().and_then(|batch| batch.data());
    match message.header_as_record_batch().or(in_dictionary) {
        Some(batch) => check(&batch, body),
        None => Ok(()),
    }
}

fn check(batch: &RecordBatch<'_>, body: &[u8]) -> Result<(), String> {
    let compression = batch.compression();
    let known = [CompressionType::LZ4_FRAME, CompressionType::ZSTD];
    if compression.is_some_and(|compression| !known.contains(&compression.codec())) {
        return Err("its compression is unknown".to_owned());
    }
    let mut all = 0_u64;
    for buffer in batch.buffers().iter().flatten() {
        let part = usize::try_from(buffer.offset()).ok().and_then(|from| {
            body.get(from..from.checked_add(usize::try_from(buffer.length()).ok()?)?)
        });
        let part = part.ok_or("a buffer of it lies outside of its batch")?;
        let Some((length, packed)) = part.split_first_chunk().filter(|_| compression.is_some())
        else {
            continue;
        };
        // -1: not compressed
        let length = u64::try_from(i64::from_le_bytes(*length)).unwrap_or(0);
        if length > (packed.len() as u64).saturating_mul(MOST_OF_A_BYTE) {
            return Err(format!("{} compressed bytes of it claim to be {length}", packed.len()));
        }
        all = all.saturating_add(length);
    }
    let all = usize::try_from(all).map_err(|_| "a batch of it does not fit into memory")?;
    Vec::<u8>::new()
        .try_reserve_exact(all)
        .map_err(|_| "a batch of it does not fit into memory".to_owned())
}
