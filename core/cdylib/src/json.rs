//! Schemas as JSON.

use bowstring_abi::{Failure, SchemaTree};
use serde::Deserialize;
use serde_json::{Value, json};

/// The JSON of a schema.
pub(crate) fn schema_json(schema: &SchemaTree) -> Value {
    json!({
        "format": schema.format,
        "name": schema.name,
        "metadata": schema.metadata,
        "flags": schema.flags,
        "children": schema.children.iter().map(schema_json).collect::<Value>(),
        "dictionary": schema.dictionary.as_deref().map(schema_json),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaJson {
    format: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    metadata: Option<Vec<(String, String)>>,
    /// Nullable.
    #[serde(default = "nullable")]
    flags: i64,
    #[serde(default)]
    children: Vec<SchemaJson>,
    #[serde(default)]
    dictionary: Option<Box<SchemaJson>>,
}

fn nullable() -> i64 {
    2
}

impl From<SchemaJson> for SchemaTree {
    /// Recursion is bounded: the parser refuses JSON that nests deeper than 128 levels.
    fn from(json: SchemaJson) -> Self {
        Self {
            format: json.format,
            name: json.name,
            metadata: json.metadata,
            flags: json.flags,
            children: json.children.into_iter().map(Into::into).collect(),
            dictionary: json
                .dictionary
                .map(|dictionary| Box::new((*dictionary).into())),
        }
    }
}

/// The schema that JSON describes.
pub(crate) fn parse_schema(json: &[u8]) -> Result<SchemaTree, Failure> {
    let json: SchemaJson = serde_json::from_slice(json)
        .map_err(|error| Failure::invalid_argument(format!("json: {error}")))?;
    Ok(json.into())
}
