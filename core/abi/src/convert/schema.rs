//! What schemas become. Here is decided what is converted; the other files do it.

use serde::{Deserialize, Serialize};

use super::data::Place;
use super::{DICTIONARY, ORIGINAL_RUN_ENDS, ORIGINAL_TYPE, OURS, name};
use crate::SchemaTree;
use crate::invalid::{InvalidArrow, Problem};
use crate::layout::decimal;
use crate::schema::NULLABLE;

/// The extension type of decimals that are shown as their 32 bytes.
const DECIMAL_EXTENSION: &str = "bowstring.decimal256";
const EXTENSION_NAME: &str = "ARROW:extension:name";

/// How one array changes, children and dictionary aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    ListView {
        is_large: bool,
    },
    RunEnds,
    /// Between decimals of this width and decimal128.
    Decimal {
        bits: usize,
        precision: u8,
    },
    /// Between decimal256 and its bytes.
    DecimalBytes,
    /// Between 64-bit keys and int32 ones.
    Keys {
        is_signed: bool,
    },
}

impl Change {
    /// What has to happen to an array of this type to be shown.
    pub fn of(format: &str, has_dictionary: bool) -> Option<Self> {
        match format {
            "+vl" => Some(Self::ListView { is_large: false }),
            "+vL" => Some(Self::ListView { is_large: true }),
            "+r" => Some(Self::RunEnds),
            "l" | "L" => has_dictionary.then_some(Self::Keys {
                is_signed: format == "l",
            }),
            _ => {
                let decimal = decimal(format.strip_prefix("d:")?)?;
                match decimal.bits {
                    128 => None,
                    256 if decimal.precision > 38 => Some(Self::DecimalBytes),
                    bits => Some(Self::Decimal {
                        bits,
                        precision: decimal.precision,
                    }),
                }
            }
        }
    }

    /// What has to happen to an array of `tree` to be what its metadata says that it was.
    pub fn back(tree: &SchemaTree) -> Option<(Self, &str)> {
        let original = tree.metadata_value(ORIGINAL_TYPE)?;
        // Only dictionaries have keys to be restored, whose format looks like that of numbers.
        let change = Self::of(original, tree.dictionary.is_some())?;
        Some((change, original))
    }

    /// The format of what `original` is converted to; `None` if it may be any.
    fn target(self, original: &str) -> Option<String> {
        Some(match self {
            Self::ListView { is_large: false } => "+l".to_owned(),
            Self::ListView { is_large: true } => "+L".to_owned(),
            Self::RunEnds => return None,
            Self::Decimal { .. } => {
                // Without the width.
                let end = original.rfind(',').unwrap_or(original.len());
                original[..end].to_owned()
            }
            Self::DecimalBytes => "w:32".to_owned(),
            Self::Keys { .. } => "i".to_owned(),
        })
    }
}

/// What a run-end encoded field had beside its values.
#[derive(Serialize, Deserialize)]
struct RunEnds {
    flags: i64,
    run_ends: SchemaTree,
    /// Name, flags and metadata of the values; its format is not used.
    values: SchemaTree,
}

/// What tables of a schema are shown as: see [`convert`](crate::convert::convert()). Equal to the schema if nothing
/// has to be converted.
pub fn convert_schema(schema: &SchemaTree) -> SchemaTree {
    let mut tree = schema.clone();
    tree.children = schema.children.iter().map(convert_schema).collect();
    if let Some(dictionary) = &schema.dictionary {
        let mut dictionary = convert_schema(dictionary);
        hoist(&mut dictionary, &mut tree);
        tree.dictionary = Some(Box::new(dictionary));
    }
    let renamed = name::convert(&tree);
    tree.children = renamed;
    let Some(change) = Change::of(&tree.format, tree.dictionary.is_some()) else {
        return tree;
    };
    match change.target(&tree.format) {
        Some(format) => {
            let original = std::mem::replace(&mut tree.format, format);
            set(&mut tree, ORIGINAL_TYPE, original);
        }
        None => tree = plain(tree),
    }
    if change == Change::DecimalBytes && tree.metadata_value(EXTENSION_NAME).is_none() {
        set(&mut tree, EXTENSION_NAME, DECIMAL_EXTENSION.to_owned());
    }
    tree
}

/// A run-end encoded field, whose children have been converted, as one of its values.
fn plain(mut tree: SchemaTree) -> SchemaTree {
    let (Some(values), Some(run_ends)) = (tree.children.pop(), tree.children.pop()) else {
        return tree;
    };
    let shallow = SchemaTree {
        format: String::new(),
        children: Vec::new(),
        dictionary: None,
        ..values.clone()
    };
    let original = RunEnds {
        flags: tree.flags,
        run_ends,
        values: shallow,
    };
    let json = serde_json::to_string(&original).unwrap_or_default();
    tree.format = values.format;
    tree.children = values.children;
    tree.dictionary = values.dictionary;
    tree.flags = values.flags | tree.flags & NULLABLE;
    set(&mut tree, ORIGINAL_TYPE, "+r".to_owned());
    set(&mut tree, ORIGINAL_RUN_ENDS, json);
    tree
}

/// Undoes [`convert_schema`]. Fails when the metadata says what cannot be.
pub fn restore_schema(schema: &SchemaTree) -> Result<SchemaTree, InvalidArrow> {
    restore(schema).map_err(|place| place.invalid(schema))
}

