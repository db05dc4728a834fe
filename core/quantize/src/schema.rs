//! The columns that go in and those that come out.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};

use crate::{QuantizeError, QuantizeOptions};

/// The extension name of bfloat16 over uint16 storage.
pub(crate) const BFLOAT16: &str = "bowstring.bfloat16";
const FIXED_SHAPE_TENSOR: &str = "arrow.fixed_shape_tensor";
const VARIABLE_SHAPE_TENSOR: &str = "arrow.variable_shape_tensor";
const EXTENSION_NAME: &str = "ARROW:extension:name";
const EXTENSION_METADATA: &str = "ARROW:extension:metadata";

const EXPECTED_WEIGHTS: &str = "list, large list or fixed-size list of float32, float16 or bfloat16 (uint16 with the \
                                extension name \"bowstring.bfloat16\"), arrow.fixed_shape_tensor or \
                                arrow.variable_shape_tensor of these";

/// Checks that `schema` has the columns [`quantize`](crate::quantize) needs with `options`. Columns beyond those are
/// not looked at.
///
/// # Errors
/// One [`QuantizeError::InvalidSchema`] that lists every mismatch, what was expected and what was found.
pub fn validate_schema(schema: &Schema, options: &QuantizeOptions) -> Result<(), QuantizeError> {
    let mut mismatches = Vec::new();
    let mut check =
        |name: &str, expected: &str, is_required: bool, fits: &dyn Fn(&Field) -> Option<String>| {
            let found: Vec<&Arc<Field>> = schema
                .fields()
                .iter()
                .filter(|field| field.name() == name)
                .collect();
            let found = match found[..] {
                [] if is_required => "no such column".to_owned(),
                [] => return,
                [field] => match fits(field) {
                    None => return,
                    Some(found) => found,
                },
                _ => format!("{} columns of that name", found.len()),
            };
            mismatches.push(format!(
                "column \"{name}\": expected {expected} but found {found}"
            ));
        };
    let is = |fits: fn(&DataType) -> bool| {
        move |field: &Field| (!fits(field.data_type())).then(|| field.data_type().to_string())
    };
    check("layer_name", "utf8 or large utf8", true, &is(is_text));
    check("weights", EXPECTED_WEIGHTS, true, &|field| {
        Weights::of(field).err()
    });
    check(
        "shape",
        "list<int64> or large list<int64>",
        false,
        &is(is_shape),
    );
    if let Some(name) = &options.importance {
        check(
            name,
            "list<float32> or large list<float32>",
            true,
            &is(is_importance),
        );
    }
    fail("quantization", mismatches)
}

/// Checks that `schema` is one that [`dequantize`](crate::dequantize) reads.
///
/// # Errors
/// One [`QuantizeError::InvalidSchema`] that lists every mismatch, what was expected and what was found.
pub fn validate_quantized_schema(schema: &Schema) -> Result<(), QuantizeError> {
    let mut mismatches = Vec::new();
    for expected in quantized_schema().fields() {
        if !NEEDED.contains(&expected.name().as_str()) {
            continue;
        }
        let name = expected.name();
        match schema.field_with_name(name) {
            Err(_) => mismatches.push(format!(
                "column \"{name}\": expected {} but found no such column",
                expected.data_type()
            )),
            Ok(found) if !is_same(found.data_type(), expected.data_type()) => {
                mismatches.push(format!(
                    "column \"{name}\": expected {} but found {}",
                    expected.data_type(),
                    found.data_type()
                ))
            }
            Ok(_) => {}
        }
    }
    match schema.metadata().get(VERSION_KEY).map(String::as_str) {
        Some(VERSION) => {}
        found => mismatches.push(format!(
            "metadata \"{VERSION_KEY}\": expected \"{VERSION}\" but found {}",
            found.map_or("nothing".to_owned(), |found| format!("\"{found}\""))
        )),
    }
    fail("dequantization", mismatches)
}

fn fail(what: &str, mismatches: Vec<String>) -> Result<(), QuantizeError> {
    if mismatches.is_empty() {
        return Ok(());
    }
    Err(QuantizeError::InvalidSchema(format!(
        "the schema does not fit {what}: {}",
        mismatches.join("; ")
    )))
}

/// Whether two types are the same but for the names and nullability of list items.
fn is_same(found: &DataType, expected: &DataType) -> bool {
    match (found, expected) {
        (DataType::List(found), DataType::List(expected)) => {
            is_same(found.data_type(), expected.data_type())
        }
        _ => found == expected,
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8)
}

