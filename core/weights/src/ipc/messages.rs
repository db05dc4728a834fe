//! What messages say that their decoder would believe, and must not.

use arrow_buffer::Buffer;
use arrow_ipc::{CompressionType, Endianness, Message, Schema, root_as_message};

/// A byte of LZ4 stands for this many at the most.
const LZ4_RATIO: usize = 255;

/// A message of a file, if it says nothing that its decoder must not believe.
pub(super) fn checked(message: Buffer) -> Result<Buffer, String> {
    if let Some((message, body)) = read_message(&message) {
        check_lengths(&message, body)?;
    }
    Ok(message)
}

/// As [`checked`], of all messages of a stream.
pub(super) fn check_stream(mut bytes: &[u8]) -> Result<(), String> {
    while let Some((message, rest)) = read_message(bytes) {
        if let Some(schema) = message.header_as_schema() {
            check_endianness(&schema)?;
        }
        check_lengths(&message, rest)?;
        let body = usize::try_from(message.bodyLength()).unwrap_or(usize::MAX);
        bytes = rest.get(body..).unwrap_or_default();
    }
    Ok(())
}

/// The message that the bytes begin with, and what follows it; `None` at the end, and where there is none, which the decoder
/// will say.
fn read_message(bytes: &[u8]) -> Option<(Message<'_>, &[u8])> {
    let bytes = bytes.strip_prefix(&[0xff; 4]).unwrap_or(bytes);
    let (length, rest) = bytes.split_first_chunk()?;
    let (message, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((root_as_message(message).ok()?, rest))
}

pub(super) fn check_endianness(schema: &Schema) -> Result<(), String> {
    match schema.endianness() {
        Endianness::Little => Ok(()),
        other => Err(format!(
            "schema: expected little-endian values but found {other:?}"
        )),
    }
}

/// Refuses buffers that say they are longer, once they are no longer compressed, than they can be: room is made for what they
/// say, and what is more than there is ends the process.
fn check_lengths(message: &Message, body: &[u8]) -> Result<(), String> {
    let batch = message.header_as_record_batch();
    let batch = batch.or_else(|| message.header_as_dictionary_batch()?.data());
    let is_lz4 = |batch: &arrow_ipc::RecordBatch| {
        let compression = batch.compression();
        compression.is_some_and(|it| it.codec() == CompressionType::LZ4_FRAME)
    };
    let Some(batch) = batch.filter(is_lz4) else {
        return Ok(());
    };
    for buffer in batch.buffers().iter().flatten() {
        let place = usize::try_from(buffer.offset())
            .ok()
            .zip(usize::try_from(buffer.length()).ok());
        let bytes = place.and_then(|(start, len)| body.get(start..start.checked_add(len)?));
        let Some((length, compressed)) = bytes.and_then(|bytes| bytes.split_first_chunk()) else {
            continue; // Nothing, or beyond the body, which the decoder will say.
        };
        let (found, most) = (i64::from_le_bytes(*length), compressed.len() * LZ4_RATIO);
        if found > most as i64 {
            return Err(format!(
                "expected at most {most} bytes from {} compressed ones but found a length of {found}",
                compressed.len()
            ));
        }
    }
    Ok(())
}
