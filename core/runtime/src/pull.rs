//! Streams in: a foreign stream is read on a job's thread.

use std::ops::ControlFlow;
use std::sync::Arc;

use bowstring_abi::build::BuildSchema;
use bowstring_abi::{Failure, OwnedStream, OwnedTable, SchemaTree, Status, StreamError};

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
    let schema = stream.schema().map_err(failed)?;
    let schema = BuildSchema::new(SchemaTree::read_schema(schema.schema())?)?;
    let mut next = Some(schema.empty()?);
    while let Some(table) = next {
        if let ControlFlow::Break(()) = outlet.send_prepared(Prepared::new(vec![table], options)?) {
            break;
        }
        next = stream.next_array().map_err(failed)?.map(|array| {
            // SAFETY: the schema was made here and the array was given to this side; both are given up.
            unsafe { OwnedTable::from_raw(schema.export(), array) }
        });
    }
    Ok(())
}

fn failed(error: StreamError) -> Failure {
    Failure::new(Status::Io, error.to_string())
}
