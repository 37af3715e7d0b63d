//! The events that the gateway sends: to the authorizer, and to a backend with Lambda proxy integration.
//!
//! The shapes are those of the API Gateway Developer Guide, *Input to an API Gateway Lambda authorizer*, *Control access to
//! HTTP APIs with AWS Lambda authorizers* and *Create AWS Lambda proxy integrations*. A certificate is there where the client
//! came over the domain for mutual TLS.

mod http;
mod rest;

use serde_json::{Map, Value, json};
use time::{OffsetDateTime, macros::format_description};

use super::{
    context::Context,
    incoming::Incoming,
    settings::{ApiKind, Payload, Settings},
};

/// What the authorizer is sent.
pub(super) fn for_authorizer(
    settings: &Settings,
    incoming: &Incoming,
    identity: &[String],
) -> Value {
    let arn = settings.arn(&incoming.method, &incoming.path);
    let joined = identity.join(",");
    let (mut event, own) = match settings.payload {
        Payload::RestToken => (
            json!({}),
            json!({"type": "TOKEN", "authorizationToken": joined, "methodArn": arn}),
        ),
        Payload::RestRequest => (
            rest::event(incoming),
            json!({"type": "REQUEST", "methodArn": arn}),
        ),
        Payload::Http1 => (
            rest::event(incoming),
            json!({
                "version": "1.0", "type": "REQUEST", "methodArn": arn,
                "identitySource": joined, "authorizationToken": joined,
            }),
        ),
        Payload::Http2 | Payload::Http2Simple => (
            http::event(incoming),
            json!({"version": "2.0", "type": "REQUEST", "routeArn": arn, "identitySource": identity}),
        ),
    };
    merge(&mut event, own);
    event
}

/// What a Lambda backend is sent. HTTP APIs send format 2.0, whatever the authorizer is sent.
pub(super) fn for_backend(incoming: &Incoming, context: &Context, body: &[u8]) -> Value {
    let (mut event, authorizer) = match incoming.api {
        ApiKind::Rest => (rest::event(incoming), context.for_rest_event()),
        ApiKind::Http => (http::event(incoming), context.for_http_event()),
    };
    if let Some(Value::Object(request_context)) = event.get_mut("requestContext")
        && !incoming.route.is_public
    {
        request_context.insert("authorizer".to_owned(), authorizer);
    }
    merge(&mut event, payload(body));
    event
}

fn payload(body: &[u8]) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    match std::str::from_utf8(body) {
        Ok("") => json!({"body": null, "isBase64Encoded": false}),
        Ok(text) => json!({"body": text, "isBase64Encoded": false}),
        Err(_) => json!({"body": STANDARD.encode(body), "isBase64Encoded": true}),
    }
}

fn merge(event: &mut Value, own: Value) {
    if let (Value::Object(event), Value::Object(own)) = (event, own) {
        event.extend(own);
    }
}

/// An object, or null when it would be empty.
fn or_null(members: Map<String, Value>) -> Value {
    if members.is_empty() {
        Value::Null
    } else {
        Value::Object(members)
    }
}

fn parameters(incoming: &Incoming) -> Value {
    let parameters = incoming.route.parameters.iter();
    or_null(
        parameters
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect(),
    )
}

/// The time as in the Common Log Format: `23/Nov/2026:10:00:00 +0000`.
fn clf_time(incoming: &Incoming) -> String {
    let format =
        format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    OffsetDateTime::from_unix_timestamp(incoming.received_at.unix())
        .ok()
        .and_then(|time| time.format(format).ok())
        .unwrap_or_default()
}

fn epoch_millis(incoming: &Incoming) -> i64 {
    incoming.received_at.unix().saturating_mul(1000)
}
