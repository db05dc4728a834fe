//! The filter.

use arrow_array::{BooleanArray, Float64Array, RecordBatch};
use bowstring_abi::{Failure, Status};
use serde::Deserialize;

use crate::typed;

/// A condition on a column of type Float64. Rows in which it is null do not meet it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtLeast {
    /// The column's name.
    pub column: String,
    /// The least value.
    pub least: f64,
}

impl AtLeast {
    /// The rows that meet the condition.
    pub fn filter(&self, batch: &RecordBatch) -> Result<RecordBatch, Failure> {
        let values: &Float64Array = typed(batch, &self.column, "Float64")?;
        let keep: BooleanArray = values
            .iter()
            .map(|value| Some(value.is_some_and(|value| value >= self.least)))
            .collect();
        arrow_select::filter::filter_record_batch(batch, &keep)
            .map_err(|error| Failure::new(Status::InvalidArrow, error.to_string()))
    }
}
