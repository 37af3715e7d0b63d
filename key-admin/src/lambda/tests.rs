mod blocks;
mod failing;
mod http;
mod usage;

use std::sync::{Arc, Mutex};

use doorward_backends::memory::{MemoryKeys, MemoryUsage};
use doorward_keys::{KeyLedger, Timestamp, format::KeyFormat};
use serde_json::{Value, json};

use super::*;
use crate::{KeyPolicy, SystemEntropy};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn logged(request_id: &str) -> Vec<Value> {
    let log = LOG.lock().unwrap();
    let lines = log.iter().map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|line: &Value| line["requestId"] == request_id)
        .collect()
}

fn function_over(ledger: Arc<dyn KeyLedger>) -> Function {
    let policy = KeyPolicy {
        format: KeyFormat {
            prefix: "ck".to_owned(),
            environments: vec!["live".to_owned()],
            pepper: None,
            previous_pepper: None,
        },
        default_lifetime_days: 90,
        max_lifetime_days: 365,
        retention_days: 30,
        cache_seconds: 60,
        gateway_ttl_seconds: 300,
    };
    Function::new(
        KeyAdmin::new(policy, ledger).with_usage(Arc::new(MemoryUsage::new())),
        Arc::new(SystemEntropy),
        |line| LOG.lock().unwrap().push(line.to_owned()),
    )
}

fn function() -> Function {
    function_over(Arc::new(MemoryKeys::new()))
}

async fn answer(function: &Function, event: &str, request_id: &str) -> Answer {
    let event: Event = serde_json::from_str(event).unwrap();
    function.answer(event, request_id, NOW).await
}

async fn invoke(function: &Function, event: &str) -> Result<Value, Diagnostic> {
    match answer(function, event, "invoke").await {
        Answer::Body(body) => Ok(body),
        Answer::Failure(diagnostic) => Err(diagnostic),
    }
}

