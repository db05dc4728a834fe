//! Tensors of files as the tables that quantization takes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float16Array, Float32Array, Int64Array, LargeListArray, ListArray, RecordBatch,
    StringArray, UInt16Array,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema};

use crate::safetensors::TensorInfo;

/// How a tensor's values lie in Arrow, if they can be quantized; and how they have to be aligned.
pub(crate) fn alignment(tensor: &TensorInfo) -> Option<usize> {
    match tensor.dtype.name {
        "F32" => Some(4),
        "F16" | "BF16" => Some(2),
        _ => None,
    }
}

/// A table of one layer over a tensor's bytes, which are as many as its type and shape say, and aligned.
pub(crate) fn layer(tensor: &TensorInfo, bytes: Buffer) -> Result<RecordBatch, String> {
    let count = tensor.values() as usize;
    let (values, item): (ArrayRef, Field) = match tensor.dtype.name {
        "F32" => (
            Arc::new(Float32Array::new(ScalarBuffer::new(bytes, 0, count), None)),
            Field::new("item", DataType::Float32, false),
        ),
        "F16" => (
            Arc::new(Float16Array::new(ScalarBuffer::new(bytes, 0, count), None)),
            Field::new("item", DataType::Float16, false),
        ),
        _ => {
            let name = "ARROW:extension:name".to_owned();
            let metadata = HashMap::from([(name, "bowstring.bfloat16".to_owned())]);
            (
                Arc::new(UInt16Array::new(ScalarBuffer::new(bytes, 0, count), None)),
                Field::new("item", DataType::UInt16, false).with_metadata(metadata),
            )
        }
    };
    let lists = LargeListArray::new(
        Arc::new(item),
        OffsetBuffer::from_lengths([count]),
        values,
        None,
    );
    let sizes: Int64Array = tensor.shape.iter().map(|size| Some(*size as i64)).collect();
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    let shapes = ListArray::new(
        item,
        OffsetBuffer::from_lengths([tensor.shape.len()]),
        Arc::new(sizes),
        None,
    );
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![tensor.name.as_str()])),
        Arc::new(lists),
        Arc::new(shapes),
    ];
    let fields: Vec<Field> = ["layer_name", "weights", "shape"]
        .iter()
        .zip(&columns)
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), false))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| error.to_string())
}
