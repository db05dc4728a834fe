//! Files that break their format get one clear error, and nothing is written.

mod common;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field};
use common::{bytes, file, floats, names, run, safetensors, write, write_batches};
use flatbuffers::FlatBufferBuilder;
use serde_json::json;

/// A header of one tensor.
fn one(entry: &str) -> String {
    format!(r#"{{"a": {entry}}}"#)
}

fn header_and_data(header: &str, data: usize) -> Vec<u8> {
    file(header, &vec![0; data])
}

fn cases() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = safetensors(&[("a", "F32", &[2, 2], bytes(&floats(4, 1)))]);
    let tensor = |entry: &str, data| header_and_data(&one(entry), data);
    vec![
        ("an empty file", vec![], "the file is empty"),
        (
            "half a length",
            vec![1, 0, 0],
            "expected at least 8 bytes but found 3",
        ),
        (
            "a header longer than the file",
            {
                let mut bytes = 1000u64.to_le_bytes().to_vec();
                bytes.extend(b"{}");
                bytes
            },
            "header: expected a length of at most 2 bytes but found 1000",
        ),
        (
            "a header of all bits",
            [0xff; 16].to_vec(),
            "header: expected a length of at most 8 bytes but found 18446744073709551615",
        ),
        (
            "a truncated file",
            good[..good.len() - 1].to_vec(),
            "tensor \"a\": expected data_offsets in order and within the 15 bytes of data but found [0, 16]",
        ),
        (
            "bytes at the end",
            [good.clone(), vec![0]].concat(),
            "expected 16 bytes of data, as the tensors have, but found 17",
        ),
        (
            "no JSON",
            file("{]", &[]),
            "header: key must be a string at line 1 column 2",
        ),
        (
            "no object",
            file("[]", &[]),
            "header: invalid type: sequence, expected an object of tensors at line 1 column 0",
        ),
        (
            "an unknown dtype",
            tensor(
                r#"{"dtype": "F31", "shape": [1], "data_offsets": [0, 4]}"#,
                4,
            ),
            "tensor \"a\": expected a known dtype but found \"F31\"",
        ),
        (
            "no dtype",
            tensor(r#"{"shape": [1], "data_offsets": [0, 4]}"#, 4),
            "header: missing field `dtype` at line 1 column 44",
        ),
        (
            "a negative size",
            tensor(
                r#"{"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}"#,
                4,
            ),
            "header: invalid value: integer `-1`, expected u64 at line 1 column 35",
        ),
        (
            "offsets the wrong way round",
            tensor(
                r#"{"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}"#,
                4,
            ),
            "tensor \"a\": expected data_offsets in order and within the 4 bytes of data but found [4, 0]",
        ),
        (
            "a shape of other bytes",
            tensor(
                r#"{"dtype": "F32", "shape": [3], "data_offsets": [0, 4]}"#,
                4,
            ),
            "tensor \"a\": expected the bytes of F32 values of shape [3] but found 4",
        ),
        (
            "a shape whose product overflows",
            tensor(
                r#"{"dtype": "F32", "shape": [4294967296, 4294967296, 4], "data_offsets": [0, 0]}"#,
                0,
            ),
            "tensor \"a\": expected the bytes of F32 values of shape [4294967296, 4294967296, 4] but found 0",
        ),
        (
            "tensors that overlap",
            header_and_data(
                r#"{"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}, "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}}"#,
                6,
            ),
            "tensor \"b\": expected data from byte 4 on, where that of \"a\" ends, but found 2: they overlap",
        ),
        (
            "a gap between tensors",
            header_and_data(
                r#"{"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}, "b": {"dtype": "U8", "shape": [1], "data_offsets": [5, 6]}}"#,
                6,
            ),
            "tensor \"b\": expected data from byte 4 on, where that of \"a\" ends, but found 5: there is a gap",
        ),
        (
            "two tensors of a name",
            header_and_data(
                r#"{"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}, "a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}"#,
                2,
            ),
            "expected one tensor \"a\" but found two",
        ),
    ]
}

/// Runs, expects this message about the file, and that nothing was written.
fn refused(input: &Path, about: &Path, message: &str) {
    let directory = input.parent().unwrap();
    for output in ["out.parquet", "out.arrow", "out.safetensors"] {
        let output = directory.join(output);
        std::fs::write(&output, b"before").unwrap();
        let before = names(directory);
        let error = run(input, &output, json!({})).unwrap_err();
        assert_eq!(error.to_string(), format!("{}: {message}", about.display()));
        assert_eq!(std::fs::read(&output).unwrap(), b"before");
        assert_eq!(names(directory), before, "nothing is left over");
    }
}

#[test]
fn hostile_safetensors_get_one_clear_error() {
    for (title, bytes, message) in cases() {
        let directory = tempfile::tempdir().unwrap();
        println!("{title}");
        let path = write(directory.path(), "model.safetensors", &bytes);
        refused(&path, &path, message);
    }
}

/// Readers may take no longer one, however long the file is.
#[test]
fn a_header_has_a_length_that_it_may_not_exceed() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(
        directory.path(),
        "model.safetensors",
        &100_000_001u64.to_le_bytes(),
    );
    // Zeros that take no room on the disk.
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(8 + 100_000_001).unwrap();
    let message = "header: expected a length of at most 100000000 bytes but found 100000001";
    refused(&path, &path, message);
}