fn is_shape(data_type: &DataType) -> bool {
    let (DataType::List(item) | DataType::LargeList(item)) = data_type else {
        return false;
    };
    item.data_type() == &DataType::Int64
}

fn is_importance(data_type: &DataType) -> bool {
    let (DataType::List(item) | DataType::LargeList(item)) = data_type else {
        return false;
    };
    item.data_type() == &DataType::Float32
}

/// The type of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Float32,
    Float16,
    Bfloat16,
}

/// How the weights column holds tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Weights {
    /// A list of any of the three kinds.
    List(Element),
    /// A fixed-size list whose type says the shape.
    FixedShape(Element, Vec<usize>),
    /// A struct of a list and the shape.
    VariableShape(Element),
}

impl Weights {
    /// Reads the column's type; the error is what was found.
    pub(crate) fn of(field: &Field) -> Result<Self, String> {
        let found = || field.data_type().to_string();
        match field.metadata().get(EXTENSION_NAME).map(String::as_str) {
            Some(FIXED_SHAPE_TENSOR) => {
                let DataType::FixedSizeList(item, len) = field.data_type() else {
                    return Err(format!("{FIXED_SHAPE_TENSOR} over {}", found()));
                };
                let shape = fixed_shape(field.metadata().get(EXTENSION_METADATA), *len as usize)?;
                Ok(Self::FixedShape(element(item).ok_or_else(found)?, shape))
            }
            Some(VARIABLE_SHAPE_TENSOR) => {
                is_permuted(field.metadata().get(EXTENSION_METADATA))?;
                let DataType::Struct(fields) = field.data_type() else {
                    return Err(format!("{VARIABLE_SHAPE_TENSOR} over {}", found()));
                };
                variable_shape(fields)
                    .map(Self::VariableShape)
                    .ok_or_else(found)
            }
            _ => match field.data_type() {
                DataType::List(item)
                | DataType::LargeList(item)
                | DataType::FixedSizeList(item, _) => element(item)
                    .map(Self::List)
                    .ok_or_else(|| described(field.data_type(), item)),
                _ => Err(found()),
            },
        }
    }

    pub(crate) fn element(&self) -> Element {
        match self {
            Self::List(element) | Self::FixedShape(element, _) | Self::VariableShape(element) => {
                *element
            }
        }
    }
}

/// A list's type, with its item's extension name, on which a mismatch may hang.
fn described(data_type: &DataType, item: &Field) -> String {
    match item.metadata().get(EXTENSION_NAME) {
        Some(name) => format!("{data_type} with the extension name \"{name}\""),
        None => data_type.to_string(),
    }
}

fn element(item: &Field) -> Option<Element> {
    match item.data_type() {
        DataType::Float32 => Some(Element::Float32),
        DataType::Float16 => Some(Element::Float16),
        DataType::UInt16
            if item
                .metadata()
                .get(EXTENSION_NAME)
                .is_some_and(|name| name == BFLOAT16) =>
        {
            Some(Element::Bfloat16)
        }
        _ => None,
    }
}

fn fixed_shape(metadata: Option<&String>, len: usize) -> Result<Vec<usize>, String> {
    is_permuted(metadata)?;
    let unreadable = || format!("{FIXED_SHAPE_TENSOR} with the metadata {metadata:?}");
    let json: serde_json::Value = metadata
        .and_then(|metadata| serde_json::from_str(metadata).ok())
        .ok_or_else(unreadable)?;
    let shape = json
        .get("shape")
        .and_then(|shape| shape.as_array())
        .ok_or_else(unreadable)?;
    let shape: Option<Vec<usize>> = shape
        .iter()
        .map(|size| size.as_u64().and_then(|size| usize::try_from(size).ok()))
        .collect();
    let shape = shape.ok_or_else(unreadable)?;
    let product = shape
        .iter()
        .try_fold(1usize, |product, size| product.checked_mul(*size));
    if product != Some(len) {
        return Err(format!(
            "{FIXED_SHAPE_TENSOR} of shape {shape:?} over lists of {len} values"
        ));
    }
    Ok(shape)
}

/// A tensor whose logical axes are in another order than its values would be grouped along the wrong one.
fn is_permuted(metadata: Option<&String>) -> Result<(), String> {
    let json: Option<serde_json::Value> =
        metadata.and_then(|metadata| serde_json::from_str(metadata).ok());
    let permutation = json
        .as_ref()
        .and_then(|json| json.get("permutation"))
        .and_then(|p| p.as_array());
    match permutation {
        Some(axes)
            if axes
                .iter()
                .enumerate()
                .any(|(at, axis)| axis.as_u64() != Some(at as u64)) =>
        {
            Err(format!(
                "a tensor whose axes are permuted: {}",
                serde_json::Value::Array(axes.clone())
            ))
        }
        _ => Ok(()),
    }
}

