//! Events that cannot be read: a stated refusal, and a line that names the place and never what stands there.

use doorward_authorizer::Refusal;
use serde_json::{Value, json};

use crate::gate::{ARN, Gate, bearer, http, rest, token};

fn changed(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[name] = value;
    event
}

/// What must not be seen in the log.
const CANARY: &str = "canary-0123456789";

#[tokio::test]
async fn refuses_malformed_events_and_names_the_place() {
    let gate = Gate::of_keys("", &[]).await;
    let good = || bearer(&token());
    let good_http = || http("GET", "/any/42", &[("authorization", "Bearer a.b.c")]);
    for (event, place) in [
        (changed(good(), "/methodArn", json!(null)), "methodArn"),
        (changed(good(), "/methodArn", json!(CANARY)), "methodArn"),
        (
            changed(good(), "/methodArn", json!(format!("{ARN}/{CANARY}/x"))),
            "methodArn",
        ),
        (changed(good(), "/headers", json!([CANARY])), "headers"),
        (
            changed(
                good(),
                "/multiValueHeaders",
                json!({"Authorization": CANARY}),
            ),
            "multiValueHeaders",
        ),
        (changed(good(), "/httpMethod", json!(CANARY)), "httpMethod"),
        (
            changed(good(), "/requestContext/stage", json!(CANARY)),
            "requestContext.stage",
        ),
        (
            changed(good(), "/requestContext/apiId", json!(CANARY)),
            "requestContext.apiId",
        ),
        (
            changed(good(), "/requestContext/identity/sourceIp", json!(CANARY)),
            "requestContext.identity.sourceIp",
        ),
        (
            changed(good(), "/requestContext/identity", json!(CANARY)),
            "requestContext.identity.sourceIp",
        ),
        (changed(good(), "/rawPath", json!(CANARY)), "rawPath"),
        (changed(good_http(), "/cookies", json!(CANARY)), "cookies"),
        (
            changed(good_http(), "/multiValueHeaders", json!({})),
            "multiValueHeaders",
        ),
        (
            changed(good_http(), "/requestContext/http/method", json!("POST")),
            "requestContext.http.method",
        ),
    ] {
        let answer = gate.ask(&event).await;
        let line = gate.line();
        let told = line.to_string();
        assert_eq!(line["reason"], "event_malformed", "{told}");
        assert_eq!(line["Class"], "forbidden", "{told}");
        let detail = line["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("`{place}`")), "{place}: {detail}");
        assert!(!told.contains(CANARY), "{told}");
        let answer = answer.unwrap();
        let statements = answer["policyDocument"]["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 1, "{answer}");
        assert_eq!(statements[0]["Effect"], "Deny");
    }
}

#[tokio::test]
async fn answers_events_of_no_known_kind_with_an_error_and_names_what_is_missing() {
    let gate = Gate::of_keys("", &[]).await;
    for (event, cause) in [
        (json!(null), "`type`"),
        (json!([]), "`type`"),
        (json!({}), "`type`"),
        (changed(bearer("x"), "/type", json!(CANARY)), "`type`"),
        (changed(bearer("x"), "/version", json!("3.0")), "`version`"),
        (json!({"token": CANARY, "protocolData": {}}), "IoT Core"),
    ] {
        assert_eq!(gate.ask(&event).await, Err(Refusal::Failed), "{event}");
        let line = gate.line();
        assert_eq!(line["reason"], "event_malformed", "{line}");
        assert!(line["detail"].as_str().unwrap().contains(cause), "{line}");
        assert!(!line.to_string().contains(CANARY), "{line}");
    }
}

#[tokio::test]
async fn refuses_method_overrides_and_rewritten_paths() {
    let gate = Gate::of_keys("", &[]).await;
    let value = format!("Bearer {}", token());
    for (name, other) in [
        ("X-HTTP-Method-Override", "GET"),
        ("X-HTTP-Method", "GET"),
        ("X-Method-Override", "GET"),
        ("X-Original-URL", "/any/42"),
        ("X-Rewrite-URL", "/any/42"),
        ("X-Forwarded-Prefix", "/any"),
    ] {
        let headers = [("Authorization", value.as_str()), (name, other)];
        let _ = gate.ask(&rest("DELETE", "/any/42", &headers)).await;
        let line = gate.line();
        assert_eq!(line["reason"], "scope_missing", "{name}: {line}");
        assert_eq!(line["route"], "DELETE /any/{id}");
    }
}

#[tokio::test]
async fn refuses_to_take_the_time_from_the_event() {
    let gate = Gate::of_keys("", &[]).await;
    let mut event = bearer(&token());
    // The token lives for an hour from the time of the event.
    event["requestContext"]["requestTimeEpoch"] = json!(crate::gate::NOW * 1000);
    event["requestContext"]["requestTime"] = json!("14/Nov/2023:22:13:20 +0000");
    assert!(gate.ask(&event).await.is_ok());
    let later = crate::gate::NOW + 86_400;
    assert_eq!(gate.ask_at(&event, later).await, Err(Refusal::Unauthorized));
    assert_eq!(gate.line()["reason"], "token_expired");
}
