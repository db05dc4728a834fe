//! A job of made-up results, for tests of bindings: the tables of an extraction without an extraction.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array, make_array};
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Schema};
use bowstring_abi::guard::guard;
use bowstring_abi::{BowError, Status, export_batch};
use serde::Deserialize;

use crate::arguments::{options, require, write_out};

const TABLES: [&str; 5] = [
    "id name kind language file_path start_line:u end_line:u signature? doc_comment? parent_id? code_context? \
     start_column:u end_column:u start_byte:u end_byte:u qualified_name visibility? flags:u",
    "id name kind language file_path start_line:u start_column:u end_line:u end_column:u containing_symbol_id? \
     target_symbol_id? confidence:f start_byte:u end_byte:u access resolution",
    "id from_symbol_id to_symbol_id? to_name kind file_path line_number:u confidence:f",
    "path language content? hash size:u line_count:u parse_error_count:u",
    "path severity stage code message byte_offset?:u",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    groups: usize,
    rows: usize,
    #[serde(default)]
    delay_millis: u64,
}

/// Starts a job of `groups` results with `rows` rows in each of the 5 tables of an extraction, each result one
/// native block, made `delayMillis` after the one before. Row r of a text column is "<column> <r>", with an é in every
/// third; of a number column r (a float column r / 4). In nullable columns every fourth row is null.
///
/// # Safety
/// `options_length` bytes are readable at `options`, `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_test_start(
    context: u32,
    options: *const u8,
    options_length: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(out_job, "out_job")?;
        // SAFETY: passed on to the caller.
        let options: Options = unsafe { self::options(options, options_length) }?;
        let context = bowstring_runtime::context(context)?;
        let job = context.start_job("bow-test", Arc::new(()), move |outlet| {
            for _ in 0..options.groups {
                std::thread::sleep(Duration::from_millis(options.delay_millis));
                let tables = in_one_block(TABLES.map(|columns| made_up(columns, options.rows)));
                let group = tables
                    .iter()
                    .map(|table| Ok(export_batch(table)?))
                    .collect::<Result<_, bowstring_abi::Failure>>()?;
                if outlet.send(group).is_break() {
                    break;
                }
            }
            Ok(())
        })?;
        // SAFETY: passed on to the caller.
        unsafe { write_out(out_job, "out_job", job) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

fn made_up(columns: &str, rows: usize) -> RecordBatch {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
        .split_whitespace()
        .map(|column| {
            let (name, kind) = column.split_once(':').unwrap_or((column, ""));
            let nullable = name.ends_with('?');
            let name = name.trim_end_matches('?');
            let row = |row: usize| (!nullable || row % 4 != 3).then_some(row);
            let array: ArrayRef = match kind {
                "u" => Arc::new(UInt32Array::from_iter(
                    (0..rows).map(|r| row(r).map(|r| r as u32)),
                )),
                "f" => Arc::new(Float32Array::from_iter(
                    (0..rows).map(|r| row(r).map(|r| r as f32 / 4.0)),
                )),
                _ => Arc::new(StringArray::from_iter((0..rows).map(|r| {
                    row(r).map(|r| format!("{name} {r}{}", if r % 3 == 2 { " é" } else { "" }))
                }))),
            };
            let data_type: DataType = array.data_type().clone();
            (Field::new(name, data_type, nullable), array)
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of equal length")
}

/// The same tables with all buffers in one 64-byte-aligned allocation.
fn in_one_block(tables: [RecordBatch; 5]) -> Vec<RecordBatch> {
    let data: Vec<Vec<ArrayData>> = tables
        .iter()
        .map(|table| {
            table
                .columns()
                .iter()
                .map(|column| column.to_data())
                .collect()
        })
        .collect();
    let mut block = MutableBuffer::new(0);
    for column in data.iter().flatten() {
        for buffer in column
            .buffers()
            .iter()
            .chain(column.nulls().map(|nulls| nulls.buffer()))
        {
            block.extend_from_slice(buffer.as_slice());
            block.resize(block.len().next_multiple_of(64), 0);
        }
    }
    let block: Buffer = block.into();
    let mut offset = 0;
    let mut place = |buffer: &Buffer| {
        let placed = block.slice_with_length(offset, buffer.len());
        offset += buffer.len().next_multiple_of(64);
        placed
    };
    let place_column = |column: ArrayData| {
        let buffers = column.buffers().iter().map(&mut place).collect();
        let nulls = column.nulls().map(|nulls| place(nulls.buffer()));
        let builder = column
            .into_builder()
            .buffers(buffers)
            .null_bit_buffer(nulls);
        make_array(builder.build().expect("the same bytes elsewhere"))
    };
    let mut place_column = place_column;
    tables
        .iter()
        .zip(data)
        .map(|(table, columns)| {
            let columns = columns.into_iter().map(&mut place_column).collect();
            RecordBatch::try_new(table.schema(), columns).expect("the same columns")
        })
        .collect()
}
