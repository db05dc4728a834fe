//! Streams as record batches of arrow-rs, and back.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::build::BuildSchema;
use crate::raw::{ArrowSchema, BowTable};
use crate::schema::SchemaTree;
use crate::{
    Failure, OwnedStream, OwnedTable, Status, StreamError, StreamSource, export_batch, import_table,
};

/// The record batches of a stream, each checked in full as [`import_table`] does. The first error ends it.
#[derive(Debug)]
pub struct Batches {
    stream: OwnedStream,
    struct_schema: BuildSchema,
    schema: SchemaRef,
    ended: bool,
    bytes_copied: usize,
}

impl Batches {
    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many bytes have been copied so far; see [`Imported`](crate::Imported).
    pub fn bytes_copied(&self) -> usize {
        self.bytes_copied
    }

    fn pull(&mut self) -> Result<Option<RecordBatch>, Failure> {
        let Some(array) = self.stream.next_array().map_err(failed)? else {
            return Ok(None);
        };
        // SAFETY: the array was given to this side and the schema was made here; both are given up.
        let table = unsafe { OwnedTable::from_raw(self.struct_schema.export(), array) };
        let imported = import_table(table)?;
        self.bytes_copied += imported.bytes_copied;
        Ok(Some(imported.batch))
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.pull().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

fn failed(error: StreamError) -> Failure {
    Failure::new(Status::Io, error.to_string())
}

impl OwnedStream {
    /// Reads a stream as record batches. Asks it for its schema at once.
    pub fn into_batches(mut self) -> Result<Batches, Failure> {
        let schema = self.schema().map_err(failed)?;
        let struct_schema = BuildSchema::new(SchemaTree::read_schema(schema.schema())?)?;
        let empty = import_table(struct_schema.empty()?)?.batch;
        Ok(Batches {
            stream: self,
            struct_schema,
            schema: empty.schema(),
            ended: false,
            bytes_copied: 0,
        })
    }

    /// A stream of record batches that all have `schema`; pulled on whatever thread the consumer uses.
    pub fn from_batches<I>(schema: SchemaRef, batches: I) -> Self
    where
        I: IntoIterator<Item = Result<RecordBatch, Failure>>,
        I::IntoIter: Send + 'static,
    {
        let batches = Some(batches.into_iter());
        Self::new(Iterated { schema, batches })
    }
}

struct Iterated<I> {
    schema: SchemaRef,
    /// `None` after the end or an error.
    batches: Option<I>,
}

impl<I: Iterator<Item = Result<RecordBatch, Failure>> + Send> StreamSource for Iterated<I> {
    fn schema(&mut self) -> Result<ArrowSchema, StreamError> {
        let empty = RecordBatch::new_empty(self.schema.clone());
        let table = export_batch(&empty).map_err(Failure::from)?;
        let BowTable { schema, array } = table.into_raw();
        // SAFETY: the array is this side's to release; the schema is given away.
        drop(unsafe { OwnedTable::from_raw(ArrowSchema::released(), array) });
        Ok(schema)
    }

    fn next(&mut self) -> Result<Option<OwnedTable>, StreamError> {
        // Taken while it runs: an iterator that has panicked is not asked again.
        let Some(mut batches) = self.batches.take() else {
            return Ok(None);
        };
        let Some(batch) = batches.next().transpose()? else {
            return Ok(None);
        };
        if batch.schema_ref().fields() != self.schema.fields() {
            let message = format!(
                "expected a batch with the fields of the stream, {:?}, but found {:?}",
                self.schema.fields(),
                batch.schema_ref().fields()
            );
            return Err(Failure::new(Status::InvalidArrow, message).into());
        }
        self.batches = Some(batches);
        Ok(Some(export_batch(&batch).map_err(Failure::from)?))
    }
}
