//! The `relationship` table.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::classes::{Class, equal_text, hash_text};
use super::files::FileKeys;
use super::symbol_keys::SymbolKeys;
use super::{Encoder, Progress, finish, too_many};
use crate::StoreError;
use crate::contract::Columns;
use crate::image::{Image, Record};

/// The columns of `relationships` with few values.
#[derive(Debug, Clone, Copy)]
pub(super) struct RelationshipClass<'a> {
    kind: &'a str,
    confidence: f32,
}

impl Class for RelationshipClass<'_> {
    type Owned = (String, f32);

    fn hash(&self, hasher: &mut FxHasher) {
        hash_text(hasher, self.kind);
        hasher.write_u32(self.confidence.to_bits());
    }

    fn equals(&self, (kind, confidence): &Self::Owned) -> bool {
        equal_text(self.kind, kind) && self.confidence.to_bits() == confidence.to_bits()
    }

    fn to_owned(&self) -> Self::Owned {
        (self.kind.into(), self.confidence)
    }

    fn write((kind, confidence): &Self::Owned, record: &mut Record) {
        record.text(kind.as_bytes());
        record.real(f64::from(*confidence));
    }
}

impl Encoder {
    pub(super) fn encode_relationships<'a>(
        &mut self,
        table: Columns<'a>,
        files: &FileKeys<'a>,
        keys: &mut SymbolKeys<'a>,
        image: &mut Image,
        progress: &mut Progress,
    ) -> Result<(), StoreError> {
        let id = table.text("id");
        let to_name = table.text("to_name");
        let kind = table.text("kind");
        let line_number = table.numbers("line_number");
        let confidence = table.reals("confidence");
        let mut file = files.lookup(&table, table.text("file_path"));
        let mut source = keys.lookup(table.text("from_symbol_id"));
        let mut target = keys.lookup(table.text("to_symbol_id"));
        let mut rows = image.table();
        for row in 0..table.rows() {
            let class = RelationshipClass {
                kind: kind.value(row),
                confidence: confidence[row],
            };
            let class = self.relationship_classes.intern(class);
            let file = file.key(row)?;
            let source = source.key(keys, row)?;
            let target = target.key(keys, row)?;
            let name = self
                .names
                .intern(to_name.value(row))
                .ok_or_else(|| too_many("names"))?;
            let record = &mut self.record;
            record.clear();
            record.text(id.value(row).as_bytes());
            record.number(class);
            record.number(file);
            record.optional_number(source);
            record.optional_number(target);
            record.number(name);
            record.number(line_number[row]);
            image.push(&mut rows, row as i64 + 1, record);
        }
        finish(image, "relationship", rows);
        progress.counts.relationships += table.rows() as u64;
        Ok(())
    }
}
