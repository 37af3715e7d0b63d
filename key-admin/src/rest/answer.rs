//! Answers to the gateway, in the form that both kinds of API take
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format>).

use serde_json::{Map, Value, json};

use super::{Asked, OPENAPI, Problem, Read, table::DOCUMENT};
use crate::error::AdminError;

const JSON: &str = "application/json";
/// RFC 9457 section 6.
const PROBLEM: &str = "application/problem+json";

/// The answer to what came of `read`, which `asked` asked for.
pub(crate) fn answer(
    outcome: Result<Value, AdminError>,
    read: &Read,
    asked: &Asked<'_>,
    request_id: &str,
) -> Value {
    match outcome {
        Ok(reply) => done(&reply, read, asked),
        // The version that the caller named in the header has passed, or passed while this was done.
        Err(AdminError::Conflict(what)) if read.is_conditional => {
            refused(&AdminError::PreconditionFailed(what), request_id)
        }
        Err(error) => refused(&error, request_id),
    }
}

fn done(reply: &Value, read: &Read, asked: &Asked<'_>) -> Value {
    let replies = read.route.map_or(&[][..], |route| route.replies);
    let makes = replies.iter().any(|(status, _)| *status == 201);
    // A repeat made nothing.
    let is_made = makes && reply.get("secret").is_some();
    let mut headers = Map::new();
    let id = reply.pointer("/key/id").and_then(Value::as_str);
    if let (true, Some(id)) = (is_made, id) {
        // Relative, for only the gateway knows its stage and the base path of a domain (RFC 9110 section 10.2.2).
        let up = "../".repeat(asked.resource.matches('/').count().saturating_sub(1));
        headers.insert("location".to_owned(), json!(format!("{up}keys/{id}")));
    }
    // The version of the key at `Location`, or of the one in the path (RFC 9110 section 8.8.3).
    let is_of_path = id.is_some() && asked.in_path("id").as_str() == id;
    if let Some(version) = reply
        .pointer("/key/version")
        .filter(|_| is_made || is_of_path)
    {
        headers.insert("etag".to_owned(), json!(format!("\"{version}\"")));
    }
    let status = if is_made { 201 } else { 200 };
    json_answer(status, JSON, &reply.to_string(), headers)
}

/// A refusal as a problem document.
pub(crate) fn refused(error: &AdminError, request_id: &str) -> Value {
    let problem = Problem::of(error, request_id);
    let mut headers = Map::new();
    match error {
        AdminError::Unavailable(_) => {
            headers.insert("retry-after".to_owned(), json!("1"));
        }
        AdminError::MethodNotAllowed(methods) => {
            headers.insert("allow".to_owned(), json!(methods));
        }
        _ => {}
    }
    let body = serde_json::to_string(&problem).unwrap_or_default();
    json_answer(problem.status, PROBLEM, &body, headers)
}

/// The description of the routes, where that is asked for.
pub(crate) fn document(asked: &Asked<'_>) -> Option<Value> {
    ((asked.method, asked.resource) == DOCUMENT)
        .then(|| json_answer(200, JSON, OPENAPI, Map::new()))
}

/// An answer with a body in JSON. Nobody keeps one unless its headers say so.
pub(crate) fn json_answer(
    status: u16,
    content_type: &str,
    body: &str,
    mut headers: Map<String, Value>,
) -> Value {
    headers.insert("content-type".to_owned(), json!(content_type));
    headers
        .entry("cache-control")
        .or_insert_with(|| json!("no-store"));
    json!({
        "statusCode": status,
        "headers": headers,
        "body": body,
        "isBase64Encoded": false,
    })
}
