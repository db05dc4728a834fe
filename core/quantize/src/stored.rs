//! The rows of a quantized table, checked against themselves.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int16Type, Int32Type, Int64Type, UInt8Type};
use arrow_array::{Array, ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::Field;

use crate::error::Problem;
use crate::job::Columns as ColumnMaps;
use crate::kernel::rule::Group;
use crate::options::{Granularity, LayerOptions};
use crate::plan::{Geometry, Plan};
use crate::schema::NEEDED;
use crate::{Layout, ScaleType, Scheme, Search};

/// One row: what it says, checked against itself.
pub(crate) struct Row<'a> {
    pub(crate) plan: Plan,
    pub(crate) data: &'a [u8],
    pub(crate) scales: &'a [f32],
    pub(crate) zero_points: &'a [i16],
    /// Of [`Geometry::Columns`].
    pub(crate) columns: Option<ColumnMaps>,
}

/// The columns of a validated batch.
pub(crate) struct Columns<'a> {
    batch: &'a RecordBatch,
    pub(crate) names: &'a StringArray,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(batch: &'a RecordBatch) -> Self {
        Self {
            batch,
            names: batch
                .column_by_name("layer_name")
                .expect("validated")
                .as_string(),
        }
    }

    fn column(&self, name: &str) -> &'a ArrayRef {
        self.batch.column_by_name(name).expect("validated")
    }

    fn int(&self, name: &str, row: usize) -> i32 {
        self.column(name).as_primitive::<Int32Type>().value(row)
    }

    fn list(&self, name: &str, row: usize) -> (&'a ArrayRef, std::ops::Range<usize>) {
        let list = self.column(name).as_list::<i32>();
        let offsets = list.value_offsets();
        (
            list.values(),
            offsets[row] as usize..offsets[row + 1] as usize,
        )
    }

    fn floats(&self, name: &str, row: usize) -> &'a [f32] {
        let (values, range) = self.list(name, row);
        &values.as_primitive::<Float32Type>().values()[range]
    }

    /// The shapes, without what else the column's type may say.
    pub(crate) fn plain_shapes(&self) -> ListArray {
        let lists = self.column("shape").as_list::<i32>();
        let offsets = lists.value_offsets();
        let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
        let sizes =
            &lists.values().as_primitive::<Int64Type>().values()[first as usize..last as usize];
        let offsets: ScalarBuffer<i32> = offsets.iter().map(|offset| offset - first).collect();
        let item = Arc::new(Field::new("item", arrow_schema::DataType::Int64, false));
        let sizes = Arc::new(Int64Array::from(sizes.to_vec()));
        ListArray::new(item, OffsetBuffer::new(offsets), sizes, None)
    }

    pub(crate) fn row(&self, row: usize) -> Result<Row<'a>, Problem> {
        if let Some(name) = NEEDED.iter().find(|name| self.column(name).is_null(row)) {
            return Err(format!("{name}: expected a value but found null").into());
        }
        for name in ["scales", "zero_points", "shape"] {
            let (values, mut range) = self.list(name, row);
            if values.null_count() > 0
                && let Some(at) = range.position(|at| values.is_null(at))
            {
                return Err(Problem::element(name, at, "a value", "null"));
            }
        }
        let one_of = |name: &str, names: &[&str]| {
            let found = self.column(name).as_string::<i32>().value(row);
            let at = names.iter().position(|name| *name == found);
            at.ok_or_else(|| format!("{name}: expected one of {names:?} but found {found:?}"))
        };
        let scheme = [Scheme::Asymmetric, Scheme::Symmetric]
            [one_of("scheme", &["asymmetric", "symmetric"])?];
        let layouts = ["onnx", "ggml", "mlx", "unpacked"];
        let layout = [Layout::Onnx, Layout::Ggml, Layout::Mlx, Layout::Unpacked]
            [one_of("layout", &layouts)?];
        let (sizes, range) = self.list("shape", row);
        let sizes = &sizes.as_primitive::<Int64Type>().values()[range];
        let shape: Option<Vec<usize>> = sizes
            .iter()
            .map(|size| usize::try_from(*size).ok())
            .collect();
        let fits = |shape: &Vec<usize>| {
            let product = shape
                .iter()
                .try_fold(1usize, |product, size| product.checked_mul(*size));
            product.is_some_and(|product| product <= i32::MAX as usize)
        };
        let shape = shape.filter(fits).ok_or_else(|| {
            format!(
                "shape: expected sizes whose product is at most {} but found {sizes:?}",
                i32::MAX
            )
        })?;
        let (group_size, axis) = (self.int("group_size", row), self.int("axis", row));
        let (granularity, axis, group_size) = match (group_size, axis) {
            (0, -1) => (Granularity::Tensor, None, None),
            (0, axis) => (Granularity::Channel, Some(axis), None),
            (size @ 1.., _) => (Granularity::Group, None, Some(size as u32)),
            (size, _) => {
                return Err(format!("group_size: expected a size or 0 but found {size}").into());
            }
        };
        let bit_width = self
            .column("bit_width")
            .as_primitive::<UInt8Type>()
            .value(row);
        let (widths, expected): (&[u8], _) = match layout {
            Layout::Ggml => (&[4, 8], "4 or 8 in layout \"ggml\""),
            _ => (&[2, 4, 8], "2, 4 or 8"),
        };
        if !widths.contains(&bit_width) {
            return Err(format!("bit_width: expected {expected} but found {bit_width}").into());
        }
        let options = LayerOptions {
            bit_width,
            granularity: Some(granularity),
            axis,
            group_size,
            scheme: Some(scheme),
            layout,
            search: Search::None,
            min_cosine: None,
            scale_type: ScaleType::Float32,
        };
        let plan = Plan::new(options, &shape)?;
        let (zero_points, range) = self.list("zero_points", row);
        let zero_points = &zero_points.as_primitive::<Int16Type>().values()[range];
        let mut this = Row {
            data: self.column("quantized_data").as_binary::<i64>().value(row),
            scales: self.floats("scales", row),
            zero_points,
            plan,
            columns: None,
        };
        let expect = |name: &str, expected: usize, found: usize| {
            if expected == found {
                Ok(())
            } else {
                Err(format!("{name}: expected {expected} but found {found}"))
            }
        };
        expect(
            "quantized_data: bytes",
            this.plan.data_bytes,
            this.data.len(),
        )?;
        expect("scales: values", this.plan.scales, this.scales.len())?;
        expect(
            "zero_points: values",
            this.plan.scales,
            this.zero_points.len(),
        )?;
        if let Geometry::Columns { columns, inner, .. } = this.plan.geometry {
            let maps = this.scales.iter().zip(this.zero_points);
            let groups: Vec<Group> = maps
                .map(|(scale, zero)| Group::given(*scale, i32::from(*zero)))
                .collect();
            this.columns = Some(ColumnMaps::new(&groups, columns, inner));
        }
        Ok(this)
    }
}
