//! Models in several files, and the index that says which tensor is where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::read_header;
use crate::WeightsError;
use crate::error::About;
use crate::mapped::Mapped;
use crate::source::Shard;

#[derive(Deserialize)]
struct Index {
    /// The file of each tensor.
    weight_map: BTreeMap<String, String>,
}

/// Opens a safetensors file, or all files of an index. Tensors and index must agree.
pub(crate) fn open_shards(path: &Path) -> Result<Vec<Shard>, WeightsError> {
    if path.extension().is_none_or(|extension| extension != "json") {
        return Ok(vec![open(path)?]);
    }
    let text = std::fs::read(path).about(path)?;
    let Index { weight_map } = serde_json::from_slice(&text)
        .map_err(|error| format!("index: {error}"))
        .about(path)?;
    let files: BTreeSet<&str> = weight_map.values().map(String::as_str).collect();
    if files.is_empty() {
        return Err("index: expected tensors in weight_map but found none".to_owned()).about(path);
    }
    let mut shards = Vec::new();
    let mut missing: BTreeSet<&str> = weight_map.keys().map(String::as_str).collect();
    for file in files {
        let is_name = !file.contains(['/', '\\']) && !matches!(file, "" | "." | "..");
        if !is_name {
            let message = format!("index: expected names of files beside it but found {file:?}");
            return Err(message).about(path);
        }
        let shard = open(&path.with_file_name(file))?;
        for tensor in &shard.tensors {
            let name = tensor.name.as_str();
            if weight_map.get(name).map(String::as_str) != Some(file) || !missing.remove(name) {
                let found = weight_map
                    .get(name)
                    .map_or("in no file".to_owned(), |found| format!("in {found:?}"));
                let message = format!(
                    "index: expected tensor {name:?} in {file:?}, where it is, but found it {found}"
                );
                return Err(message).about(path);
            }
        }
        shards.push(shard);
    }
    if let Some(name) = missing.first() {
        let file = &weight_map[*name];
        let message = format!("index: expected tensor {name:?} in {file:?} but found none there");
        return Err(message).about(path);
    }
    Ok(shards)
}

fn open(path: &Path) -> Result<Shard, WeightsError> {
    let file = Mapped::open(path)?;
    let (tensors, metadata) = read_header(file.bytes()).about(path)?;
    Ok(Shard {
        file,
        tensors,
        metadata,
    })
}
