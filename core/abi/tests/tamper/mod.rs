//! Tables that were well formed, and are no more.

use std::ffi::c_char;

use bowstring_abi::{ArrowArray, ArrowSchema, BowTable, OwnedTable, export_batch};

use crate::common::{batch, index};

/// What a case changes in a table that was well formed.
pub struct Tamper<'a> {
    pub table: &'a mut BowTable,
    /// Keeps replaced lists and strings alive.
    pub keep: &'a mut Vec<Box<dyn std::any::Any>>,
}

impl Tamper<'_> {
    pub fn schema(&mut self, path: &[&str]) -> &mut ArrowSchema {
        let indices = self.indices(path);
        let mut schema: *mut ArrowSchema = &mut self.table.schema;
        for index in indices {
            // SAFETY: the table is well formed, and the path names one of its columns.
            schema = unsafe { *(*schema).children.add(index) };
        }
        // SAFETY: as above; nothing else refers to the struct now.
        unsafe { &mut *schema }
    }

    pub fn array(&mut self, path: &[&str]) -> &mut ArrowArray {
        let indices = self.indices(path);
        let mut array: *mut ArrowArray = &mut self.table.array;
        for index in indices {
            // SAFETY: the table is well formed, and the path names one of its columns.
            array = unsafe { *(*array).children.add(index) };
        }
        // SAFETY: as above; nothing else refers to the struct now.
        unsafe { &mut *array }
    }

    fn indices(&self, path: &[&str]) -> Vec<usize> {
        path.iter()
            .enumerate()
            .map(|(depth, name)| if depth == 0 { index(name) } else { 0 })
            .collect()
    }

    /// Gives the array at `path` a list of buffers of its own, with one of them replaced.
    pub fn buffer<T: 'static>(&mut self, path: &[&str], index: usize, content: Option<Vec<T>>) {
        let content = content.map(Box::new);
        let address = content
            .as_ref()
            .map_or(std::ptr::null(), |content| content.as_ptr().cast());
        let array = self.array(path);
        // SAFETY: the array has as many buffers as it says.
        let mut list =
            unsafe { std::slice::from_raw_parts(array.buffers, array.n_buffers as usize) }.to_vec();
        list[index] = address;
        array.buffers = list.as_mut_ptr();
        self.keep.push(Box::new((list, content)));
    }

    pub fn text(&mut self, text: &'static [u8]) -> *const c_char {
        assert_eq!(text.last(), Some(&0));
        text.as_ptr().cast()
    }

    pub fn metadata(&mut self, path: &[&str], words: &[i32], bytes: &[u8]) {
        let mut metadata: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        metadata.extend_from_slice(bytes);
        self.schema(path).metadata = metadata.as_ptr().cast();
        self.keep.push(Box::new(metadata));
    }
}

/// Runs `body` with a table that `tamper` has changed. The releases of its structs free nothing, since they would free what
/// the change left behind; afterwards the structs are made what they were, and freed.
pub fn with_tampered<T>(tamper: fn(&mut Tamper<'_>), body: impl FnOnce(BowTable) -> T) -> T {
    let mut table = export_batch(&batch()).unwrap().into_raw();
    // SAFETY: of each pair one is used until the other was put back.
    let root = unsafe { std::ptr::read(&table) };
    let mut originals = Originals::default();
    originals.note(&table.schema, &table.array);
    disarm_schema(&mut table.schema);
    disarm_array(&mut table.array);
    let mut keep = Vec::new();
    tamper(&mut Tamper {
        table: &mut table,
        keep: &mut keep,
    });
    let result = body(table);
    originals.put_back();
    drop(owned(root));
    result
}

/// What the children of a table are, and where.
#[derive(Default)]
struct Originals {
    schemas: Vec<(*mut *mut ArrowSchema, *mut ArrowSchema, ArrowSchema)>,
    arrays: Vec<(*mut *mut ArrowArray, *mut ArrowArray, ArrowArray)>,
}

impl Originals {
    fn note(&mut self, schema: &ArrowSchema, array: &ArrowArray) {
        for index in 0..schema.n_children as usize {
            // SAFETY: the structs are well formed, and the copies are not used before they are put back.
            unsafe {
                let (place, other) = (schema.children.add(index), array.children.add(index));
                self.note(&**place, &**other);
                self.schemas.push((place, *place, place.read().read()));
                self.arrays.push((other, *other, other.read().read()));
            }
        }
    }

    fn put_back(self) {
        for (place, child, original) in self.schemas {
            // SAFETY: nothing was freed.
            unsafe {
                child.write(original);
                place.write(child);
            }
        }
        for (place, child, original) in self.arrays {
            // SAFETY: as above.
            unsafe {
                child.write(original);
                place.write(child);
            }
        }
    }
}

fn disarm_schema(schema: &mut ArrowSchema) {
    unsafe extern "C" fn release(schema: *mut ArrowSchema) {
        // SAFETY: called with the schema that has this as its release.
        unsafe { (*schema).release = None };
    }
    schema.release = Some(release);
    for index in 0..schema.n_children as usize {
        // SAFETY: the schema is well formed, and nothing else refers to its children.
        disarm_schema(unsafe { &mut **schema.children.add(index) });
    }
}

fn disarm_array(array: &mut ArrowArray) {
    unsafe extern "C" fn release(array: *mut ArrowArray) {
        // SAFETY: called with the array that has this as its release.
        unsafe { (*array).release = None };
    }
    array.release = Some(release);
    for index in 0..array.n_children as usize {
        // SAFETY: the array is well formed, and nothing else refers to its children.
        disarm_array(unsafe { &mut **array.children.add(index) });
    }
}

pub fn owned(table: BowTable) -> OwnedTable {
    // SAFETY: the structs are given up, and what they borrow outlives them.
    unsafe { OwnedTable::from_raw(table.schema, table.array) }
}
