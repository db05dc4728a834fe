//! What a call answers.

/// What a function answers. Anything from 16 up is an error and is described in the caller's `bow_error`.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Done; every out parameter is written.
    Ok = 0,
    /// Nothing to hand out yet; ask again after the context's next event.
    Pending = 1,
    /// Nothing will come any more.
    Done = 2,
    /// An argument is null, misaligned, out of range or not what the function's options allow.
    InvalidArgument = 16,
    /// The handle was never given out, or what it named has been closed.
    StaleHandle = 17,
    /// The lease has been released.
    LeaseReleased = 18,
    /// Memory, a thread or a handle could not be had.
    OutOfMemory = 19,
    /// One batch was asked for and it would exceed its bound; the message names the streaming form.
    BatchTooLarge = 20,
    /// The job was cancelled, or its context or store was closed.
    Cancelled = 21,
    /// A file could not be opened, read or written.
    Io = 22,
    /// An Arrow struct breaks the specification; the message names the column and what was expected.
    InvalidArrow = 23,
    /// The operation or the Arrow type is valid but not supported.
    Unsupported = 24,
    /// The store failed; the message says how.
    Store = 25,
    /// Something else is using what the call needs; try again later.
    Busy = 26,
    /// The caller's buffer is too small; the needed length has been written to the length's out parameter.
    BufferTooSmall = 27,
    /// A defect in this library: a panic was caught at the boundary. Nothing was unwound into the caller.
    Panic = 28,
    /// A database's driver failed. The message begins with a line of the ADBC status' name, the database's own code (0 when
    /// it gave none) and the SQLSTATE (- when it gave none), with one space between; the driver's message follows.
    Adbc = 29,
    /// A layer cannot be quantized. The message begins with a line of JSON, {"row": number, "layer": string, "index": number
    /// or null}: the row in the input, the layer's name (its first 256 characters), and which of its values is meant; a sentence
    /// follows.
    Layer = 30,
}

impl Status {
    /// The status with this number.
    pub fn from_number(number: i32) -> Option<Self> {
        const ALL: [Status; 18] = [
            Status::Ok,
            Status::Pending,
            Status::Done,
            Status::InvalidArgument,
            Status::StaleHandle,
            Status::LeaseReleased,
            Status::OutOfMemory,
            Status::BatchTooLarge,
            Status::Cancelled,
            Status::Io,
            Status::InvalidArrow,
            Status::Unsupported,
            Status::Store,
            Status::Busy,
            Status::BufferTooSmall,
            Status::Panic,
            Status::Adbc,
            Status::Layer,
        ];
        ALL.into_iter().find(|status| *status as i32 == number)
    }
}
