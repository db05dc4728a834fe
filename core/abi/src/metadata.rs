//! The binary metadata of a schema struct.

use std::ffi::c_char;

use crate::invalid::Problem;
use crate::raw::ArrowSchema;

/// The entries of a schema's metadata, each a key and a value in UTF-8. An iterator that ends after its first error.
///
/// The bytes are, by the specification: the number of pairs as a native-endian `i32`, then for each pair the key's
/// length (`i32`), the key, the value's length (`i32`), the value.
pub(crate) fn metadata(schema: &ArrowSchema) -> Metadata<'_> {
    Metadata {
        next: schema.metadata,
        left: None,
        _schema: schema,
    }
}

pub(crate) struct Metadata<'a> {
    next: *const c_char,
    /// How many pairs are left; `None` before the count has been read.
    left: Option<i32>,
    _schema: &'a ArrowSchema,
}

impl<'a> Metadata<'a> {
    fn count(&mut self, what: &'static str) -> Result<i32, Problem> {
        // SAFETY: the producer wrote a whole count here; nothing says that it is aligned.
        let count = unsafe { self.next.cast::<i32>().read_unaligned() };
        if count < 0 {
            return Err(Problem::Metadata(what));
        }
        // SAFETY: the count's own four bytes.
        self.next = unsafe { self.next.add(4) };
        Ok(count)
    }

    fn string(
        &mut self,
        negative: &'static str,
        not_utf8: &'static str,
    ) -> Result<&'a str, Problem> {
        let length = self.count(negative)? as usize;
        // SAFETY: the producer wrote as many bytes as the count before them says.
        let bytes = unsafe { std::slice::from_raw_parts(self.next.cast::<u8>(), length) };
        // SAFETY: those same bytes.
        self.next = unsafe { self.next.add(length) };
        std::str::from_utf8(bytes).map_err(|_| Problem::Metadata(not_utf8))
    }

    fn pair(&mut self) -> Result<Option<(&'a str, &'a str)>, Problem> {
        if self.next.is_null() {
            return Ok(None);
        }
        let left = match self.left {
            Some(left) => left,
            None => self.count("the number of pairs is negative")?,
        };
        if left == 0 {
            return Ok(None);
        }
        let key = self.string("the length of a key is negative", "a key is not UTF-8")?;
        let value = self.string("the length of a value is negative", "a value is not UTF-8")?;
        self.left = Some(left - 1);
        Ok(Some((key, value)))
    }
}

impl<'a> Iterator for Metadata<'a> {
    type Item = Result<(&'a str, &'a str), Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let pair = self.pair();
        if !matches!(pair, Ok(Some(_))) {
            self.next = std::ptr::null();
        }
        pair.transpose()
    }
}

/// The bytes of these entries, as [`metadata`] reads them.
pub(crate) fn metadata_bytes(entries: &[(String, String)]) -> Result<Vec<u8>, Problem> {
    let count = |length: usize| {
        i32::try_from(length)
            .map(i32::to_ne_bytes)
            .map_err(|_| Problem::Metadata("more than 2^31 - 1 pairs or bytes"))
    };
    let mut bytes = count(entries.len())?.to_vec();
    for text in entries.iter().flat_map(|(key, value)| [key, value]) {
        bytes.extend(count(text.len())?);
        bytes.extend(text.as_bytes());
    }
    Ok(bytes)
}
