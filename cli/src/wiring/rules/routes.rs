//! Routes of the API beside those of the configuration.

use doorward_engine::{
    layers::policy::UnlistedPaths,
    routes::{self, Methods, Segment},
};

use super::{Asked, finding, needs};
use crate::wiring::{
    Finding, Rule,
    model::{Api, Guard, Route},
};

pub(super) fn look(asked: Asked<'_>, found: &mut Vec<Finding>) {
    let ours = |api: &&Api| asked.wiring.authorizers().any(|(one, _)| one.id == api.id);
    let apis: Vec<&Api> = asked.wiring.apis.iter().filter(ours).collect();
    for api in &apis {
        if let Some(line) = api.guarded_preflight {
            let message = "the default authorizer is put on OPTIONS";
            found.push(finding(Rule::GuardedPreflight, line, &api.id, message));
        }
        for route in &api.routes {
            one(asked, api, route, found);
        }
    }
    if apis.iter().all(|api| api.routes.is_empty()) {
        return;
    }
    for api in &apis {
        open(asked, api, found);
    }
    for wanted in needs::http(asked.config) {
        let mut all = apis.iter().flat_map(|api| &api.routes);
        if !all.any(|route| serves(route, wanted)) {
            let message = format!("the configuration has `{}`", wanted.key);
            let line = apis.first().map_or(1, |api| api.line);
            found.push(finding(Rule::RouteUnserved, line, "", message));
        }
    }
}

fn one(asked: Asked<'_>, api: &Api, route: &Route, found: &mut Vec<Finding>) {
    let mut of = |rule, message: String| found.push(finding(rule, route.line, &api.id, message));
    let shown = format!("`{} {}`", route.method, route.path);
    let is_guarded = asked.wiring.is_guarded(api, route);
    let known = || needs::http(asked.config).filter(|wanted| serves(route, wanted));
    if let Guard::Missing(name) = &route.guard {
        of(Rule::AuthorizerUndefined, format!("{shown} names `{name}`"));
    }
    if route.guard == Guard::Unknown {
        of(
            Rule::Unknown,
            format!("who guards {shown} is known to AWS only"),
        );
    }
    if is_guarded && route.method == "OPTIONS" {
        of(
            Rule::GuardedPreflight,
            format!("the authorizer is put on {shown}"),
        );
        return;
    }
    if is_guarded {
        if known().next().is_none() {
            of(
                Rule::RouteUnknown,
                format!("{shown} is refused to everybody"),
            );
        }
        let is_unreachable = asked.config.policy.unlisted_paths == UnlistedPaths::Unreachable;
        if is_greedy(route) && is_unreachable && !known().any(|wanted| is_whole(route, wanted)) {
            of(
                Rule::GreedyReachable,
                format!("{shown} lets in paths that the configuration does not list"),
            );
        }
        return;
    }
    if route.guard != Guard::Nobody {
        return;
    }
    if !is_greedy(route) {
        return;
    }
    let behind = asked.wiring.apis.iter().flat_map(|api| {
        let guarded = api
            .routes
            .iter()
            .filter(|one| asked.wiring.is_guarded(api, one));
        guarded.filter_map(|one| one.backend.as_deref())
    });
    let same = behind
        .into_iter()
        .find(|one| Some(*one) == route.backend.as_deref());
    if let Some(backend) = same {
        of(
            Rule::GreedyOpen,
            format!("{shown} leads to `{backend}`, which is behind protected routes too"),
        );
    }
}

/// Names the protected routes of the configuration that come in where nobody guards.
fn open(asked: Asked<'_>, api: &Api, found: &mut Vec<Finding>) {
    for wanted in needs::http(asked.config).filter(|wanted| !wanted.is_open()) {
        let serving = api.routes.iter().filter(|route| serves(route, wanted));
        let Some(route) = serving.max_by_key(|route| precedence(route)) else {
            continue;
        };
        if route.guard == Guard::Nobody {
            let (method, path, key) = (&route.method, &route.path, &wanted.key);
            let message = format!(
                "`{method} {path}` has no authorizer, and the configuration protects `{key}`"
            );
            found.push(finding(Rule::RouteOpen, route.line, &api.id, message));
        }
    }
}

/// Which of several routes the gateway takes: the one with the most literal path, then the one with the very method (API Gateway
/// Developer Guide, *Routing API requests*).
fn precedence(route: &Route) -> (bool, Vec<u8>, bool) {
    let rank = |part: &&str| match (part.ends_with("+}"), part.starts_with('{')) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => 2,
    };
    let ranks = parts(&route.path).iter().map(rank).collect();
    (route.path != "$default", ranks, route.method != "ANY")
}

fn is_greedy(route: &Route) -> bool {
    route.path == "$default" || route.path.ends_with("+}")
}

/// Whether the route of the configuration is the greedy route itself, for every method.
fn is_whole(route: &Route, wanted: &routes::Route) -> bool {
    let Some((methods, template)) = needs::place(wanted) else {
        return false;
    };
    let is_greedy = matches!(template.segments.last(), Some(Segment::Greedy(_)));
    let before = template.segments.len().saturating_sub(1);
    let depth = parts(&route.path).len().saturating_sub(1);
    let of_method =
        *methods == Methods::Any || matches!(methods, Methods::One(one) if *one == route.method);
    is_greedy && of_method && before == depth
}

/// Whether requests for the route of the configuration come in by this route of the API.
fn serves(route: &Route, wanted: &routes::Route) -> bool {
    let Some((methods, template)) = needs::place(wanted) else {
        return false;
    };
    let by_method = match methods {
        Methods::Any => true,
        Methods::One(method) => {
            route.method == "ANY"
                || route.method == *method
                || (route.method == "HEAD" && *method == "GET")
        }
    };
    by_method && covers(&route.path, &template.segments)
}

/// Whether a path of the API covers a template.
fn covers(path: &str, segments: &[Segment]) -> bool {
    if path == "$default" {
        return true;
    }
    let parts = parts(path);
    let mut wanted = segments.iter();
    for part in &parts {
        let is_greedy = part.ends_with("+}");
        let Some(segment) = wanted.next() else {
            return false;
        };
        if is_greedy {
            return true;
        }
        let fits = match segment {
            // What is named in the configuration comes in by a parameter, where the API does not name it.
            Segment::Literal(text) => part == text || part.starts_with('{'),
            Segment::Param(_) => part.starts_with('{'),
            // A greedy route of the configuration takes everything below.
            Segment::Greedy(_) => return true,
        };
        if !fits {
            return false;
        }
    }
    wanted.next().is_none()
}

fn parts(path: &str) -> Vec<&str> {
    let parts = path.split('/');
    parts.filter(|part| !part.is_empty()).collect()
}
