//! Streams in: a foreign stream is read on a job's thread.

use std::ops::ControlFlow;
use std::sync::Arc;

use bowstring_abi::build::BuildSchema;
use bowstring_abi::{
    ArrowSchema, Failure, OwnedStream, OwnedTable, SchemaTree, Status, StreamError,
};

use crate::context::Context;
use crate::handle::Handle;
use crate::import::{ImportOptions, Prepared};
use crate::job::Outlet;
use crate::queue::Bound;

impl Context {
    /// Starts a job that reads `stream`: first a table without rows, of its schema, then one table per batch.
    pub fn import_stream(
        &self,
        stream: OwnedStream,
        options: ImportOptions,
    ) -> Result<Handle, Failure> {
        if stream.is_released() {
            return Err(Failure::invalid_argument("the stream has been released"));
        }
        self.start_bounded("bow-stream", Arc::new(()), Bound::STREAM, move |outlet| {
            pull(stream, options, outlet)
        })
    }
}

/// Reads a stream to its end, or until nobody wants the rest.
pub(crate) fn pull(
    mut stream: OwnedStream,
    options: ImportOptions,
    outlet: &Outlet,
) -> Result<(), Failure> {
    outlet.pull(&mut stream, options, |_, error| failed(error))
}

impl Outlet {
    /// Queues what a stream gives, to its end or until nobody wants the rest: first a table without rows, of its schema,
    /// then one table per batch. `failed` says what an error of the stream is.
    pub fn pull(
        &self,
        stream: &mut OwnedStream,
        options: ImportOptions,
        failed: impl Fn(&mut OwnedStream, StreamError) -> Failure,
    ) -> Result<(), Failure> {
        let schema = match stream.schema() {
            Ok(schema) => schema,
            Err(error) => return Err(failed(stream, error)),
        };
        let schema = BuildSchema::new(SchemaTree::read_schema(schema.schema())?)?;
        let mut next = Some(schema.empty()?);
        while let Some(table) = next {
            let prepared = Prepared::new(vec![table], options)?;
            if let ControlFlow::Break(()) = self.send_prepared(prepared) {
                break;
            }
            let array = match stream.next_array() {
                Ok(array) => array,
                Err(error) => return Err(failed(stream, error)),
            };
            next = array.map(|array| {
                // SAFETY: the schema was made here and the array was given to this side; both are given up.
                unsafe { OwnedTable::from_raw(schema.export(), array) }
            });
        }
        Ok(())
    }

    /// Queues a table without rows, of a schema.
    pub fn send_schema(&self, schema: &ArrowSchema, options: ImportOptions) -> Result<(), Failure> {
        let table = BuildSchema::new(SchemaTree::read_schema(schema)?)?.empty()?;
        // Nobody may want it any more.
        let _ = self.send_prepared(Prepared::new(vec![table], options)?);
        Ok(())
    }
}

fn failed(error: StreamError) -> Failure {
    Failure::new(Status::Io, error.to_string())
}