#[test]
fn every_truncation_and_every_changed_byte_of_a_header_is_survived() {
    let directory = tempfile::tempdir().unwrap();
    let good = safetensors(&[
        ("a", "F32", &[2, 2], bytes(&floats(4, 1))),
        ("b", "I64", &[1], vec![0; 8]),
    ]);
    let output = directory.path().join("out.safetensors");
    for end in 0..good.len() {
        let path = write(directory.path(), "model.safetensors", &good[..end]);
        assert!(run(&path, &output, json!({})).is_err(), "{end}");
    }
    let header = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    for at in 0..8 + header {
        let mut bytes = good.clone();
        bytes[at] ^= [0x01, 0x20, 0x80][at % 3];
        let path = write(directory.path(), "model.safetensors", &bytes);
        // An error, or a file that says something else: never a panic.
        let _ = run(&path, &output, json!({}));
    }
}

#[test]
fn an_index_and_its_files_must_agree() {
    let shard = safetensors(&[("a", "F32", &[2, 2], bytes(&floats(4, 1)))]);
    let other = safetensors(&[("b", "F32", &[2, 2], bytes(&floats(4, 2)))]);
    let cases = [
        (
            json!({"weight_map": {}}),
            "index: expected tensors in weight_map but found none",
        ),
        (
            json!({"weight_map": {"a": "../one.safetensors"}}),
            "index: expected names of files beside it but found \"../one.safetensors\"",
        ),
        (
            json!({"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}}),
            "index: expected tensor \"b\" in \"one.safetensors\" but found none there",
        ),
        (
            json!({"weight_map": {"b": "one.safetensors"}}),
            "index: expected tensor \"a\" in \"one.safetensors\", where it is, but found it in no file",
        ),
        (
            json!({"weight_map": {"a": "two.safetensors", "b": "one.safetensors"}}),
            "index: expected tensor \"a\" in \"one.safetensors\", where it is, but found it in \"two.safetensors\"",
        ),
        (
            json!({"weight_map": 1}),
            "index: invalid type: integer `1`, expected a map at line 1 column 15",
        ),
    ];
    for (index, message) in cases {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "one.safetensors", &shard);
        write(directory.path(), "two.safetensors", &other);
        let name = "model.safetensors.index.json";
        let path = write(directory.path(), name, index.to_string().as_bytes());
        refused(&path, &path, message);
    }
    let directory = tempfile::tempdir().unwrap();
    let index = json!({"weight_map": {"a": "one.safetensors"}}).to_string();
    let path = write(
        directory.path(),
        "model.safetensors.index.json",
        index.as_bytes(),
    );
    let missing = directory.path().join("one.safetensors");
    refused(&path, &missing, "No such file or directory (os error 2)");
}

#[test]
fn damaged_tables_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let model = safetensors(&[("a", "F32", &[4, 64], bytes(&floats(256, 1)))]);
    let model = write(directory.path(), "model.safetensors", &model);
    // A quantized table is no table of weights, but a well-formed file to cut and to change.
    for name in ["table.parquet", "table.arrow"] {
        let path = directory.path().join(name);
        run(&model, &path, json!({})).unwrap();
        let good = std::fs::read(&path).unwrap();
        let output = directory.path().join("out.parquet");
        let error = run(&path, &output, json!({})).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{name}: the schema does not fit quantization: ")),
            "{error}"
        );
        for end in (0..good.len()).step_by(101) {
            std::fs::write(&path, &good[..end]).unwrap();
            assert!(run(&path, &output, json!({})).is_err(), "{end}");
        }
        for at in (0..good.len()).step_by(67) {
            let mut bytes = good.clone();
            bytes[at] ^= 0xff;
            std::fs::write(&path, &bytes).unwrap();
            assert!(run(&path, &output, json!({})).is_err(), "{at}");
        }
        std::fs::remove_file(&path).unwrap();
    }
    assert_eq!(names(directory.path()), ["model.safetensors"]);
}

