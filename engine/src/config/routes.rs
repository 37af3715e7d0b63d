//! Routes: what a caller needs where.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::{
    AddressLists, AnswersConfig,
    credentials::Accepted,
    faults::Faults,
    problems::Problem,
    tree::join,
    values::{distinct, hint, shown},
};
use crate::{
    layers::ip_allow::RawRules,
    routes::{Demand, Kind, METHODS, Methods, Place, Route, Template},
};

/// One route: a method and a path template, and what opens it.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawRoute {
    /// `GET /orders/{id}`: a method (or `ANY`), one space and a path template in the syntax of API Gateway. Or
    /// `$connect` for a WebSocket API, `$graphql` for an AppSync API.
    route: Option<String>,
    /// A short name by which keys and logs may call the route. Default: the text of `route`.
    name: Option<String>,
    /// What opens the route; one is enough: `jwt`, `api_key`, `api_key + jwt` for both at once, `anonymous`. Required,
    /// because nothing is open by default.
    credentials: Option<Vec<String>>,
    /// Scopes that the caller needs: a list that must be held whole, or a table with `any` and `all`.
    scopes: Option<RawDemand>,
    /// Roles that the caller needs: a list that must be held whole, or a table with `any` and `all`.
    roles: Option<RawDemand>,
    /// Tenants that may use the route. Absent: all. Empty: none.
    tenants: Option<Vec<String>>,
    /// Addresses from which the route may be used, beside the rules for every route.
    addresses: Option<RawRules>,
    /// Facts for the backend: names and texts.
    context: Option<BTreeMap<String, String>>,
}

/// What is demanded of a set of words.
#[derive(Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawDemand {
    /// Every one of these.
    All(Vec<String>),
    /// Both parts must hold.
    Parts(RawDemandParts),
}

/// What is demanded of a set of words, in parts that must both hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RawDemandParts {
    /// At least one of these.
    #[serde(default)]
    any: Option<Vec<String>>,
    /// Every one of these.
    #[serde(default)]
    all: Option<Vec<String>>,
}

/// Which kinds of credentials are configured at all.
#[derive(Clone, Copy)]
pub(super) struct Configured {
    pub(super) api_key: bool,
    pub(super) jwt: bool,
}

/// Context names that the gateway or the engine gives a meaning (AWS: API Gateway, `$context` variables for access
/// logging, and output from a Lambda authorizer).
pub const RESERVED_CONTEXT_NAMES: &[&str] = &[
    "principalId",
    "claims",
    "integrationLatency",
    "integrationStatus",
    "error",
    "latency",
    "status",
    "requestId",
    "principal",
    "reason",
    "class",
    "keyId",
    "keyName",
    "tenant",
    "environment",
    "scopes",
    "roles",
    "issuer",
    "subject",
    "clientId",
    "route",
    "expiresAt",
    "rateLimited",
    "retryAfter",
    "limit",
    "remaining",
    "reset",
];

pub(super) fn check(
    raw: Option<Vec<RawRoute>>,
    configured: Configured,
    answers: &AnswersConfig,
    lists: &mut AddressLists,
    faults: &mut Faults,
) -> Vec<Route> {
    let raw = raw.unwrap_or_default();
    if raw.is_empty() {
        faults.problem("routes", Problem::NoRoutes);
    }
    let routes: Vec<Option<Route>> = raw
        .into_iter()
        .enumerate()
        .map(|(index, raw)| {
            let path = format!("routes[{index}]");
            raw.check(&path, configured, answers, lists, faults)
        })
        .collect();
    unique(&routes, faults);
    routes.into_iter().flatten().collect()
}

