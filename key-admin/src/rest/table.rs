//! The routes of the REST API. One operation is one entry here: how it is asked for, who may, and what comes of it. The
//! reader of requests, the answers, the `OpenAPI` document and the client of the command line all go by this table.
//!
//! What the fields of a request are stands in the type of its [`Command`](crate::Command), which the entry finds by its
//! operation; the parameters named here are compared with that type by a test.

use crate::caller::Permission;

/// One operation over HTTP.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path as the gateway has it, with names in braces.
    pub resource: &'static str,
    /// The word for the command.
    pub operation: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Where the fields of the command stand, beside those of the path.
    pub takes: Takes,
    /// The headers that say the same as a field.
    pub headers: &'static [Header],
    /// What a caller who is not an operator needs; blocks of tokens and imports are for operators alone.
    pub permission: Permission,
    /// Status and the name of the reply, as [`Reply`](crate::Reply) has it.
    pub replies: &'static [(u16, &'static str)],
    /// Refusals beside those of every route.
    pub refusals: &'static [u16],
}

/// Where the fields of a command stand.
#[derive(Debug)]
pub enum Takes {
    /// In the query.
    Query(&'static [Parameter]),
    /// In a JSON object.
    Body {
        /// Whether there must be one.
        is_required: bool,
    },
}

/// A query parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
}

/// What the value of a query parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
}

/// A header that says the same as a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// `Idempotency-Key`, for `idempotencyKey`.
    IdempotencyKey,
    /// `If-Match`, for `expectedVersion` (RFC 9110 section 13.1.1).
    IfMatch,
}

impl Header {
    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IdempotencyKey => "idempotency-key",
            Self::IfMatch => "if-match",
        }
    }
}

/// Refusals that every route may answer with.
pub const EVERYWHERE: &[u16] = &[400, 403, 500, 503];

/// Where the document that describes the routes is.
pub const DOCUMENT: (&str, &str) = ("GET", "/openapi.json");

/// Every operation.
pub const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        resource: "/keys",
        operation: "create",
        summary: "Make a key",
        takes: Takes::Body { is_required: true },
        headers: &[Header::IdempotencyKey],
        permission: Permission::Make,
        replies: &[(201, "Created"), (200, "Repeated")],
        refusals: &[409],
    },
    Route {
        method: "GET",
        resource: "/keys",
        operation: "list",
        summary: "Show the keys of a tenant",
        takes: Takes::Query(&[text("tenant"), number("limit"), text("cursor")]),
        headers: &[],
        permission: Permission::Read,
        replies: &[(200, "Keys")],
        refusals: &[],
    },
    Route {
        method: "GET",
        resource: "/keys/{id}",
        operation: "get",
        summary: "Show a key",
        takes: Takes::Query(&[]),
        headers: &[],
        permission: Permission::Read,
        replies: &[(200, "Key")],
        refusals: &[404],
    },
    Route {
        method: "GET",
        resource: "/keys/{id}/audit",
        operation: "audit",
        summary: "Show the changes of a key",
        takes: Takes::Query(&[
            text("action"),
            text("actor"),
            number("from"),
            number("to"),
            number("limit"),
            text("cursor"),
        ]),
        headers: &[],
        permission: Permission::Read,
        replies: &[(200, "Changes")],
        refusals: &[404],
    },
    Route {
        method: "GET",
        resource: "/keys/{id}/usage",
        operation: "usage",
        summary: "Show how often a key was used",
        takes: Takes::Query(&[text("by"), number("from"), number("to")]),
        headers: &[],
        permission: Permission::Read,
        replies: &[(200, "Usage")],
        refusals: &[404],
    },
    Route {
        method: "POST",
        resource: "/keys/{id}/rotate",
        operation: "rotate",
        summary: "Give a key a successor",
        takes: Takes::Body { is_required: false },
        headers: &[Header::IdempotencyKey, Header::IfMatch],
        permission: Permission::Make,
        replies: &[(201, "Rotated"), (200, "Repeated")],
        refusals: &[404, 409, 412],
    },
    change("disable", "/keys/{id}/disable", "Switch a key off"),
    change("enable", "/keys/{id}/enable", "Switch a key on again"),
    change("revoke", "/keys/{id}/revoke", "End a key for good"),
    Route {
        method: "PUT",
        summary: "Schedule a rotation",
        takes: Takes::Body { is_required: true },
        permission: Permission::Make,
        replies: &[(200, "Scheduled")],
        ..change("schedule", "/keys/{id}/rotation", "")
    },
    Route {
        method: "DELETE",
        summary: "Take back what was scheduled",
        takes: Takes::Query(&[number("expectedVersion"), text("reason")]),
        permission: Permission::Make,
        replies: &[(200, "Scheduled")],
        ..change("unschedule", "/keys/{id}/rotation", "")
    },
    Route {
        method: "PATCH",
        summary: "Change what a key may do",
        ..change("update", "/keys/{id}", "")
    },
    Route {
        method: "DELETE",
        resource: "/keys/{id}",
        operation: "delete",
        summary: "Remove what is stored of a key that ended",
        takes: Takes::Query(&[number("expectedVersion"), text("reason")]),
        headers: &[Header::IfMatch],
        permission: Permission::Delete,
        replies: &[(200, "Deleted")],
        refusals: &[404, 409, 412],
    },
    Route {
        method: "POST",
        resource: "/keys/verify",
        operation: "verify",
        summary: "Say whether a printed key is good",
        takes: Takes::Body { is_required: true },
        headers: &[],
        permission: Permission::Read,
        replies: &[(200, "Verified")],
        refusals: &[],
    },
    many("createMany", "/keys/bulk", "Make many keys"),
    many(
        "importMany",
        "/keys/import",
        "Bring many keys from elsewhere",
    ),
    Route {
        method: "GET",
        resource: "/keys/export",
        operation: "export",
        summary: "Show the keys of a tenant as they can be imported",
        takes: Takes::Query(&[
            text("tenant"),
            flag("withDigests"),
            number("limit"),
            text("cursor"),
        ]),
        headers: &[],
        permission: Permission::Read,
        replies: &[(200, "Exported")],
        refusals: &[],
    },
    Route {
        method: "GET",
        resource: "/audit",
        operation: "auditOfTenant",
        summary: "Show the changes of all keys of a tenant",
        takes: Takes::Query(&[
            text("tenant"),
            text("action"),
            text("actor"),
            number("from"),
            number("to"),
            number("limit"),
            text("cursor"),
        ]),
        headers: &[],
        permission: Permission::Read,
        replies: &[(200, "Changes")],
        refusals: &[],
    },
    Route {
        method: "POST",
        resource: "/blocks",
        operation: "block",
        summary: "End tokens before they expire",
        takes: Takes::Body { is_required: true },
        headers: &[],
        permission: Permission::Change,
        replies: &[(200, "OfBlocks")],
        refusals: &[409],
    },
    Route {
        method: "DELETE",
        resource: "/blocks/{id}",
        operation: "unblock",
        summary: "Take a block of tokens back",
        takes: Takes::Query(&[text("reason")]),
        headers: &[],
        permission: Permission::Change,
        replies: &[(200, "OfBlocks")],
        refusals: &[404, 409],
    },
    Route {
        method: "GET",
        resource: "/blocks",
        operation: "blocks",
        summary: "Show the blocks of tokens",
        takes: Takes::Query(&[number("limit"), text("cursor")]),
        headers: &[],
        permission: Permission::Read,
        replies: &[(200, "OfBlocks")],
        refusals: &[],
    },
    Route {
        method: "GET",
        resource: "/blocks/audit",
        operation: "blockChanges",
        summary: "Show what was done to blocks of tokens",
        takes: Takes::Query(&[number("limit"), text("cursor")]),
        headers: &[],
        permission: Permission::Read,
        replies: &[(200, "OfBlocks")],
        refusals: &[],
    },
];