#[test]
fn names_that_say_no_format_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let good = safetensors(&[("a", "F32", &[2, 2], bytes(&floats(4, 1)))]);
    let good = write(directory.path(), "model.safetensors", &good);
    let odd = write(directory.path(), "model.bin", b"x");
    let error =
        |input: &Path, output: &Path| run(input, output, json!({})).unwrap_err().to_string();
    let out = directory.path().join("out.gguf");
    assert!(error(&good, &out).ends_with(
        "out.gguf: expected the name of a .safetensors, .parquet, .arrow, .feather or .ipc file"
    ));
    assert!(
        error(&odd, &directory.path().join("out.arrow"))
            .contains("model.bin: expected the name of a")
    );
    // What is read could be a stream; what is written cannot.
    let out = directory.path().join("out.arrows");
    assert!(error(&good, &out).contains("out.arrows: expected the name of a .safetensors,"));
    let empty = directory.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    assert!(error(&empty, &directory.path().join("out.arrow")).ends_with(
        "empty: expected model.safetensors.index.json or model.safetensors in the directory but found neither"
    ));
    let nowhere = directory.path().join("nowhere").join("out.arrow");
    assert!(error(&good, &nowhere).ends_with("out.arrow: No such file or directory (os error 2)"));
}

#[cfg(unix)]
#[test]
fn a_result_is_never_a_file_of_the_input() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let model = |name: &str, seed: u32| {
        let model = safetensors(&[(name, "F32", &[2, 2], bytes(&floats(4, seed)))]);
        write(root, &format!("{name}.safetensors"), &model)
    };
    let (first, second) = (model("model", 1), model("second", 2));
    let index = r#"{"weight_map":{"model":"model.safetensors","second":"second.safetensors"}}"#;
    let index = write(root, "both.safetensors.index.json", index.as_bytes());
    let table = root.join("table.parquet");
    run(&first, &table, json!({})).unwrap();
    let link = root.join("link.safetensors");
    std::os::unix::fs::symlink(&first, &link).unwrap();
    let roundabout = root.join("..").join(root.file_name().unwrap());
    for (input, output) in [
        (&first, &first),
        (&first, &roundabout.join("model.safetensors")),
        (&first, &link),
        (&link, &first),
        (&root.to_owned(), &first),
        (&index, &first),
        (&index, &second),
        (&table, &table),
    ] {
        let before = names(root);
        let bytes = std::fs::read(output).unwrap();
        let error = run(input, output, json!({})).unwrap_err().to_string();
        let expected = format!("{}: expected another file than the input", output.display());
        assert_eq!(error, expected, "{}", input.display());
        assert_eq!(std::fs::read(output).unwrap(), bytes);
        assert_eq!(names(root), before);
    }
}

#[test]
fn a_tensor_whose_name_a_result_needs_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let model = safetensors(&[
        ("a", "F32", &[2, 2], bytes(&floats(4, 1))),
        ("a.scales", "F32", &[1], vec![0; 4]),
    ]);
    let model = write(directory.path(), "model.safetensors", &model);
    let output = directory.path().join("out.safetensors");
    let error = run(&model, &output, json!({})).unwrap_err().to_string();
    assert!(
        error.ends_with("expected one tensor \"a.scales\" but found two of that name"),
        "{error}"
    );
    assert_eq!(names(directory.path()), ["model.safetensors"]);
}

