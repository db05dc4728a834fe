//! Arrays before and after conversion.

use arrow_array::{Array, ArrayRef};
use arrow_schema::Field;
use bowstring_abi::convert::convert;
use bowstring_abi::{OwnedTable, SchemaTree, export_array, import_array};

pub fn table(array: &dyn Array) -> OwnedTable {
    export_array(array, &Field::new("x", array.data_type().clone(), true)).unwrap()
}

pub fn converted(array: &dyn Array) -> (SchemaTree, ArrayRef) {
    let converted = convert(table(array), false).unwrap().table;
    let tree = SchemaTree::read(&converted).unwrap();
    (tree, import_array(converted).unwrap().array)
}
