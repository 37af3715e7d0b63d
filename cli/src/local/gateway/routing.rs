//! Which route a request reaches. What reaches none is answered before any authorizer is asked.

use std::collections::BTreeSet;

use doorward_engine::{
    layers::ip_allow::AddressRules,
    routes::{Methods, Place, Route, Segment, Template},
};
use percent_encoding::percent_decode_str;

use super::settings::ApiKind;

/// What `ANY` stands for.
const VERBS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The routes of the API: those of the configuration, as a template for API Gateway would list them.
#[derive(Clone, Debug, Default)]
pub struct Routes(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    methods: Methods,
    template: Template,
    is_public: bool,
}

/// The route a request reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// `ANY`, or the verb of the route.
    pub(super) method: &'static str,
    /// The template, such as `/orders/{id}`.
    pub(super) template: String,
    /// The parameters, decoded.
    pub(super) parameters: Vec<(String, String)>,
    /// Whether the route has no authorizer.
    pub(super) is_public: bool,
}

impl Reached {
    /// The route key of an HTTP API, or the resource of a REST API.
    pub(super) fn key(&self, api: ApiKind) -> String {
        match api {
            ApiKind::Rest => self.template.clone(),
            ApiKind::Http => format!("{} {}", self.method, self.template),
        }
    }
}

/// The verbs that a path has routes for.
#[derive(Clone, Debug, Default)]
pub(super) struct Verbs {
    names: BTreeSet<&'static str>,
    /// Whether a route is for `OPTIONS` by name.
    pub(super) has_own_options: bool,
}

impl Verbs {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// In alphabetical order, with `OPTIONS`, which the gateway answers; none where there is no route.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.names.iter().copied().collect()
    }
}

impl Routes {
    /// The routes of a configuration, with its rules for every address. A route that is open to anybody from anywhere has no
    /// authorizer, for the gateway would refuse a caller who sends no credential before any authorizer is asked.
    pub fn new(routes: &[Route], addresses: &AddressRules) -> Self {
        let entries = routes.iter().filter_map(|route| match &route.place {
            Place::Http(methods, template) => Some(Entry {
                methods: methods.clone(),
                template: template.clone(),
                is_public: route.anonymous
                    && route.credentials.is_empty()
                    && route.addresses.is_none()
                    && addresses.is_open(),
            }),
            Place::Connect | Place::GraphQl => None,
        });
        Self(entries.collect())
    }

    /// The most specific route for `method` and `path`: segment by segment a literal before a parameter before a greedy
    /// one, then the verb itself before `ANY`. A REST API settles on the resource first and then looks for the verb, and a
    /// slash at the end reaches the same resource; an HTTP API looks for both together (API Gateway Developer Guide, *Set up a
    /// proxy integration with a proxy resource*, *Create routes for HTTP APIs*).
    pub(super) fn find(&self, api: ApiKind, method: &str, path: &str) -> Option<Reached> {
        let parts = parts(api, path)?;
        let matching = self.matching(&parts);
        let best_path = matching.iter().map(|(score, _)| score).max()?;
        matching
            .iter()
            .filter(|(score, _)| api == ApiKind::Http || score == best_path)
            .filter_map(|(score, entry)| Some((score, verb(&entry.methods, method)?, entry)))
            .max_by_key(|(score, verb, _)| ((*score).clone(), *verb))
            .map(|(_, _, entry)| entry.reached(&parts))
    }

    /// The verbs that are there for `path`: on the one resource of a REST API, on all routes of an HTTP API.
    pub(super) fn verbs(&self, api: ApiKind, path: &str) -> Verbs {
        let Some(parts) = parts(api, path) else {
            return Verbs::default();
        };
        let matching = self.matching(&parts);
        let best_path = matching.iter().map(|(score, _)| score).max();
        let mut verbs = Verbs::default();
        for (score, entry) in &matching {
            match entry.methods {
                _ if api == ApiKind::Rest && Some(score) != best_path => continue,
                Methods::Any => verbs.names.extend(VERBS),
                Methods::One(verb) => {
                    verbs.has_own_options |= verb == "OPTIONS";
                    verbs.names.insert(verb);
                }
            }
            verbs.names.insert("OPTIONS");
        }
        verbs
    }

    fn matching(&self, parts: &[&str]) -> Vec<(Vec<u8>, &Entry)> {
        self.0
            .iter()
            .filter_map(|entry| Some((specificity(&entry.template, parts)?, entry)))
            .collect()
    }
}

/// The segments of `path`; `None` where it is none.
fn parts(api: ApiKind, path: &str) -> Option<Vec<&str>> {
    let path = match api {
        ApiKind::Rest if path.len() > 1 => path.strip_suffix('/').unwrap_or(path),
        _ => path,
    };
    match path.strip_prefix('/')? {
        "" => Some(vec![]),
        rest => Some(rest.split('/').collect()),
    }
}

