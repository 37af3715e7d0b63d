//! A backend that answers what it was sent: the parts of the proxy event that matter, and the headers that a server would see.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, header},
};
use serde_json::{Map, Value, json};

use super::super::{context::Context, event, incoming::Incoming};

/// Headers that may carry a credential are answered as a mark only, so that the output can be shown to anybody.
const CREDENTIALS: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
];

pub(super) fn answer(
    incoming: &Incoming,
    context: &Context,
    headers: &HeaderMap,
    body: &[u8],
) -> Response<Body> {
    let event = event::for_backend(incoming, context, body);
    let part = |pointer: &str| event.pointer(pointer).cloned().unwrap_or(Value::Null);
    let shown: Map<String, Value> = headers
        .iter()
        .map(|(name, value)| {
            let is_secret = CREDENTIALS.contains(&name.as_str());
            let text = String::from_utf8_lossy(value.as_bytes());
            let shown = if is_secret {
                json!("(hidden)")
            } else {
                json!(text)
            };
            (name.as_str().to_owned(), shown)
        })
        .collect();
    let answer = json!({
        "method": incoming.method,
        "path": incoming.path,
        "route": incoming.route.key(incoming.api),
        "pathParameters": part("/pathParameters"),
        "queryStringParameters": part("/queryStringParameters"),
        "requestContext": {"authorizer": part("/requestContext/authorizer")},
        "headers": shown,
        "body": part("/body"),
    });
    let text = serde_json::to_string_pretty(&answer).unwrap_or_default();
    let mut response = Response::new(Body::from(text + "\n"));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
