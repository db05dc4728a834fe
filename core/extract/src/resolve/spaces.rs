//! Which name spaces a symbol's name is found in, and which of them a use looks into: [`NameSpaces`] by kind and access.

use crate::facts::Symbol;
use crate::model::{Access, SymbolKind};
use crate::rules::Rules;
use crate::spec::NameSpaces;

/// The name spaces that a name lives in, as bits.
pub(super) mod space {
    pub const VALUE: u8 = 1;
    pub const TYPE: u8 = 2;
    pub const CALLABLE: u8 = 4;
    /// In the order of their bits.
    pub const COUNT: usize = 3;
}

/// Where a symbol's name is found.
pub(super) fn spaces_of(symbol: &Symbol, rules: &Rules) -> u8 {
    use SymbolKind as K;
    let (types, callables) = match rules.spec.name_spaces {
        NameSpaces::One => return space::VALUE,
        NameSpaces::Methods if symbol.kind == K::Method => return space::CALLABLE,
        NameSpaces::Methods => return space::VALUE,
        NameSpaces::Types => (space::TYPE, space::VALUE),
        NameSpaces::TypesAndCallables => (space::TYPE, space::CALLABLE),
        NameSpaces::TypesBesideValues => {
            return match symbol.kind {
                K::Interface | K::Type => space::TYPE,
                K::Class | K::Enum | K::EnumMember | K::Namespace | K::Module => {
                    space::TYPE | space::VALUE
                }
                K::Import | K::Export => space::TYPE | space::VALUE,
                _ => space::VALUE,
            };
        }
    };
    match symbol.kind {
        K::Import => space::VALUE | types | callables,
        K::Delegate => types,
        K::Method | K::Function | K::Constructor => callables,
        // A record's component is a value and the method that returns it.
        K::Property => space::VALUE | callables,
        kind if kind.is_type() || kind.is_namespace() => types,
        _ => space::VALUE,
    }
}

/// Where a name that is used is looked up, best first.
pub(super) fn spaces_for(access: Access, rules: &Rules) -> &'static [u8] {
    use NameSpaces as N;
    match (rules.spec.name_spaces, access) {
        (N::One, _) => &[space::VALUE],
        (N::Methods, Access::Call) => &[space::CALLABLE, space::VALUE],
        (N::Methods, _) => &[space::VALUE, space::CALLABLE],
        // A type may be said by a value that stands for one (a parameter that holds a class).
        (N::TypesBesideValues, Access::Type) => &[space::TYPE, space::VALUE],
        (N::TypesBesideValues, Access::Call | Access::Instantiate | Access::Write) => {
            &[space::VALUE]
        }
        (_, Access::Type | Access::Instantiate) => &[space::TYPE],
        (N::TypesAndCallables, Access::Call) => &[space::CALLABLE],
        _ => &[space::VALUE, space::TYPE],
    }
}
