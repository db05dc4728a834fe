//! Keeps `core/include/bowstring.h` and `bindings/abi.ts` in step with the exported functions.
//!
//! - `cargo run -p xtask -- generate` writes both from one parse of the sources.
//! - `cargo run -p xtask -- check [library]` fails when the committed files are not what `generate` would write, or
//!   when the library exports anything else than they list.

mod exports;
mod header;
mod interface;
mod table;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo run -p xtask -- generate | check [library]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["generate"] => generate(),
        ["check"] => check(None),
        ["check", library] => check(Some(Path::new(library))),
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A generated file: where it is, and what belongs in it.
type Generated = (PathBuf, String);

/// The names of the exported functions, and the generated files.
fn files() -> Result<(Vec<String>, [Generated; 2]), Box<dyn Error>> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("no parent directory")?;
    let interface = interface::Interface::parse(core)?;
    let functions = interface
        .functions
        .iter()
        .map(|function| function.name.clone())
        .collect();
    let header = core.join("include/bowstring.h");
    let table = core
        .parent()
        .ok_or("no parent directory")?
        .join("bindings/abi.ts");
    Ok((
        functions,
        [
            (header, header::write(&interface)?),
            (table, table::write(&interface)),
        ],
    ))
}

fn generate() -> Result<String, Box<dyn Error>> {
    let (functions, files) = files()?;
    for (path, content) in files {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(format!(
        "wrote the header and the symbol table: {} functions",
        functions.len()
    ))
}

fn check(library: Option<&Path>) -> Result<String, Box<dyn Error>> {
    let (functions, files) = files()?;
    for (path, expected) in files {
        let found = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        if found != expected {
            return Err(format!(
                "{} does not match the sources; run `cargo run -p xtask -- generate` and commit the result",
                path.display()
            )
            .into());
        }
    }
    let Some(library) = library else {
        return Ok(format!(
            "header and symbol table match the sources: {} functions",
            functions.len()
        ));
    };
    exports::check(library, &functions)?;
    Ok(format!(
        "header, symbol table and {} agree: {} functions",
        library.display(),
        functions.len()
    ))
}
