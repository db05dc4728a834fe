//! Decimals: signed integers of 32, 64, 128 or 256 bits, two's complement in native byte order.

use arrow_buffer::{Buffer, i256};
use arrow_data::ArrayData;
use arrow_schema::DataType;

use super::data::built;
use super::read::{reserved, typed};
use crate::invalid::Problem;

/// Decimals of `bits` as decimal128. Values of null items that do not fit become 0.
pub(super) fn to_128(
    data: &ArrayData,
    bits: usize,
    bytes: &mut usize,
) -> Result<ArrayData, Problem> {
    let mut values = reserved::<i128>(data.len())?;
    match bits {
        32 => values.extend(
            typed::<i32>(data, 0)?
                .iter()
                .map(|&value| i128::from(value)),
        ),
        64 => values.extend(
            typed::<i64>(data, 0)?
                .iter()
                .map(|&value| i128::from(value)),
        ),
        _ => {
            for (index, value) in typed::<i256>(data, 0)?.iter().enumerate() {
                values.push(match value.to_i128() {
                    Some(value) => value,
                    None if data.is_null(index) => 0,
                    None => return Err(too_wide(index, *value, 128)),
                });
            }
        }
    }
    let (precision, scale) = parameters(data.data_type());
    *bytes += 16 * data.len();
    replaced(
        data,
        DataType::Decimal128(precision, scale),
        Buffer::from_vec(values),
    )
}

/// Decimal128 as decimals of `bits`.
pub(super) fn from_128(
    data: &ArrayData,
    bits: usize,
    precision: u8,
    bytes: &mut usize,
) -> Result<ArrayData, Problem> {
    let values = typed::<i128>(data, 0)?;
    let (_, scale) = parameters(data.data_type());
    *bytes += bits / 8 * data.len();
    let (data_type, buffer) = match bits {
        32 => {
            let narrowed = narrow(data, &values, bits, |value| i32::try_from(value).ok())?;
            (DataType::Decimal32(precision, scale), narrowed)
        }
        64 => {
            let narrowed = narrow(data, &values, bits, |value| i64::try_from(value).ok())?;
            (DataType::Decimal64(precision, scale), narrowed)
        }
        _ => {
            let widened = narrow(data, &values, bits, |value| Some(i256::from_i128(value)))?;
            (DataType::Decimal256(precision, scale), widened)
        }
    };
    replaced(data, data_type, buffer)
}

fn narrow<T: arrow_buffer::ArrowNativeType>(
    data: &ArrayData,
    values: &[i128],
    bits: usize,
    convert: impl Fn(i128) -> Option<T>,
) -> Result<Buffer, Problem> {
    let mut narrowed = reserved::<T>(values.len())?;
    for (index, &value) in values.iter().enumerate() {
        narrowed.push(match convert(value) {
            Some(value) => value,
            None if data.is_null(index) => T::default(),
            None => return Err(too_wide(index, value, bits)),
        });
    }
    Ok(Buffer::from_vec(narrowed))
}

/// Decimal256 as its bytes, which are not copied.
pub(super) fn to_bytes(data: ArrayData) -> Result<ArrayData, Problem> {
    built(data.into_builder().data_type(DataType::FixedSizeBinary(32)))
}

/// The bytes of decimal256 as such, without a copy.
pub(super) fn from_bytes(data: ArrayData) -> Result<ArrayData, Problem> {
    // The parameters are in the schema; what is exported here are only the buffers.
    built(data.into_builder().data_type(DataType::Decimal256(76, 0)))
}

/// The same items with other values.
pub(super) fn replaced(
    data: &ArrayData,
    data_type: DataType,
    values: Buffer,
) -> Result<ArrayData, Problem> {
    let builder = ArrayData::builder(data_type)
        .len(data.len())
        .nulls(data.nulls().cloned())
        .add_buffer(values)
        .child_data(data.child_data().to_vec());
    built(builder)
}

fn parameters(data_type: &DataType) -> (u8, i8) {
    match *data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => (precision, scale),
        _ => (38, 0),
    }
}

fn too_wide(index: usize, value: impl std::fmt::Display, bits: usize) -> Problem {
    Problem::DoesNotFit {
        index,
        value: value.to_string(),
        what: match bits {
            32 => "a decimal of 32 bits",
            64 => "a decimal of 64 bits",
            _ => "a decimal of 128 bits",
        },
    }
}
