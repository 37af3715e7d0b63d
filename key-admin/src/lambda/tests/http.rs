//! What is HTTP's own: headers of answers, preconditions, and the events of HTTP APIs.

use super::*;

async fn whole(function: &Function, event: &Value) -> (u64, Value, Value) {
    let Answer::Body(answer) = answer(function, &event.to_string(), "http").await else {
        panic!("a function error instead of an answer");
    };
    let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    (
        answer["statusCode"].as_u64().unwrap(),
        answer["headers"].clone(),
        body,
    )
}

/// The same request as an event of payload format 2.0.
fn as_http(event: &Value, query: &str) -> Value {
    let (method, resource) = (
        event["httpMethod"].as_str().unwrap(),
        event["resource"].as_str().unwrap(),
    );
    json!({
        "version": "2.0",
        "routeKey": format!("{method} {resource}"),
        "rawPath": "/somewhere/else",
        "rawQueryString": query,
        "headers": event["headers"],
        "pathParameters": event["pathParameters"],
        "requestContext": {
            "apiId": "a1b2c3", "stage": "$default", "requestId": "gateway-1",
            "authorizer": {"iam": {"userArn": "arn:aws:iam::111122223333:user/op", "accountId": "111122223333"}},
            "http": {"method": method, "path": "/somewhere/else", "sourceIp": "192.0.2.1"},
        },
        "body": event["body"],
        "isBase64Encoded": false,
    })
}

#[tokio::test]
async fn a_new_key_has_a_place_and_a_version() {
    let function = function();
    let create = rest_event("POST", "/keys", None, Some(DRAFT));
    let (status, headers, made) = whole(&function, &create).await;
    let id = made["key"]["id"].as_str().unwrap();
    assert_eq!((status, &headers["etag"]), (201, &json!("\"1\"")));
    assert_eq!(headers["location"], format!("keys/{id}"));

    let rotate = rest_event("POST", "/keys/{id}/rotate", Some(id), None);
    let (_, headers, rotated) = whole(&function, &rotate).await;
    let successor = rotated["key"]["id"].as_str().unwrap();
    assert_eq!(headers["location"], format!("../../keys/{successor}"));
    assert_eq!(headers["etag"], "\"1\"");

    let get = rest_event("GET", "/keys/{id}", Some(id), None);
    let (_, headers, _) = whole(&function, &get).await;
    assert_eq!(
        (&headers["etag"], &headers["location"]),
        (&json!("\"2\""), &Value::Null)
    );
}

#[tokio::test]
async fn a_version_that_has_passed_fails_the_precondition() {
    let function = function();
    let create = rest_event("POST", "/keys", None, Some(DRAFT));
    let (_, _, made) = whole(&function, &create).await;
    let id = made["key"]["id"].as_str().unwrap();
    let disable = |tags: &str, body: Option<&str>| {
        let mut event = rest_event("POST", "/keys/{id}/disable", Some(id), body);
        event["headers"]["If-Match"] = json!(tags);
        event
    };
    for (tags, body, expected, code) in [
        ("\"7\"", None, 412, "precondition_failed"),
        (" ", None, 412, "precondition_failed"),
        ("7", None, 400, "invalid"),
        ("W/\"1\"", None, 400, "invalid"),
        ("\"1\", \"2\"", None, 400, "invalid"),
        ("\"x\"", None, 400, "invalid"),
        ("\"1\"", Some(r#"{"expectedVersion":1}"#), 400, "invalid"),
    ] {
        let (status, _, body) = whole(&function, &disable(tags, body)).await;
        assert_eq!(
            (status, &body["code"]),
            (expected, &json!(code)),
            "{tags}: {body}"
        );
    }
    let body = rest_event(
        "POST",
        "/keys/{id}/disable",
        Some(id),
        Some(r#"{"expectedVersion":7}"#),
    );
    let (status, _, body) = whole(&function, &body).await;
    assert_eq!((status, &body["code"]), (409, &json!("conflict")));

    let (status, headers, _) = whole(&function, &disable("\"1\"", None)).await;
    assert_eq!((status, &headers["etag"]), (200, &json!("\"2\"")));
    let mut enable = rest_event("POST", "/keys/{id}/enable", Some(id), None);
    enable["headers"]["if-match"] = json!("*");
    assert_eq!(whole(&function, &enable).await.0, 200);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_answered_with_those_that_it_has() {
    let (status, headers, body) = whole(&function(), &rest_event("PUT", "/keys", None, None)).await;
    assert_eq!(
        (status, &headers["allow"]),
        (405, &json!("GET, POST")),
        "{body}"
    );
}

#[tokio::test]
async fn faults_are_pointers_into_the_request() {
    let draft = r#"{"tenant":" ","name":"n","environment":"live","scopes":["a","a b"],"metadata":{"x":"é"}}"#;
    let (status, _, body) =
        whole(&function(), &rest_event("POST", "/keys", None, Some(draft))).await;
    let faults = body["faults"].as_array().unwrap();
    let fields: Vec<_> = faults
        .iter()
        .map(|fault| fault["field"].as_str().unwrap())
        .collect();
    assert_eq!(
        (status, fields),
        (400, vec!["/tenant", "/scopes/1", "/metadata/x"])
    );
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let list = rest_event("GET", "/keys", None, None);
    let (_, _, body) = whole(&function(), &list).await;
    let fault = json!([{"field": "/tenant", "message": "is missing"}]);
    assert_eq!(body["faults"], fault);
}

#[tokio::test]
async fn an_http_api_is_served_alike() {
    let function = function();
    let create = rest_event("POST", "/keys", None, Some(DRAFT));
    let (status, _, made) = whole(&function, &as_http(&create, "")).await;
    let id = made["key"]["id"].as_str().unwrap();
    assert_eq!(status, 201, "{made}");
    let list = rest_event("GET", "/keys", None, None);
    for (query, expected) in [
        ("tenant=acme&limit=10", 200),
        ("tenant=%61cme", 200),
        ("tenant=acme&tenant=evil", 400),
        ("tenant=%ff", 400),
        ("tenant=acme&limit=1%20", 400),
        ("tenant=acme&all", 400),
        ("", 400),
    ] {
        let (status, _, body) = whole(&function, &as_http(&list, query)).await;
        assert_eq!(status, expected, "{query}: {body}");
    }
    let revoke = as_http(&rest_event("POST", "/keys/{id}/revoke", Some(id), None), "");
    for (pointer, value, expected) in [
        ("/routeKey", "$default", 404),
        ("/routeKey", "GET /keys/{id}/revoke", 404),
        ("/requestContext/authorizer/iam/userArn", "op", 403),
        ("/rawQueryString", "id=x", 400),
        ("/routeKey", "ANY /keys/{id}/revoke", 200),
    ] {
        let mut event = revoke.clone();
        *event.pointer_mut(pointer).unwrap() = json!(value);
        let (status, _, body) = whole(&function, &event).await;
        assert_eq!(status, expected, "{pointer} {value}: {body}");
    }
}

#[tokio::test]
async fn the_description_is_served_to_callers_who_are_let_in() {
    let event = rest_event("GET", "/openapi.json", None, None);
    let (status, headers, _) = whole(&function(), &event).await;
    assert_eq!(
        (status, &headers["content-type"]),
        (200, &json!("application/json"))
    );
    let mut nobody = event;
    nobody["requestContext"]["identity"] = Value::Null;
    assert_eq!(whole(&function(), &nobody).await.0, 403);
}
