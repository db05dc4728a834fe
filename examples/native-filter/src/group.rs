//! The group-by.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use bowstring_abi::{Failure, Status};
use serde::Deserialize;

use crate::typed;

/// What is grouped by what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupBy {
    /// The name of a column of type Utf8.
    pub key: String,
    /// The name of a column of type Float64, of which nulls are left out.
    pub sum: String,
}

#[derive(Clone, Copy, Default)]
struct Group {
    count: i64,
    sum: f64,
}

/// Groups that grow batch by batch.
pub struct Groups {
    by: GroupBy,
    places: HashMap<Option<String>, usize>,
    keys: Vec<Option<String>>,
    groups: Vec<Group>,
}

impl Groups {
    /// No groups yet.
    pub fn new(by: GroupBy) -> Self {
        Self {
            by,
            places: HashMap::new(),
            keys: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Counts the rows of one more batch.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let keys: &StringArray = typed(batch, &self.by.key, "Utf8")?;
        let values: &Float64Array = typed(batch, &self.by.sum, "Float64")?;
        for (key, value) in keys.iter().zip(values) {
            let place = self.place(key);
            let group = &mut self.groups[place];
            group.count += 1;
            group.sum += value.unwrap_or(0.0);
        }
        Ok(())
    }

    fn place(&mut self, key: Option<&str>) -> usize {
        let key = key.map(str::to_owned);
        if let Some(&place) = self.places.get(&key) {
            return place;
        }
        let place = self.groups.len();
        self.keys.push(key.clone());
        self.places.insert(key, place);
        self.groups.push(Group::default());
        place
    }

    /// One row per group.
    pub fn into_batch(self) -> Result<RecordBatch, Failure> {
        let field = |name, data_type, nullable| Field::new(name, data_type, nullable);
        let schema = Schema::new(vec![
            field("key", DataType::Utf8, true),
            field("count", DataType::Int64, false),
            field("sum", DataType::Float64, false),
        ]);
        let counts = self.groups.iter().map(|group| group.count);
        let sums = self.groups.iter().map(|group| group.sum);
        let columns: Vec<Arc<dyn Array>> = vec![
            Arc::new(StringArray::from_iter(&self.keys)),
            Arc::new(Int64Array::from_iter_values(counts)),
            Arc::new(Float64Array::from_iter_values(sums)),
        ];
        RecordBatch::try_new(Arc::new(schema), columns)
            .map_err(|error| Failure::new(Status::InvalidArrow, error.to_string()))
    }
}
