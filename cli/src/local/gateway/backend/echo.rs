//! A backend that answers what it was sent: the parts of the proxy event that matter, and the headers that a server would see.
//! It does what a backend must do where `answers.rate_limited` is `backend`: 429 while the context says that a limit is used up.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde_json::{Map, Value, json};

use super::super::{context::Context, event, incoming::Incoming};
use crate::shown_token;

/// Headers that may carry a credential are answered as a mark only, so that the output can be shown to anybody.
const CREDENTIALS: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
];

/// The headers with tokens for the backend.
const TOKENS: [&str; 2] = ["x-doorward-identity-token", "x-doorward-downstream-token"];

/// Headers about limits, and the facts of the context that they carry (draft-ietf-httpapi-ratelimit-headers).
const OF_LIMITS: [(HeaderName, &str); 5] = [
    (HeaderName::from_static("x-ratelimit-limit"), "limit"),
    (
        HeaderName::from_static("x-ratelimit-remaining"),
        "remaining",
    ),
    (HeaderName::from_static("x-ratelimit-reset"), "reset"),
    (HeaderName::from_static("ratelimit"), "rateLimit"),
    (
        HeaderName::from_static("ratelimit-policy"),
        "rateLimitPolicy",
    ),
];

pub(super) fn answer(
    incoming: &Incoming,
    context: &Context,
    headers: &HeaderMap,
    body: &[u8],
) -> Response<Body> {
    let mut response = match seconds_left(context, incoming.received_at.unix()) {
        Some(seconds) => too_many_requests(seconds),
        None => told(incoming, context, headers, body),
    };
    for (name, fact) in OF_LIMITS {
        if let Some(Ok(value)) = context.fact(fact).map(HeaderValue::try_from) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// For how many seconds the limit of the context stays used up. A cached context is old, so its `rateLimitReset` counts and not
/// its `retryAfter`.
fn seconds_left(context: &Context, now: i64) -> Option<i64> {
    if context.fact("rateLimited").as_deref() != Some("true") {
        return None;
    }
    let end = context.fact("rateLimitReset");
    // Without an end that can be read the limit counts as used up; the caller may ask again soon.
    let Some(end) = end.and_then(|end| end.parse::<i64>().ok()) else {
        return Some(1);
    };
    let left = end.saturating_sub(now);
    (left > 0).then_some(left)
}

fn too_many_requests(seconds: i64) -> Response<Body> {
    let mut response = Response::new(Body::from("{\"message\":\"Too Many Requests\"}\n"));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn told(
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
            } else if TOKENS.contains(&name.as_str()) {
                json!(shown_token::unsigned(&text))
            } else {
                json!(text)
            };
            (name.as_str().to_owned(), shown)
        })
        .collect();
    let mut authorizer = part("/requestContext/authorizer");
    shown_token::hide(&mut authorizer, "");
    shown_token::hide(&mut authorizer, "/lambda");
    let certificate = match part("/requestContext/identity/clientCert") {
        Value::Null => part("/requestContext/authentication/clientCert"),
        certificate => certificate,
    };
    let answer = json!({
        "method": incoming.method,
        "path": incoming.path,
        "route": incoming.route.key(incoming.api),
        "pathParameters": part("/pathParameters"),
        "queryStringParameters": part("/queryStringParameters"),
        "requestContext": {"authorizer": authorizer, "clientCert": certificate},
        "headers": shown,
        "body": part("/body"),
    });
    let text = serde_json::to_string_pretty(&answer).unwrap_or_default();
    let mut response = Response::new(Body::from(text + "\n"));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