fn restore(schema: &SchemaTree) -> Result<SchemaTree, Place> {
    if let Some((change, original)) = Change::back(schema) {
        if let Some(expected) = change.target(original)
            && !is_same(&expected, &schema.format)
        {
            return Err(Place::here(Problem::NotConverted {
                original: original.to_owned(),
                expected,
                found: schema.format.clone(),
            }));
        }
        if change == Change::RunEnds {
            let (mut tree, values) = run_ends(schema).map_err(Place::here)?;
            tree.children[1] = restore(&values)?;
            name::restore(&mut tree);
            return Ok(tree);
        }
    }
    let mut tree = schema.clone();
    for (index, child) in tree.children.iter_mut().enumerate() {
        *child = restore(child).map_err(|place| place.inside(index))?;
    }
    if let Some(dictionary) = dictionary_of(schema) {
        let restored = restore(&dictionary).map_err(Place::inside_dictionary)?;
        tree.dictionary = Some(Box::new(restored));
        take(&mut tree, |key| key.starts_with(DICTIONARY));
    }
    if let Some((change, original)) = Change::back(schema) {
        tree.format = original.to_owned();
        take(&mut tree, |key| key == ORIGINAL_TYPE);
        if change == Change::DecimalBytes
            && tree.metadata_value(EXTENSION_NAME) == Some(DECIMAL_EXTENSION)
        {
            take(&mut tree, |key| key == EXTENSION_NAME);
        }
    }
    name::restore(&mut tree);
    Ok(tree)
}

/// Whether two formats are of the same type: decimals may name the width that they have anyway.
fn is_same(expected: &str, found: &str) -> bool {
    let decimal = |format: &str| decimal(format.strip_prefix("d:")?);
    expected == found || decimal(expected).is_some_and(|expected| decimal(found) == Some(expected))
}

/// The run-end encoded field that `tree` was, and its values as they are now.
pub(super) fn run_ends(tree: &SchemaTree) -> Result<(SchemaTree, SchemaTree), Problem> {
    let json = tree.metadata_value(ORIGINAL_RUN_ENDS).unwrap_or_default();
    let original: RunEnds =
        serde_json::from_str(json).map_err(|_| Problem::OriginalRunEnds(json.to_owned()))?;
    if !matches!(original.run_ends.format.as_str(), "s" | "i" | "l") {
        return Err(Problem::RunEndFormat(original.run_ends.format));
    }
    let values = SchemaTree {
        format: tree.format.clone(),
        children: tree.children.clone(),
        dictionary: tree.dictionary.clone(),
        ..original.values
    };
    let mut encoded = SchemaTree {
        format: "+r".to_owned(),
        name: tree.name.clone(),
        metadata: tree.metadata.clone(),
        flags: original.flags,
        children: vec![original.run_ends, values.clone()],
        dictionary: None,
    };
    take(&mut encoded, |key| {
        matches!(key, ORIGINAL_TYPE | ORIGINAL_RUN_ENDS)
    });
    Ok((encoded, values))
}

/// The dictionary of a field, with what the field's metadata says of it.
pub(super) fn dictionary_of(tree: &SchemaTree) -> Option<SchemaTree> {
    let mut dictionary = tree.dictionary.as_deref()?.clone();
    for (key, value) in tree.metadata.iter().flatten() {
        if let Some(rest) = key.strip_prefix(DICTIONARY) {
            set(&mut dictionary, &format!("{OURS}{rest}"), value.clone());
        }
    }
    Some(dictionary)
}

/// Moves what the metadata of a dictionary's values says of their original type to the field.
fn hoist(dictionary: &mut SchemaTree, field: &mut SchemaTree) {
    for (key, value) in take(dictionary, |key| key.starts_with(OURS)) {
        let key = format!("{DICTIONARY}{}", &key[OURS.len()..]);
        set(field, &key, value);
    }
}

pub(super) fn set(tree: &mut SchemaTree, key: &str, value: String) {
    let entries = tree.metadata.get_or_insert_default();
    entries.retain(|(found, _)| found != key);
    entries.push((key.to_owned(), value));
}

/// Removes entries of the metadata, which is none when nothing is left of it.
pub(super) fn take(
    tree: &mut SchemaTree,
    is_taken: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let Some(entries) = &mut tree.metadata else {
        return Vec::new();
    };
    let taken: Vec<_> = entries.extract_if(.., |(key, _)| is_taken(key)).collect();
    if entries.is_empty() && !taken.is_empty() {
        tree.metadata = None;
    }
    taken
}

/// The first field, in pre-order, that a conversion changes.
pub(super) fn first_difference(original: &SchemaTree, converted: &SchemaTree) -> InvalidArrow {
    difference(original, converted)
        .unwrap_or_else(|| Place::here(Problem::WouldConvert(original.format.clone())))
        .invalid(original)
}

fn difference(original: &SchemaTree, converted: &SchemaTree) -> Option<Place> {
    if Change::of(&original.format, original.dictionary.is_some()).is_some() {
        return Some(Place::here(Problem::WouldConvert(original.format.clone())));
    }
    let pairs = original.children.iter().zip(&converted.children);
    for (index, (before, after)) in pairs.enumerate() {
        if before.name != after.name {
            let place = Place::here(Problem::WouldRename(before.name.clone()));
            return Some(place.inside(index));
        }
        if let Some(place) = difference(before, after) {
            return Some(place.inside(index));
        }
    }
    let (before, after) = (
        original.dictionary.as_ref()?,
        converted.dictionary.as_ref()?,
    );
    Some(difference(before, after)?.inside_dictionary())
}
