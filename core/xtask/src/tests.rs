//! The parse sees what the compiler sees, and a library that differs is refused.

use std::mem::{offset_of, size_of};
use std::path::Path;

use bowstring::adbc::BowAdbcRequest;
use bowstring::quantize::BowTensor;
use bowstring_abi::call::{BowContent, BowValue};
use bowstring_abi::{ArrowArray, ArrowArrayStream, ArrowSchema, BowError, BowTable, Status};
use bowstring_runtime::{BowAdoption, BowCall, BowJobState, BowStats};

use crate::interface::Interface;
use crate::{exports, header, table};

fn interface() -> Interface {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Interface::parse(core).unwrap()
}

#[test]
fn structs_are_laid_out_as_the_compiler_does() {
    let interface = interface();
    let expected = [
        (
            "bow_error",
            size_of::<BowError>(),
            "message",
            offset_of!(BowError, message),
        ),
        (
            "bow_stats",
            size_of::<BowStats>(),
            "live_connections",
            offset_of!(BowStats, live_connections),
        ),
        (
            "ArrowSchema",
            size_of::<ArrowSchema>(),
            "private_data",
            offset_of!(ArrowSchema, private_data),
        ),
        (
            "ArrowArray",
            size_of::<ArrowArray>(),
            "private_data",
            offset_of!(ArrowArray, private_data),
        ),
        (
            "bow_table",
            size_of::<BowTable>(),
            "array",
            offset_of!(BowTable, array),
        ),
        (
            "bow_adoption",
            size_of::<BowAdoption>(),
            "reserved",
            offset_of!(BowAdoption, reserved),
        ),
        (
            "bow_job_state",
            size_of::<BowJobState>(),
            "results_queued",
            offset_of!(BowJobState, results_queued),
        ),
        (
            "ArrowArrayStream",
            size_of::<ArrowArrayStream>(),
            "private_data",
            offset_of!(ArrowArrayStream, private_data),
        ),
        (
            "bow_content",
            size_of::<BowContent>(),
            "stream",
            offset_of!(BowContent, stream),
        ),
        (
            "bow_value",
            size_of::<BowValue>(),
            "content",
            offset_of!(BowValue, content),
        ),
        (
            "bow_call",
            size_of::<BowCall>(),
            "reserved",
            offset_of!(BowCall, reserved),
        ),
        (
            "bow_adbc_request",
            size_of::<BowAdbcRequest>(),
            "input",
            offset_of!(BowAdbcRequest, input),
        ),
        (
            "bow_tensor",
            size_of::<BowTensor>(),
            "shape",
            offset_of!(BowTensor, shape),
        ),
    ];
    assert_eq!(interface.layouts.len(), expected.len());
    for (layout, (name, size, field, offset)) in interface.layouts.iter().zip(expected) {
        assert_eq!((layout.name.as_str(), layout.size), (name, size));
        assert_eq!(layout.offsets.last(), Some(&(field.to_owned(), offset)));
    }
}

#[test]
fn functions_and_statuses_have_their_names_in_c() {
    let interface = interface();
    let import = interface
        .functions
        .iter()
        .find(|function| function.name == "bow_lease_import")
        .unwrap();
    assert_eq!(
        import.parameters,
        ["u32", "buffer", "u32", "u32", "buffer", "buffer"]
    );
    assert_eq!(import.result, "i32");
    let drop = interface
        .functions
        .iter()
        .find(|function| function.name == "bow_lease_drop")
        .unwrap();
    assert_eq!(
        (drop.parameters.as_slice(), drop.result),
        (["usize", "usize"].as_slice(), "void")
    );
    let named = |name: &str| {
        interface
            .statuses
            .iter()
            .find(|(status, _)| status == name)
            .unwrap()
            .1
    };
    assert_eq!(named("BOW_OK"), Status::Ok as i32);
    assert_eq!(named("BOW_BATCH_TOO_LARGE"), Status::BatchTooLarge as i32);
    assert_eq!(interface.abi_version, 1);
    let convert = ("BOW_IMPORT_CONVERT".to_owned(), 4);
    assert!(interface.constants.contains(&convert));
}

#[test]
fn every_function_is_declared_and_described_in_both_files() {
    let interface = interface();
    let (header, table) = (header::write(&interface).unwrap(), table::write(&interface));
    for function in &interface.functions {
        let declaration = format!(" {}(", function.name);
        let at = header
            .find(&declaration)
            .unwrap_or_else(|| panic!("{}: not declared", function.name));
        let before = header[..at]
            .trim_end_matches(|letter: char| letter != '\n')
            .trim_end();
        assert!(before.ends_with("*/"), "{}: not described", function.name);
        assert!(
            table.contains(&format!("\n  {}: {{\n", function.name)),
            "{}: not in the table",
            function.name
        );
    }
    assert!(
        !header.contains("# Safety") && !header.contains('`'),
        "Rust's marks"
    );
}

#[test]
fn a_library_without_the_functions_is_refused() {
    let program = std::env::current_exe().unwrap();
    let refused = exports::check(&program, &["bow_abi_version".to_owned()])
        .unwrap_err()
        .to_string();
    let expected = format!(
        "{}: listed but not exported: [bow_abi_version]; ",
        program.display()
    );
    assert!(refused.starts_with(&expected), "{refused}");
    let missing = exports::check(Path::new("/no/such/library.so"), &[])
        .unwrap_err()
        .to_string();
    assert!(missing.starts_with("/no/such/library.so: "), "{missing}");
}
