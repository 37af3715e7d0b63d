use doorward_engine::request::{Lookup, Target};
use serde_json::{Value, json};

use super::*;

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
fn tolerates_null_absent_and_empty_maps() {
    for empty in [json!(null), json!({})] {
        let mut event = rest();
        for name in [
            "headers",
            "multiValueHeaders",
            "queryStringParameters",
            "multiValueQueryStringParameters",
            "stageVariables",
        ] {
            event = with(event, &format!("/{name}"), empty.clone());
        }
        let request = accepted(
            &with(event, "/requestContext", empty.clone()),
            EventKind::RestRequest,
        );
        assert!(matches!(
            request.headers.one("authorization"),
            Lookup::Absent
        ));
        assert!(request.peer.is_none());
    }
    let bare = json!({"version": "2.0", "type": "REQUEST", "routeArn": ARN, "headers": null, "cookies": null, "requestContext": null});
    accepted(&bare, EventKind::HttpApiV2);
    accepted(
        &json!({"type": "REQUEST", "methodArn": ARN}),
        EventKind::RestRequest,
    );
    let token = accepted(
        &json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": null}),
        EventKind::RestToken,
    );
    assert!(token.token.is_none());
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
fn refuses_fields_of_the_wrong_type() {
    for (pointer, value) in [
        ("/headers", json!([])),
        ("/headers", json!({"X-Api-Key": 1})),
        ("/headers", json!({"X-Api-Key": ["k"]})),
        ("/multiValueHeaders", json!({"X-Api-Key": "k"})),
        ("/multiValueHeaders", json!({"X-Api-Key": [null]})),
        ("/queryStringParameters", json!("q=1")),
        ("/multiValueQueryStringParameters", json!({"q": [1]})),
        ("/path", json!(7)),
        ("/httpMethod", json!(["GET"])),
        ("/requestContext", json!("prod")),
        ("/requestContext/identity", json!([])),
        (
            "/requestContext/identity/sourceIp",
            json!(3_405_803_783_u32),
        ),
        ("/requestContext/accountId", json!(111_122_223_333_u64)),
        ("/requestContext/path", json!({})),
    ] {
        refused(
            &with(rest(), pointer, value),
            EventKind::RestRequest,
            pointer.rsplit('/').next().unwrap_or_default(),
        );
    }
    for (pointer, value) in [
        ("/cookies", json!("a=b")),
        ("/cookies", json!([1])),
        ("/rawQueryString", json!({})),
        ("/requestContext/http", json!(1)),
    ] {
        refused(
            &with(http_api(), pointer, value),
            EventKind::HttpApiV2,
            pointer.rsplit('/').next().unwrap_or_default(),
        );
    }
    refused(
        &with(token(), "/authorizationToken", json!({})),
        EventKind::RestToken,
        "authorizationToken",
    );
}

#[test]
fn refuses_names_that_are_there_twice() {
    for (text, at) in [
        (
            r#"{"type":"TOKEN","methodArn":"ARN","authorizationToken":"a","authorizationToken":"b"}"#,
            "authorizationToken",
        ),
        (
            r#"{"type":"REQUEST","methodArn":"ARN","headers":{},"headers":{"authorization":"x"}}"#,
            "headers",
        ),
    ] {
        let decoded = decode(&Event::parse(text.replace("ARN", ARN).as_bytes()), NOW);
        assert!(decoded.request.unwrap_err().detail().contains(at));
    }
    let twice = format!(
        r#"{{"type":"REQUEST","methodArn":"{ARN}","headers":{{"authorization":"a","authorization":"a"}}}}"#
    );
    let request = decode(&Event::parse(twice.as_bytes()), NOW)
        .request
        .unwrap();
    assert!(matches!(
        request.headers.one("authorization"),
        Lookup::Conflict
    ));
}

#[test]
fn keeps_contradictions_between_headers_visible() {
    let event = with(rest(), "/headers", json!({"authorization": "Bearer t"}));
    let request = accepted(&event, EventKind::RestRequest);
    assert!(matches!(
        request.headers.one("Authorization"),
        Lookup::Conflict
    ));
}

#[test]
fn refuses_an_event_that_disagrees_with_its_arn() {
    for (pointer, value) in [
        ("/requestContext/accountId", "999988887777"),
        ("/requestContext/apiId", "zzzzzz"),
        ("/requestContext/stage", "dev"),
        ("/requestContext/httpMethod", "POST"),
        ("/httpMethod", "get"),
    ] {
        refused(
            &with(rest(), pointer, json!(value)),
            EventKind::RestRequest,
            pointer.rsplit('/').next().unwrap_or_default(),
        );
    }
    refused(
        &with(http_api(), "/requestContext/http/method", json!("POST")),
        EventKind::HttpApiV2,
        "method",
    );
}

#[test]
fn refuses_arns_that_cannot_be() {
    for arn in [
        "",
        "arn",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/*/GET/",
        "arn:aws:execute-api:eu-west-1:111122223333:*/prod/GET/",
        "arn:aws:execute-api:*:111122223333:a1b2c3/prod/GET/",
        "arn:aws:execute-api::111122223333:a1b2c3/prod/GET/",
        "arn:aws:execute-api:eu-west-1:${x}:a1b2c3/prod/GET/",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/$latest/GET/",
        "arn:aws:s3:eu-west-1:111122223333:a1b2c3/prod/GET/",
        "arn:a*:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/get/orders",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/*/orders",
        &format!("{ARN}{}", "x".repeat(1600)),
    ] {
        refused(
            &json!({"type": "TOKEN", "methodArn": arn}),
            EventKind::RestToken,
            "methodArn",
        );
    }
    refused(&json!({"type": "TOKEN"}), EventKind::RestToken, "methodArn");
    refused(
        &json!({"type": "TOKEN", "methodArn": null}),
        EventKind::RestToken,
        "methodArn",
    );
}

#[test]
fn reads_the_arn_by_position() {
    for (rest, verb, path) in [
        ("prod/GET", "GET", "/"),
        ("prod/GET/", "GET", "/"),
        ("prod/GET/a:b/prod/POST/x", "GET", "/a:b/prod/POST/x"),
        ("prod/POST//double/", "POST", "//double/"),
        ("$default/DELETE/a/*/b?c=$x", "DELETE", "/a/*/b?c=$x"),
        ("ESTestInvoke-stage/GET/", "GET", "/"),
        ("prod/GET/x/$connect", "GET", "/x/$connect"),
    ] {
        let arn = format!("arn:aws-us-gov:execute-api:us-gov-west-1:111122223333:a1b2c3/{rest}");
        let decoded =
            decoded(&json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": "t"}));
        let request = decoded.request.unwrap();
        let Target::Http {
            verb: found,
            path: at,
        } = &request.target
        else {
            panic!("{rest}")
        };
        assert_eq!((found.as_str(), at.as_str()), (verb, path));
        let stage = rest.split('/').next().unwrap();
        let prefix =
            format!("arn:aws-us-gov:execute-api:us-gov-west-1:111122223333:a1b2c3/{stage}");
        assert_eq!(request.stage.arn_prefix(), prefix);
        assert_eq!(
            format!("{prefix}/{}", decoded.asked.unwrap().resource()),
            arn
        );
    }
}

#[test]
fn knows_the_test_call_of_the_console() {
    let event = json!({
        "type": "REQUEST", "methodArn": "arn:aws:execute-api:ap-southeast-2:111122223333:ja8pdvfjf6/ESTestInvoke-stage/GET/",
        "resource": "/", "path": "/", "httpMethod": "GET", "headers": {"Authorizer": "b"}, "multiValueHeaders": {"Authorizer": ["b"]},
        "queryStringParameters": {}, "multiValueQueryStringParameters": {}, "pathParameters": {}, "stageVariables": {},
        "requestContext": {"resourceId": "test-invoke-resource-id", "resourcePath": "/", "httpMethod": "GET", "path": "/",
            "accountId": "111122223333", "stage": "test-invoke-stage", "apiId": "ja8pdvfjf6",
            "identity": {"apiKey": "test-invoke-api-key", "sourceIp": "test-invoke-source-ip"}},
    });
    assert!(accepted(&event, EventKind::RestRequest).peer.is_none());
    refused(
        &with(rest(), "/requestContext/stage", json!("test-invoke-stage")),
        EventKind::RestRequest,
        "stage",
    );
}

#[test]
fn refuses_addresses_in_loose_forms() {
    for text in [
        "203.0.113.07",
        "203.0.113",
        "0xcb007107",
        "203.0.113.7:443",
        "[2001:db8::1]",
        "fe80::1%eth0",
        " 203.0.113.7",
        "...",
    ] {
        refused(
            &with(rest(), "/requestContext/identity/sourceIp", json!(text)),
            EventKind::RestRequest,
            "sourceIp",
        );
        refused(
            &with(http_api(), "/requestContext/http/sourceIp", json!(text)),
            EventKind::HttpApiV2,
            "sourceIp",
        );
    }
    for text in ["203.0.113.7", "2001:db8::1", "::ffff:203.0.113.7"] {
        let request = accepted(
            &with(rest(), "/requestContext/identity/sourceIp", json!(text)),
            EventKind::RestRequest,
        );
        assert_eq!(request.peer, Some(text.parse().unwrap()));
    }
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
fn reads_repeated_query_parameters() {
    let pairs = |request: &Request| {
        request
            .query
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose()))
            .collect::<Vec<_>>()
            .join("&")
    };
    let maps = with(
        rest(),
        "/queryStringParameters",
        json!({"q": "2", "only": "s"}),
    );
    let maps = with(
        maps,
        "/multiValueQueryStringParameters",
        json!({"q": ["1", "2"], "m": []}),
    );
    assert_eq!(
        pairs(&accepted(&maps, EventKind::RestRequest)),
        "q=1&q=2&only=s"
    );
    let differ = with(
        with(rest(), "/queryStringParameters", json!({"q": "3"})),
        "/multiValueQueryStringParameters",
        json!({"q": ["1"]}),
    );
    assert_eq!(
        pairs(&accepted(&differ, EventKind::RestRequest)),
        "q=1&q=3",
        "maps that disagree look repeated"
    );
    for (raw, expected) in [
        ("", ""),
        ("a=1&a=2&&b", "a=1&a=2&b="),
        ("%61=x+y%2Bz&=v", "a=x y+z&=v"),
        ("a=%ff%zz", "a=%ff%zz"),
        ("a=b=c", "a=b=c"),
    ] {
        let event = with(http_api(), "/rawQueryString", json!(raw));
        assert_eq!(pairs(&accepted(&event, EventKind::HttpApiV2)), expected);
    }
}

#[test]
fn reads_cookies_strictly() {
    let pairs = |request: &Request| {
        request
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose()))
            .collect::<Vec<_>>()
            .join("|")
    };
    for (header, expected) in [
        ("a=1; b=2", "a=1|b=2"),
        ("a=1;a=2", "a=1|a=2"),
        ("a", ""),
        ("=1; b c=2; d =3; e=4", "e=4"),
        (r#"a="x;b=y""#, r#"a="x|b=y""#),
        ("a=b=c", "a=b=c"),
    ] {
        let event = with(
            with(rest(), "/headers", json!({"cookie": header})),
            "/multiValueHeaders",
            json!(null),
        );
        assert_eq!(pairs(&accepted(&event, EventKind::RestRequest)), expected);
        let event = with(http_api(), "/cookies", json!([header]));
        assert_eq!(pairs(&accepted(&event, EventKind::HttpApiV2)), expected);
    }
    let both = with(
        with(rest(), "/headers", json!({"Cookie": "a=2"})),
        "/multiValueHeaders",
        json!({"cookie": ["a=1", "a=2"]}),
    );
    assert_eq!(pairs(&accepted(&both, EventKind::RestRequest)), "a=1|a=2");
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
    // As a value that somebody else has read, the size is bounded too.
    let event = <Event as serde::Deserialize>::deserialize(large).unwrap();
    assert_eq!(decode(&event, NOW).kind, EventKind::Unknown);
}

#[test]
fn prints_nothing_of_an_event() {
    let event = Event::parse(
        with(token(), "/authorizationToken", json!("canary"))
            .to_string()
            .as_bytes(),
    );
    assert!(!format!("{event:?} {:?}", decode(&event, NOW)).contains("canary"));
}