fn variable_shape(fields: &Fields) -> Option<Element> {
    let [data, shape] = &fields[..] else {
        return None;
    };
    let (DataType::List(item) | DataType::LargeList(item)) = data.data_type() else {
        return None;
    };
    let DataType::FixedSizeList(size, _) = shape.data_type() else {
        return None;
    };
    let is_named =
        data.name() == "data" && shape.name() == "shape" && size.data_type() == &DataType::Int32;
    if is_named { element(item) } else { None }
}

/// The columns that dequantization reads.
pub(crate) const NEEDED: [&str; 10] = [
    "layer_name",
    "quantized_data",
    "scales",
    "zero_points",
    "shape",
    "bit_width",
    "scheme",
    "group_size",
    "axis",
    "layout",
];

const VERSION_KEY: &str = "bowstring:quantization_version";
const VERSION: &str = "1";

/// What a stranger needs to read a row, beside the columns.
const METADATA: [(&str, &str); 6] = [
    (VERSION_KEY, VERSION),
    (
        "bowstring:rounding",
        "code = saturate(round_half_even(float32(x / scale)) + zero_point); layout ggml: as ggml's reference quantizers",
    ),
    (
        "bowstring:packing",
        "layouts onnx and mlx: codes of bit_width bits, row-major over the whole tensor without gaps, the first code in \
         the lowest bits of the first byte, the last byte (mlx: the last 4-byte little-endian word) filled with zeros; \
         layout unpacked: one byte a code; layout ggml: blocks of 32 values, bit_width 8 Q8_0 (float16 d, 32 int8 q), \
         bit_width 4 with scheme symmetric Q4_0 (float16 d, 16 bytes), with asymmetric Q4_1 (float16 d, float16 m, 16 \
         bytes), byte j of the 16 with code j in its low and code j + 16 in its high half",
    ),
    (
        "bowstring:codes",
        "unsigned; with scheme symmetric and layout onnx or unpacked, and in ggml's Q8_0, signed two's complement",
    ),
    (
        "bowstring:dequantization",
        "value = (code - zero_points[g]) * scales[g]; where biases is not null also value = code * scales[g] + biases[g], \
         which in ggml's Q4_1 is the only form",
    ),
    (
        "bowstring:groups",
        "axis -1: one group, g = 0; group_size 0: g is the index along axis; else g = row * ceil(n / group_size) + \
         column / group_size, where the last axis has n values and row counts its runs",
    ),
];

/// The schema of quantized tables. With the option `statistics` off, the last four columns are nullable, and null; see
/// [`QuantizeOptions::quantized_schema`].
pub fn quantized_schema() -> SchemaRef {
    schema_of(true)
}

impl QuantizeOptions {
    /// The schema of the tables that these options give.
    pub fn quantized_schema(&self) -> SchemaRef {
        schema_of(self.statistics)
    }
}

fn schema_of(statistics: bool) -> SchemaRef {
    let list = |item: DataType| DataType::List(Arc::new(Field::new("item", item, false)));
    let fields = vec![
        Field::new("layer_name", DataType::Utf8, false),
        Field::new("quantized_data", DataType::LargeBinary, false),
        Field::new("scales", list(DataType::Float32), false),
        Field::new("zero_points", list(DataType::Int16), false),
        Field::new("shape", list(DataType::Int64), false),
        Field::new("bit_width", DataType::UInt8, false),
        Field::new("biases", list(DataType::Float32), true),
        Field::new("scheme", DataType::Utf8, false),
        Field::new("group_size", DataType::Int32, false),
        Field::new("axis", DataType::Int32, false),
        Field::new("layout", DataType::Utf8, false),
        Field::new("rmse", DataType::Float32, !statistics),
        Field::new("max_abs_error", DataType::Float32, !statistics),
        Field::new("sqnr_db", DataType::Float32, !statistics),
        Field::new("cosine", DataType::Float32, !statistics),
    ];
    let metadata: HashMap<String, String> = METADATA
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// The schema of dequantized tables.
pub(crate) fn dequantized_schema() -> SchemaRef {
    let list = |item: DataType| DataType::List(Arc::new(Field::new("item", item, false)));
    Arc::new(Schema::new(vec![
        Field::new("layer_name", DataType::Utf8, false),
        Field::new("weights", list(DataType::Float32), false),
        Field::new("shape", list(DataType::Int64), false),
    ]))
}
