//! The TypeScript symbol table.

use crate::interface::{Interface, Layout, Signature};

/// The text of `abi.ts`, as `deno fmt` would have it.
pub fn write(interface: &Interface) -> String {
    let symbols: String = interface.functions.iter().map(symbol).collect();
    let statuses: String = interface.statuses.iter().map(status).collect();
    let constants: String = interface.constants.iter().map(constant).collect();
    let structs: String = interface.layouts.iter().map(layout).collect();
    format!(
        r#"// The C ABI of libbowstring as data: the same functions, structs and constants as in bowstring.h.
// Generated from the sources of the library by `cargo run -p xtask -- generate`; do not edit.

/** The version of the ABI that this table describes. */
export const ABI_VERSION = {version};

/**
 * The library's functions. `buffer` is memory of the caller's, or null, that the call reads or writes;
 * `usize` is a number, also where it is an address.
 */
export const SYMBOLS = {{
{symbols}}} as const;

/** What a function answers; from 16 up an error. */
export const STATUS = {{
{statuses}}} as const;

/** The numbers that arguments and structs are made of. */
export const CONSTANTS = {{
{constants}}} as const;

/** The structs on 64-bit targets: size and field offsets in bytes. */
export const STRUCTS = {{
{structs}}} as const;
"#,
        version = interface.abi_version,
    )
}

fn symbol(function: &Signature) -> String {
    let parameters: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| format!("\"{parameter}\""))
        .collect();
    format!(
        "  {}: {{\n    parameters: [{}],\n    result: \"{}\",\n  }},\n",
        function.name,
        parameters.join(", "),
        function.result
    )
}

fn status((name, value): &(String, i32)) -> String {
    format!("  {}: {value},\n", name.trim_start_matches("BOW_"))
}

fn constant((name, value): &(String, u32)) -> String {
    format!("  {}: {value},\n", name.trim_start_matches("BOW_"))
}

fn layout(layout: &Layout) -> String {
    let offsets: String = layout
        .offsets
        .iter()
        .map(|(field, offset)| format!("      {field}: {offset},\n"))
        .collect();
    format!(
        "  {}: {{\n    size: {},\n    offsets: {{\n{offsets}    }},\n  }},\n",
        layout.name, layout.size
    )
}