const fn text(name: &'static str) -> Parameter {
    Parameter {
        name,
        kind: Kind::Text,
    }
}

const fn number(name: &'static str) -> Parameter {
    Parameter {
        name,
        kind: Kind::Number,
    }
}

const fn flag(name: &'static str) -> Parameter {
    Parameter {
        name,
        kind: Kind::Flag,
    }
}

/// Many keys at once.
const fn many(operation: &'static str, resource: &'static str, summary: &'static str) -> Route {
    Route {
        method: "POST",
        resource,
        operation,
        summary,
        takes: Takes::Body { is_required: true },
        headers: &[],
        permission: Permission::Make,
        replies: &[(200, "Many")],
        refusals: &[],
    }
}

/// A change of the status of a key.
const fn change(operation: &'static str, resource: &'static str, summary: &'static str) -> Route {
    Route {
        method: "POST",
        resource,
        operation,
        summary,
        takes: Takes::Body { is_required: false },
        headers: &[Header::IfMatch],
        permission: Permission::Change,
        replies: &[(200, "Changed")],
        refusals: &[404, 409, 412],
    }
}

impl Route {
    /// The entry for a method and a path as the gateway has it.
    pub fn find(method: &str, resource: &str) -> Option<&'static Self> {
        let mut routes = ROUTES.iter();
        routes.find(|route| route.method == method && route.resource == resource)
    }

    /// The entry of an operation.
    pub fn of(operation: &str) -> Option<&'static Self> {
        ROUTES.iter().find(|route| route.operation == operation)
    }

    /// The methods that a path has, for `Allow` (RFC 9110 section 10.2.1); empty where there is no such path.
    pub fn methods(resource: &str) -> Vec<&'static str> {
        let routes = ROUTES.iter().map(|route| (route.method, route.resource));
        let routes = routes.chain([DOCUMENT]);
        let mut methods: Vec<_> = routes
            .filter(|(_, known)| *known == resource)
            .map(|(method, _)| method)
            .collect();
        methods.sort_unstable();
        methods
    }

    /// The names of the fields that stand in the path.
    pub fn in_path(&self) -> impl Iterator<Item = &'static str> {
        let segments = self.resource.split('/');
        segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether a header may say the same as a field.
    pub fn takes_header(&self, header: Header) -> bool {
        self.headers.contains(&header)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_entries_are_of_one_route_or_of_one_operation() {
        let routes: BTreeSet<_> = ROUTES.iter().map(|r| (r.method, r.resource)).collect();
        let operations: BTreeSet<_> = ROUTES.iter().map(|route| route.operation).collect();
        assert_eq!(
            (routes.len(), operations.len()),
            (ROUTES.len(), ROUTES.len())
        );
    }

    #[test]
    fn a_path_knows_its_methods() {
        assert_eq!(Route::methods("/keys"), ["GET", "POST"]);
        assert_eq!(Route::methods("/openapi.json"), ["GET"]);
        assert!(Route::methods("/{proxy+}").is_empty());
    }
}
