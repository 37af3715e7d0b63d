//! Routes: method and path template, and what a caller needs there.

mod conflict;
pub(crate) mod shape;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod tree;

use crate::{
    decision::Context,
    layers::{ip_allow::AddressRules, rate_limit::Charge},
};

pub use conflict::Conflict;
pub use table::RouteTable;
pub(crate) use tree::MAX_SEGMENTS;

/// One segment of a path template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Matches itself, character by character.
    Literal(String),
    /// `{name}`: one whole segment that is not empty.
    Param(String),
    /// `{name+}` at the end: one or more segments.
    Greedy(String),
}

/// A path template in the syntax of API Gateway: `/orders/{id}`, `/files/{path+}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    /// The segments; empty for `/`.
    pub segments: Vec<Segment>,
}

/// The methods of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Methods {
    /// Every method of [`METHODS`].
    Any,
    /// This one. A route for `GET` also answers `HEAD`, unless the template has a route for `HEAD`.
    One(&'static str),
}

/// The methods that a route may name (RFC 9110 section 9, RFC 5789).
pub const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Where a route is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A method on a template.
    Http(Methods, Template),
    /// The `$connect` route of a WebSocket API.
    Connect,
    /// The GraphQL endpoint of an AppSync API.
    GraphQl,
}

/// One kind of credential that a route can demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An API key.
    ApiKey,
    /// A JWT of a configured issuer.
    Jwt,
    /// A client certificate.
    Certificate,
    /// An opaque token that an introspection server knows.
    Opaque,
}

impl Kind {
    /// The word for it in configuration and context.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Jwt => "jwt",
            Self::Certificate => "certificate",
            Self::Opaque => "opaque",
        }
    }
}

/// What a route demands of a set of words such as scopes. Both parts must hold; an empty part demands nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// At least one of these.
    pub any: Vec<String>,
    /// Every one of these.
    pub all: Vec<String>,
}

/// One route of the configuration, checked.
#[derive(Clone, Debug)]
pub struct Route {
    /// As written, such as `GET /orders/{id}`; unique.
    pub key: String,
    /// The short name by which keys and logs may call it; unique; the key where none was given.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// The combinations of credentials that open it; each holds one or more kinds, all of which are needed.
    pub credentials: Vec<Vec<Kind>>,
    /// Whether a caller without any credential may use it.
    pub anonymous: bool,
    /// Scopes.
    pub scopes: Demand,
    /// Roles.
    pub roles: Demand,
    /// Tenants that may use it; absent means all.
    pub tenants: Option<Vec<String>>,
    /// Addresses from which it may be used.
    pub addresses: Option<AddressRules>,
    /// Facts for the backend.
    pub context: Context,
    /// Limits that a request spends from, those with the shortest window first.
    pub limits: Vec<Charge>,
    /// What is asked of authorization servers.
    pub remote: Remote,
}

/// What a route asks of authorization servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// The server that knows the opaque tokens of this route; `None` where the token decides.
    pub server: Option<String>,
    /// Whether a token that was active a while ago is good while its server does not answer.
    pub recently_active: bool,
    /// The exchange that makes a token for the backend.
    pub exchange: Option<String>,
}

impl Route {
    /// Whether anybody may use the route. Where it asks for scopes, roles or a tenant nobody can meet that without a
    /// credential, so `anonymous` opens nothing there.
    pub fn is_open(&self) -> bool {
        self.anonymous
            && self.scopes == Demand::default()
            && self.roles == Demand::default()
            && self.tenants.is_none()
    }

    /// Whether a certificate is one of the credentials that open the route.
    pub fn names_certificate(&self) -> bool {
        let mut kinds = self.credentials.iter().flatten();
        kinds.any(|kind| *kind == Kind::Certificate)
    }

    /// Whether nothing but a certificate, alone or with others, opens the route.
    pub fn demands_certificate(&self) -> bool {
        let named = |kinds: &Vec<Kind>| kinds.contains(&Kind::Certificate);
        !self.is_open() && !self.credentials.is_empty() && self.credentials.iter().all(named)
    }

    /// The credentials that open the route, for people: `jwt, or api_key + jwt`.
    pub fn wanted(&self) -> String {
        let combination = |kinds: &Vec<Kind>| {
            kinds
                .iter()
                .map(|kind| kind.as_str())
                .collect::<Vec<_>>()
                .join(" + ")
        };
        self.credentials
            .iter()
            .map(combination)
            .collect::<Vec<_>>()
            .join(", or ")
    }
}
