//! The `OpenAPI` 3.1 document of the REST API (<https://spec.openapis.org/oas/v3.1.1.html>), made from the table of routes and
//! the types of commands and replies.

mod fields;
mod replies;

use serde_json::{Map, Value, json};

use self::fields::Fields;
use super::table::{DOCUMENT, Header, ROUTES, Route, Takes};

/// What the document says of the whole.
const DESCRIPTION: &str = "The life of API keys: make, show, rotate, disable, enable and revoke them, and see how they are used.\n\n\
    Requests are signed with AWS Signature Version 4 for the service `execute-api`, or carry a token of the console where the \
    API stands behind an authorizer. Who asks is taken from that alone, never from the request. Times are seconds since \
    1970-01-01T00:00:00Z. Refusals of key administration are problem documents (RFC 9457); those of the gateway itself, before \
    a request reaches it, have a `message` only.";

/// The text of the document as it is committed.
pub fn text() -> String {
    // A value always serialises.
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The document.
pub fn document() -> Value {
    let fields = Fields::new();
    let (mut schemas, names) = replies::schemas();
    schemas.extend(fields.schemas());
    schemas.insert("GatewayRefusal".to_owned(), gateway_refusal());
    let mut paths = Map::new();
    for route in ROUTES {
        add(
            &mut paths,
            route.resource,
            route.method,
            operation(route, &fields, &names),
        );
    }
    add(&mut paths, DOCUMENT.1, DOCUMENT.0, this_document());
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Doorward key administration",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "servers": [{
            "url": "https://{api}.execute-api.{region}.amazonaws.com/{stage}",
            "variables": {
                "api": {"default": "abcdef1234", "description": "The output `AdminApiId` of the stack."},
                "region": {"default": "eu-west-1"},
                "stage": {"default": "v1"},
            },
        }],
        "security": [{"iam": []}, {"token": []}],
        "tags": [{"name": "keys", "description": "API keys."}, {"name": "description", "description": "This document."}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": replies::refusals(),
            "securitySchemes": {
                "iam": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "AWS Signature Version 4 for the service `execute-api`.",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
                "token": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "A token of the console, where the API stands behind an authorizer.",
                },
            },
        },
    })
}

fn add(paths: &mut Map<String, Value>, resource: &str, method: &str, operation: Value) {
    let path = paths.entry(resource).or_insert_with(|| json!({}));
    if let Value::Object(path) = path {
        path.insert(method.to_ascii_lowercase(), operation);
    }
}

fn operation(route: &Route, fields: &Fields, names: &replies::Names) -> Value {
    let mut parameters: Vec<Value> = route
        .in_path()
        .map(|name| fields.parameter(route, name, "path"))
        .collect();
    let mut operation = json!({
        "operationId": route.operation,
        "summary": route.summary,
        "description": fields.description(route),
        "tags": ["keys"],
        "x-doorward-permission": route.permission.as_str(),
    });
    parameters.extend(route.headers.iter().map(|header| of_header(*header)));
    match &route.takes {
        Takes::Query(query) => {
            let query = query.iter();
            parameters.extend(query.map(|one| fields.parameter(route, one.name, "query")));
        }
        Takes::Body { is_required } => {
            let name = Fields::body_name(route);
            let schema = json!({"$ref": format!("#/components/schemas/{name}")});
            let content = json!({"application/json": {"schema": schema}});
            let body = json!({"required": is_required, "content": content});
            set(&mut operation, "requestBody", body);
        }
    }
    set(&mut operation, "parameters", Value::Array(parameters));
    set(
        &mut operation,
        "responses",
        replies::responses(route, names),
    );
    operation
}

/// Sets a member of an object.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}

/// A header that says the same as a field.
fn of_header(header: Header) -> Value {
    match header {
        Header::IdempotencyKey => json!({
            "name": "Idempotency-Key", "in": "header",
            "description": "The same as `idempotencyKey` in the body; where both are given they must be equal.",
            "schema": {"type": "string", "pattern": crate::command::PLAIN_PATTERN},
        }),
        Header::IfMatch => json!({
            "name": "If-Match", "in": "header",
            "description": "The `ETag` of the answer that the caller has seen, or `*`. The same as the field `expectedVersion`, \
                which must not stand beside it; a version that has passed is answered with 412.",
            "schema": {"type": "string", "pattern": r#"^(\*|"[1-9][0-9]{0,14}")$"#},
        }),
    }
}

fn this_document() -> Value {
    json!({
        "operationId": "describe",
        "summary": "Show this document",
        "tags": ["description"],
        "responses": {
            "200": {
                "description": "This document.",
                "content": {"application/json": {"schema": {"type": "object", "required": ["openapi", "paths"]}}},
            },
            "403": {"$ref": "#/components/responses/Refusal403"},
        },
    })
}

/// What the gateway itself answers.
fn gateway_refusal() -> Value {
    json!({
        "type": "object",
        "description": "A refusal of the gateway itself: no signature, a wrong one, or no right to call the route.",
        "required": ["message"],
        "properties": {"message": {"type": "string"}, "Message": {"type": "string"}},
    })
}

#[cfg(test)]
mod tests;
