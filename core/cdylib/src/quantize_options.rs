//! The options of a quantization as JSON, checked one by one: the message about a bad one names it, and says what was
//! expected and what was found. Which values go together is the engine's to check.

use bowstring_abi::Failure;
use bowstring_quantize::{DequantizeOptions, QuantizeOptions};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arguments::options;

/// What an option may be.
#[derive(Clone, Copy)]
enum Kind {
    /// A whole number that the engine's type of this many bits holds, and what the engine expects.
    Unsigned(u32, &'static str),
    Signed32,
    Number,
    Flag,
    Text,
    OneOf(&'static [&'static str]),
    /// An array of objects with options of their own.
    Each(&'static [(&'static str, Kind)]),
}

const BIT_WIDTH: Kind = Kind::Unsigned(8, "2, 4 or 8");
const GROUP_SIZE: Kind = Kind::Unsigned(32, "32, 64, 128 or 256");
const THREADS: Kind = Kind::Unsigned(32, "a whole number from 0 on");
const GRANULARITY: Kind = Kind::OneOf(&["tensor", "channel", "group"]);
const SCHEME: Kind = Kind::OneOf(&["asymmetric", "symmetric"]);
const LAYOUT: Kind = Kind::OneOf(&["onnx", "ggml", "mlx", "unpacked"]);
const SEARCH: Kind = Kind::OneOf(&["none", "mse"]);
const SCALE_TYPE: Kind = Kind::OneOf(&["float32", "float16"]);
const INSTRUCTION_SET: Kind = Kind::OneOf(&["portable", "avx2", "avx512"]);

const OVERRIDE: &[(&str, Kind)] = &[
    ("pattern", Kind::Text),
    ("bitWidth", BIT_WIDTH),
    ("granularity", GRANULARITY),
    ("axis", Kind::Signed32),
    ("groupSize", GROUP_SIZE),
    ("scheme", SCHEME),
    ("layout", LAYOUT),
    ("search", SEARCH),
    ("minCosine", Kind::Number),
    ("scaleType", SCALE_TYPE),
];

const QUANTIZE: &[(&str, Kind)] = &[
    ("bitWidth", BIT_WIDTH),
    ("granularity", GRANULARITY),
    ("axis", Kind::Signed32),
    ("groupSize", GROUP_SIZE),
    ("scheme", SCHEME),
    ("layout", LAYOUT),
    ("search", SEARCH),
    ("minCosine", Kind::Number),
    ("importance", Kind::Text),
    ("scaleType", SCALE_TYPE),
    ("onInvalid", Kind::OneOf(&["error", "skip", "clip"])),
    ("continueOnError", Kind::Flag),
    ("overrides", Kind::Each(OVERRIDE)),
    ("statistics", Kind::Flag),
    ("threads", THREADS),
    ("instructionSet", INSTRUCTION_SET),
];

/// Those of a file, besides.
const FILE: &[(&str, Kind)] = &[
    ("input", Kind::Text),
    ("output", Kind::Text),
    ("vectors", Kind::Flag),
];

/// A file to quantize, and how.
pub(crate) struct FileRequest {
    pub input: String,
    pub output: String,
    pub vectors: bool,
    pub quantize: QuantizeOptions,
}

const DEQUANTIZE: &[(&str, Kind)] = &[("threads", THREADS), ("instructionSet", INSTRUCTION_SET)];

/// # Safety
/// `bytes` is null, or `length` bytes are readable there.
pub(crate) unsafe fn quantize_options(
    bytes: *const u8,
    length: u32,
) -> Result<QuantizeOptions, Failure> {
    // SAFETY: passed on to the caller.
    read(unsafe { options(bytes, length) }?, QUANTIZE)
}

/// # Safety
/// As for [`quantize_options`].
pub(crate) unsafe fn dequantize_options(
    bytes: *const u8,
    length: u32,
) -> Result<DequantizeOptions, Failure> {
    // SAFETY: passed on to the caller.
    read(unsafe { options(bytes, length) }?, DEQUANTIZE)
}

/// # Safety
/// As for [`quantize_options`].
pub(crate) unsafe fn file_options(bytes: *const u8, length: u32) -> Result<FileRequest, Failure> {
    // SAFETY: passed on to the caller.
    let mut value: Value = unsafe { options(bytes, length) }?;
    let mut own = serde_json::Map::new();
    if let Value::Object(object) = &mut value {
        for (name, _) in FILE {
            own.extend(object.remove_entry(*name));
        }
    }
    let own = Value::Object(own);
    check(&own, "", FILE).map_err(Failure::invalid_argument)?;
    let text = |name: &str| match own[name].as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Failure::invalid_argument(format!(
            "{name}: expected a string but found nothing"
        ))),
    };
    Ok(FileRequest {
        input: text("input")?,
        output: text("output")?,
        vectors: own["vectors"].as_bool().unwrap_or(false),
        quantize: read(value, QUANTIZE)?,
    })
}

fn read<T: DeserializeOwned>(value: Value, known: &[(&str, Kind)]) -> Result<T, Failure> {
    check(&value, "", known).map_err(Failure::invalid_argument)?;
    serde_json::from_value(value)
        .map_err(|error| Failure::invalid_argument(format!("options: {error}")))
}

fn check(value: &Value, path: &str, known: &[(&str, Kind)]) -> Result<(), String> {
    let Value::Object(object) = value else {
        let name = if path.is_empty() {
            "options"
        } else {
            path.trim_end_matches('.')
        };
        return Err(mismatch(name, "an object", value));
    };
    for (name, value) in object {
        let path = format!("{path}{name}");
        let Some((_, kind)) = known.iter().find(|(known, _)| known == name) else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "options: expected {} but found {path}",
                names.join(", ")
            ));
        };
        kind.check(value, &path)?;
    }
    Ok(())
}

impl Kind {
    fn check(self, value: &Value, path: &str) -> Result<(), String> {
        let (fits, expected) = match self {
            Self::Unsigned(bits, expected) => {
                let fits = |number: u64| number >> bits == 0;
                (value.as_u64().is_some_and(fits), expected.to_owned())
            }
            Self::Signed32 => {
                let fits = |number: i64| i32::try_from(number).is_ok();
                (
                    value.as_i64().is_some_and(fits),
                    "a whole number".to_owned(),
                )
            }
            Self::Number => (value.is_number(), "a number".to_owned()),
            Self::Flag => (value.is_boolean(), "true or false".to_owned()),
            Self::Text => (value.is_string(), "a string".to_owned()),
            Self::OneOf(names) => {
                let fits = |text: &str| names.contains(&text);
                (value.as_str().is_some_and(fits), choice(names))
            }
            Self::Each(known) => {
                let Value::Array(items) = value else {
                    return Err(mismatch(path, "an array of objects", value));
                };
                for (at, item) in items.iter().enumerate() {
                    check(item, &format!("{path}[{at}]."), known)?;
                }
                return Ok(());
            }
        };
        if fits {
            Ok(())
        } else {
            Err(mismatch(path, &expected, value))
        }
    }
}

fn mismatch(path: &str, expected: &str, found: &Value) -> String {
    format!("{path}: expected {expected} but found {found}")
}

/// `"a", "b" or "c"`.
fn choice(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match &names[..] {
        [] => String::new(),
        [only] => only.clone(),
        [firsts @ .., last] => format!("{} or {last}", firsts.join(", ")),
    }
}
