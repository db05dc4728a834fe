//! Any text as a format, and any JSON as a schema: nothing panics, and what is accepted is read back as it was.

#![no_main]

use bowstring_abi::convert::{convert_schema, restore_schema};
use bowstring_abi::{SchemaTree, layout_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let tree = match serde_json::from_str::<SchemaTree>(text) {
        Ok(tree) => tree,
        Err(_) if layout_of(text).is_none() => return,
        Err(_) => SchemaTree {
            format: text.to_owned(),
            name: String::new(),
            metadata: None,
            flags: 2,
            children: Vec::new(),
            dictionary: None,
        },
    };
    check(&tree);
});

fn check(tree: &SchemaTree) {
    let Ok(mut raw) = tree.to_raw() else {
        return;
    };
    assert_eq!(SchemaTree::read_schema(&raw).as_ref(), Ok(tree));
    if let Some(release) = raw.release {
        // SAFETY: the schema was made here and is released once.
        unsafe { release(&mut raw) };
    }
    let _ = tree.to_field();
    let shown = convert_schema(tree);
    assert_eq!(convert_schema(&shown), shown, "nothing is left to convert");
    let _ = restore_schema(tree);
    let _ = restore_schema(&shown);
}
