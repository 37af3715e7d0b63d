//! What a template wires, in one form for SAM, `OpenAPI` and plain `CloudFormation`.

mod functions;
mod native;
mod openapi;
mod sam;
mod sources;
mod storage;

use std::collections::BTreeMap;

pub use functions::{Function, Permission, Role, Statement};
pub use sources::Source;
pub use storage::{Domain, Table};

use crate::template::{Node, Template, Value};

/// Everything that is looked at.
#[derive(Clone, Debug, Default)]
pub struct Wiring {
    /// REST and HTTP APIs.
    pub apis: Vec<Api>,
    /// Functions.
    pub functions: Vec<Function>,
    /// Who may invoke them.
    pub permissions: Vec<Permission>,
    /// Roles of functions.
    pub roles: Vec<Role>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Custom domains.
    pub domains: Vec<Domain>,
    /// What could not be read: where it stands, the logical id, and what it is.
    pub unread: Vec<(usize, String, String)>,
}

/// Which kind of API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKind {
    /// A REST API.
    Rest,
    /// An HTTP API.
    Http,
}

/// An API.
#[derive(Clone, Debug)]
pub struct Api {
    /// Its logical id.
    pub id: String,
    /// Its kind.
    pub kind: ApiKind,
    /// Where it stands.
    pub line: usize,
    /// Its authorizers that are functions.
    pub authorizers: Vec<Authorizer>,
    /// Its routes.
    pub routes: Vec<Route>,
    /// Where it turns CORS on.
    pub cors: Option<usize>,
    /// Where preflight requests get the authorizer.
    pub guarded_preflight: Option<usize>,
    /// What the gateway answers by itself, by type.
    pub responses: BTreeMap<String, Response>,
    /// Whether the authorizer names the key of a usage plan; `None` where that is not known.
    pub key_by_authorizer: Option<bool>,
    /// Whether the address that AWS gives it is closed; `None` where that is not known.
    pub default_endpoint_closed: Option<bool>,
}

/// What an authorizer is sent, and what is expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// REST, one header.
    RestToken,
    /// REST, the whole request.
    RestRequest,
    /// HTTP, payload 1.0.
    Http1,
    /// HTTP, payload 2.0, a policy.
    Http2,
    /// HTTP, payload 2.0, a simple answer.
    Http2Simple,
    /// Not known.
    Unknown,
}

/// For how long answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// So many seconds.
    Seconds(u32),
    /// Nothing is said: 300 seconds on REST APIs.
    Unstated,
    /// Not known.
    Unknown,
}

/// An authorizer that is a function.
#[derive(Clone, Debug)]
pub struct Authorizer {
    /// Its name in the API.
    pub name: String,
    /// Where it stands.
    pub line: usize,
    /// What it is sent.
    pub form: Form,
    /// Under what answers are kept.
    pub sources: Vec<Source>,
    /// For how long.
    pub ttl: (Ttl, usize),
    /// The function, by logical id; `None` where it is not in the template.
    pub function: Option<String>,
    /// Whether SAM, or a role, lets the API invoke it.
    pub is_permitted: bool,
}

/// Who guards a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nobody.
    Nobody,
    /// The authorizer with this name.
    Authorizer(String),
    /// An authorizer that the API does not have.
    Missing(String),
    /// Something else, such as IAM or a JWT authorizer.
    Other,
    /// Not known.
    Unknown,
}

/// A route of an API.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method, in upper case, or `ANY`.
    pub method: String,
    /// The path; `$default` for what is left.
    pub path: String,
    /// Where it stands.
    pub line: usize,
    /// Who guards it.
    pub guard: Guard,
    /// What is behind it: a logical id or an address.
    pub backend: Option<String>,
    /// Whether the gateway demands a key of a usage plan.
    pub needs_key: bool,
}

/// What the gateway answers by itself.
#[derive(Clone, Debug)]
pub struct Response {
    /// Where it stands.
    pub line: usize,
    /// Its status; `None` for that of AWS.
    pub status: Option<String>,
    /// The names of its headers, in lower case.
    pub headers: Vec<String>,
}

impl Wiring {
    /// Reads `template`.
    pub fn of(template: &Template) -> Self {
        let mut wiring = Self::default();
        let resources = template.resources();
        let globals = template.root().get("Globals");
        let globals = globals.map(|node| template.resolved(node));
        let read = Reading {
            resources: &resources,
            globals: globals.as_ref(),
        };
        functions::read(&read, &mut wiring);
        storage::read(&read, &mut wiring);
        sam::read(&read, &mut wiring);
        native::read(&read, &mut wiring);
        unread(&read, &mut wiring);
        wiring
    }

    /// The authorizers that are Doorward's, each with its API. A function in the template that knows nothing of Doorward is
    /// somebody else's; one that is not in the template is taken for ours.
    pub fn authorizers(&self) -> impl Iterator<Item = (&Api, &Authorizer)> {
        let all = self.apis.iter();
        all.flat_map(|api| api.authorizers.iter().map(move |one| (api, one)))
            .filter(|(_, one)| self.is_ours(one))
    }

