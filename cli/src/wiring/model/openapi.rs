//! What an `OpenAPI` document in a template says: authorizers, routes and gateway responses
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html>).

use std::collections::BTreeMap;

use super::{
    Api, ApiKind, Authorizer, Form, Guard, Response, Route, Source, referenced, truth, ttl,
};
use crate::template::{Node, Value};

const AUTHORIZER: &str = "x-amazon-apigateway-authorizer";
const ANY: &str = "x-amazon-apigateway-any-method";
const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

/// Reads `document` into `api`. A route without a word on who guards it is guarded by `default`.
pub(super) fn read(document: &Node, api: &mut Api, default: &Guard) {
    let schemes = ["components", "securitySchemes"];
    let schemes = document
        .at(&schemes)
        .or_else(|| document.get("securityDefinitions"));
    let schemes = schemes.map_or(&[][..], Node::members);
    for (name, scheme) in schemes {
        api.authorizers.extend(authorizer(name, scheme, api.kind));
    }
    let is_key = |name: &str| {
        let found = schemes.iter().find(|(known, _)| known == name);
        found.is_some_and(|(_, scheme)| {
            let kind = scheme.get("type").and_then(Node::text);
            let of_gateway = scheme.get("x-amazon-apigateway-authtype").is_some();
            kind == Some("apiKey") && scheme.get(AUTHORIZER).is_none() && !of_gateway
        })
    };
    let of_all = document.get("security");
    for (path, item) in document.get("paths").map_or(&[][..], Node::members) {
        for (method, operation) in item.members() {
            let is_method = METHODS.contains(&method.as_str()) || method == ANY;
            if !is_method && path != "/$default" {
                continue;
            }
            let security = operation.get("security").or(of_all);
            let (guard, needs_key) = guard(security, &api.authorizers, is_key, default);
            let uri = operation.at(&["x-amazon-apigateway-integration", "uri"]);
            let uri = uri.and_then(Node::text);
            add(
                api,
                Route {
                    method: if method == ANY {
                        "ANY".to_owned()
                    } else {
                        method.to_ascii_uppercase()
                    },
                    path: path
                        .strip_prefix("/$")
                        .map_or_else(|| path.clone(), |rest| format!("${rest}")),
                    line: operation.line,
                    guard,
                    backend: uri.map(|uri| referenced(uri).unwrap_or(uri).to_owned()),
                    needs_key,
                },
            );
        }
    }
    let responses = document.get("x-amazon-apigateway-gateway-responses");
    for (kind, response) in responses.map_or(&[][..], Node::members) {
        let headers = response.get("responseParameters");
        api.responses.insert(
            kind.clone(),
            Response {
                line: response.line,
                status: response.get("statusCode").and_then(text),
                headers: headers
                    .map_or(&[][..], Node::members)
                    .iter()
                    .filter_map(|(name, _)| name.strip_prefix("gatewayresponse.header."))
                    .map(str::to_ascii_lowercase)
                    .collect(),
            },
        );
    }
    let policies = document.get("x-amazon-apigateway-endpoint-configuration");
    if let Some(closed) = policies.and_then(|node| node.get("disableExecuteApiEndpoint")) {
        api.default_endpoint_closed = closed.truth();
    }
    if let Some(source) = document.get("x-amazon-apigateway-api-key-source") {
        api.key_by_authorizer = source.text().map(|source| source == "AUTHORIZER");
    }
}

/// Adds a route, or what is said of it in a second place.
pub(super) fn add(api: &mut Api, route: Route) {
    let known = api
        .routes
        .iter_mut()
        .find(|one| one.method == route.method && one.path == route.path);
    match known {
        None => api.routes.push(route),
        Some(known) => {
            known.needs_key |= route.needs_key;
            known.guard = route.guard;
            known.backend = route.backend.or_else(|| known.backend.take());
            known.line = route.line;
        }
    }
}

fn authorizer(name: &str, scheme: &Node, kind: ApiKind) -> Option<Authorizer> {
    let found = scheme.get(AUTHORIZER)?;
    let text = |name: &str| found.get(name).and_then(Node::text);
    let form = match (kind, text("type")?.to_ascii_lowercase().as_str()) {
        (ApiKind::Rest, "token") => Form::RestToken,
        (ApiKind::Rest, "request") => Form::RestRequest,
        (ApiKind::Http, "request") => form(
            text("authorizerPayloadFormatVersion"),
            found.get("enableSimpleResponses"),
        ),
        _ => return None,
    };
    let uri = text("authorizerUri").unwrap_or_default();
    let sources = if form == Form::RestToken {
        let header = scheme.get("name").and_then(Node::text);
        vec![Source::Header(
            header.unwrap_or("authorization").to_ascii_lowercase(),
        )]
    } else {
        Source::all(found.get("identitySource"))
    };
    Some(Authorizer {
        name: name.to_owned(),
        line: scheme.line,
        form,
        sources,
        ttl: ttl(found.get("authorizerResultTtlInSeconds"), scheme.line),
        function: referenced(uri).map(str::to_owned),
        is_permitted: text("authorizerCredentials").is_some(),
    })
}

/// What an HTTP API sends and expects.
pub(super) fn form(payload: Option<&str>, simple: Option<&Node>) -> Form {
    match (payload, truth(simple, false)) {
        (Some("1.0"), _) => Form::Http1,
        (Some("2.0"), Some(true)) => Form::Http2Simple,
        (Some("2.0"), Some(false)) => Form::Http2,
        _ => Form::Unknown,
    }
}

/// Who guards an operation, and whether it demands a key of a usage plan.
fn guard(
    security: Option<&Node>,
    authorizers: &[Authorizer],
    is_key: impl Fn(&str) -> bool,
    default: &Guard,
) -> (Guard, bool) {
    let Some(security) = security else {
        return (default.clone(), false);
    };
    if security.value == Value::Unknown {
        return (Guard::Unknown, false);
    }
    let named: BTreeMap<&str, &Node> = security
        .list()
        .iter()
        .flat_map(Node::members)
        .map(|(name, node)| (name.as_str(), node))
        .collect();
    let needs_key = named.keys().any(|name| is_key(name));
    let mut others = named.keys().filter(|name| !is_key(name));
    let guard = match others.next() {
        // SAM adds the default beside a key.
        None if needs_key => default.clone(),
        None if security.list().is_empty() => default.clone(),
        None | Some(&"NONE") => Guard::Nobody,
        Some(name) if authorizers.iter().any(|one| one.name == *name) => {
            Guard::Authorizer((*name).to_owned())
        }
        Some(_) => Guard::Other,
    };
    (guard, needs_key)
}

pub(super) fn text(node: &Node) -> Option<String> {
    node.text().map(str::to_owned)
}