impl Entry {
    fn reached(&self, parts: &[&str]) -> Reached {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let segments = self.template.segments.iter().enumerate();
        let parameters = segments.filter_map(|(at, segment)| {
            let taken = match segment {
                Segment::Literal(_) => return None,
                Segment::Param(name) => (name, decode(parts.get(at)?)),
                Segment::Greedy(name) => (name, decode(&parts.get(at..)?.join("/"))),
            };
            Some((taken.0.clone(), taken.1))
        });
        Reached {
            method: match self.methods {
                Methods::Any => "ANY",
                Methods::One(verb) => verb,
            },
            template: self.template.to_string(),
            parameters: parameters.collect(),
            is_public: self.is_public,
        }
    }
}

/// How exactly the template matches, segment by segment; `None` when it does not.
fn specificity(template: &Template, parts: &[&str]) -> Option<Vec<u8>> {
    let mut scores = Vec::with_capacity(parts.len());
    let mut parts = parts.iter();
    for segment in &template.segments {
        let part = parts.next()?;
        match segment {
            Segment::Literal(text) if text == part => scores.push(2),
            Segment::Literal(_) => return None,
            Segment::Param(_) if part.is_empty() => return None,
            Segment::Param(_) => scores.push(1),
            Segment::Greedy(_) if part.is_empty() && parts.len() == 0 => return None,
            Segment::Greedy(_) => {
                scores.push(0);
                return Some(scores);
            }
        }
    }
    parts.next().is_none().then_some(scores)
}

/// How exactly the verb matches. As in the engine, a route for `GET` answers `HEAD` too.
fn verb(methods: &Methods, asked: &str) -> Option<u8> {
    match methods {
        Methods::One(verb) if *verb == asked => Some(2),
        Methods::One("GET") if asked == "HEAD" => Some(1),
        Methods::One(_) => None,
        Methods::Any => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let entry = |methods, template| Entry {
            methods,
            template: Template::parse(template).unwrap(),
            is_public: false,
        };
        Routes(vec![
            entry(Methods::Any, "/files/{path+}"),
            entry(Methods::One("GET"), "/"),
            entry(Methods::One("GET"), "/orders"),
            entry(Methods::One("GET"), "/orders/{id}"),
            entry(Methods::Any, "/orders/{id}"),
            entry(Methods::One("GET"), "/orders/new"),
            entry(Methods::One("GET"), "/files/{name}/meta"),
        ])
    }

    #[track_caller]
    fn check(api: ApiKind, method: &str, path: &str, expected: &str) {
        let found = routes().find(api, method, path).map(|reached| {
            let parameters = reached
                .parameters
                .iter()
                .map(|(name, value)| format!(" {name}={value}"));
            format!(
                "{} {}{}",
                reached.method,
                reached.template,
                parameters.collect::<String>()
            )
        });
        assert_eq!(
            found.as_deref().unwrap_or("none"),
            expected,
            "{api:?} {method} {path}"
        );
    }

    #[test]
    fn the_most_specific_route_wins_whatever_the_order() {
        for api in [ApiKind::Rest, ApiKind::Http] {
            check(api, "GET", "/", "GET /");
            check(api, "GET", "/orders", "GET /orders");
            check(api, "HEAD", "/orders", "GET /orders");
            check(api, "GET", "/orders/new", "GET /orders/new");
            check(api, "GET", "/orders/42", "GET /orders/{id} id=42");
            check(api, "DELETE", "/orders/42", "ANY /orders/{id} id=42");
            check(api, "GET", "/orders/a%20b", "GET /orders/{id} id=a b");
            check(api, "GET", "/files/a/meta", "GET /files/{name}/meta name=a");
            check(api, "GET", "/files/a/b/c", "ANY /files/{path+} path=a/b/c");
            check(api, "POST", "/orders", "none");
            check(api, "GET", "/orders/42/lines", "none");
            check(api, "GET", "/Orders", "none");
            check(api, "GET", "/files", "none");
            check(api, "GET", "//orders", "none");
            check(api, "OPTIONS", "*", "none");
        }
    }

    #[test]
    fn a_rest_api_settles_on_the_resource_before_the_verb() {
        check(ApiKind::Rest, "POST", "/orders/new", "none");
        check(
            ApiKind::Http,
            "POST",
            "/orders/new",
            "ANY /orders/{id} id=new",
        );
    }

    #[test]
    fn a_slash_at_the_end_reaches_the_resource_of_a_rest_api_only() {
        check(ApiKind::Rest, "GET", "/orders/", "GET /orders");
        check(ApiKind::Http, "GET", "/orders/", "none");
        check(ApiKind::Rest, "GET", "/orders//", "none");
        check(ApiKind::Http, "GET", "/files/", "none");
    }
}
