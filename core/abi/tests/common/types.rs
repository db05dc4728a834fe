//! Every type of the columnar specification, and arrays of any of them.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::*;
use arrow_buffer::{
    ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer,
};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit, UnionFields, UnionMode};

/// All types that have no children, decimals in every width, dictionaries with every kind of key.
pub fn leaves() -> Vec<DataType> {
    use DataType::*;
    let mut types = vec![
        Null,
        Boolean,
        Int8,
        UInt8,
        Int16,
        UInt16,
        Int32,
        UInt32,
        Int64,
        UInt64,
        Float16,
        Float32,
        Float64,
        Decimal32(9, 2),
        Decimal64(18, -3),
        Decimal128(38, 10),
        Decimal256(38, 4),
        Decimal256(76, 0),
        Utf8,
        LargeUtf8,
        Utf8View,
        Binary,
        LargeBinary,
        BinaryView,
        FixedSizeBinary(0),
        FixedSizeBinary(3),
        Date32,
        Date64,
        Time32(TimeUnit::Second),
        Time32(TimeUnit::Millisecond),
        Time64(TimeUnit::Microsecond),
        Time64(TimeUnit::Nanosecond),
        Interval(IntervalUnit::YearMonth),
        Interval(IntervalUnit::DayTime),
        Interval(IntervalUnit::MonthDayNano),
    ];
    for unit in [
        TimeUnit::Second,
        TimeUnit::Millisecond,
        TimeUnit::Microsecond,
        TimeUnit::Nanosecond,
    ] {
        types.push(Timestamp(unit, None));
        types.push(Timestamp(unit, Some("Europe/Zürich".into())));
        types.push(Duration(unit));
    }
    for keys in [Int8, UInt8, Int16, UInt16, Int32, UInt32, Int64, UInt64] {
        types.push(dictionary(keys, Utf8));
    }
    types.push(dictionary(Int16, Decimal32(5, 1)));
    types
}

/// Every nested type over `inner`.
pub fn nested(inner: &DataType) -> Vec<DataType> {
    use DataType::*;
    let item = || Arc::new(Field::new("item", inner.clone(), true));
    let pair = Fields::from(vec![
        Field::new("a", Int32, true),
        Field::new("b", inner.clone(), true),
    ]);
    let entries = Fields::from(vec![
        Field::new("key", Utf8, false),
        Field::new("value", inner.clone(), true),
    ]);
    let union = || {
        let fields = [
            Field::new("n", Int16, true),
            Field::new("x", inner.clone(), true),
        ];
        UnionFields::try_new([5, 100], fields).unwrap()
    };
    let mut types = vec![
        List(item()),
        LargeList(item()),
        ListView(item()),
        LargeListView(item()),
        FixedSizeList(item(), 2),
        FixedSizeList(item(), 0),
        Struct(pair),
        Map(
            Arc::new(Field::new("entries", Struct(entries), false)),
            false,
        ),
        Union(union(), UnionMode::Sparse),
        Union(union(), UnionMode::Dense),
        dictionary(Int8, inner.clone()),
        dictionary(Int64, inner.clone()),
    ];
    for ends in [Int16, Int32, Int64] {
        types.push(RunEndEncoded(
            Arc::new(Field::new("run_ends", ends, false)),
            Arc::new(Field::new("values", inner.clone(), true)),
        ));
    }
    types
}

/// All of them, nested three deep.
pub fn all() -> Vec<DataType> {
    let mut types = leaves();
    for inner in leaves() {
        types.extend(nested(&inner));
    }
    for middle in nested(&DataType::Utf8) {
        types.extend(nested(&middle));
    }
    types
}

pub fn dictionary(keys: DataType, values: DataType) -> DataType {
    DataType::Dictionary(Box::new(keys), Box::new(values))
}

/// A sequence of numbers that looks random and is the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn nulls(&mut self, length: usize) -> NullBuffer {
        BooleanBuffer::collect_bool(length, |_| self.below(3) > 0).into()
    }

    fn text(&mut self) -> String {
        let parts = ["", "a", "é", "漢字", "some more than twelve bytes", "x y"];
        (0..self.below(3)).map(|_| parts[self.below(6)]).collect()
    }
}

