//! `GET /keys/{id}/usage`.

use super::*;

#[tokio::test]
async fn usage_is_read_over_rest_and_odd_parameters_are_refused() {
    let function = function();
    let draft = rest_event("POST", "/keys", None, Some(DRAFT));
    let (_, made) = rest(&function, &draft, "r").await;
    let id = made["key"]["id"].as_str().unwrap();
    let asked = |query: Value| {
        let mut event = rest_event("GET", "/keys/{id}/usage", Some(id), None);
        event["queryStringParameters"] = query;
        event
    };
    let now = NOW.unix().to_string();
    let good = json!({"from": (NOW.unix() - 86_400).to_string(), "to": now, "by": "day"});
    let (status, body) = rest(&function, &asked(good), "r").await;
    assert_eq!(
        (status, &body["usage"]["by"]),
        (200, &json!("day")),
        "{body}"
    );
    // 2023-11-14T22:13:20Z: two whole days.
    assert_eq!(body["usage"]["steps"].as_array().unwrap().len(), 2);
    let mut twice = asked(json!({"by": "day"}));
    twice["multiValueQueryStringParameters"] = json!({"by": ["hour", "day"]});
    for (name, event) in [
        ("unknown step", asked(json!({"by": "week"}))),
        ("step in capitals", asked(json!({"by": "Day"}))),
        ("no number", asked(json!({"from": "yesterday"}))),
        ("an empty number", asked(json!({"from": ""}))),
        ("a signed number", asked(json!({"from": "+1"}))),
        ("a negative number", asked(json!({"from": "-1"}))),
        ("a fraction", asked(json!({"to": "1.5"}))),
        (
            "a huge number",
            asked(json!({"to": "99999999999999999999"})),
        ),
        (
            "a time out of the calendar",
            asked(json!({"to": "999999999999"})),
        ),
        ("the end first", asked(json!({"from": now, "to": "1"}))),
        ("too long by hours", asked(json!({"from": "1"}))),
        ("an unknown parameter", asked(json!({"tenant": "acme"}))),
        (
            "another id",
            asked(json!({"id": "key_00000000000000000000000000"})),
        ),
        ("a parameter twice", twice),
        (
            "a bad id",
            rest_event("GET", "/keys/{id}/usage", Some("key_1"), None),
        ),
    ] {
        let (status, body) = rest(&function, &event, "usage").await;
        assert_eq!(
            (status, &body["code"]),
            (400, &json!("invalid")),
            "{name}: {body}"
        );
    }
    let unknown = rest_event(
        "GET",
        "/keys/{id}/usage",
        Some("key_00000000000000000000000000"),
        None,
    );
    assert_eq!(rest(&function, &unknown, "usage").await.0, 404);
    let post = rest_event("POST", "/keys/{id}/usage", Some(id), None);
    assert_eq!(rest(&function, &post, "usage").await.0, 405);
}

#[tokio::test]
async fn usage_is_read_by_direct_invocation() {
    let function = function();
    let create = DRAFT.replacen('{', r#"{"operation":"create","#, 1);
    let made = invoke(&function, &create).await.unwrap();
    let id = made["key"]["id"].as_str().unwrap();
    let usage = format!(r#"{{"operation":"usage","id":"{id}","by":"month"}}"#);
    let reply = invoke(&function, &usage).await.unwrap();
    assert_eq!(reply["usage"]["steps"].as_array().unwrap().len(), 12);
    let unknown = format!(r#"{{"operation":"usage","id":"{id}","since":1}}"#);
    let refused = invoke(&function, &unknown).await.unwrap_err();
    assert_eq!(refused.error_type, "invalid");
}
