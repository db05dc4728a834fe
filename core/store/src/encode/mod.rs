//! From a batch of Arrow tables to the image of a generation's rows.

mod classes;
mod errors;
mod files;
mod identifiers;
mod names;
mod relationships;
mod slots;
mod symbol_keys;
mod symbols;

use arrow_array::RecordBatch;

use crate::StoreError;
use crate::contract;
use crate::image::{Image, Record, TableBuilder};
use crate::schema::create_table;
use crate::summary::Counts;

use classes::{Class, Classes};
use files::FileKeys;
use identifiers::{IdentifierClass, IdentifierScratch};
use names::Names;
use relationships::RelationshipClass;
use symbol_keys::SymbolKeys;
use symbols::{SymbolClass, Symbols};

/// Encodes the batches of one generation. It keeps what one batch must know of those before it: the keys given out,
/// the names and the classes.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    written: Progress,
    names: Names,
    symbol_classes: Classes<<SymbolClass<'static> as Class>::Owned>,
    identifier_classes: Classes<<IdentifierClass<'static> as Class>::Owned>,
    relationship_classes: Classes<<RelationshipClass<'static> as Class>::Owned>,
    record: Record,
    scratch: IdentifierScratch,
}

/// How far the tables of a generation have grown. A batch that was encoded counts only once it is in the database,
/// so a batch that fails leaves nothing behind but a few names and classes that the next one writes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Rows by table of the contract.
    pub(crate) counts: Counts,
    /// The greatest key of a symbol, known or other.
    symbol_keys: u32,
    /// Rows of `name_use`.
    name_uses: u64,
    names: u32,
    symbol_classes: u32,
    identifier_classes: u32,
    relationship_classes: u32,
}

impl Encoder {
    /// Fills `image` with the rows of one batch and returns how far the tables have grown with it.
    pub(crate) fn encode(
        &mut self,
        tables: &[RecordBatch; 5],
        image: &mut Image,
    ) -> Result<Progress, StoreError> {
        let [symbols, identifiers, relationships, files, errors] = contract::check(tables)?;
        image.clear();
        let mut progress = self.written;
        let mut files = FileKeys::new(files, &progress)?;
        let symbols = Symbols::new(symbols, &mut files, &mut progress)?;
        let mut keys = symbols.keys()?;
        self.encode_symbols(&symbols, &mut keys, image)?;
        self.encode_identifiers(identifiers, &files, &mut keys, image, &mut progress)?;
        self.encode_files(&files, image, &mut progress);
        self.encode_relationships(relationships, &files, &mut keys, image, &mut progress)?;
        self.encode_errors(errors, image, &mut progress);
        self.encode_others(&keys, image, &mut progress);
        self.encode_names(image, &mut progress);
        encode_classes::<SymbolClass<'_>>(
            "symbol_class",
            &self.symbol_classes,
            &mut progress.symbol_classes,
            image,
            &mut self.record,
        );
        encode_classes::<IdentifierClass<'_>>(
            "identifier_class",
            &self.identifier_classes,
            &mut progress.identifier_classes,
            image,
            &mut self.record,
        );
        encode_classes::<RelationshipClass<'_>>(
            "relationship_class",
            &self.relationship_classes,
            &mut progress.relationship_classes,
            image,
            &mut self.record,
        );
        Ok(progress)
    }

    /// The batch encoded last is in the database.
    pub(crate) fn advance(&mut self, progress: Progress) {
        self.written = progress;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.written.counts
    }

    /// Ids that name no symbol of the batch.
    fn encode_others(&mut self, keys: &SymbolKeys<'_>, image: &mut Image, progress: &mut Progress) {
        let mut table = image.table();
        for (key, id) in keys.others() {
            self.record.clear();
            self.record.null();
            self.record.text(id.as_bytes());
            image.push(&mut table, i64::from(key), &self.record);
        }
        finish(image, "other_symbol", table);
        progress.symbol_keys = keys.last_key();
    }

    fn encode_names(&mut self, image: &mut Image, progress: &mut Progress) {
        let mut table = image.table();
        for key in progress.names + 1..=self.names.len() {
            self.record.clear();
            self.record.null();
            self.record.text(self.names.text(key));
            image.push(&mut table, i64::from(key), &self.record);
        }
        finish(image, "name", table);
        progress.names = self.names.len();
    }
}

fn encode_classes<C: Class>(
    name: &'static str,
    classes: &Classes<C::Owned>,
    written: &mut u32,
    image: &mut Image,
    record: &mut Record,
) {
    let mut table = image.table();
    for key in *written + 1..=classes.len() {
        record.clear();
        record.null();
        C::write(classes.get(key), record);
        image.push(&mut table, i64::from(key), record);
    }
    finish(image, name, table);
    *written = classes.len();
}

fn finish(image: &mut Image, name: &'static str, table: TableBuilder) {
    image.finish_table(name, create_table(name, name), table);
}

fn too_many(what: &str) -> StoreError {
    StoreError::TooLarge(format!("an index holds at most {} {what}", u32::MAX - 1))
}