/// An array of `length` items.
pub fn array(data_type: &DataType, length: usize, has_nulls: bool, seed: u64) -> ArrayRef {
    make(data_type, length, has_nulls, &mut Numbers(seed))
}

fn make(data_type: &DataType, length: usize, has_nulls: bool, numbers: &mut Numbers) -> ArrayRef {
    use DataType::*;
    let nulls = has_nulls.then(|| numbers.nulls(length));
    let is_null = |index: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(index));
    let texts = |numbers: &mut Numbers| -> Vec<Option<String>> {
        let text = |index| (!is_null(index)).then(|| numbers.text());
        (0..length).map(text).collect()
    };
    let offsets = |numbers: &mut Numbers| {
        OffsetBuffer::<i32>::from_lengths((0..length).map(|_| numbers.below(4)))
    };
    match data_type {
        Null => Arc::new(NullArray::new(length)),
        Boolean => {
            let values = BooleanBuffer::collect_bool(length, |_| numbers.below(2) == 1);
            Arc::new(BooleanArray::new(values, nulls))
        }
        Utf8 => Arc::new(StringArray::from(texts(numbers))),
        LargeUtf8 => Arc::new(LargeStringArray::from(texts(numbers))),
        Utf8View => {
            // Small blocks, so that there are several variadic buffers.
            let mut builder = StringViewBuilder::new().with_fixed_block_size(64);
            builder.extend(texts(numbers));
            Arc::new(builder.finish())
        }
        Binary => {
            let texts = texts(numbers);
            let bytes = texts
                .iter()
                .map(|text| text.as_ref().map(|text| text.as_bytes()));
            Arc::new(BinaryArray::from_iter(bytes))
        }
        LargeBinary => {
            let texts = texts(numbers);
            let bytes = texts
                .iter()
                .map(|text| text.as_ref().map(|text| text.as_bytes()));
            Arc::new(LargeBinaryArray::from_iter(bytes))
        }
        BinaryView => {
            let mut builder = BinaryViewBuilder::new().with_fixed_block_size(64);
            builder.extend(texts(numbers));
            Arc::new(builder.finish())
        }
        List(field) => {
            let offsets = offsets(numbers);
            let items = make(
                field.data_type(),
                offsets.last() as usize,
                has_nulls,
                numbers,
            );
            Arc::new(ListArray::new(field.clone(), offsets, items, nulls))
        }
        LargeList(field) => {
            let offsets = offsets(numbers);
            let items = make(
                field.data_type(),
                offsets.last() as usize,
                has_nulls,
                numbers,
            );
            let offsets: Vec<i64> = offsets.iter().map(|&offset| offset.into()).collect();
            let offsets = OffsetBuffer::new(offsets.into());
            Arc::new(LargeListArray::new(field.clone(), offsets, items, nulls))
        }
        ListView(field) => {
            let (starts, sizes, items) = views::<i32>(field, length, has_nulls, numbers);
            Arc::new(ListViewArray::new(
                field.clone(),
                starts,
                sizes,
                items,
                nulls,
            ))
        }
        LargeListView(field) => {
            let (starts, sizes, items) = views::<i64>(field, length, has_nulls, numbers);
            Arc::new(LargeListViewArray::new(
                field.clone(),
                starts,
                sizes,
                items,
                nulls,
            ))
        }
        FixedSizeList(field, width) => {
            let items = make(
                field.data_type(),
                length * *width as usize,
                has_nulls,
                numbers,
            );
            let list = FixedSizeListArray::try_new_with_length(
                field.clone(),
                *width,
                items,
                nulls,
                length,
            );
            Arc::new(list.unwrap())
        }
        Struct(fields) => {
            let columns = fields
                .iter()
                .map(|field| make(field.data_type(), length, has_nulls, numbers));
            Arc::new(StructArray::new(fields.clone(), columns.collect(), nulls))
        }
        Map(field, is_sorted) => {
            let Struct(fields) = field.data_type() else {
                unreachable!("a map's entries are a struct")
            };
            let offsets = offsets(numbers);
            let count = offsets.last() as usize;
            let keys = make(fields[0].data_type(), count, false, numbers);
            let values = make(fields[1].data_type(), count, has_nulls, numbers);
            let entries = StructArray::new(fields.clone(), vec![keys, values], None);
            Arc::new(MapArray::new(
                field.clone(),
                offsets,
                entries,
                nulls,
                *is_sorted,
            ))
        }
        Union(fields, mode) => {
            let choices: Vec<usize> = (0..length).map(|_| numbers.below(2)).collect();
            let ids: Vec<i8> = fields.iter().map(|(id, _)| id).collect();
            let type_ids = choices.iter().map(|&choice| ids[choice]).collect();
            let mut counts = [0; 2];
            let offsets: Vec<i32> = choices
                .iter()
                .map(|&choice| {
                    counts[choice] += 1;
                    counts[choice] - 1
                })
                .collect();
            let children = fields.iter().enumerate().map(|(index, (_, field))| {
                let count = match mode {
                    UnionMode::Sparse => length,
                    UnionMode::Dense => counts[index] as usize,
                };
                make(field.data_type(), count, has_nulls, numbers)
            });
            let children = children.collect();
            let offsets = (*mode == UnionMode::Dense).then(|| offsets.into());
            Arc::new(UnionArray::try_new(fields.clone(), type_ids, offsets, children).unwrap())
        }
        Dictionary(keys, values) => {
            let values = make(values, 5, has_nulls, numbers);
            let found = (0..length).map(|_| numbers.below(5) as i64);
            let found: Vec<i64> = found.collect();
            let width = keys.primitive_width().unwrap();
            let bytes = found
                .iter()
                .flat_map(|key| key.to_le_bytes()[..width].to_vec());
            let data = ArrayData::builder(data_type.clone())
                .len(length)
                .nulls(nulls)
                .add_buffer(Buffer::from_vec(bytes.collect()))
                .add_child_data(values.to_data())
                .align_buffers(true);
            make_array(data.build().unwrap())
        }
        RunEndEncoded(ends, values) => {
            let mut found = Vec::new();
            let mut end = 0;
            while end < length {
                end = (end + 1 + numbers.below(3)).min(length);
                found.push(end as i64);
            }
            let items = make(values.data_type(), found.len(), has_nulls, numbers);
            let width = ends.data_type().primitive_width().unwrap();
            let bytes = found
                .iter()
                .flat_map(|end| end.to_le_bytes()[..width].to_vec());
            let ends = ArrayData::builder(ends.data_type().clone())
                .len(found.len())
                .add_buffer(Buffer::from_vec(bytes.collect()))
                .align_buffers(true);
            let data = ArrayData::builder(data_type.clone())
                .len(length)
                .child_data(vec![ends.build().unwrap(), items.to_data()]);
            make_array(data.build().unwrap())
        }
        fixed => {
            let width = match fixed {
                FixedSizeBinary(width) => *width as usize,
                fixed => fixed.primitive_width().unwrap(),
            };
            // Small numbers, which every decimal has room for.
            let bytes = (0..length).flat_map(|_| {
                let number = numbers.below(200) as i64 - 100;
                let mut bytes = vec![if number < 0 { 0xff } else { 0 }; width];
                let used = width.min(8);
                bytes[..used].copy_from_slice(&number.to_le_bytes()[..used]);
                bytes
            });
            let data = ArrayData::builder(data_type.clone())
                .len(length)
                .add_buffer(Buffer::from_vec(bytes.collect::<Vec<u8>>()))
                .nulls(nulls)
                .align_buffers(true);
            make_array(data.build().unwrap())
        }
    }
}

/// List views in no order, with gaps and overlaps.
fn views<T: ArrowNativeType>(
    field: &Field,
    length: usize,
    has_nulls: bool,
    numbers: &mut Numbers,
) -> (ScalarBuffer<T>, ScalarBuffer<T>, ArrayRef) {
    let count = length + 3;
    let items = make(field.data_type(), count, has_nulls, numbers);
    let sizes: Vec<usize> = (0..length).map(|_| numbers.below(4)).collect();
    let starts = sizes
        .iter()
        .map(|&size| T::usize_as(numbers.below(count + 1 - size)));
    let starts: Vec<T> = starts.collect();
    let sizes: Vec<T> = sizes.into_iter().map(T::usize_as).collect();
    (starts.into(), sizes.into(), items)
}
