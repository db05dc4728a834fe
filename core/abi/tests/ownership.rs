//! Who frees what, and that it happens once.

mod common;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use bowstring_abi::check::check;
use bowstring_abi::{
    ArrowArray, ArrowArrayStream, ArrowSchema, BowTable, Level, OwnedStream, OwnedTable,
    StreamError, StreamSource, export_batch, import_table, share_table,
};

use common::Alive;

fn exported(alive: &Alive) -> OwnedTable {
    export_batch(&alive.batch()).unwrap()
}

/// A table whose two releases count their calls.
fn counted(schemas: &'static AtomicUsize, arrays: &'static AtomicUsize) -> BowTable {
    unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
        // SAFETY: called with the schema made below.
        let schema = unsafe { &mut *schema };
        // SAFETY: the static that was put there below.
        unsafe { &*schema.private_data.cast::<AtomicUsize>() }.fetch_add(1, SeqCst);
        schema.release = None;
    }
    unsafe extern "C" fn release_array(array: *mut ArrowArray) {
        // SAFETY: called with the array made below.
        let array = unsafe { &mut *array };
        // SAFETY: the static that was put there below.
        unsafe { &*array.private_data.cast::<AtomicUsize>() }.fetch_add(1, SeqCst);
        array.release = None;
    }
    BowTable {
        schema: ArrowSchema {
            format: c"+s".as_ptr(),
            release: Some(release_schema),
            private_data: std::ptr::from_ref(schemas).cast_mut().cast(),
            ..ArrowSchema::released()
        },
        array: ArrowArray {
            // Not a valid struct array: it has no buffer.
            release: Some(release_array),
            private_data: std::ptr::from_ref(arrays).cast_mut().cast(),
            ..ArrowArray::released()
        },
    }
}

#[test]
fn taking_a_table_nulls_the_release_of_its_source() {
    static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
    static ARRAYS: AtomicUsize = AtomicUsize::new(0);
    let mut source = counted(&SCHEMAS, &ARRAYS);
    // SAFETY: the source is a local that is given up.
    let table = unsafe { OwnedTable::take(&mut source) };
    assert!(source.schema.release.is_none() && source.array.release.is_none());
    assert_eq!((SCHEMAS.load(SeqCst), ARRAYS.load(SeqCst)), (0, 0));
    drop(table);
    assert_eq!((SCHEMAS.load(SeqCst), ARRAYS.load(SeqCst)), (1, 1));
}

#[test]
fn taking_a_table_twice_releases_it_once() {
    static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
    static ARRAYS: AtomicUsize = AtomicUsize::new(0);
    let mut source = counted(&SCHEMAS, &ARRAYS);
    // SAFETY: the source is a local that is given up; afterwards it is a released one.
    let (first, second) = unsafe { (OwnedTable::take(&mut source), OwnedTable::take(&mut source)) };
    let refused = check(&second, Level::None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "record batch: the schema has been released"
    );
    drop((first, second));
    assert_eq!((SCHEMAS.load(SeqCst), ARRAYS.load(SeqCst)), (1, 1));
}

#[test]
fn an_import_that_fails_releases_the_table() {
    static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
    static ARRAYS: AtomicUsize = AtomicUsize::new(0);
    let table = counted(&SCHEMAS, &ARRAYS);
    // SAFETY: the table was made here and is given up.
    let refused =
        import_table(unsafe { OwnedTable::from_raw(table.schema, table.array) }).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "record batch: expected 1 buffers but found 0"
    );
    assert_eq!((SCHEMAS.load(SeqCst), ARRAYS.load(SeqCst)), (1, 1));
}

#[test]
fn a_second_release_of_an_exported_struct_does_nothing() {
    let alive = Alive::default();
    let mut raw = exported(&alive).into_raw();
    assert_eq!(alive.count(), 3);
    let (schema, array) = (raw.schema.release.unwrap(), raw.array.release.unwrap());
    for _ in 0..2 {
        // SAFETY: the structs are this function's; the callbacks mark them as released the first time.
        unsafe {
            schema(&mut raw.schema);
            array(&mut raw.array);
        }
        assert!(raw.schema.release.is_none() && raw.array.release.is_none());
        assert_eq!(alive.count(), 0);
    }
    // SAFETY: null is what the callbacks promise to ignore.
    unsafe {
        schema(std::ptr::null_mut());
        array(std::ptr::null_mut());
    }
}

