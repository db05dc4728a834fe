//! Structs made of any bytes: whatever the checks accept, arrow-rs finds valid too, and it survives a conversion and
//! its restoration.
//!
//! What no reader can check, the harness keeps to: as many buffers and children are there as the structs say, and each
//! buffer is as long as length, offset and offsets within say.

#![no_main]

use std::ffi::c_void;
use std::sync::Arc;

use arrow_array::Array;
use bowstring_abi::check::check_root;
use bowstring_abi::convert::{convert, restore};
use bowstring_abi::describe::describe_root;
use bowstring_abi::{
    ArrayParts, ArrowArray, BufferKind, Level, OwnedTable, Problem, Root, SchemaTree, import_array,
    layout_of, share_table,
};
use libfuzzer_sys::fuzz_target;

const FORMATS: [&str; 40] = [
    "n",
    "b",
    "c",
    "C",
    "s",
    "S",
    "i",
    "I",
    "l",
    "L",
    "e",
    "f",
    "g",
    "z",
    "Z",
    "u",
    "U",
    "vz",
    "vu",
    "w:3",
    "w:0",
    "tdD",
    "tin",
    "tss:UTC",
    "d:5,2,32",
    "d:18,0,64",
    "d:38,1",
    "d:38,1,256",
    "d:76,2,256",
    "+s",
    "+l",
    "+L",
    "+vl",
    "+vL",
    "+w:2",
    "+w:0",
    "+m",
    "+us:0,5",
    "+ud:7,1",
    "+r",
];

/// Lengths and offsets that are negative, or too large to be read, are among the small ones.
const ODD: [i64; 4] = [-1, i64::MIN, i64::MAX, i64::MAX - 1];

/// How long the buffer is that offsets refer to; offsets are kept below.
const BYTES: usize = 127;

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> i64 {
        match self.byte() {
            odd @ 252.. => ODD[odd as usize - 252],
            small => i64::from(small % 32),
        }
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }
}

struct Made {
    schema: SchemaTree,
    array: ArrowArray,
}

fn make(input: &mut Input<'_>, depth: usize, format: Option<&str>) -> Made {
    // Run ends, which arrow-rs wants to be declared without nulls.
    let flags = if format == Some("i") { 0 } else { 2 };
    let chosen = FORMATS[input.byte() as usize % FORMATS.len()];
    // Now and then a child is not what its parent needs.
    let mut format = match format {
        Some(format) if input.byte() < 250 => format,
        _ => chosen,
    };
    if depth > 4 && format.starts_with('+') {
        format = "i";
    }
    let layout = layout_of(format).expect("one of the formats");
    let (length, offset) = (input.number(), input.number() % 9);
    let extent = length.checked_add(offset).unwrap_or(0).clamp(0, 64) as usize;
    let shape = input.byte();

    let mut buffers: Vec<Option<Vec<u8>>> = Vec::new();
    for kind in layout.buffers() {
        let bytes = match *kind {
            BufferKind::Validity if shape & 1 == 0 => {
                buffers.push(None);
                continue;
            }
            BufferKind::Validity | BufferKind::Bits => input.bytes(extent.div_ceil(8)),
            BufferKind::Fixed(width) => input.bytes(extent * width),
            BufferKind::TypeIds => input.bytes(extent),
            BufferKind::UnionOffsets | BufferKind::Views32 => words(input, extent, 4),
            BufferKind::Views64 => words(input, extent, 8),
            BufferKind::Offsets32 => words(input, extent + 1, 4),
            BufferKind::Offsets64 => words(input, extent + 1, 8),
            BufferKind::BinaryViews | BufferKind::Utf8Views => views(input, extent),
            BufferKind::Bytes | BufferKind::Utf8 | BufferKind::Variadic => input.bytes(BYTES),
        };
        buffers.push((shape & 2 == 0 || input.byte() < 250).then_some(bytes));
    }
    if layout.is_variadic() {
        let sizes: Vec<usize> = (0..input.byte() % 3)
            .map(|_| input.byte() as usize % 40)
            .collect();
        buffers.extend(sizes.iter().map(|&size| Some(input.bytes(size))));
        let sizes = sizes.iter().flat_map(|&size| (size as i64).to_ne_bytes());
        buffers.push(Some(sizes.collect()));
    }

    let formats: &[Option<&str>] = match format {
        "+s" => &[None, None, None][..input.byte() as usize % 4],
        "+l" | "+L" | "+vl" | "+vL" | "+w:2" | "+w:0" => &[None],
        "+m" => &[Some("+s")],
        "+us:0,5" | "+ud:7,1" => &[None, None],
        "+r" => &[Some("i"), None],
        _ => &[],
    };
    let children = formats.iter().map(|format| make(input, depth + 1, *format));
    let (schemas, arrays): (Vec<_>, Vec<_>) =
        children.map(|child| (child.schema, child.array)).unzip();
    let is_integer = matches!(format, "c" | "C" | "s" | "S" | "i" | "I" | "l" | "L");
    let dictionary =
        (is_integer && shape & 12 == 12 && depth < 4).then(|| make(input, depth + 1, None));
    let (values, dictionary) = dictionary.map(|made| (made.schema, made.array)).unzip();

    let owner = Arc::new(buffers);
    let address = |buffer: &Option<Vec<u8>>| match buffer {
        Some(bytes) => bytes.as_ptr().cast::<c_void>(),
        None => std::ptr::null(),
    };
    let array = ArrayParts {
        length,
        null_count: if shape & 16 == 0 { -1 } else { input.number() },
        offset,
        buffers: owner.iter().map(address).collect(),
        children: arrays,
        dictionary,
        owner: owner.clone(),
    };
    Made {
        schema: SchemaTree {
            format: format.to_owned(),
            name: ["a", "b", ""][input.byte() as usize % 3].to_owned(),
            metadata: None,
            flags,
            children: schemas,
            dictionary: values.map(Box::new),
        },
        array: array.into_raw(),
    }
}

