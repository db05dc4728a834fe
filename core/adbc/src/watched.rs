//! Streams into a driver that are watched: drivers have taken an error of what they read for its end.

use std::sync::{Arc, Mutex, PoisonError};

use bowstring_abi::{ArrowSchema, OwnedStream, OwnedTable, StreamError, StreamSource};

/// What became of a stream that a driver was given.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Option<StreamError>>>);

impl Watch {
    /// The stream, watched.
    pub fn over(&self, stream: OwnedStream) -> OwnedStream {
        let watch = self.clone();
        OwnedStream::new(Watched { stream, watch })
    }

    /// The first error that the stream gave.
    pub fn error(&self) -> Option<StreamError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, error: StreamError) -> StreamError {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| error.clone());
        error
    }
}

struct Watched {
    stream: OwnedStream,
    watch: Watch,
}

impl StreamSource for Watched {
    fn schema(&mut self) -> Result<ArrowSchema, StreamError> {
        let schema = self
            .stream
            .schema()
            .map_err(|error| self.watch.note(error))?;
        Ok(schema.into_raw().schema)
    }

    fn next(&mut self) -> Result<Option<OwnedTable>, StreamError> {
        let array = self
            .stream
            .next_array()
            .map_err(|error| self.watch.note(error))?;
        Ok(array.map(|array| {
            // SAFETY: the stream gave the array to this side.
            unsafe { OwnedTable::from_raw(ArrowSchema::released(), array) }
        }))
    }
}
