//! What a shared library exports.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use object::{Object, ObjectSymbol};

/// Fails when the dynamic symbols that `library` defines are not exactly `functions`.
pub fn check(library: &Path, functions: &[String]) -> Result<(), Box<dyn Error>> {
    let bytes =
        std::fs::read(library).map_err(|error| format!("{}: {error}", library.display()))?;
    let file =
        object::File::parse(&*bytes).map_err(|error| format!("{}: {error}", library.display()))?;
    // Mach-O puts an underscore before every C name.
    let prefix = if file.format() == object::BinaryFormat::MachO {
        "_"
    } else {
        ""
    };
    let mut exported = BTreeSet::new();
    for symbol in file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition())
    {
        let name = symbol.name()?;
        exported.insert(name.strip_prefix(prefix).unwrap_or(name).to_owned());
    }
    for export in file.exports()? {
        let name = String::from_utf8_lossy(export.name());
        exported.insert(name.strip_prefix(prefix).unwrap_or(&name).to_owned());
    }
    let listed: BTreeSet<String> = functions.iter().cloned().collect();
    let missing: Vec<_> = listed.difference(&exported).cloned().collect();
    let unlisted: Vec<_> = exported.difference(&listed).cloned().collect();
    if missing.is_empty() && unlisted.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}: listed but not exported: [{}]; exported but not listed: [{}]",
        library.display(),
        missing.join(", "),
        unlisted.join(", ")
    )
    .into())
}
