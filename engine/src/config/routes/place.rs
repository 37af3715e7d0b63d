//! Where a route is, and that no two are at one place.

use std::collections::HashMap;

use crate::{
    config::{
        faults::Faults,
        problems::Problem,
        values::{hint, shown},
    },
    routes::{METHODS, Methods, Place, Route, Template},
};

pub(super) fn place(text: Option<&str>, path: &str, faults: &mut Faults) -> Option<Place> {
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

/// Refuses routes that are there twice, names that are there twice, and templates that API Gateway cannot hold beside
/// each other.
pub(super) fn unique(routes: &[Option<Route>], faults: &mut Faults) {
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
