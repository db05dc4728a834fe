//! List views, whose items may be anywhere in the child, and lists, whose items follow each other.

use arrow_buffer::{ArrowNativeType, Buffer};
use arrow_data::ArrayData;
use arrow_data::transform::MutableArrayData;
use arrow_schema::DataType;

use super::data::built;
use super::read::{reserved, typed};
use crate::invalid::Problem;

/// The width of a list view's offsets and sizes, and of a list's offsets.
pub(super) trait Offset: ArrowNativeType + TryFrom<usize> {}

impl Offset for i32 {}
impl Offset for i64 {}

/// A list view as a list. The child is the same if the lists follow each other in it without gaps, else it is gathered.
pub(super) fn to_list<T: Offset>(
    data: &ArrayData,
    bytes: &mut usize,
) -> Result<ArrayData, Problem> {
    let (starts, sizes) = (typed::<T>(data, 0)?, typed::<T>(data, 1)?);
    let child = &data.child_data()[0];
    let mut offsets = reserved::<T>(data.len() + 1)?;
    offsets.push(T::default());
    let (mut total, mut first, mut is_contiguous) = (0usize, 0usize, true);
    let views = (0..data.len()).map(|index| {
        // Null lists may have items; nobody sees them.
        let size = match data.is_valid(index) {
            true => sizes[index].as_usize(),
            false => 0,
        };
        (starts[index].as_usize(), size)
    });
    for (start, size) in views.clone() {
        if size > 0 {
            if total == 0 {
                first = start;
            }
            is_contiguous &= start == first + total;
        }
        total += size;
        let end = T::try_from(total).map_err(|_| Problem::TooManyItems(total))?;
        offsets.push(end);
    }
    let items = if is_contiguous {
        child.slice(first, total)
    } else {
        let mut items = mutable(child, total)?;
        for (start, size) in views {
            extend(&mut items, start, start + size)?;
        }
        let items = items.freeze();
        *bytes += items.get_array_memory_size();
        items
    };
    *bytes += offsets.len() * size_of::<T>();
    let data_type = match data.data_type() {
        DataType::ListView(field) => DataType::List(field.clone()),
        DataType::LargeListView(field) => DataType::LargeList(field.clone()),
        other => other.clone(),
    };
    let builder = ArrayData::builder(data_type)
        .len(data.len())
        .nulls(data.nulls().cloned())
        .add_buffer(Buffer::from_vec(offsets))
        .add_child_data(items);
    built(builder)
}

/// A list as a list view over the same child.
pub(super) fn from_list<T: Offset>(
    data: &ArrayData,
    bytes: &mut usize,
) -> Result<ArrayData, Problem> {
    let count = data.len();
    let mut starts = reserved::<T>(count)?;
    let mut sizes = reserved::<T>(count)?;
    if count > 0 {
        let offsets = super::read::typed_more::<T>(data, 0, 1)?;
        starts.extend_from_slice(&offsets[..count]);
        let differences = offsets.windows(2);
        sizes.extend(differences.map(|pair| T::usize_as(pair[1].as_usize() - pair[0].as_usize())));
    }
    *bytes += 2 * count * size_of::<T>();
    let data_type = match data.data_type() {
        DataType::List(field) => DataType::ListView(field.clone()),
        DataType::LargeList(field) => DataType::LargeListView(field.clone()),
        other => other.clone(),
    };
    let builder = ArrayData::builder(data_type)
        .len(count)
        .nulls(data.nulls().cloned())
        .buffers(vec![Buffer::from_vec(starts), Buffer::from_vec(sizes)])
        .child_data(data.child_data().to_vec());
    built(builder)
}

/// What items of `source` are copied to. Room for bitmaps is always asked for: arrow-rs goes by the number of nulls, but
/// writes to the bitmap of every array that has one, and a slice may have a bitmap and no nulls. A dictionary with more
/// values than its keys can count is refused.
pub(super) fn mutable(
    source: &ArrayData,
    capacity: usize,
) -> Result<MutableArrayData<'_>, Problem> {
    MutableArrayData::try_new(vec![source], true, capacity)
        .map_err(|error| Problem::Arrow(error.to_string()))
}

pub(super) fn extend(
    items: &mut MutableArrayData<'_>,
    start: usize,
    end: usize,
) -> Result<(), Problem> {
    items
        .try_extend(0, start, end)
        .map_err(|error| Problem::Arrow(error.to_string()))
}