/// Numbers that are mostly small and mostly rise, as offsets do.
fn words(input: &mut Input<'_>, count: usize, width: usize) -> Vec<u8> {
    let mut last = 0i64;
    let word = |_| {
        let step = input.byte();
        last = match step {
            250.. => i64::from(step) - 253,
            step => (last + i64::from(step % 4)).min(BYTES as i64),
        };
        last.to_ne_bytes()[..width].to_vec()
    };
    (0..count).flat_map(word).collect()
}

fn views(input: &mut Input<'_>, count: usize) -> Vec<u8> {
    let view = |_| {
        let length = i32::from(input.byte() % 24) - i32::from(input.byte() == 255);
        let mut view = length.to_ne_bytes().to_vec();
        if length <= 12 {
            view.extend(input.bytes(length.max(0) as usize));
        } else {
            view.extend(input.bytes(4));
            view.extend(i32::from(input.byte() % 3).to_ne_bytes());
            view.extend(i32::from(input.byte() % 40).to_ne_bytes());
        }
        view.resize(16, 0);
        view
    };
    (0..count).flat_map(view).collect()
}

fuzz_target!(|input: &[u8]| {
    let made = make(&mut Input(input), 0, None);
    let released = |mut array: ArrowArray| {
        if let Some(release) = array.release {
            // SAFETY: the array was made here and is released once.
            unsafe { release(&mut array) };
        }
    };
    let Ok(schema) = made.schema.to_raw() else {
        return released(made.array);
    };
    // SAFETY: both structs were made here and are given up.
    let table = Arc::new(unsafe { OwnedTable::from_raw(schema, made.array) });
    // SAFETY: the table lives as long as its owner, which is the table.
    let share = || unsafe { share_table(&table, table.clone()) };

    let levels = [Level::None, Level::Minimal, Level::Default, Level::Full];
    let accepted = levels.map(|level| check_root(&table, Root::Any, level).is_ok());
    assert!(
        accepted.is_sorted_by(|before, after| before >= after),
        "{accepted:?}"
    );
    let Ok(first) = share() else {
        return;
    };
    let imported = import_array(first);
    let converted = convert(share().expect("shared before"), false);
    if !accepted[3] {
        assert!(imported.is_err(), "imported although refused");
        return;
    }
    let shared = [share().expect("shared before")];
    if let Err(invalid) = describe_root(&shared, Root::Any, Level::Full) {
        // A description counts in doubles.
        let is_uncountable = matches!(invalid.problem, Problem::Uncountable(_));
        assert!(is_uncountable, "{invalid:?}");
    }
    let imported = imported.expect("checked");
    let valid = imported.array.to_data().validate_full();
    valid.expect("checked in full");

    let Ok(converted) = converted else {
        // What does not fit is refused.
        return;
    };
    check_root(&converted.table, Root::Any, Level::Full).expect("converted");
    let restored = restore(converted.table).expect("converted");
    check_root(&restored.table, Root::Any, Level::Full).expect("restored");
    let restored = import_array(restored.table).expect("restored");
    assert_eq!(restored.field, imported.field);
    assert_eq!(restored.array.len(), imported.array.len());
    assert!(
        restored.array.as_ref() == imported.array.as_ref(),
        "equal after restoration"
    );
});
