//! Roles: from a parent's rule and a child's field to what the child stands for, and from there to the words of the tables.

use crate::model::{Access, IdentifierKind, RelationshipKind};
use crate::rules::{KindRule, bits};
use crate::spec::{Role, Shape};

use super::*;

/// What a parent makes of one of its children.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) role: Role,
    /// Whether it is the member's name in a member access.
    pub(super) is_property: bool,
    /// Whether it is the receiver of a member access.
    pub(super) is_object: bool,
}

impl Place {
    fn plain(role: Role) -> Self {
        Self {
            role,
            is_property: false,
            is_object: false,
        }
    }

    fn property(role: Role) -> Self {
        Self {
            is_property: true,
            ..Self::plain(role)
        }
    }

    fn object(role: Role) -> Self {
        Self {
            is_object: true,
            ..Self::plain(role)
        }
    }
}

impl<'s> Walk<'s> {
    /// What the parent makes of the current node.
    pub(super) fn place_of(&mut self, rule: &KindRule, field: impl FnOnce() -> u16) -> Place {
        let Some(parent) = self.frames.last_mut() else {
            return Place::plain(Role::Read);
        };
        let inherited = parent.role;
        if !parent.rule.has(bits::NODE) {
            return Place::plain(inherited);
        }
        let parent_rule = parent.rule;
        let counted = rule.has(bits::NAMED) && !rule.has(bits::COMMENT);
        parent.named_children += u32::from(counted);
        if counted && parent_rule.shape == Shape::Positional {
            return match parent.named_children {
                1 => Place::object(parent.object_role.unwrap_or(object_role(inherited))),
                _ => Place::property(member_role(inherited)),
            };
        }
        // A name with type arguments stands where its first child would.
        let stands_in = counted && parent_rule.first_only.is_some() && parent.named_children == 1;
        let (is_property, is_object) = match parent_rule.first_only {
            Some(others) if counted && parent.named_children > 1 => {
                let others = match (others, inherited) {
                    (Role::Member, Role::Import | Role::ImportBind | Role::ImportWhole) => {
                        Role::Import
                    }
                    _ => others,
                };
                return Place::plain(pick(others, inherited));
            }
            _ if stands_in => (parent.is_property, parent.is_object),
            _ => (false, false),
        };
        if !parent_rule.wants_field() {
            return Place {
                role: pick(parent_rule.child, inherited),
                is_property,
                is_object,
            };
        }
        let field = field();
        if parent_rule.visible_after != 0 {
            if parent.binds_now {
                parent.binds_now = false;
                let from = parent.pending_binds as usize;
                self.bind_pending(from);
            }
            if field == parent_rule.visible_after
                && let Some(parent) = self.frames.last_mut()
            {
                parent.binds_now = true;
            }
        }
        let parent = self.frames.last_mut().expect("found above");
        if parent.late_scope != NONE && field != 0 && parent_rule.scope_from.contains(&field) {
            self.out.events.push(Event::Enter(parent.late_scope));
            parent.late_scope = NONE;
        }
        if field != 0 && field == parent.outside_from && parent.left_scope == NONE {
            parent.left_scope = self.scope_stack.last().copied().unwrap_or(0);
            self.out.events.push(Event::Exit);
        }
        let (given_object, given_child) = (parent.object_role, parent.child_role);
        if field != 0 && field == parent_rule.property {
            let role = match parent_rule.shape {
                Shape::Call => Role::Call,
                _ => member_role(inherited),
            };
            return Place::property(role);
        }
        let given = self.rules.child_role(parent_rule, field);
        if field != 0 && field == parent_rule.object {
            let role = match (given_object, parent_rule.property) {
                (Some(role), _) => role,
                (None, 0) => pick(given, inherited),
                (None, _) if given == Role::Qualifier => match object_role(inherited) {
                    Role::Import => Role::Import,
                    _ => Role::Qualifier,
                },
                (None, _) => object_role(inherited),
            };
            return Place::object(role);
        }
        if let Some(role) = given_child {
            return Place::plain(role);
        }
        Place {
            role: pick(given, inherited),
            is_property,
            is_object,
        }
    }
}

fn pick(rule: Role, inherited: Role) -> Role {
    match rule {
        Role::Inherit => inherited,
        Role::TypeArgument if is_type_role(inherited) => Role::Type,
        Role::TypeArgument => Role::Read,
        rule => rule,
    }
}

/// Whether a place says that what stands in it is a type.
pub(crate) fn is_type_role(role: Role) -> bool {
    matches!(
        role,
        Role::Type | Role::Extends | Role::Implements | Role::ParameterType | Role::ReturnType
    )
}

/// The role of a member's name where the whole access has the role `inherited`.
fn member_role(inherited: Role) -> Role {
    match inherited {
        Role::Inherit | Role::Read => Role::Member,
        role => role,
    }
}

/// The role of a receiver where the whole access has the role `inherited`.
fn object_role(inherited: Role) -> Role {
    match inherited {
        Role::Import | Role::ImportBind | Role::ImportWhole => Role::Import,
        _ => Role::Read,
    }
}

/// What the columns say of an identifier in a place with this role.
pub(super) fn meaning(
    role: Role,
    membered: bool,
) -> (IdentifierKind, Access, Option<RelationshipKind>) {
    use RelationshipKind as R;
    let plain = if membered {
        IdentifierKind::MemberAccess
    } else {
        IdentifierKind::VariableRef
    };
    match role {
        Role::WriteMember => (
            IdentifierKind::MemberAccess,
            Access::Write,
            Some(R::References),
        ),
        Role::Write | Role::Bind | Role::BindOrWrite | Role::BindHere | Role::Parameter => {
            (plain, Access::Write, Some(R::References))
        }
        Role::Call => (IdentifierKind::Call, Access::Call, Some(R::Calls)),
        Role::New => (
            IdentifierKind::Call,
            Access::Instantiate,
            Some(R::Instantiates),
        ),
        Role::Type | Role::SelfType => (IdentifierKind::TypeUsage, Access::Type, Some(R::Uses)),
        Role::Extends => (IdentifierKind::TypeUsage, Access::Type, Some(R::Extends)),
        Role::Implements => (IdentifierKind::TypeUsage, Access::Type, Some(R::Implements)),
        Role::ParameterType => (IdentifierKind::TypeUsage, Access::Type, Some(R::Parameter)),
        Role::ReturnType => (IdentifierKind::TypeUsage, Access::Type, Some(R::Returns)),
        Role::Import | Role::ImportBind | Role::ImportWhole => {
            (IdentifierKind::Import, Access::Import, None)
        }
        Role::OwnWrite => (
            IdentifierKind::MemberAccess,
            Access::Write,
            Some(R::References),
        ),
        Role::Value | Role::Qualifier => (plain, Access::Read, Some(R::References)),
        Role::Label => (plain, Access::Read, None),
        Role::Inherit
        | Role::Read
        | Role::ReadOrCall
        | Role::Global
        | Role::TypeArgument
        | Role::Outer
        | Role::Member
        | Role::OwnMember => {
            let kind = if matches!(role, Role::Member | Role::OwnMember) {
                IdentifierKind::MemberAccess
            } else {
                plain
            };
            (kind, Access::Read, Some(R::References))
        }
    }
}
