//! The C interface as one parse of the sources sees it.

use std::error::Error;
use std::path::Path;

use cbindgen::ir::{
    Field, Function, IntKind, ItemContainer, Literal, PrimitiveType, Repr, ReprStyle, Type,
};
use cbindgen::{Bindings, Builder, Config, DocumentationStyle, ExportConfig, Language, Style};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Files with types that cross the boundary.
const TYPES: &[&str] = &[
    "abi/src/status.rs",
    "abi/src/error.rs",
    "abi/src/raw.rs",
    "abi/src/build/mod.rs",
    "abi/src/call.rs",
    "runtime/src/counters.rs",
    "runtime/src/import.rs",
    "runtime/src/build.rs",
    "runtime/src/job.rs",
    "runtime/src/adoption.rs",
    "runtime/src/call.rs",
];

/// Files with exported functions, in the order of the header's chapters.
const CHAPTERS: &[&str] = &[
    "version", "context", "lease", "schema", "table", "job", "stream", "call", "adbc", "extract",
    "store", "quantize", "weights",
];

/// Rust's names and C's.
const NAMES: &[(&str, &str)] = &[
    ("Status", "bow_status"),
    ("BowError", "bow_error"),
    ("BowTable", "bow_table"),
    ("BowStats", "bow_stats"),
    ("BowJobState", "bow_job_state"),
    ("BowContent", "bow_content"),
    ("BowValue", "bow_value"),
    ("BowFunction", "bow_function"),
    ("BowCall", "bow_call"),
    ("BowAdoption", "bow_adoption"),
    ("BowAdbcRequest", "bow_adbc_request"),
    ("BowTensor", "bow_tensor"),
];

/// Everything that crosses the boundary.
pub struct Interface {
    /// For the header; without the Arrow structs, which the header takes from the specification word for word.
    pub bindings: Bindings,
    pub functions: Vec<Signature>,
    pub layouts: Vec<Layout>,
    /// Constants of `enum bow_status`, and their values.
    pub statuses: Vec<(String, i32)>,
    pub abi_version: u32,
    /// The other constants, and their values.
    pub constants: Vec<(String, u32)>,
    pub chapters: Vec<Chapter>,
}

/// A function, in names of types that any foreign-function interface has.
pub struct Signature {
    pub name: String,
    pub parameters: Vec<&'static str>,
    pub result: &'static str,
}

/// A struct as C lays it out on 64-bit targets.
pub struct Layout {
    pub name: String,
    pub size: usize,
    pub offsets: Vec<(String, usize)>,
}

/// The functions of one file.
pub struct Chapter {
    /// What the file says about itself.
    pub text: Vec<String>,
    pub first_function: String,
}

