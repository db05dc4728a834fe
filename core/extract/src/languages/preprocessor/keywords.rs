//! The words of C and C++ that are no names.

/// Words that begin a type of the language's own.
pub fn is_primitive(text: &[u8]) -> bool {
    matches!(
        text,
        b"void"
            | b"bool"
            | b"char"
            | b"short"
            | b"int"
            | b"long"
            | b"float"
            | b"double"
            | b"signed"
            | b"unsigned"
            | b"auto"
    )
}

/// Words that the grammars take for types of the language's own, whatever headers say.
pub fn is_type_word(text: &[u8]) -> bool {
    is_primitive(text)
        || matches!(
            text,
            b"const"
                | b"volatile"
                | b"struct"
                | b"union"
                | b"enum"
                | b"size_t"
                | b"ssize_t"
                | b"ptrdiff_t"
                | b"intptr_t"
                | b"uintptr_t"
                | b"int8_t"
                | b"int16_t"
                | b"int32_t"
                | b"int64_t"
                | b"uint8_t"
                | b"uint16_t"
                | b"uint32_t"
                | b"uint64_t"
        )
}

/// Words that, behind a macro, begin a declaration.
pub fn begins_declaration(text: &[u8]) -> bool {
    is_primitive(text)
        || matches!(
            text,
            b"static"
                | b"inline"
                | b"extern"
                | b"struct"
                | b"class"
                | b"union"
                | b"enum"
                | b"virtual"
                | b"explicit"
                | b"template"
                | b"typedef"
                | b"namespace"
                | b"using"
                | b"friend"
                | b"constexpr"
                | b"public"
                | b"private"
                | b"protected"
        )
}

pub fn is_keyword(text: &[u8]) -> bool {
    begins_declaration(text)
        || matches!(
            text,
            b"const"
                | b"volatile"
                | b"mutable"
                | b"register"
                | b"typename"
                | b"return"
                | b"if"
                | b"else"
                | b"for"
                | b"while"
                | b"do"
                | b"switch"
                | b"case"
                | b"default"
                | b"goto"
                | b"break"
                | b"continue"
                | b"sizeof"
                | b"new"
                | b"delete"
                | b"throw"
                | b"try"
                | b"catch"
                | b"operator"
                | b"this"
                | b"true"
                | b"false"
                | b"nullptr"
                | b"noexcept"
                | b"override"
                | b"final"
                | b"and"
                | b"or"
                | b"not"
                | b"co_return"
                | b"co_await"
                | b"co_yield"
                | b"decltype"
                | b"restrict"
                | b"alignas"
                | b"static_assert"
                | b"requires"
                | b"typeof"
                | b"__typeof__"
                | b"asm"
                | b"__asm__"
                | b"__attribute__"
                | b"__declspec"
        )
}
