//! The TypeScript symbol table.

use std::fmt::Write;

use crate::interface::{Interface, Layout, Signature};

/// The text of `abi.ts`, as `deno fmt` would have it.
pub fn write(interface: &Interface) -> String {
    let mut out = String::from(
        "// The C ABI of libbowstring as data: the same functions, structs and constants as in bowstring.h.\n\
         // Generated from the sources of the library by `cargo run -p xtask -- generate`; do not edit.\n\n",
    );
    let version = interface.abi_version;
    text(
        &mut out,
        &["/** The version of the ABI that this table describes. */".to_owned()],
    );
    text(
        &mut out,
        &[
            format!("export const ABI_VERSION = {version};"),
            String::new(),
        ],
    );

    text(
        &mut out,
        &[
            "/**".to_owned(),
            " * The library's functions. `buffer` is memory of the caller's, or null, that the call reads or writes;"
                .to_owned(),
            " * `usize` is a number, also where it is an address.".to_owned(),
            " */".to_owned(),
            "export const SYMBOLS = {".to_owned(),
        ],
    );
    for function in &interface.functions {
        symbol(&mut out, function);
    }
    text(&mut out, &["} as const;".to_owned(), String::new()]);

    text(
        &mut out,
        &[
            "/** What a function answers; from 16 up an error. */".to_owned(),
            "export const STATUS = {".to_owned(),
        ],
    );
    for (name, value) in &interface.statuses {
        text(
            &mut out,
            &[format!("  {}: {value},", name.trim_start_matches("BOW_"))],
        );
    }
    text(&mut out, &["} as const;".to_owned(), String::new()]);

    text(
        &mut out,
        &[
            "/** The structs on 64-bit targets: size and field offsets in bytes. */".to_owned(),
            "export const STRUCTS = {".to_owned(),
        ],
    );
    for layout in &interface.layouts {
        layout_entry(&mut out, layout);
    }
    text(&mut out, &["} as const;".to_owned()]);
    out
}

fn text(out: &mut String, lines: &[String]) {
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
}

fn symbol(out: &mut String, function: &Signature) {
    let parameters: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| format!("\"{parameter}\""))
        .collect();
    let (name, result) = (&function.name, function.result);
    // Writing to a string cannot fail.
    let _ = writeln!(out, "  {name}: {{");
    let _ = writeln!(out, "    parameters: [{}],", parameters.join(", "));
    let _ = writeln!(out, "    result: \"{result}\",\n  }},");
}

fn layout_entry(out: &mut String, layout: &Layout) {
    let _ = writeln!(
        out,
        "  {}: {{\n    size: {},\n    offsets: {{",
        layout.name, layout.size
    );
    for (field, offset) in &layout.offsets {
        let _ = writeln!(out, "      {field}: {offset},");
    }
    let _ = writeln!(out, "    }},\n  }},");
}