impl RawRoute {
    fn check(
        self,
        path: &str,
        configured: Configured,
        answers: &AnswersConfig,
        lists: &mut AddressLists,
        faults: &mut Faults,
    ) -> Option<Route> {
        let place = place(self.route.as_deref(), &format!("{path}.route"), faults);
        let name = name(self.name, &format!("{path}.name"), faults);
        let of_credentials = format!("{path}.credentials");
        let accepted = Accepted::check(self.credentials, &of_credentials, configured, faults);
        let scopes = demand(self.scopes, &format!("{path}.scopes"), scope, faults);
        let roles = demand(self.roles, &format!("{path}.roles"), word, faults);
        if let Some(tenants) = &self.tenants {
            words(tenants, &format!("{path}.tenants"), word, faults);
            if tenants.is_empty() {
                faults.warning(format!("{path}.tenants"), Problem::NobodyAllowed);
            }
        }
        for (setting, is_set) in [
            ("scopes", scopes != Demand::default()),
            ("roles", roles != Demand::default()),
            ("tenants", self.tenants.is_some()),
        ] {
            let path = format!("{path}.{setting}");
            match (
                is_set && accepted.anonymous,
                accepted.combinations.is_empty(),
            ) {
                (true, true) => faults.problem(path, Problem::AnonymousDemand),
                (true, false) => faults.warning(path, Problem::AnonymousNeverPasses),
                (false, _) => {}
            }
        }
        if roles != Demand::default() && accepted.takes_key_alone() {
            faults.warning(format!("{path}.roles"), Problem::KeysHaveNoRoles);
        }
        let of_addresses = format!("{path}.addresses");
        let addresses = self
            .addresses
            .map(|raw| raw.check(&of_addresses, lists, faults));
        let context = self.context.unwrap_or_default();
        check_context(&context, &format!("{path}.context"), answers, faults);
        let key = self.route?;
        Some(Route {
            name: name.unwrap_or_else(|| key.clone()),
            key,
            place: place?,
            credentials: accepted.combinations,
            anonymous: accepted.anonymous,
            scopes,
            roles,
            tenants: self.tenants,
            addresses,
            context,
        })
    }
}

fn place(text: Option<&str>, path: &str, faults: &mut Faults) -> Option<Place> {
    let Some(text) = text else {
        let what = "name a method and a path, such as `GET /orders/{id}`";
        faults.problem(path, Problem::Missing { what });
        return None;
    };
    match text {
        "$connect" => return Some(Place::Connect),
        "$graphql" => return Some(Place::GraphQl),
        _ => {}
    }
    let found = shown(text);
    let Some((method, template)) = text.split_once(' ') else {
        faults.problem(path, Problem::RouteMalformed { found });
        return None;
    };
    if template.is_empty() || template.starts_with(' ') || template.ends_with(' ') {
        faults.problem(path, Problem::RouteMalformed { found });
        return None;
    }
    let methods = METHODS
        .into_iter()
        .find(|&known| known == method)
        .map(Methods::One);
    let methods = methods.or_else(|| (method == "ANY").then_some(Methods::Any));
    if methods.is_none() {
        let hint = hint(method, METHODS.into_iter().chain(["ANY"]));
        let found = shown(method);
        faults.problem(path, Problem::RouteMethod { found, hint });
    }
    match Template::parse(template) {
        Ok(template) => Some(Place::Http(methods?, template)),
        Err(reason) => {
            // One fault for one value: the method is told first.
            if methods.is_some() {
                let found = shown(template);
                faults.problem(path, Problem::RouteTemplate { found, reason });
            }
            None
        }
    }
}

fn name(name: Option<String>, path: &str, faults: &mut Faults) -> Option<String> {
    let name = name?;
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if fits {
        return Some(name);
    }
    let found = shown(&name);
    faults.problem(path, Problem::RouteName { found });
    None
}

type WordCheck = fn(&str) -> Option<Problem>;

/// RFC 6749 section 3.3, `scope-token`.
fn scope(text: &str) -> Option<Problem> {
    let fits = !text.is_empty()
        && text.len() <= 256
        && text
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    (!fits).then(|| Problem::ScopeMalformed { found: shown(text) })
}

fn word(text: &str) -> Option<Problem> {
    let fits = !text.is_empty()
        && text.len() <= 256
        && text.trim() == text
        && !text.chars().any(char::is_control);
    (!fits).then(|| Problem::WordMalformed { found: shown(text) })
}

fn words(list: &[String], path: &str, check: WordCheck, faults: &mut Faults) {
    for (index, text) in list.iter().enumerate() {
        if let Some(problem) = check(text) {
            faults.problem(format!("{path}[{index}]"), problem);
        }
    }
    distinct(list, path, faults);
}