#[test]
fn an_exported_table_shares_the_memory_of_its_batch() {
    let alive = Alive::default();
    let batch = alive.batch();
    let table = export_batch(&batch).unwrap();
    drop(batch);
    assert_eq!(alive.count(), 3, "the structs keep it");
    let imported = import_table(table).unwrap();
    assert_eq!(imported.batch, Alive::default().batch());
    assert_eq!(imported.bytes_copied, 16 + 3, "the offsets and the text");
    let column = imported.batch.column(1).clone();
    drop(imported);
    assert_eq!(alive.count(), 3, "one column keeps the table");
    drop(column);
    assert_eq!(alive.count(), 0);
}

#[test]
fn values_are_not_copied_either_way_and_text_only_on_the_way_in() {
    let batch = Alive::default().batch();
    let addresses = |batch: &RecordBatch| {
        let text = batch.column(0).as_string::<i32>().values().as_ptr();
        let numbers = batch.column(1).to_data().buffers()[0].as_ptr();
        (text, numbers)
    };
    let table = export_batch(&batch).unwrap();
    // SAFETY: the first column is text, with its bytes in the third buffer.
    let exported = unsafe { *(**table.array().children).buffers.add(2) };
    let imported = import_table(table).unwrap();
    let ((text, numbers), found) = (addresses(&batch), addresses(&imported.batch));
    assert_eq!(exported.cast(), text);
    assert_ne!(found.0, text);
    assert_eq!(found.1, numbers);
}

/// JavaScript may write to memory that native code has imported. A `&str` over bytes that are not UTF-8 would be
/// undefined behaviour.
#[test]
fn text_that_is_overwritten_after_the_import_stays_what_it_was() {
    let batch = Alive::default().batch();
    let table = export_batch(&batch).unwrap();
    // SAFETY: the first column is text, with its offsets and bytes in the second and third buffer.
    let (offsets, text) = unsafe {
        let buffers = (**table.array().children).buffers;
        (*buffers.add(1), *buffers.add(2))
    };
    let imported = import_table(table).unwrap();
    // SAFETY: the memory is the batch's, whose bytes nobody else reads meanwhile.
    unsafe {
        text.cast_mut().cast::<u8>().write_bytes(0xff, 3);
        offsets.cast_mut().cast::<u8>().write_bytes(0x7f, 16);
    }
    let column = imported.batch.column(0).as_string::<i32>();
    assert_eq!(column.iter().flatten().collect::<Vec<_>>(), ["x", "yz", ""]);
}

#[test]
fn a_moved_child_outlives_its_parent() {
    let alive = Alive::default();
    let mut raw = exported(&alive).into_raw();
    // SAFETY: the table has two columns, which are moved as the specification says: copied, then marked as released.
    let (mut schema, mut array) = unsafe {
        let schema = *raw.schema.children.add(1);
        let array = *raw.array.children.add(1);
        let moved = (schema.read(), array.read());
        ((*schema).release, (*array).release) = (None, None);
        moved
    };
    // SAFETY: the parents are this function's and are released once.
    unsafe {
        raw.schema.release.unwrap()(&mut raw.schema);
        raw.array.release.unwrap()(&mut raw.array);
    }
    assert_eq!(
        alive.count(),
        1,
        "the text and its offsets are gone, the numbers are not"
    );
    // SAFETY: the moved array has three numbers in its second buffer.
    let numbers = unsafe { std::slice::from_raw_parts((*array.buffers.add(1)).cast::<u32>(), 3) };
    assert_eq!(numbers, [7, 8, 9]);
    // SAFETY: the moved schema's name is kept by the schema.
    assert_eq!(unsafe { std::ffi::CStr::from_ptr(schema.name) }, c"number");
    // SAFETY: the moved structs are this function's and are released once.
    unsafe {
        schema.release.unwrap()(&mut schema);
        array.release.unwrap()(&mut array);
    }
    assert_eq!(alive.count(), 0);
}

#[test]
fn an_import_of_a_table_with_a_moved_child_is_refused() {
    let alive = Alive::default();
    let raw = exported(&alive).into_raw();
    // SAFETY: the table has two columns; the first is moved out and released.
    unsafe {
        let child = &mut **raw.array.children;
        let mut moved = std::ptr::from_mut(child).read();
        child.release = None;
        moved.release.unwrap()(&mut moved);
    }
    // SAFETY: the table was made here and is given up.
    let table = unsafe { OwnedTable::from_raw(raw.schema, raw.array) };
    let refused = import_table(table).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "column[0] \"text\": the array has been released"
    );
    assert_eq!(alive.count(), 0);
}

