use doorward_engine::request::{Lookup, Target};
use serde_json::{Value, json};

use doorward_keys::Timestamp;

use super::*;

mod arn;
mod fields;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const ARN: &str = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/orders/42";

fn decoded(event: &Value) -> Decoded {
    decode(&Event::parse(event.to_string().as_bytes()), NOW)
}

fn rest() -> Value {
    json!({
        "type": "REQUEST", "methodArn": ARN, "path": "/orders/42", "httpMethod": "GET",
        "headers": {"Authorization": "Bearer t"}, "multiValueHeaders": {"Authorization": ["Bearer t"]},
        "requestContext": {"accountId": "111122223333", "apiId": "a1b2c3", "stage": "prod", "httpMethod": "GET",
            "path": "/prod/orders/42", "identity": {"sourceIp": "203.0.113.7"}},
    })
}

fn http_api() -> Value {
    json!({
        "version": "2.0", "type": "REQUEST", "routeArn": ARN, "rawPath": "/prod/orders/42", "rawQueryString": "",
        "headers": {"authorization": "Bearer t"},
        "requestContext": {"accountId": "111122223333", "apiId": "a1b2c3", "stage": "prod",
            "http": {"method": "GET", "path": "/prod/orders/42", "sourceIp": "203.0.113.7"}},
    })
}

fn websocket() -> Value {
    json!({
        "type": "REQUEST", "methodArn": "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/$connect",
        "headers": {"Authorization": "Bearer t"},
        "requestContext": {"eventType": "CONNECT", "routeKey": "$connect", "stage": "prod", "apiId": "a1b2c3",
            "identity": {"sourceIp": "203.0.113.7"}},
    })
}

fn token() -> Value {
    json!({"type": "TOKEN", "authorizationToken": "Bearer t", "methodArn": ARN})
}

fn appsync() -> Value {
    json!({"authorizationToken": "t", "requestContext": {"apiId": "g1", "queryString": "query {a}"},
        "requestHeaders": {"authorization": "t", "host": "h"}})
}

/// `event` with the value at the JSON pointer replaced.
fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = if parent.is_empty() {
        &mut event
    } else {
        event.pointer_mut(parent).unwrap()
    };
    parent
        .as_object_mut()
        .unwrap()
        .insert(name.to_owned(), value);
    event
}

#[track_caller]
fn refused(event: &Value, kind: EventKind, at: &str) {
    let decoded = decoded(event);
    assert_eq!(decoded.kind, kind);
    let denial = decoded.request.unwrap_err();
    assert_eq!(denial.reason(), Reason::EventMalformed);
    assert!(
        denial.detail().contains(at),
        "{} does not name {at}",
        denial.detail()
    );
}

#[track_caller]
fn accepted(event: &Value, kind: EventKind) -> Request {
    let decoded = decoded(event);
    assert_eq!(decoded.kind, kind);
    decoded.request.unwrap()
}

#[test]
fn recognises_every_kind() {
    for (event, kind) in [
        (token(), EventKind::RestToken),
        (rest(), EventKind::RestRequest),
        (websocket(), EventKind::WebSocket),
        (with(rest(), "/version", json!("1.0")), EventKind::HttpApiV1),
        (http_api(), EventKind::HttpApiV2),
        (appsync(), EventKind::AppSync),
    ] {
        accepted(&event, kind);
    }
}

#[test]
fn refuses_what_is_no_authorizer_event() {
    for event in [
        json!({}),
        json!(null),
        json!("TOKEN"),
        json!([rest()]),
        json!({"type": "token", "methodArn": ARN}),
        json!({"type": 1, "methodArn": ARN}),
        with(rest(), "/version", json!("3.0")),
        with(rest(), "/version", json!(2)),
        with(http_api(), "/version", json!("2")),
        json!({"authorizationToken": "t"}),
    ] {
        refused(&event, EventKind::Unknown, "");
        assert!(decoded(&event).asked.is_none());
    }
    refused(
        &json!({"token": "t", "signatureVerified": true, "protocols": ["tls"]}),
        EventKind::IotCore,
        "IoT",
    );
}

#[test]
fn refuses_mixtures_of_kinds() {
    for (event, kind, at) in [
        (
            with(token(), "/routeArn", json!(ARN)),
            EventKind::RestToken,
            "routeArn",
        ),
        (
            with(token(), "/version", json!("2.0")),
            EventKind::RestToken,
            "version",
        ),
        (
            with(rest(), "/rawPath", json!("/x")),
            EventKind::RestRequest,
            "rawPath",
        ),
        (
            with(rest(), "/cookies", json!([])),
            EventKind::RestRequest,
            "cookies",
        ),
        (
            with(rest(), "/routeArn", json!(ARN)),
            EventKind::RestRequest,
            "routeArn",
        ),
        (
            with(http_api(), "/multiValueHeaders", json!({})),
            EventKind::HttpApiV2,
            "multiValueHeaders",
        ),
        (
            with(http_api(), "/methodArn", json!(ARN)),
            EventKind::HttpApiV2,
            "methodArn",
        ),
        (
            with(http_api(), "/httpMethod", json!("GET")),
            EventKind::HttpApiV2,
            "httpMethod",
        ),
        (
            with(websocket(), "/version", json!("2.0")),
            EventKind::WebSocket,
            "version",
        ),
        (
            with(websocket(), "/httpMethod", json!("GET")),
            EventKind::WebSocket,
            "httpMethod",
        ),
        (
            with(appsync(), "/methodArn", json!(ARN)),
            EventKind::AppSync,
            "methodArn",
        ),
    ] {
        refused(&event, kind, at);
    }
}

