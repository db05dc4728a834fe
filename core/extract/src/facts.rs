//! What one file's walk leaves behind: rows of small integers that point into the file's text.
//!
//! Names are [`NameId`]s, interned per file; texts are [`Text`] spans. Nothing here owns a string per row: the bytes
//! are copied once, from the source into the finished column.

use crate::model::{
    Access, IdentifierKind, RelationshipKind, Resolution, Severity, SymbolKind, Visibility,
};

/// Index of an interned name within one file.
pub type NameId = u32;

/// Index of a row within one file.
pub type Row = u32;

/// No number of arguments.
pub const UNCOUNTED: u16 = u16::MAX;

/// No row.
pub const NONE: Row = u32::MAX;

/// 128 bits that name a row across edits.
pub type Id = [u8; 16];

/// A run of bytes in the file's source or, with the highest bit of `start` set, in [`FileFacts::arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Text {
    start: u32,
    len: u32,
}

impl Text {
    const ARENA: u32 = 1 << 31;

    /// Bytes of the source.
    pub fn source(range: std::ops::Range<usize>) -> Self {
        Self {
            start: range.start as u32,
            len: (range.end - range.start) as u32,
        }
    }

    /// Bytes of the arena.
    pub fn arena(range: std::ops::Range<usize>) -> Self {
        Self {
            start: range.start as u32 | Self::ARENA,
            len: (range.end - range.start) as u32,
        }
    }

    /// Whether there is nothing in it; an absent text is an empty one.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// One row of `symbols`.
#[derive(Debug, Clone)]
pub struct Symbol {
    pub name: NameId,
    /// Where the name stands.
    pub name_bytes: (u32, u32),
    pub kind: SymbolKind,
    pub visibility: Option<Visibility>,
    pub flags: u32,
    pub parent: Row,
    /// Name of the type it belongs to, where that is not `parent`'s own; [`NONE`] otherwise.
    pub owner: NameId,
    /// The type or namespace that has it as a member; [`NONE`] for what is local, or a member of a type without a name.
    pub holder: Row,
    /// Whether no name reaches it.
    pub hidden: bool,
    /// Whether it stands in a body, away from its type's, that implements an interface or trait for the type.
    pub implements: bool,
    /// Parameters, where `kind` is called.
    pub arity: u16,
    /// Whether it takes more or fewer arguments than it has parameters.
    pub variadic: bool,
    pub start_byte: u32,
    pub end_byte: u32,
    pub start_line: u32,
    pub end_line: u32,
    pub start_column: u32,
    pub end_column: u32,
    pub signature: Text,
    pub doc_comment: Text,
    pub qualified_name: Text,
    pub code_context: Text,
    pub id: Id,
}

/// One row of `identifiers`.
#[derive(Debug, Clone)]
pub struct Identifier {
    pub name: NameId,
    pub start_byte: u32,
    pub end_byte: u32,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
    pub containing: Row,
    pub target: Row,
    pub kind: IdentifierKind,
    pub access: Access,
    pub resolution: Resolution,
    /// What the place says beyond kind and access; decides the relationship.
    pub relation: Option<RelationshipKind>,
    pub receiver: Receiver,
    pub names: Names,
    /// In the head of a type's body that is defined elsewhere: that type's name; [`NONE`] otherwise.
    pub derived: NameId,
    /// Arguments of the call whose name this is; [`UNCOUNTED`] otherwise.
    pub arguments: u16,
    pub id: Id,
}

/// What stands before a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// Nothing: the name stands alone.
    None,
    /// The current object or type; the key of the enclosing type.
    Own(NameId),
    /// The type of the current object, as an object of its own (Ruby's `self.class`); the key of the enclosing type.
    OwnType(NameId),
    /// Nothing: the name itself means the enclosing type; its key.
    Itself(NameId),
    /// The current object, as far as its base types define it (`parent`, `super`); the key of the enclosing type.
    Base(NameId),
    /// Nothing, and the name may be a member of the type with this key.
    Implicit(NameId),
    /// The name in this identifier row.
    Row(Row),
    /// Something else.
    Other,
}

/// Which of the things that share a name a place can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// What is known by the bare name.
    Plain,
    /// A type, by its tag.
    Tags,
    /// A type or namespace whose members follow.
    Qualifiers,
}

/// One row of `relationships`.
#[derive(Debug, Clone)]
pub struct Relationship {
    pub from: Row,
    pub to: Row,
    pub to_name: Text,
    pub kind: RelationshipKind,
    pub line: u32,
    pub confidence: f32,
    pub id: Id,
}

/// One row of `errors`.
#[derive(Debug, Clone)]
pub struct FileError {
    pub severity: Severity,
    pub stage: &'static str,
    pub code: &'static str,
    pub message: String,
    pub byte_offset: Option<u32>,
}

/// All rows about one file.
#[derive(Debug, Default)]
pub struct FileFacts {
    /// Relative to the root, with forward slashes; escaped where it is not UTF-8.
    pub path: String,
    /// `None` when the file was not read to its end: only `errors` count then.
    pub content: Option<Content>,
    pub symbols: Vec<Symbol>,
    pub identifiers: Vec<Identifier>,
    pub relationships: Vec<Relationship>,
    pub errors: Vec<FileError>,
    /// The spans of the interned names.
    pub names: Vec<Text>,
    /// Text that is not in the source as it stands: qualified names, tidied signatures.
    pub arena: Vec<u8>,
}

/// A file that was read.
#[derive(Debug)]
pub struct Content {
    pub language: &'static str,
    /// What the byte offsets count in.
    pub source: Vec<u8>,
    /// The source with replacement characters, where it is not UTF-8.
    pub decoded: Option<String>,
    /// Whether the text goes into the tables.
    pub show: bool,
    /// blake3 of the bytes on disk.
    pub hash: [u8; 32],
    /// Bytes on disk.
    pub size: u32,
    pub line_count: u32,
    pub parse_error_count: u32,
}

impl Content {
    /// The text for `fileData.content`, when it was asked for.
    pub fn shown(&self) -> Option<&[u8]> {
        let text = self
            .decoded
            .as_ref()
            .map_or(&self.source[..], |text| text.as_bytes());
        self.show.then_some(text)
    }
}

impl FileFacts {
    /// A file of which there is only something wrong to say.
    pub fn failed(path: String, error: FileError) -> Self {
        Self {
            path,
            errors: vec![error],
            ..Self::default()
        }
    }

    /// The bytes of a text of this file.
    pub fn text(&self, text: Text) -> &[u8] {
        let source = self
            .content
            .as_ref()
            .map_or(&[][..], |content| &content.source);
        resolve(source, &self.arena, text)
    }

    /// The id of a symbol's row, unless it is [`NONE`].
    pub fn symbol_id(&self, row: Row) -> Option<&Id> {
        self.symbols.get(row as usize).map(|symbol| &symbol.id)
    }

    /// The bytes of an interned name.
    pub fn name(&self, name: NameId) -> &[u8] {
        self.text(self.names[name as usize])
    }
}

/// The bytes of a text, given what it may point into.
pub fn resolve<'a>(source: &'a [u8], arena: &'a [u8], text: Text) -> &'a [u8] {
    let (bytes, start) = if text.start & Text::ARENA == 0 {
        (source, text.start as usize)
    } else {
        (arena, (text.start & !Text::ARENA) as usize)
    };
    &bytes[start..start + text.len as usize]
}
