//! What is read: tables of layers, and tensors that are none.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;

use crate::error::{About, misnamed};
use crate::ipc::IpcSource;
use crate::layers::{alignment, layer};
use crate::mapped::Mapped;
use crate::parquet::ParquetSource;
use crate::safetensors::{Metadata, TensorInfo, open_shards};
use crate::{Watch, WeightsError};

/// One safetensors file.
#[derive(Debug)]
pub(crate) struct Shard {
    pub file: Mapped,
    /// In the order of their bytes.
    pub tensors: Vec<TensorInfo>,
    pub metadata: Metadata,
}

/// What a file gives, one after the other.
pub(crate) enum Item {
    /// A tensor to quantize, as a table of one layer.
    Layer(TensorInfo, RecordBatch),
    /// Layers to quantize: a table, and the name of the type of its weights.
    Table(RecordBatch, String),
    /// A tensor to leave as it is, and its bytes.
    Tensor(TensorInfo, Buffer),
}

/// An open input.
pub(crate) struct Source {
    /// The size of its files.
    pub bytes: u64,
    /// What it says of itself, where it is safetensors.
    pub metadata: Metadata,
    files: Vec<PathBuf>,
    items: Box<dyn Iterator<Item = Result<Item, WeightsError>>>,
}

/// The formats, by the names that files have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Safetensors,
    Parquet,
    Ipc,
}

impl Format {
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "safetensors" => Some(Self::Safetensors),
            "parquet" => Some(Self::Parquet),
            "arrow" | "arrows" | "feather" | "ipc" => Some(Self::Ipc),
            _ => None,
        }
    }
}

/// In a directory, the model is in one of these.
const IN_DIRECTORIES: [&str; 2] = ["model.safetensors.index.json", "model.safetensors"];

impl Source {
    /// Opens a file, an index of files, or a directory with one of these. With `vectors`, tensors of one axis are layers too.
    pub fn open(
        path: &Path,
        vectors: bool,
        needed: &[&str],
        watch: &Watch,
    ) -> Result<Self, WeightsError> {
        let path = if path.is_dir() {
            in_directory(path)?
        } else {
            path.to_owned()
        };
        if path.to_string_lossy().ends_with(".index.json") {
            return Self::safetensors(&path, vectors, watch);
        }
        match Format::of(&path) {
            Some(Format::Safetensors) => Self::safetensors(&path, vectors, watch),
            Some(Format::Parquet) => {
                let source = ParquetSource::open(&path, needed)?;
                watch.expect(source.layers, source.values);
                Ok(Self {
                    bytes: source.bytes,
                    metadata: Metadata::new(),
                    files: vec![path],
                    items: Box::new(source),
                })
            }
            Some(Format::Ipc) => {
                let source = IpcSource::open(&path)?;
                Ok(Self {
                    bytes: source.bytes,
                    metadata: Metadata::new(),
                    files: vec![path],
                    items: Box::new(source),
                })
            }
            None => Err(misnamed(
                &path,
                "the name of a .safetensors, .safetensors.index.json, .parquet, .arrow, .arrows, .feather or .ipc file, or a \
                 directory with a model.safetensors",
            )),
        }
    }

    fn safetensors(path: &Path, vectors: bool, watch: &Watch) -> Result<Self, WeightsError> {
        let shards = open_shards(path)?;
        let bytes = shards.iter().map(|shard| shard.file.len() as u64).sum();
        // Where files differ, the first one counts.
        let mut metadata = Metadata::new();
        for (name, text) in shards.iter().flat_map(|shard| &shard.metadata) {
            metadata.entry(name.clone()).or_insert_with(|| text.clone());
        }
        let files = shards.iter().map(|shard| shard.file.path.clone()).collect();
        for tensor in shards.iter().flat_map(|shard| &shard.tensors) {
            watch.expect(1, tensor.values());
        }
        let items = shards.into_iter().flat_map(move |shard| {
            let Shard { file, tensors, .. } = shard;
            tensors
                .into_iter()
                .map(move |tensor| item(&file, tensor, vectors).about(&file.path))
        });
        Ok(Self {
            bytes,
            metadata,
            files,
            items: Box::new(items),
        })
    }

    /// Whether this is one of the files that are read, by whatever path.
    pub fn reads(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else {
            return false;
        };
        let mut files = self.files.iter();
        files.any(|file| file.canonicalize().is_ok_and(|file| file == path))
    }
}

impl Iterator for Source {
    type Item = Result<Item, WeightsError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.items.next()
    }
}

fn item(file: &Mapped, tensor: TensorInfo, vectors: bool) -> Result<Item, String> {
    let is_layer = tensor.shape.len() >= if vectors { 1 } else { 2 };
    let alignment = alignment(&tensor).filter(|_| is_layer);
    let (start, len) = (tensor.bytes.start, tensor.bytes.len());
    let bytes = file
        .aligned(start, len, alignment.unwrap_or(1))
        .ok_or("the file is shorter than its header says")?;
    Ok(match alignment {
        Some(_) => {
            let table = layer(&tensor, bytes)?;
            Item::Layer(tensor, table)
        }
        None => Item::Tensor(tensor, bytes),
    })
}

fn in_directory(path: &Path) -> Result<PathBuf, WeightsError> {
    IN_DIRECTORIES
        .iter()
        .map(|name| path.join(name))
        .find(|path| path.exists())
        .ok_or_else(|| {
            format!(
                "expected {} in the directory but found neither",
                IN_DIRECTORIES.join(" or ")
            )
        })
        .about(path)
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    use super::*;

    /// The tensors of a file whose data begins at a multiple of eight.
    fn tensors() -> Vec<u8> {
        let mut header = br#"{
            "norm": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "up": {"dtype": "F32", "shape": [1, 2], "data_offsets": [8, 16]},
            "down": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [16, 20]},
            "mask": {"dtype": "BOOL", "shape": [1], "data_offsets": [20, 21]},
            "odd": {"dtype": "F16", "shape": [1, 2], "data_offsets": [21, 25]}
        }"#
        .to_vec();
        header.resize(header.len().next_multiple_of(8), b' ');
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], &header, &[0; 25]].concat()
    }

    #[test]
    fn tensors_are_read_where_they_are_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.safetensors");
        std::fs::write(&path, tensors()).unwrap();
        let Shard { file, tensors, .. } = open_shards(&path).unwrap().remove(0);
        let place = file.bytes().as_ptr_range();
        let mut copied = Vec::new();
        for tensor in tensors {
            let at = match item(&file, tensor.clone(), false).unwrap() {
                Item::Layer(_, table) => {
                    let values = table["weights"].as_list::<i64>().values().to_data();
                    values.buffers()[0].as_ptr()
                }
                Item::Table(..) => unreachable!("a safetensors file has none"),
                Item::Tensor(_, bytes) => bytes.as_ptr(),
            };
            if place.contains(&at) {
                assert_eq!(at, &raw const file.bytes()[tensor.bytes.start]);
            } else {
                copied.push(tensor.name);
            }
        }
        assert_eq!(copied, ["odd"], "which is not aligned to its type");
    }
}