/// A table of one layer in an IPC file, or a stream, compressed with LZ4.
fn compressed(is_stream: bool) -> Vec<u8> {
    let names = StringArray::from(vec!["a"]);
    let field = Arc::new(Field::new("item", DataType::Float32, true));
    let zeros = Arc::new(Float32Array::from(vec![0.0; 4096]));
    let weights = ListArray::new(field, OffsetBuffer::from_lengths([4096]), zeros, None);
    let columns = [
        ("layer_name", Arc::new(names) as ArrayRef),
        ("weights", Arc::new(weights)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let options = IpcWriteOptions::default()
        .try_with_compression(Some(CompressionType::LZ4_FRAME))
        .unwrap();
    let mut bytes = Vec::new();
    let schema = batch.schema();
    if is_stream {
        let writer = StreamWriter::try_new_with_options(&mut bytes, &schema, options);
        write_batches(writer.unwrap(), [batch]);
    } else {
        let writer = FileWriter::try_new_with_options(&mut bytes, &schema, options);
        write_batches(writer.unwrap(), [batch]);
    }
    bytes
}

#[test]
fn a_length_that_nothing_can_have_is_not_allocated() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["table.arrow", "table.arrows"] {
        let mut bytes = compressed(name.ends_with('s'));
        let input = write(directory.path(), name, &bytes);
        run(&input, &directory.path().join("out.parquet"), json!({})).unwrap();
        // Before the frame there is how long it is without compression.
        let frame = [&16_384i64.to_le_bytes()[..], &[4, 0x22, 0x4d, 0x18]].concat();
        let at = bytes
            .windows(frame.len())
            .position(|it| it == frame)
            .unwrap();
        bytes[at..at + 8].copy_from_slice(&(1i64 << 45).to_le_bytes());
        let input = write(directory.path(), name, &bytes);
        let error = run(&input, &directory.path().join("no.parquet"), json!({})).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("compressed ones but found a length of 35184372088832"),
            "{message}"
        );
    }
    assert_eq!(
        names(directory.path()),
        ["out.parquet", "table.arrow", "table.arrows"]
    );
}

#[test]
fn big_endian_values_are_refused() {
    let mut builder = FlatBufferBuilder::new();
    let fields = builder.create_vector::<flatbuffers::ForwardsUOffset<arrow_ipc::Field>>(&[]);
    let mut schema = arrow_ipc::SchemaBuilder::new(&mut builder);
    schema.add_endianness(arrow_ipc::Endianness::Big);
    schema.add_fields(fields);
    let schema = schema.finish();
    let mut message = arrow_ipc::MessageBuilder::new(&mut builder);
    message.add_version(arrow_ipc::MetadataVersion::V5);
    message.add_header_type(arrow_ipc::MessageHeader::Schema);
    message.add_header(schema.as_union_value());
    let message = message.finish();
    builder.finish(message, None);
    let message = builder.finished_data();
    let length = (message.len() as u32).to_le_bytes();
    let stream = [&[0xff; 4][..], &length, message, &[0xff; 4], &[0; 4]].concat();
    let directory = tempfile::tempdir().unwrap();
    let input = write(directory.path(), "table.arrows", &stream);
    let error = run(&input, &directory.path().join("out.parquet"), json!({})).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("schema: expected little-endian values but found Big"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a.safetensors", "a.parquet", "a.arrow", "a.arrows"] {
        let socket = directory.path().join(name);
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let error = run(&socket, &directory.path().join("out.parquet"), json!({})).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("expected a file but found a pipe or a device"),
            "{error}"
        );
    }
    // Nor is a directory replaced, which is said before the work.
    let input = safetensors(&[("a", "F32", &[2, 2], bytes(&floats(4, 1)))]);
    let input = write(directory.path(), "b.safetensors", &input);
    let output = directory.path().join("directory.parquet");
    std::fs::create_dir(&output).unwrap();
    let error = run(&input, &output, json!({})).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("expected a file but found a directory"),
        "{error}"
    );
}
