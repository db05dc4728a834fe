//! Tables of layers in Arrow IPC files and streams.

mod messages;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, StreamReader, read_footer_length};
use arrow_ipc::writer::FileWriter;
use arrow_ipc::{Block, root_as_footer};
use arrow_schema::{DataType, Schema, SchemaRef};

use crate::beside::Beside;
use crate::error::{About, decoded, written};
use crate::mapped::Mapped;
use crate::sink::Sink;
use crate::source::Item;
use crate::{Watch, WeightsError};
use messages::{check_endianness, check_stream, checked};

/// What an IPC file begins and ends with; a stream does not.
const MAGIC: &[u8] = b"ARROW1";
/// The footer's length and the magic at the end.
const TRAILER_BYTES: usize = 10;

/// Reads a file batch by batch.
pub(crate) struct IpcSource {
    path: PathBuf,
    reader: Reader,
    pub bytes: u64,
}

enum Reader {
    /// Over the mapped file.
    File {
        file: Mapped,
        decoder: FileDecoder,
        blocks: std::vec::IntoIter<Block>,
    },
    Stream(StreamReader<BufReader<File>>),
}

impl IpcSource {
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let file = Mapped::open(path)?;
        let bytes = file.len() as u64;
        let reader = if file.bytes().starts_with(MAGIC) {
            decoded(path, || open_file(file))?
        } else {
            decoded(path, || check_stream(file.bytes()))?;
            let file = File::open(path).about(path)?;
            let reader = decoded(path, || {
                StreamReader::try_new(BufReader::new(file), None).map_err(|error| error.to_string())
            })?;
            Reader::Stream(reader)
        };
        Ok(Self {
            path: path.to_owned(),
            reader,
            bytes,
        })
    }
}

fn open_file(file: Mapped) -> Result<Reader, String> {
    let truncated = || "the file is truncated: expected a footer at its end".to_owned();
    let trailer_at = file
        .len()
        .checked_sub(TRAILER_BYTES)
        .ok_or_else(truncated)?;
    let trailer = file.bytes()[trailer_at..]
        .try_into()
        .map_err(|_| truncated())?;
    let length = read_footer_length(trailer).map_err(|_| truncated())?;
    let start = trailer_at
        .checked_sub(length)
        .ok_or_else(|| format!("footer: expected at most {trailer_at} bytes but found {length}"))?;
    // A copy, since what is verified must not change meanwhile.
    let bytes = file.bytes()[start..trailer_at].to_vec();
    let footer = root_as_footer(&bytes).map_err(|error| format!("footer: {error}"))?;
    let schema = footer
        .schema()
        .ok_or("footer: expected a schema but found none")?;
    check_endianness(&schema)?;
    let schema = try_fb_to_schema(schema).map_err(|error| error.to_string())?;
    let mut decoder = FileDecoder::new(Arc::new(schema), footer.version());
    for block in footer.dictionaries().iter().flatten() {
        decoder
            .read_dictionary(block, &checked(bytes_of(&file, block)?)?)
            .map_err(|error| error.to_string())?;
    }
    let blocks: Vec<Block> = footer.recordBatches().iter().flatten().copied().collect();
    Ok(Reader::File {
        file,
        decoder,
        blocks: blocks.into_iter(),
    })
}

fn bytes_of(file: &Mapped, block: &Block) -> Result<Buffer, String> {
    let (offset, metadata, body) = (block.offset(), block.metaDataLength(), block.bodyLength());
    let length = i64::from(metadata).checked_add(body);
    let found = (metadata >= 8 && body >= 0).then_some(()).and_then(|()| {
        file.slice(
            usize::try_from(offset).ok()?,
            usize::try_from(length?).ok()?,
        )
    });
    found.ok_or_else(|| {
        format!(
            "footer: expected blocks within the file but found one of {metadata} and {body} bytes at {offset}"
        )
    })
}

impl Iterator for IpcSource {
    type Item = Result<Item, WeightsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { path, reader, .. } = self;
        let batch = decoded(path, || match reader {
            Reader::File {
                file,
                decoder,
                blocks,
            } => match blocks.next() {
                None => Ok(None),
                Some(block) => decoder
                    .read_record_batch(&block, &checked(bytes_of(file, &block)?)?)
                    .map_err(|error| error.to_string()),
            },
            Reader::Stream(stream) => stream.next().transpose().map_err(|error| error.to_string()),
        });
        batch.transpose().map(|batch| {
            batch.map(|batch| {
                let element = element_name(batch.schema_ref());
                Item::Table(batch, element)
            })
        })
    }
}

/// The type of the weights of a table, in the words of safetensors.
pub(crate) fn element_name(schema: &Schema) -> String {
    fn leaf(data_type: &DataType) -> String {
        match data_type {
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                leaf(item.data_type())
            }
            DataType::Struct(fields) => fields
                .first()
                .map_or_else(String::new, |field| leaf(field.data_type())),
            DataType::Float32 => "F32".to_owned(),
            DataType::Float16 => "F16".to_owned(),
            // Of 16-bit integers there are only those that stand for this.
            DataType::UInt16 => "BF16".to_owned(),
            other => other.to_string(),
        }
    }
    schema
        .field_with_name("weights")
        .map_or_else(|_| String::new(), |field| leaf(field.data_type()))
}

/// Writes a file, batch by batch.
pub(crate) struct IpcSink {
    path: PathBuf,
    beside: Beside,
    writer: FileWriter<BufWriter<File>>,
}

impl IpcSink {
    pub fn create(path: &Path, schema: SchemaRef) -> Result<Self, WeightsError> {
        let (beside, file) = Beside::create(path)?;
        let writer = written(path, FileWriter::try_new_buffered(file, &schema))?;
        Ok(Self {
            path: path.to_owned(),
            beside,
            writer,
        })
    }
}

impl Sink for IpcSink {
    fn layers(&mut self, batch: &RecordBatch) -> Result<(), WeightsError> {
        written(&self.path, self.writer.write(batch))
    }

    fn finish(self: Box<Self>, watch: &Watch) -> Result<u64, WeightsError> {
        let buffered = written(&self.path, self.writer.into_inner())?;
        let file = buffered
            .into_inner()
            .map_err(|error| error.into_error())
            .about(&self.path)?;
        let bytes = file.metadata().about(&self.path)?.len();
        self.beside.commit(&file, watch)?;
        Ok(bytes)
    }
}
