//! Files mapped into memory.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_buffer::Buffer;
use memmap2::Mmap;

use crate::WeightsError;
use crate::error::About;

/// Opens a file to read. Not a pipe, which would wait for its writer, nor what has no end.
pub(crate) fn open(path: &Path) -> Result<File, WeightsError> {
    let kind = std::fs::metadata(path).about(path)?.file_type();
    if !kind.is_file() {
        let found = if kind.is_dir() {
            "a directory"
        } else {
            "a pipe or a device"
        };
        return Err(format!("expected a file but found {found}")).about(path);
    }
    File::open(path).about(path)
}

/// A file whose bytes are read where they are. Clones share the mapping, which lasts as long as any buffer over it.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    pub path: PathBuf,
    buffer: Buffer,
}

impl Mapped {
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let file = open(path)?;
        let metadata = file.metadata().about(path)?;
        if metadata.len() == 0 {
            return Err("the file is empty".to_owned()).about(path);
        }
        // SAFETY: the crate's documentation asks that nobody changes the file meanwhile, which no reader of a mapping can
        // prevent.
        let map = Arc::new(unsafe { Mmap::map(&file) }.about(path)?);
        let start = NonNull::from(&map[..]).cast::<u8>();
        // SAFETY: the map has these bytes for as long as the buffer holds it.
        let buffer = unsafe { Buffer::from_custom_allocation(start, map.len(), map.clone()) };
        Ok(Self {
            path: path.to_owned(),
            buffer,
        })
    }

    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Some of the bytes; `None` where there are none.
    pub fn slice(&self, start: usize, len: usize) -> Option<Buffer> {
        let end = start.checked_add(len)?;
        (end <= self.len()).then(|| self.buffer.slice_with_length(start, len))
    }

    /// The same, at a multiple of `alignment`: copied, if they are not.
    pub fn aligned(&self, start: usize, len: usize, alignment: usize) -> Option<Buffer> {
        let buffer = self.slice(start, len)?;
        let is_aligned = buffer.as_ptr().addr().is_multiple_of(alignment);
        Some(if is_aligned {
            buffer
        } else {
            // An allocation of arrow's is aligned for every type.
            Buffer::from_slice_ref(buffer.as_slice())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_where_they_are_unless_they_are_not_aligned() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, [0, 1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        let file = Mapped::open(&path).unwrap();
        let place = file.bytes().as_ptr_range();
        for (start, alignment, is_copied) in [
            (0, 4, false),
            (4, 4, false),
            (5, 4, true),
            (6, 4, true),
            (6, 2, false),
            (5, 1, false),
        ] {
            let buffer = file.aligned(start, 2, alignment).unwrap();
            let what = format!("{start}, aligned to {alignment}");
            assert_eq!(&buffer[..], [start as u8, start as u8 + 1], "{what}");
            assert!(buffer.as_ptr().addr().is_multiple_of(alignment), "{what}");
            assert_eq!(!place.contains(&buffer.as_ptr()), is_copied, "{what}");
        }
        assert!(file.aligned(8, 2, 4).is_none(), "behind the end");
    }
}