/// An event of a REST API behind IAM authorization.
fn rest_event(method: &str, resource: &str, id: Option<&str>, body: Option<&str>) -> Value {
    json!({
        "resource": resource,
        "path": "/base/path/of/a/custom/domain",
        "httpMethod": method,
        "headers": {"Accept": "*/*", "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20231114"},
        "multiValueHeaders": {"Accept": ["*/*"]},
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": id.map(|id| json!({"id": id})),
        "stageVariables": null,
        "requestContext": {
            "accountId": "111122223333", "apiId": "a1b2c3", "stage": "v1", "requestId": "gateway-1",
            "httpMethod": method, "resourcePath": resource,
            "identity": {
                "accountId": "111122223333", "sourceIp": "192.0.2.1", "accessKey": "AKIA",
                "caller": "AIDA", "user": "AIDA", "userArn": "arn:aws:iam::111122223333:user/op",
            },
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

async fn rest(function: &Function, event: &Value, request_id: &str) -> (u64, Value) {
    let Answer::Body(answer) = answer(function, &event.to_string(), request_id).await else {
        panic!("a function error instead of an answer");
    };
    assert_eq!(answer["headers"]["cache-control"], "no-store");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let status = answer["statusCode"].as_u64().unwrap();
    if status < 400 {
        assert_eq!(answer["headers"]["content-type"], "application/json");
    } else {
        assert_eq!(
            answer["headers"]["content-type"],
            "application/problem+json"
        );
        assert_eq!(body["status"], status);
        assert_eq!(
            body["instance"],
            format!("urn:doorward:request:{request_id}")
        );
        let code = body["code"].as_str().unwrap();
        assert_eq!(body["type"], format!("urn:doorward:problem:{code}"));
    }
    (status, body)
}

const DRAFT: &str = r#"{"tenant":"acme","name":"ci","environment":"live","scopes":["read"]}"#;

#[tokio::test]
async fn a_key_lives_over_rest() {
    let function = function();
    let (status, made) = rest(
        &function,
        &rest_event("POST", "/keys", None, Some(DRAFT)),
        "r",
    )
    .await;
    assert_eq!(status, 201, "{made}");
    assert!(made["secret"].as_str().unwrap().starts_with("ck_live_"));
    let id = made["key"]["id"].as_str().unwrap().to_owned();

    let mut list = rest_event("GET", "/keys", None, None);
    list["queryStringParameters"] = json!({"tenant": "acme", "limit": "10"});
    list["multiValueQueryStringParameters"] = json!({"tenant": ["acme"], "limit": ["10"]});
    let (status, listed) = rest(&function, &list, "r").await;
    assert_eq!((status, &listed["keys"][0]["id"]), (200, &json!(id)));

    for (method, resource, expected) in [
        ("GET", "/keys/{id}", 200),
        ("POST", "/keys/{id}/disable", 200),
        ("POST", "/keys/{id}/enable", 200),
        ("POST", "/keys/{id}/rotate", 201),
        ("POST", "/keys/{id}/rotate", 409),
        ("POST", "/keys/{id}/revoke", 200),
        ("POST", "/keys/{id}/enable", 409),
        ("GET", "/keys/{id}/audit", 200),
        ("GET", "/keys/{id}/usage", 200),
    ] {
        let event = rest_event(method, resource, Some(&id), None);
        let (status, body) = rest(&function, &event, "r").await;
        assert_eq!(status, expected, "{method} {resource}: {body}");
    }
    let audit = rest_event("GET", "/keys/{id}/audit", Some(&id), None);
    let (_, audit) = rest(&function, &audit, "r").await;
    assert_eq!(
        audit["changes"][0]["actor"],
        "arn:aws:iam::111122223333:user/op"
    );
}

#[tokio::test]
async fn a_call_without_an_iam_principal_is_refused() {
    let function = function();
    for identity in [
        json!({"sourceIp": "192.0.2.1", "userArn": null}),
        json!({"userArn": ""}),
        json!({"userArn": "root"}),
        json!({"userArn": ["arn:aws:iam::1:user/op"]}),
        json!({"caller": "AIDA", "user": "AIDA"}),
        Value::Null,
    ] {
        // Even a good request, and one that claims in its own words to be let in.
        let mut event = rest_event("POST", "/keys", None, Some(DRAFT));
        event["requestContext"]["identity"] = identity.clone();
        event["headers"]["userArn"] = json!("arn:aws:iam::1:user/op");
        let (status, body) = rest(&function, &event, "no-principal").await;
        assert_eq!(status, 403, "{identity}: {body}");
        assert_eq!(body["code"], "forbidden");
    }
    assert!(
        logged("no-principal")
            .iter()
            .all(|line| line["outcome"] == "forbidden" && line.get("actor").is_none())
    );
}

#[tokio::test]
async fn requests_that_are_not_of_the_form_are_refused() {
    let function = function();
    let id = "key_00000000000000000000000000";
    let body = |text| rest_event("POST", "/keys", None, Some(text));
    let query = |pairs: Value| {
        let mut event = rest_event("GET", "/keys", None, None);
        event["queryStringParameters"] = pairs;
        event
    };
    let mut base64 = body(DRAFT);
    base64["isBase64Encoded"] = json!(true);
    let mut twice = query(json!({"tenant": "acme"}));
    twice["multiValueQueryStringParameters"] = json!({"tenant": ["evil", "acme"]});
    let mut query_on_post = body(DRAFT);
    query_on_post["queryStringParameters"] = json!({"tenant": "evil"});
    let mut two_names = body(DRAFT);
    two_names["headers"] = json!({"Idempotency-Key": "a", "idempotency-key": "b"});
    let with_id = format!("{{\"id\":\"{id}\"}}");
    let huge = format!("{{\"tenant\":\"{}\"}}", "a".repeat(4 * 1024 * 1024));
    let cases = [
        ("no body", rest_event("POST", "/keys", None, None), 400),
        ("not JSON", body("tenant=acme"), 400),
        ("no object", body("[]"), 400),
        ("cut", body(&DRAFT[..20]), 400),
        (
            "member twice",
            body(r#"{"tenant":"acme","tenant":"evil","name":"n","environment":"live"}"#),
            400,
        ),
        (
            "own operation",
            body(r#"{"operation":"list","tenant":"acme"}"#),
            400,
        ),
        (
            "protected field",
            body(r#"{"tenant":"a","name":"n","environment":"live","version":9}"#),
            400,
        ),
        ("huge", body(&huge), 400),
        ("base64", base64, 400),
        ("query on POST", query_on_post, 400),
        ("two idempotency keys", two_names, 400),
        ("no tenant", query(json!({})), 400),
        (
            "bad limit",
            query(json!({"tenant": "acme", "limit": "many"})),
            400,
        ),
        (
            "unknown parameter",
            query(json!({"tenant": "acme", "all": "1"})),
            400,
        ),
        ("parameter twice", twice, 400),
        (
            "id in the body too",
            rest_event("POST", "/keys/{id}/revoke", Some(id), Some(&with_id)),
            400,
        ),
        (
            "bad id",
            rest_event("GET", "/keys/{id}", Some("key_1"), None),
            400,
        ),
        ("no id", rest_event("GET", "/keys/{id}", None, None), 400),
        (
            "unknown key",
            rest_event("GET", "/keys/{id}", Some(id), None),
            404,
        ),
        (
            "unknown route",
            rest_event("GET", "/{proxy+}", None, None),
            404,
        ),
        (
            "unknown method",
            rest_event("PUT", "/keys/{id}", Some(id), None),
            405,
        ),
    ];
    for (name, event, expected) in cases {
        let (status, body) = rest(&function, &event, "form").await;
        assert_eq!(status, expected, "{name}: {body}");
        let detail = body["detail"].as_str().unwrap();
        assert!(
            !detail.is_empty() && !body.to_string().contains("Command"),
            "{name}: {body}"
        );
        let faults = body["faults"].as_array().map_or(0, Vec::len);
        assert_eq!(faults > 0, expected == 400, "{name}: {body}");
    }
}

#[tokio::test]
async fn the_idempotency_header_counts_like_the_field() {
    let function = function();
    let mut event = rest_event("POST", "/keys", None, Some(DRAFT));
    event["headers"]["Idempotency-Key"] = json!("n-1");
    let (first, made) = rest(&function, &event, "r").await;
    let (second, repeated) = rest(&function, &event, "r").await;
    assert_eq!((first, second), (201, 200));
    assert_eq!(made["key"]["id"], repeated["key"]["id"]);
    let other = DRAFT.replace("ci", "cd");
    event["body"] = json!(other);
    let (status, body) = rest(&function, &event, "r").await;
    assert_eq!(
        (status, &body["code"]),
        (409, &json!("idempotency_key_used"))
    );
}

#[tokio::test]
async fn a_direct_invocation_is_the_command_itself() {
    let function = function();
    let create = DRAFT.replacen('{', r#"{"operation":"create","#, 1);
    let made = invoke(&function, &create).await.unwrap();
    let id = made["key"]["id"].as_str().unwrap();
    let get = format!(r#"{{"operation":"get","id":"{id}"}}"#);
    assert_eq!(invoke(&function, &get).await.unwrap()["key"], made["key"]);
    let audit = format!(r#"{{"operation":"audit","id":"{id}"}}"#);
    let audit = invoke(&function, &audit).await.unwrap();
    assert_eq!(audit["changes"][0]["actor"], INVOKER);
}

#[tokio::test]
async fn events_of_no_known_kind_are_refused() {
    let function = function();
    let rest_and_command = {
        let mut event = rest_event("GET", "/keys", None, None);
        event["operation"] = json!("list");
        event.to_string()
    };
    for event in [
        "null",
        "[]",
        "{}",
        "\"create\"",
        r#"{"operation":"delete","id":"key_1"}"#,
        r#"{"operation":"get","operation":"revoke","id":"key_00000000000000000000000000"}"#,
        r#"{"Records":[{"eventSource":"aws:sqs"}]}"#,
        r#"{"type":"TOKEN","methodArn":"arn:aws:execute-api:eu-west-1:1:a/v1/GET/","authorizationToken":"x"}"#,
        &rest_and_command,
    ] {
        let refused = invoke(&function, event).await.unwrap_err();
        assert_eq!(refused.error_type, "invalid", "{event}");
    }
}

#[tokio::test]
async fn one_line_is_logged_for_each_event_and_no_secret_is_in_it() {
    let function = function();
    let draft = DRAFT.replacen(
        '{',
        r#"{"usagePlanKey":"plan-secret","idempotencyKey":"idem-secret","#,
        1,
    );
    let (_, made) = rest(
        &function,
        &rest_event("POST", "/keys", None, Some(&draft)),
        "log",
    )
    .await;
    let secret = made["secret"].as_str().unwrap();
    let id = made["key"]["id"].as_str().unwrap();
    rest(
        &function,
        &rest_event("GET", "/keys/{id}", Some(id), None),
        "log",
    )
    .await;
    // A key pasted where an id belongs, and into a field.
    rest(
        &function,
        &rest_event("GET", "/keys/{id}", Some(secret), None),
        "log",
    )
    .await;
    let pasted = DRAFT.replace("live", secret);
    rest(
        &function,
        &rest_event("POST", "/keys", None, Some(&pasted)),
        "log",
    )
    .await;
    let pasted = DRAFT.replace("\"name\"", &format!("\"{secret}\""));
    rest(
        &function,
        &rest_event("POST", "/keys", None, Some(&pasted)),
        "log",
    )
    .await;

    let metadata = format!(r#"{{"metadata":{{"{secret}":"x"}},"#);
    let pasted = DRAFT.replacen('{', &metadata, 1);
    rest(
        &function,
        &rest_event("POST", "/keys", None, Some(&pasted)),
        "log",
    )
    .await;

    let lines = logged("log");
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[5]["cause"], "not valid: metadata");
    let expected = json!({
        "level": "info", "event": "key_admin", "requestId": "log", "via": "rest",
        "actor": "arn:aws:iam::111122223333:user/op", "operation": "create", "keyId": id,
        "tenant": "acme", "version": 1, "outcome": "done",
    });
    assert_eq!(lines[0], expected);
    let all = json!(lines).to_string();
    for hidden in [secret, "plan-secret", "idem-secret", "AWS4-HMAC"] {
        assert!(!all.contains(hidden), "{all}");
    }
}

#[tokio::test]
async fn the_key_set_needs_no_caller() {
    let function = function();
    let key_set = json!({"keys": []});
    let admin = function.admin.clone().with_key_set(Some(key_set.clone()));
    let function = Function { admin, ..function };
    let asked = r#"{"operation": "keySet"}"#;
    assert_eq!(invoke(&function, asked).await.unwrap(), key_set);
    let more = invoke(&function, r#"{"operation": "keySet", "id": "x"}"#).await;
    assert!(more.is_err(), "a member too many is a mistake");
}
