//! Prints what the engine makes of a directory or of single files: a way to read its tables by eye.

use std::ops::ControlFlow;
use std::path::PathBuf;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use bowstring_extract::{Control, ExtractOptions, extract};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().expect("usage: dump ROOT [FILE ...]");
    let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let mut options = ExtractOptions::new(root);
    if !paths.is_empty() {
        options.paths = Some(paths.clone());
    }
    let start = std::time::Instant::now();
    let (mut files, mut lines, mut symbols, mut identifiers, mut relationships, mut errors) =
        (0, 0u64, 0, 0, 0, 0);
    let result = extract(&options, &Control::default(), &mut |batch| {
        files += batch.files.num_rows();
        symbols += batch.symbols.num_rows();
        identifiers += batch.identifiers.num_rows();
        relationships += batch.relationships.num_rows();
        errors += batch.errors.num_rows();
        lines += batch
            .files
            .column(5)
            .as_primitive::<UInt32Type>()
            .values()
            .iter()
            .map(|n| u64::from(*n))
            .sum::<u64>();
        if !paths.is_empty() {
            for table in [
                &batch.symbols,
                &batch.identifiers,
                &batch.relationships,
                &batch.files,
                &batch.errors,
            ] {
                print_rows(table);
            }
        }
        ControlFlow::Continue(())
    });
    result.expect("extraction");
    println!(
        "{files} files, {lines} lines: {symbols} symbols, {identifiers} identifiers, \
         {relationships} relationships, {errors} errors in {:.2} s",
        start.elapsed().as_secs_f64()
    );
}

fn print_rows(table: &arrow_array::RecordBatch) {
    const WIDE: [&str; 3] = ["id", "file_path", "language"];
    for row in 0..table.num_rows() {
        let mut line = String::new();
        for (field, column) in table.schema().fields().iter().zip(table.columns()) {
            let name = field.name().as_str();
            if WIDE.contains(&name) || name.ends_with("_byte") || column.is_null(row) {
                continue;
            }
            let value = if let Some(text) = column.as_string_opt::<i32>() {
                text.value(row).to_owned()
            } else if let Some(word) = column.as_primitive_opt::<UInt32Type>() {
                word.value(row).to_string()
            } else {
                continue;
            };
            line.push_str(&format!("{name}={value:?} "));
        }
        println!("{line}");
    }
}
