//! Tables of layers in Parquet files.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::beside::Beside;
use crate::error::{About, decoded, written};
use crate::ipc::element_name;
use crate::mapped::open;
use crate::sink::Sink;
use crate::source::Item;
use crate::{Watch, WeightsError};

/// What one batch of a file may have, decoded, unless it is one row.
const BATCH_BYTES: usize = 32 << 20;

/// Reads a file a few rows at a time.
pub(crate) struct ParquetSource {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    pub bytes: u64,
    pub layers: u64,
    pub values: u64,
}

impl ParquetSource {
    /// Opens a file of which the columns `needed` are read.
    pub fn open(path: &Path, needed: &[&str]) -> Result<Self, WeightsError> {
        let file = open(path)?;
        let bytes = file.metadata().about(path)?.len();
        decoded(path, || {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file)
                .map_err(|error| error.to_string())?;
            let metadata = builder.metadata().clone();
            let layers = metadata.file_metadata().num_rows().max(0) as u64;
            let values = weights(&metadata);
            let rows = (BATCH_BYTES as u64 * layers)
                .checked_div(decoded_bytes(&metadata, values))
                .unwrap_or(1)
                .clamp(1, 1024);
            let roots: Vec<usize> = builder
                .schema()
                .fields()
                .iter()
                .enumerate()
                .filter(|(_, field)| needed.contains(&field.name().as_str()))
                .map(|(at, _)| at)
                .collect();
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            let reader = builder
                .with_projection(mask)
                .with_batch_size(rows as usize)
                .build()
                .map_err(|error| error.to_string())?;
            Ok(Self {
                path: path.to_owned(),
                reader,
                bytes,
                layers,
                values,
            })
        })
    }
}

/// What the file takes in memory: what its pages do, or the weights alone, since a dictionary makes pages of few different
/// values as small as one likes.
fn decoded_bytes(metadata: &ParquetMetaData, weights: u64) -> u64 {
    let bytes = metadata
        .row_groups()
        .iter()
        .map(|group| group.total_byte_size());
    let pages = bytes.sum::<i64>().max(0) as u64;
    pages.max(weights.saturating_mul(size_of::<f32>() as u64))
}

/// How many weights there are, as far as the file says: the values of the column's only leaf.
fn weights(metadata: &ParquetMetaData) -> u64 {
    let columns = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns());
    let weights = columns.filter(|column| {
        let parts = column.column_path().parts();
        parts.first().is_some_and(|root| root == "weights") && !parts.contains(&"shape".to_owned())
    });
    weights
        .map(|column| column.num_values())
        .sum::<i64>()
        .max(0) as u64
}

impl Iterator for ParquetSource {
    type Item = Result<Item, WeightsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { path, reader, .. } = self;
        decoded(path, || {
            reader.next().transpose().map_err(|error| error.to_string())
        })
        .transpose()
        .map(|batch| {
            batch.map(|batch| {
                let element = element_name(batch.schema_ref());
                Item::Table(batch, element)
            })
        })
    }
}

/// Writes a file, one row group for each batch, so that no more than one is in memory.
pub(crate) struct ParquetSink {
    path: PathBuf,
    beside: Beside,
    writer: ArrowWriter<File>,
}

impl ParquetSink {
    pub fn create(path: &Path, schema: SchemaRef) -> Result<Self, WeightsError> {
        let (beside, file) = Beside::create(path)?;
        // For readers that know nothing of Arrow, the metadata is the file's own, too.
        let metadata = schema
            .metadata()
            .iter()
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_key_value_metadata(Some(metadata.collect()))
            .build();
        let writer = written(path, ArrowWriter::try_new(file, schema, Some(properties)))?;
        Ok(Self {
            path: path.to_owned(),
            beside,
            writer,
        })
    }
}

impl Sink for ParquetSink {
    fn layers(&mut self, batch: &RecordBatch) -> Result<(), WeightsError> {
        let result = self.writer.write(batch).and_then(|()| self.writer.flush());
        written(&self.path, result)
    }

    fn finish(self: Box<Self>, watch: &Watch) -> Result<u64, WeightsError> {
        let file = written(&self.path, self.writer.into_inner())?;
        let bytes = file.metadata().about(&self.path)?.len();
        self.beside.commit(&file, watch)?;
        Ok(bytes)
    }
}