fn demand(raw: Option<RawDemand>, path: &str, check: WordCheck, faults: &mut Faults) -> Demand {
    let mut part = |list: Option<Vec<String>>, path: &str| {
        let Some(list) = list else { return vec![] };
        if list.is_empty() {
            let otherwise = "; leave it out to demand nothing";
            faults.problem(
                path,
                Problem::Empty {
                    what: "word",
                    otherwise,
                },
            );
        }
        words(&list, path, check, faults);
        list
    };
    match raw {
        None => Demand::default(),
        Some(RawDemand::All(all)) => Demand {
            any: vec![],
            all: part(Some(all), path),
        },
        Some(RawDemand::Parts(parts)) => {
            let any = part(parts.any, &format!("{path}.any"));
            let all = part(parts.all, &format!("{path}.all"));
            if any.is_empty() && all.is_empty() {
                let what = "name the words in `any` or `all`, or leave it out to demand nothing";
                faults.problem(path, Problem::Missing { what });
            }
            Demand { any, all }
        }
    }
}

fn check_context(
    context: &BTreeMap<String, String>,
    path: &str,
    answers: &AnswersConfig,
    faults: &mut Faults,
) {
    for (name, value) in context {
        let path = join(path, name);
        let found = shown(name);
        let fits = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits {
            faults.problem(&path, Problem::ContextName { found });
        } else if RESERVED_CONTEXT_NAMES
            .iter()
            .any(|taken| taken.eq_ignore_ascii_case(name))
        {
            faults.problem(&path, Problem::ContextTaken { found });
        }
        if !value.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
            faults.problem(&path, Problem::ContextValue);
        }
    }
    let sizes = context
        .iter()
        .map(|(name, value)| name.len().saturating_add(value.len()));
    let found: usize = sizes.sum();
    if found > answers.max_context_bytes {
        let max = u32::try_from(answers.max_context_bytes).unwrap_or(u32::MAX);
        faults.problem(path, Problem::ContextLarge { max, found });
    }
}

/// Refuses routes that are there twice, names that are there twice, and templates that API Gateway cannot hold beside
/// each other.
fn unique(routes: &[Option<Route>], faults: &mut Faults) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut shapes: HashMap<String, (usize, &Template)> = HashMap::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (index, route) in routes.iter().enumerate() {
        let Some(route) = route else { continue };
        let first = |at: usize| format!("`routes[{at}]`");
        let of_route = format!("routes[{index}].route");
        match places.get(&canonical(&route.place)) {
            Some(&at) => {
                faults.problem(of_route, Problem::RouteRepeated { first: first(at) });
                continue;
            }
            None => places.insert(canonical(&route.place), index),
        };
        if let Place::Http(_, template) = &route.place {
            let (at, other) = *shapes.entry(template.shape()).or_insert((index, template));
            if other != template {
                let problem = Problem::RouteConflict {
                    first: first(at),
                    other: other.to_string(),
                };
                faults.problem(&of_route, problem);
            }
        }
        match names.get(route.name.as_str()) {
            Some(&at) => {
                let problem = Problem::RouteNameRepeated {
                    found: shown(&route.name),
                    first: first(at),
                };
                faults.problem(format!("routes[{index}].name"), problem);
            }
            None => {
                names.insert(&route.name, index);
            }
        }
    }
}

fn canonical(place: &Place) -> String {
    match place {
        Place::Http(Methods::Any, template) => format!("ANY {}", template.shape()),
        Place::Http(Methods::One(method), template) => format!("{method} {}", template.shape()),
        Place::Connect => "$connect".to_owned(),
        Place::GraphQl => "$graphql".to_owned(),
    }
}

/// Warns of kinds of credentials that are configured and accepted nowhere.
pub(super) fn warn_unused(routes: &[Route], configured: Configured, faults: &mut Faults) {
    for (is_configured, kind, word, path) in [
        (configured.jwt, Kind::Jwt, "jwt", "issuers"),
        (configured.api_key, Kind::ApiKey, "api_key", "api_keys"),
    ] {
        let mut accepted = routes.iter().flat_map(|route| &route.credentials).flatten();
        if is_configured && !accepted.any(|accepted| *accepted == kind) {
            faults.warning(path, Problem::NeverAccepted { kind: word });
        }
    }
}
