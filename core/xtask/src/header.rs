//! The C header.

use std::error::Error;

use crate::interface::Interface;

const PREFACE: &str = include_str!("header/preface.h");
const ARROW: &str = include_str!("header/arrow.h");

/// The text of `bowstring.h`.
pub fn write(interface: &Interface) -> Result<String, Box<dyn Error>> {
    let mut bytes = Vec::new();
    interface.bindings.write(&mut bytes);
    let mut header = String::from_utf8(bytes)?;

    const GUARD: &str = "#define BOWSTRING_H\n";
    let guard = header
        .find(GUARD)
        .ok_or("no include guard to put the includes after")?;
    header.insert_str(
        guard + GUARD.len(),
        &format!("\n#include <stdint.h>\n\n{ARROW}"),
    );
    for chapter in &interface.chapters {
        let declaration = format!(" {}(", chapter.first_function);
        let at = header
            .find(&declaration)
            .and_then(|at| header[..at].rfind("\n/**"))
            .ok_or_else(|| format!("{}: not declared in the header", chapter.first_function))?;
        header.insert_str(at + 1, &chapter_comment(&chapter.text));
    }
    // Rust's marks of code mean nothing to C's readers, and cbindgen ends empty lines of documentation with a blank.
    let header = header.replace('`', "");
    let lines: Vec<&str> = header.lines().map(str::trim_end).collect();
    Ok(format!("{PREFACE}\n{}\n", lines.join("\n").trim()))
}

fn chapter_comment(text: &[String]) -> String {
    let title = text.first().map_or("", |line| line.trim_end_matches('.'));
    let mut comment = format!(
        "/* ---- {title} {}\n",
        "-".repeat(68usize.saturating_sub(title.len()))
    );
    for line in text.iter().skip(1).skip_while(|line| line.is_empty()) {
        comment.push_str(format!(" * {line}").trim_end());
        comment.push('\n');
    }
    comment.push_str(" */\n\n");
    comment
}