impl Interface {
    /// Parses the sources below `core`.
    pub fn parse(core: &Path) -> Result<Self> {
        let mut builder = Builder::new().with_config(config());
        for path in TYPES {
            builder = builder.with_src(core.join(path));
        }
        for chapter in CHAPTERS {
            builder = builder.with_src(core.join(format!("cdylib/src/{chapter}.rs")));
        }
        let mut bindings = builder.generate()?;
        for function in &mut bindings.functions {
            let text = &mut function.documentation.doc_comment;
            drop_safety_section(text);
            indent_literal_text(text);
        }
        let functions = bindings
            .functions
            .iter()
            .map(signature)
            .collect::<Result<Vec<_>>>()?;
        let chapters = CHAPTERS
            .iter()
            .map(|chapter| read_chapter(&core.join(format!("cdylib/src/{chapter}.rs"))))
            .collect::<Result<Vec<_>>>()?;
        let layouts = layouts(&bindings)?;
        let statuses = name_statuses(&mut bindings)?;
        let abi_version = constant(&bindings, "BOW_ABI_VERSION")?;
        let constants = bindings
            .constants
            .iter()
            .filter(|constant| constant.export_name != "BOW_ABI_VERSION")
            .map(|item| {
                Ok((
                    item.export_name.clone(),
                    constant(&bindings, &item.export_name)?,
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        bindings
            .items
            .retain(|item| !item.deref().path().name().starts_with("Arrow"));
        Ok(Self {
            bindings,
            functions,
            layouts,
            statuses,
            abi_version,
            constants,
            chapters,
        })
    }
}

fn config() -> Config {
    Config {
        language: Language::C,
        style: Style::Tag,
        cpp_compat: true,
        no_includes: true,
        include_guard: Some("BOWSTRING_H".to_owned()),
        documentation_style: DocumentationStyle::Doxy,
        line_length: 100,
        export: ExportConfig {
            include: vec!["Status".to_owned(), "BowFunction".to_owned()],
            rename: NAMES
                .iter()
                .map(|(rust, c)| ((*rust).to_owned(), (*c).to_owned()))
                .collect(),
            ..ExportConfig::default()
        },
        ..Config::default()
    }
}

/// Rust's section on safety repeats, for Rust's readers, what the text before it and C itself say.
fn drop_safety_section(lines: &mut Vec<String>) {
    if let Some(start) = lines.iter().position(|line| line.trim() == "# Safety") {
        lines.truncate(start);
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
}

/// Text between Rust's fences is indented instead.
fn indent_literal_text(lines: &mut Vec<String>) {
    let mut literal = false;
    lines.retain_mut(|line| {
        let fence = line.trim_start().starts_with("```");
        if fence {
            literal = !literal;
        } else if literal {
            line.insert_str(0, "    ");
        }
        !fence
    });
}

fn signature(function: &Function) -> Result<Signature> {
    let name = function.path.name().to_owned();
    if !name.starts_with("bow_") {
        return Err(format!("{name}: expected a name that starts with bow_").into());
    }
    let parameters = function
        .args
        .iter()
        .map(|argument| neutral(&argument.ty).ok_or_else(|| format!("{name}: an argument's type")))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let integers = parameters
        .iter()
        .filter(|parameter| **parameter != "f64")
        .count();
    if integers > 6 {
        return Err(
            format!("{name}: expected at most 6 integer arguments but found {integers}").into(),
        );
    }
    let result = neutral(&function.ret).ok_or_else(|| format!("{name}: the result's type"))?;
    Ok(Signature {
        name,
        parameters,
        result,
    })
}

/// `"buffer"` is the address of memory of the caller's that the call reads or writes; `"usize"` is a number, also where
/// C has `void *`: an address that the binding has as a number.
fn neutral(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Primitive(PrimitiveType::Void) => Some("void"),
        Type::Primitive(PrimitiveType::Double) => Some("f64"),
        Type::Primitive(PrimitiveType::Integer {
            signed: false,
            kind: IntKind::B32,
            ..
        }) => Some("u32"),
        Type::Primitive(PrimitiveType::Integer {
            signed: true,
            kind: IntKind::B32,
            ..
        }) => Some("i32"),
        Type::Primitive(PrimitiveType::Integer {
            signed: false,
            kind: IntKind::Size,
            ..
        }) => Some("usize"),
        Type::Ptr { ty, .. } => match **ty {
            Type::Primitive(PrimitiveType::Void) => Some("usize"),
            _ => Some("buffer"),
        },
        _ => None,
    }
}

fn layouts(bindings: &Bindings) -> Result<Vec<Layout>> {
    let mut layouts: Vec<Layout> = Vec::new();
    // A struct comes after those that it contains.
    for item in &bindings.items {
        let (name, fields, overlap) = match item {
            ItemContainer::Struct(item) => (&item.export_name, &item.fields, false),
            ItemContainer::Union(item) => (&item.export_name, &item.fields, true),
            _ => continue,
        };
        layouts.push(layout(name, fields, overlap, &layouts)?);
    }
    Ok(layouts)
}

/// Fields one after another, or all at the start of a union.
fn layout(name: &str, fields: &[Field], overlap: bool, known: &[Layout]) -> Result<Layout> {
    let (mut size, mut alignment, mut offsets) = (0usize, 1usize, Vec::new());
    for field in fields {
        let (extent, align) = extent(&field.ty, known)
            .ok_or_else(|| format!("{name}.{}: no size known for its type", field.name))?;
        let offset = if overlap {
            0
        } else {
            size.next_multiple_of(align)
        };
        offsets.push((field.name.clone(), offset));
        size = size.max(offset + extent);
        alignment = alignment.max(align);
    }
    Ok(Layout {
        name: name.to_owned(),
        size: size.next_multiple_of(alignment),
        offsets,
    })
}

/// Size and alignment of a type on 64-bit targets.
fn extent(ty: &Type, known: &[Layout]) -> Option<(usize, usize)> {
    let width = match ty {
        Type::Ptr { .. } | Type::FuncPtr { .. } => 8,
        Type::Primitive(PrimitiveType::Double) => 8,
        Type::Primitive(PrimitiveType::Integer { kind, .. }) => match kind {
            IntKind::B8 => 1,
            IntKind::B16 => 2,
            IntKind::B32 => 4,
            IntKind::B64 | IntKind::Size => 8,
            _ => return None,
        },
        Type::Array(item, count) => {
            let (size, align) = extent(item, known)?;
            return Some((size * count.as_str().parse::<usize>().ok()?, align));
        }
        // The structs that are nested hold Arrow structs, whose alignment is a pointer's.
        Type::Path(path) => {
            let layout = known
                .iter()
                .find(|layout| layout.name == path.export_name())?;
            return Some((layout.size, 8));
        }
        _ => return None,
    };
    Some((width, width))
}

/// Makes the status enum one of plain C, with C's names for its variants.
fn name_statuses(bindings: &mut Bindings) -> Result<Vec<(String, i32)>> {
    let mut statuses = Vec::new();
    for item in &mut bindings.items {
        let ItemContainer::Enum(item) = item else {
            continue;
        };
        // Functions return int32_t; as a type the enum is not used, so that C need not know its width.
        item.repr = Repr {
            style: ReprStyle::C,
            ..Repr::default()
        };
        for variant in &mut item.variants {
            variant.export_name = format!("BOW_{}", screaming_snake(&variant.name));
            let Some(Literal::Expr(value)) = &variant.discriminant else {
                return Err(format!("{}: expected a number", variant.name).into());
            };
            statuses.push((variant.export_name.clone(), value.parse()?));
        }
    }
    Ok(statuses)
}

fn screaming_snake(name: &str) -> String {
    let mut result = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_uppercase() && index > 0 {
            result.push('_');
        }
        result.push(letter.to_ascii_uppercase());
    }
    result
}

fn constant(bindings: &Bindings, name: &str) -> Result<u32> {
    let constant = bindings
        .constants
        .iter()
        .find(|constant| constant.export_name == name)
        .ok_or_else(|| format!("expected a constant {name}"))?;
    match &constant.value {
        Literal::Expr(value) => Ok(value.parse()?),
        _ => Err(format!("{name}: expected a number").into()),
    }
}

fn read_chapter(path: &Path) -> Result<Chapter> {
    let source =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text: Vec<String> = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
        .collect();
    let first_function = source
        .split_once("extern \"C\" fn ")
        .and_then(|(_, rest)| rest.split_once('('))
        .map(|(name, _)| name.to_owned())
        .ok_or_else(|| format!("{}: expected an exported function", path.display()))?;
    Ok(Chapter {
        text,
        first_function,
    })
}