#[test]
fn ignores_fields_that_nobody_reads() {
    let event = with(
        rest(),
        "/requestContext/tomorrow",
        json!({"deep": [[[[[[[[[[[[[[1]]]]]]]]]]]]]]}),
    );
    accepted(&with(event, "/body", json!(17)), EventKind::RestRequest);
}

#[test]
fn refuses_every_websocket_event_but_the_opening() {
    for (pointer, value) in [
        ("/requestContext/eventType", json!("MESSAGE")),
        ("/requestContext/eventType", json!("DISCONNECT")),
        ("/requestContext/eventType", json!("connect")),
        ("/requestContext/routeKey", json!("$default")),
        ("/methodArn", json!(ARN)),
        (
            "/methodArn",
            json!("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/$disconnect"),
        ),
        (
            "/methodArn",
            json!("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/$connect/"),
        ),
    ] {
        refused(&with(websocket(), pointer, value), EventKind::WebSocket, "");
    }
    let connect = json!("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/$connect");
    refused(
        &with(token(), "/methodArn", connect.clone()),
        EventKind::RestToken,
        "methodArn",
    );
    refused(
        &with(http_api(), "/routeArn", connect),
        EventKind::HttpApiV2,
        "routeArn",
    );
}

#[test]
fn counts_the_token_of_appsync_once_and_refuses_two() {
    let request = accepted(&appsync(), EventKind::AppSync);
    assert!(matches!(
        request.headers.one("authorization"),
        Lookup::Absent
    ));
    assert!(matches!(request.headers.one("host"), Lookup::One("h")));
    assert_eq!(request.token.unwrap().expose(), "t");
    refused(
        &with(
            appsync(),
            "/requestHeaders",
            json!({"Authorization": "other"}),
        ),
        EventKind::AppSync,
        "requestHeaders",
    );
}

#[test]
fn refuses_events_that_are_not_json_too_large_or_endless() {
    let large = with(rest(), "/body", json!("x".repeat(MAX_EVENT_BYTES)));
    let many = with(
        rest(),
        "/headers",
        Value::Object((0..1001).map(|n| (format!("h{n}"), json!("v"))).collect()),
    );
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for text in [
        "",
        "{",
        "nonsense",
        "\u{feff}{}",
        &large.to_string(),
        &deep,
        &"[".repeat(100_000),
    ] {
        let decoded = decode(&Event::parse(text.as_bytes()), NOW);
        assert_eq!(
            (decoded.kind, decoded.request.unwrap_err().reason()),
            (EventKind::Unknown, Reason::EventMalformed)
        );
    }
    refused(&many, EventKind::RestRequest, "headers");
}

#[test]
fn reads_names_and_texts_with_escapes_as_what_they_stand_for() {
    let plain = rest().to_string();
    let escaped = plain
        .replace("methodArn", r"m\u0065thodArn")
        .replace("Bearer", r"Be\u0061rer");
    assert_ne!(plain, escaped);
    let decoded = decode(&Event::parse(escaped.as_bytes()), NOW);
    assert_eq!(decoded.kind, EventKind::RestRequest);
    let request = decoded.request.unwrap();
    let Lookup::One(found) = request.headers.one("authorization") else {
        panic!("no header");
    };
    assert_eq!(found, "Bearer t");
}

#[test]
fn prints_nothing_of_an_event() {
    let text = with(token(), "/authorizationToken", json!("canary")).to_string();
    let event = Event::parse(text.as_bytes());
    assert!(!format!("{event:?} {:?}", decode(&event, NOW)).contains("canary"));
}

#[test]
fn knows_that_only_rest_apis_can_refuse_by_a_usage_plan() {
    let arn = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/orders";
    let connect = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/$connect";
    for (event, expected) in [
        (
            json!({"type": "TOKEN", "authorizationToken": "t", "methodArn": arn}),
            true,
        ),
        (json!({"type": "REQUEST", "methodArn": arn}), true),
        (
            json!({"type": "REQUEST", "version": "1.0", "methodArn": arn}),
            false,
        ),
        (
            json!({"type": "REQUEST", "version": "2.0", "methodArn": arn}),
            false,
        ),
        (
            json!({"type": "REQUEST", "version": "2.0", "routeArn": arn}),
            false,
        ),
        (json!({"type": "REQUEST", "methodArn": connect}), false),
        (
            json!({"authorizationToken": "t", "requestContext": {"apiId": "a", "queryString": "{ a }"}}),
            false,
        ),
    ] {
        let decoded = decode(&Event::parse(event.to_string().as_bytes()), NOW);
        let request = decoded.request.unwrap();
        assert_eq!(request.has_usage_plans, expected, "{event}");
    }
}
