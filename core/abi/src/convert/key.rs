//! The width of dictionary keys.

use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::DataType;

use super::data::built;
use super::decimal::replaced;
use super::read::{reserved, typed};
use crate::invalid::Problem;

/// 64-bit keys as int32 ones. The keys of null items, which may be anything, become 0.
pub(super) fn to_int32(
    data: &ArrayData,
    is_signed: bool,
    bytes: &mut usize,
) -> Result<ArrayData, Problem> {
    let mut keys = reserved::<i32>(data.len())?;
    // An unsigned key beyond the signed ones is negative here and does not fit either.
    for (index, &key) in typed::<i64>(data, 0)?.iter().enumerate() {
        keys.push(match i32::try_from(key) {
            _ if data.is_null(index) => 0,
            Ok(key) if key >= 0 => key,
            _ => {
                let value = if is_signed {
                    key.to_string()
                } else {
                    (key as u64).to_string()
                };
                return Err(Problem::DoesNotFit {
                    index,
                    value,
                    what: "a dictionary key of 32 bits",
                });
            }
        });
    }
    *bytes += 4 * keys.len();
    let keys = replaced(
        data,
        typed_keys(data, DataType::Int32),
        Buffer::from_vec(keys),
    )?;
    built(keys.into_builder())
}

/// Int32 keys as 64-bit ones.
pub(super) fn to_64(
    data: &ArrayData,
    is_signed: bool,
    bytes: &mut usize,
) -> Result<ArrayData, Problem> {
    let mut keys = reserved::<i64>(data.len())?;
    let found = typed::<i32>(data, 0)?;
    keys.extend(
        found
            .iter()
            .enumerate()
            .map(|(index, &key)| match data.is_null(index) {
                true => 0,
                false => i64::from(key),
            }),
    );
    *bytes += 8 * keys.len();
    let key_type = if is_signed {
        DataType::Int64
    } else {
        DataType::UInt64
    };
    replaced(data, typed_keys(data, key_type), Buffer::from_vec(keys))
}

fn typed_keys(data: &ArrayData, key_type: DataType) -> DataType {
    match data.data_type() {
        DataType::Dictionary(_, values) => DataType::Dictionary(Box::new(key_type), values.clone()),
        other => other.clone(),
    }
}
