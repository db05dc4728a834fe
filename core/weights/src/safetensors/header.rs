//! Headers, which are believed in nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The longest header that the format allows, in bytes.
pub(super) const MOST_HEADER_BYTES: u64 = 100_000_000;
/// What the length of the header takes.
pub(crate) const LENGTH_BYTES: usize = 8;
/// The entry that is no tensor.
pub(crate) const METADATA: &str = "__metadata__";

/// The type of a tensor's values: its name, and the bits of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dtype {
    pub name: &'static str,
    pub bits: usize,
}

/// The types of the format, and the bits of a value.
const DTYPES: &[(&str, usize)] = &[
    ("F4", 4),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("BOOL", 8),
    ("U8", 8),
    ("I8", 8),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("I16", 16),
    ("U16", 16),
    ("F16", 16),
    ("BF16", 16),
    ("I32", 32),
    ("U32", 32),
    ("F32", 32),
    ("I64", 64),
    ("U64", 64),
    ("F64", 64),
    ("C64", 64),
];

impl Dtype {
    pub fn of(name: &str) -> Option<Self> {
        let known = DTYPES.iter().find(|(known, _)| *known == name);
        known.map(|&(name, bits)| Self { name, bits })
    }
}

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TensorInfo {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<u64>,
    /// Where its bytes are in the file.
    pub bytes: Range<usize>,
}

impl TensorInfo {
    /// How many values it has.
    pub fn values(&self) -> u64 {
        // Checked when the header was read.
        self.shape.iter().product()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// What a header says beside its tensors, text by name.
pub(crate) type Metadata = BTreeMap<String, String>;

/// The entries of the header, in its order, duplicates and all.
#[derive(Default)]
struct Entries {
    tensors: Vec<(String, Entry)>,
    metadata: Metadata,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Entries::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name == METADATA {
                        entries.metadata.extend(texts(map.next_value()?));
                    } else {
                        entries.tensors.push((name, map.next_value()?));
                    }
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// The texts of an object. The format has nothing else there, and nothing depends on them, so that the rest is left out.
fn texts(value: Value) -> impl Iterator<Item = (String, String)> {
    let entries = match value {
        Value::Object(entries) => entries,
        _ => Default::default(),
    };
    entries.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    })
}

/// Reads the header of a file, and checks it against the file. The tensors come in the order of their bytes.
pub(crate) fn read_header(file: &[u8]) -> Result<(Vec<TensorInfo>, Metadata), String> {
    let (length, rest) = file
        .split_first_chunk::<LENGTH_BYTES>()
        .ok_or_else(|| format!("expected at least 8 bytes but found {}", file.len()))?;
    let length = u64::from_le_bytes(*length);
    let most = (rest.len() as u64).min(MOST_HEADER_BYTES);
    if length > most {
        return Err(format!(
            "header: expected a length of at most {most} bytes but found {length}"
        ));
    }
    let (header, data) = rest.split_at(length as usize);
    // A copy, since what is parsed must not change meanwhile.
    let header = header.to_vec();
    let Entries { tensors, metadata } =
        serde_json::from_slice(&header).map_err(|error| format!("header: {error}"))?;
    let start = LENGTH_BYTES + length as usize;
    let mut tensors = tensors
        .into_iter()
        .map(|(name, entry)| {
            tensor(&name, entry, data.len(), start)
                .map_err(|message| format!("tensor {name:?}: {message}"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    tensors.sort_by_key(|tensor| (tensor.bytes.start, tensor.bytes.end));
    check_data(&tensors, start, data.len())?;
    check_names(&tensors)?;
    Ok((tensors, metadata))
}

fn tensor(name: &str, entry: Entry, data: usize, start: usize) -> Result<TensorInfo, String> {
    let dtype = Dtype::of(&entry.dtype)
        .ok_or_else(|| format!("expected a known dtype but found {:?}", entry.dtype))?;
    let [begin, end] = entry.data_offsets;
    if begin > end || end > data as u64 {
        return Err(format!(
            "expected data_offsets in order and within the {data} bytes of data but found [{begin}, {end}]"
        ));
    }
    let product = |product: u64, size: &u64| product.checked_mul(*size);
    let bits = entry
        .shape
        .iter()
        .try_fold(1, product)
        .and_then(|values| values.checked_mul(dtype.bits as u64));
    if bits != (end - begin).checked_mul(8) {
        return Err(format!(
            "expected the bytes of {} values of shape {:?} but found {}",
            dtype.name,
            entry.shape,
            end - begin
        ));
    }
    Ok(TensorInfo {
        name: name.to_owned(),
        dtype,
        shape: entry.shape,
        bytes: start + begin as usize..start + end as usize,
    })
}

/// The data is the tensors', all of it, and each byte that of one.
fn check_data(tensors: &[TensorInfo], start: usize, data: usize) -> Result<(), String> {
    let mut end = start;
    let mut before = "the data";
    for tensor in tensors {
        let found = tensor.bytes.start;
        if found != end {
            let what = if found < end {
                "they overlap"
            } else {
                "there is a gap"
            };
            return Err(format!(
                "tensor {:?}: expected data from byte {} on, where that of {before:?} ends, but found {}: {what}",
                tensor.name,
                end - start,
                found - start
            ));
        }
        end = tensor.bytes.end;
        before = &tensor.name;
    }
    if end - start != data {
        return Err(format!(
            "expected {} bytes of data, as the tensors have, but found {data}",
            end - start
        ));
    }
    Ok(())
}

fn check_names(tensors: &[TensorInfo]) -> Result<(), String> {
    let mut names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("expected one tensor {:?} but found two", pair[0])),
        None => Ok(()),
    }
}