#[test]
fn a_child_moved_out_of_a_shared_table_holds_its_owner() {
    for first in ["array", "schema"] {
        let alive = Alive::default();
        let owner = Arc::new(exported(&alive));
        let kept: Arc<dyn Any + Send + Sync> = owner.clone();
        // SAFETY: the owner is the table itself.
        let mut raw = unsafe { share_table(&owner, kept) }.unwrap().into_raw();
        drop(owner);
        // SAFETY: the table has two columns, which are moved as the specification says: copied, then marked as released.
        let (schema, array) = unsafe {
            let schema = *raw.schema.children;
            let array = *raw.array.children;
            let moved = (schema.read(), array.read());
            ((*schema).release, (*array).release) = (None, None);
            moved
        };
        // SAFETY: the parents are this function's and are given up.
        drop(unsafe { OwnedTable::take(&mut raw) });
        // SAFETY: the moved structs are this function's, each given up once.
        let (schema, array) = unsafe {
            (
                OwnedTable::from_raw(schema, ArrowArray::released()),
                OwnedTable::from_raw(ArrowSchema::released(), array),
            )
        };
        let last = match first {
            "array" => (drop(array), schema).1,
            _ => (drop(schema), array).1,
        };
        assert_eq!(alive.count(), 3, "either keeps the whole; first {first}");
        drop(last);
        assert_eq!(alive.count(), 0);
    }
}

#[test]
fn taking_a_stream_nulls_the_release_of_its_source() {
    static RELEASES: AtomicUsize = AtomicUsize::new(0);
    unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
        RELEASES.fetch_add(1, SeqCst);
        // SAFETY: called with the stream made below.
        unsafe { (*stream).release = None };
    }
    let mut source = ArrowArrayStream {
        release: Some(release),
        ..ArrowArrayStream::released()
    };
    // SAFETY: the source is a local that is given up.
    let taken = unsafe { OwnedStream::take(&mut source) };
    assert!(source.release.is_none());
    // SAFETY: it is a released one now.
    drop(unsafe { OwnedStream::take(&mut source) });
    assert_eq!(RELEASES.load(SeqCst), 0);
    drop(taken);
    assert_eq!(RELEASES.load(SeqCst), 1);
}

#[test]
fn a_stream_gives_the_array_of_a_batch_away_and_releases_its_schema() {
    static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
    static ARRAYS: AtomicUsize = AtomicUsize::new(0);
    struct Once(Option<OwnedTable>);
    impl StreamSource for Once {
        fn schema(&mut self) -> Result<ArrowSchema, StreamError> {
            unreachable!("nobody asks")
        }
        fn next(&mut self) -> Result<Option<OwnedTable>, StreamError> {
            Ok(self.0.take())
        }
    }
    // SAFETY: the table is given up.
    let batch = unsafe { OwnedTable::take(&mut counted(&SCHEMAS, &ARRAYS)) };
    let mut stream = OwnedStream::new(Once(Some(batch)));
    let array = stream.next_array().unwrap().unwrap();
    assert_eq!((SCHEMAS.load(SeqCst), ARRAYS.load(SeqCst)), (1, 0));
    // SAFETY: the array was given to this function.
    drop(unsafe { OwnedTable::from_raw(ArrowSchema::released(), array) });
    assert_eq!((SCHEMAS.load(SeqCst), ARRAYS.load(SeqCst)), (1, 1));
}

#[test]
fn a_shared_table_holds_its_owner_until_it_is_released() {
    let alive = Alive::default();
    let owner = Arc::new(exported(&alive));
    let share = || {
        let kept: Arc<dyn Any + Send + Sync> = owner.clone();
        // SAFETY: the owner is the table itself.
        unsafe { share_table(&owner, kept) }.unwrap()
    };
    let (first, second) = (share(), share());
    drop(owner);
    assert_eq!(alive.count(), 3);
    // The same buffers, not copies of them. SAFETY: both tables have two columns.
    let buffers = |table: &OwnedTable| unsafe { *(**table.array().children.add(1)).buffers.add(1) };
    assert_eq!(buffers(&first), buffers(&second));
    drop(first);
    assert_eq!(alive.count(), 3);
    let imported = std::thread::spawn(move || import_table(second).unwrap().batch)
        .join()
        .unwrap();
    assert_eq!(imported, Alive::default().batch());
    drop(imported);
    assert_eq!(alive.count(), 0);
}

#[test]
fn structs_may_be_moved_in_memory_and_released_elsewhere() {
    let alive = Alive::default();
    let tables: Vec<Box<OwnedTable>> = (0..8).map(|_| Box::new(exported(&alive))).collect();
    assert_eq!(alive.count(), 24);
    let threads: Vec<_> = tables
        .into_iter()
        .map(|table| std::thread::spawn(move || drop(*table)))
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(alive.count(), 0);
}
