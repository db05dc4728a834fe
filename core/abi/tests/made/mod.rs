//! Schemas and arrays that need not fit each other, built by hand.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::ffi::c_void;
use std::sync::Arc;

use bowstring_abi::{ArrayParts, OwnedTable, SchemaTree};

/// A schema and an array that need not fit each other.
pub struct Made {
    pub schema: SchemaTree,
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    /// `None` is a null pointer.
    pub buffers: Vec<Option<Vec<u8>>>,
    pub children: Vec<Made>,
    pub dictionary: Option<Box<Made>>,
}

pub fn made(format: &str, length: i64) -> Made {
    Made {
        schema: SchemaTree {
            format: format.to_owned(),
            name: "x".to_owned(),
            metadata: None,
            flags: 2,
            children: Vec::new(),
            dictionary: None,
        },
        length,
        null_count: 0,
        offset: 0,
        buffers: Vec::new(),
        children: Vec::new(),
        dictionary: None,
    }
}

impl Made {
    pub fn buffer<T: Copy>(mut self, values: &[T]) -> Self {
        // SAFETY: plain numbers, read as their bytes.
        let bytes = unsafe {
            std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values))
        };
        self.buffers.push(Some(bytes.to_vec()));
        self
    }

    pub fn null(mut self) -> Self {
        self.buffers.push(None);
        self
    }

    pub fn child(mut self, child: Made) -> Self {
        self.schema.children.push(child.schema.clone());
        self.children.push(child);
        self
    }

    pub fn dictionary(mut self, values: Made) -> Self {
        self.schema.dictionary = Some(Box::new(values.schema.clone()));
        self.dictionary = Some(Box::new(values));
        self
    }

    pub fn offset(mut self, offset: i64) -> Self {
        self.offset = offset;
        self
    }

    pub fn named(mut self, name: &str) -> Self {
        self.schema.name = name.to_owned();
        self
    }

    pub fn array(self) -> bowstring_abi::ArrowArray {
        let buffers = Arc::new(self.buffers);
        let address = |buffer: &Option<Vec<u8>>| match buffer {
            Some(bytes) => bytes.as_ptr().cast::<c_void>(),
            None => std::ptr::null(),
        };
        ArrayParts {
            length: self.length,
            null_count: self.null_count,
            offset: self.offset,
            buffers: buffers.iter().map(address).collect(),
            children: self.children.into_iter().map(Made::array).collect(),
            dictionary: self.dictionary.map(|values| values.array()),
            owner: buffers,
        }
        .into_raw()
    }

    pub fn table(self) -> OwnedTable {
        let schema = self.schema.to_raw().unwrap();
        // SAFETY: the structs were made here and are given up.
        unsafe { OwnedTable::from_raw(schema, self.array()) }
    }
}

pub fn numbers(count: i64) -> Made {
    let values: Vec<i32> = (0..count as i32).collect();
    made("i", count).null().buffer(&values)
}

pub fn ends(values: &[i32]) -> Made {
    made("i", values.len() as i64)
        .null()
        .buffer(values)
        .named("run_ends")
}

pub fn runs(length: i64, run_ends: Made, values: Made) -> Made {
    made("+r", length)
        .child(run_ends)
        .child(values.named("values"))
}

/// A view of these words.
pub fn view(length: i32, prefix: &[u8; 4], buffer: i32, offset: i32) -> [u8; 16] {
    let mut view = [0; 16];
    view[..4].copy_from_slice(&length.to_ne_bytes());
    view[4..8].copy_from_slice(prefix);
    view[8..12].copy_from_slice(&buffer.to_ne_bytes());
    view[12..].copy_from_slice(&offset.to_ne_bytes());
    view
}

pub const LONG: &[u8; 20] = b"twenty bytes of text";

pub fn views(format: &str, view: [u8; 16]) -> Made {
    made(format, 1)
        .null()
        .buffer(&view)
        .buffer(LONG)
        .buffer(&[20i64])
}

pub fn map(keys: Made) -> Made {
    let entries = made("+s", 2)
        .null()
        .child(keys.named("key"))
        .child(numbers(2).named("value"));
    made("+m", 1)
        .null()
        .buffer(&[0i32, 2])
        .child(entries.named("entries"))
}

pub fn union(format: &str) -> Made {
    made(format, 2)
        .child(numbers(2).named("a"))
        .child(numbers(2).named("b"))
}
