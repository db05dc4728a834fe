//! The vocabulary of the tables: kinds, accesses, resolutions, flags, and the five schemas.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef};

/// Declares a fieldless enum whose variants have a fixed spelling in the tables.
macro_rules! spelled {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_meta])* #[doc = concat!("`", $text, "`")] $variant),+ }

        impl $name {
            /// Every variant, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The spelling in the tables.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

spelled! {
    /// What a symbol is.
    SymbolKind {
        Class = "class",
        Interface = "interface",
        Function = "function",
        Method = "method",
        Constructor = "constructor",
        Variable = "variable",
        Constant = "constant",
        Property = "property",
        Field = "field",
        Enum = "enum",
        EnumMember = "enum_member",
        Module = "module",
        Namespace = "namespace",
        Type = "type",
        Trait = "trait",
        Struct = "struct",
        Union = "union",
        Operator = "operator",
        Import = "import",
        Export = "export",
        Event = "event",
        Delegate = "delegate",
        Macro = "macro",
    }
}

impl SymbolKind {
    /// Whether symbols of this kind have members that a receiver reaches.
    pub const fn is_type(self) -> bool {
        matches!(
            self,
            Self::Class
                | Self::Interface
                | Self::Enum
                | Self::Type
                | Self::Trait
                | Self::Struct
                | Self::Union
        )
    }

    /// Whether the symbol only groups others.
    pub const fn is_namespace(self) -> bool {
        matches!(self, Self::Module | Self::Namespace)
    }
}

spelled! {
    /// What an identifier token stands for.
    IdentifierKind {
        Call = "call",
        VariableRef = "variable_ref",
        TypeUsage = "type_usage",
        MemberAccess = "member_access",
        Import = "import",
    }
}

spelled! {
    /// What the code does with the thing that an identifier names.
    Access {
        Read = "read",
        Write = "write",
        Call = "call",
        Instantiate = "instantiate",
        Type = "type",
        Import = "import",
    }
}

spelled! {
    /// How an identifier's target was found.
    Resolution {
        /// A binding of an enclosing scope.
        Lexical = "lexical",
        /// An import of the same file binds the name.
        Import = "import",
        /// A member of the type that the receiver names.
        Receiver = "receiver",
        /// The only definition of that name in the workspace.
        Unique = "unique",
        /// One of several definitions of that name.
        Candidate = "candidate",
        /// No target.
        None = "none",
    }
}

impl Resolution {
    /// How sure the target is, from 0 (no target) to 1.
    pub const fn confidence(self) -> f32 {
        match self {
            Self::Lexical | Self::Import => 1.0,
            Self::Receiver => 0.9,
            Self::Unique => 0.7,
            Self::Candidate => 0.4,
            Self::None => 0.0,
        }
    }
}

spelled! {
    /// What connects two symbols.
    RelationshipKind {
        Calls = "calls",
        Extends = "extends",
        Implements = "implements",
        Uses = "uses",
        Imports = "imports",
        Instantiates = "instantiates",
        References = "references",
        Defines = "defines",
        Overrides = "overrides",
        Contains = "contains",
        Returns = "returns",
        Parameter = "parameter",
    }
}

spelled! {
    /// Who may name a symbol.
    Visibility {
        Public = "public",
        Protected = "protected",
        Private = "private",
        /// The package, crate, assembly or file.
        Internal = "internal",
    }
}

spelled! {
    /// How much of a file was lost.
    Severity {
        /// Left out on purpose; nothing of it is in the tables.
        Skipped = "skipped",
        /// In the tables, with the stated loss.
        Degraded = "degraded",
        /// Should have been in the tables and is not.
        Failed = "failed",
    }
}

/// Bits of `symbols.flags`.
pub mod flags {
    /// A test, a test case or a benchmark.
    pub const TEST: u32 = 1;
    /// Asynchronous.
    pub const ASYNC: u32 = 1 << 1;
    /// Belongs to the type, not to an instance.
    pub const STATIC: u32 = 1 << 2;
    /// Exported from its file by an explicit word or rule of the language.
    pub const EXPORTED: u32 = 1 << 3;
    /// Has no body, or is declared abstract.
    pub const ABSTRACT: u32 = 1 << 4;
    /// Marked as deprecated.
    pub const DEPRECATED: u32 = 1 << 5;
    /// Cannot be assigned again.
    pub const READONLY: u32 = 1 << 6;
    /// A generator.
    pub const GENERATOR: u32 = 1 << 7;
    /// A variable inside a function.
    pub const LOCAL: u32 = 1 << 8;
    /// A parameter of a function or a type.
    pub const PARAMETER: u32 = 1 << 9;
}

fn utf8(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}

fn utf8_or_null(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn u32(name: &str) -> Field {
    Field::new(name, DataType::UInt32, false)
}

fn f32(name: &str) -> Field {
    Field::new(name, DataType::Float32, false)
}

macro_rules! schema {
    ($(#[$meta:meta])* $name:ident, $($field:expr),+ $(,)?) => {
        $(#[$meta])*
        pub static $name: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(vec![$($field),+])));
    };
}

schema!(
    /// Definitions and imports.
    SYMBOLS,
    utf8("id"),
    utf8("name"),
    utf8("kind"),
    utf8("language"),
    utf8("file_path"),
    u32("start_line"),
    u32("end_line"),
    utf8_or_null("signature"),
    utf8_or_null("doc_comment"),
    utf8_or_null("parent_id"),
    utf8_or_null("code_context"),
    u32("start_column"),
    u32("end_column"),
    u32("start_byte"),
    u32("end_byte"),
    utf8("qualified_name"),
    utf8_or_null("visibility"),
    u32("flags"),
);

schema!(
    /// Identifier tokens.
    IDENTIFIERS,
    utf8("id"),
    utf8("name"),
    utf8("kind"),
    utf8("language"),
    utf8("file_path"),
    u32("start_line"),
    u32("start_column"),
    u32("end_line"),
    u32("end_column"),
    utf8_or_null("containing_symbol_id"),
    utf8_or_null("target_symbol_id"),
    f32("confidence"),
    u32("start_byte"),
    u32("end_byte"),
    utf8("access"),
    utf8("resolution"),
);

schema!(
    /// Edges between symbols.
    RELATIONSHIPS,
    utf8("id"),
    utf8("from_symbol_id"),
    utf8_or_null("to_symbol_id"),
    utf8("to_name"),
    utf8("kind"),
    utf8("file_path"),
    u32("line_number"),
    f32("confidence"),
);

schema!(
    /// Files that were read.
    FILES,
    utf8("path"),
    utf8("language"),
    utf8_or_null("content"),
    utf8("hash"),
    u32("size"),
    u32("line_count"),
    u32("parse_error_count"),
);

schema!(
    /// What was skipped, degraded or failed.
    ERRORS,
    utf8("path"),
    utf8("severity"),
    utf8("stage"),
    utf8("code"),
    utf8("message"),
    Field::new("byte_offset", DataType::UInt32, true),
);