    /// Whether a route's guard is one of ours.
    pub fn is_guarded(&self, api: &Api, route: &Route) -> bool {
        let Guard::Authorizer(name) = &route.guard else {
            return false;
        };
        let mut all = api.authorizers.iter();
        all.any(|one| one.name == *name && self.is_ours(one))
    }

    fn is_ours(&self, authorizer: &Authorizer) -> bool {
        let function = authorizer.function.as_deref();
        let found = function.and_then(|id| self.functions.iter().find(|one| one.id == id));
        found.is_none_or(|function| function.is_doorwards)
    }
}

impl Authorizer {
    /// How long answers may be kept at most, in seconds; `None` where that is not known.
    pub const fn kept(&self) -> Option<u32> {
        match (self.ttl.0, self.form) {
            (Ttl::Seconds(seconds), _) => Some(seconds),
            (Ttl::Unstated, Form::RestToken | Form::RestRequest) => Some(300),
            (Ttl::Unstated | Ttl::Unknown, _) => None,
        }
    }

    /// Whether answers may be kept. Where nothing is known they are.
    pub fn keeps(&self) -> bool {
        self.kept() != Some(0)
    }

    /// Whether the route is part of what answers are kept under.
    pub fn keeps_by_route(&self) -> bool {
        let has = |name: &str| self.sources.iter().any(|source| source.is_context(name));
        has("routekey") || (has("httpmethod") && (has("path") || has("resourcepath")))
    }
}

/// The resources while they are read.
struct Reading<'t> {
    resources: &'t [(String, Node)],
    globals: Option<&'t Node>,
}

impl<'t> Reading<'t> {
    /// The resources of a type, with their properties.
    fn of(&self, kind: &str) -> impl Iterator<Item = (&'t str, &'t Node, &'t Node)> {
        self.resources.iter().filter_map(move |(id, resource)| {
            let is_one = resource.get("Type").and_then(Node::text) == Some(kind);
            let properties = resource.get("Properties").filter(|_| is_one)?;
            Some((id.as_str(), resource, properties))
        })
    }

    /// The member `name` of a resource, or of what holds for all of its kind.
    fn setting(&self, properties: &'t Node, kind: &str, name: &str) -> Option<&'t Node> {
        let of_all = || self.globals.and_then(|all| all.at(&[kind, name]));
        properties.get(name).or_else(of_all)
    }
}

/// Notes what only AWS, or another file, knows.
fn unread(reading: &Reading<'_>, wiring: &mut Wiring) {
    for (id, resource) in reading.resources {
        let kind = resource
            .get("Type")
            .and_then(Node::text)
            .unwrap_or_default();
        let is_api = matches!(
            kind,
            "AWS::Serverless::Api"
                | "AWS::Serverless::HttpApi"
                | "AWS::ApiGateway::RestApi"
                | "AWS::ApiGatewayV2::Api"
        );
        let mut note = |line, what: &str| wiring.unread.push((line, id.clone(), what.to_owned()));
        if id.starts_with("Fn::") {
            note(resource.line, "resources that are made when the stack is");
        }
        if matches!(
            kind,
            "AWS::CloudFormation::Stack" | "AWS::Serverless::Application"
        ) {
            note(resource.line, "the template of another stack");
        }
        let properties = resource.get("Properties").map_or(&[][..], Node::members);
        for (name, node) in properties.iter().filter(|_| is_api) {
            let is_elsewhere = matches!(name.as_str(), "DefinitionUri" | "BodyS3Location");
            if is_elsewhere || is_unknown(node) {
                note(node.line, &format!("what `{name}` says"));
            }
        }
    }
}

/// The first logical id in a text such as `${Function.Arn}`, or in the middle of an address.
pub(super) fn referenced(text: &str) -> Option<&str> {
    let inside = text.split("${").skip(1);
    inside
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.split('.').next().unwrap_or(name))
        .find(|name| !name.starts_with("AWS::"))
}

/// A number.
fn number(node: &Node) -> Option<u32> {
    node.text()?.parse().ok()
}

/// The time that a node states.
fn ttl(node: Option<&Node>, line: usize) -> (Ttl, usize) {
    match node {
        None => (Ttl::Unstated, line),
        Some(node) => (number(node).map_or(Ttl::Unknown, Ttl::Seconds), node.line),
    }
}

/// Whether a node says yes; `None` where it is there and nobody can know.
fn truth(node: Option<&Node>, default: bool) -> Option<bool> {
    match node {
        None => Some(default),
        Some(node) => node.truth(),
    }
}

/// Whether nothing can be known of a node.
fn is_unknown(node: &Node) -> bool {
    node.value == Value::Unknown
}
