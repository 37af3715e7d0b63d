//! What a gateway may remember of an answer.

use doorward_keys::{KeyRecord, Timestamp};
use serde_json::{Value, json};

use crate::gate::{Gate, NOW, http, lets_pass, rest, sample, token};

const SIMPLE: &str = "[answers]\nhttp_api = 'simple'\nmax_policy_bytes = 512\n";

/// Paths that the engine reads as `/any/42` and IAM does not.
const OTHER_SPELLINGS: [&str; 3] = ["/any//42", "/any/./42", "/%61ny/42"];

fn asked(path: &str) -> Value {
    http(
        "GET",
        path,
        &[("authorization", &format!("Bearer {}", token()))],
    )
}

#[tokio::test]
async fn a_simple_yes_is_not_refused_for_want_of_a_policy() {
    let gate = Gate::of_keys(SIMPLE, &[]).await;
    for path in OTHER_SPELLINGS.iter().chain(&["/any/42"]) {
        let answer = gate.ask(&asked(path)).await.unwrap();
        assert_eq!(answer["isAuthorized"], json!(true), "{path}");
        assert_eq!(gate.line()["decision"], "allow");
    }
}

#[tokio::test]
async fn a_simple_answer_still_refuses_what_the_caller_may_not_do() {
    let gate = Gate::of_keys(SIMPLE, &[]).await;
    let value = format!("Bearer {}", token());
    for (event, reason) in [
        (
            http("DELETE", "/any/42", &[("authorization", &value)]),
            "scope_missing",
        ),
        (asked("/nowhere/42"), "route_unknown"),
        (asked("/any/4%2F2"), "path_refused"),
        (http("GET", "/any/42", &[]), "credential_missing"),
    ] {
        let answer = gate.ask(&event).await.unwrap();
        assert_eq!(answer["isAuthorized"], json!(false), "{reason}");
        assert_eq!(gate.line()["reason"], reason);
    }
}

#[tokio::test]
async fn refuses_spellings_that_no_policy_can_hold_where_the_answer_is_a_policy() {
    let gate = Gate::of_keys("[answers]\nhttp_api = 'simple'\n", &[]).await;
    let value = format!("Bearer {}", token());
    for path in OTHER_SPELLINGS {
        let mut of_http_1 = rest("GET", path, &[("authorization", &value)]);
        of_http_1["version"] = json!("1.0");
        for event in [rest("GET", path, &[("authorization", &value)]), of_http_1] {
            let answer = gate.ask(&event).await.unwrap();
            let line = gate.line();
            assert_eq!(line["reason"], "policy_inexpressible", "{path}: {line}");
            assert!(!lets_pass(&answer, "GET", path), "{answer}");
            assert!(
                lets_pass(&answer, "GET", "/any/42"),
                "the plain spelling: {answer}"
            );
        }
    }
    let gate = Gate::of_keys("", &[]).await;
    let _ = gate.ask(&asked("/any//42")).await;
    assert_eq!(gate.line()["reason"], "policy_inexpressible");
}

#[tokio::test]
async fn appsync_remembers_nothing_that_depended_on_an_address() {
    let event = json!({
        "authorizationToken": format!("Bearer {}", token()),
        "requestHeaders": {"x-forwarded-for": "203.0.113.9"},
        "requestContext": {"apiId": "graph", "queryString": "{ a }"},
    });
    let hops = "[addresses]\ntrusted_hops = 1\n";
    for (more, ttl) in [
        ("", 300),
        (hops, 300),
        (&format!("{hops}allow = ['203.0.113.0/24']\n"), 0),
        (&format!("{hops}deny = ['192.0.2.0/24']\n"), 0),
        (
            &format!("{hops}allow = ['203.0.113.0/24']\n[policy]\nconditions = false\n"),
            0,
        ),
    ] {
        let gate = Gate::of_keys(more, &[]).await;
        let answer = gate.ask(&event).await.unwrap();
        assert_eq!(answer["isAuthorized"], json!(true), "{more}");
        assert_eq!(answer["ttlOverride"], json!(ttl), "{more}");
    }
}

#[tokio::test]
async fn appsync_remembers_nothing_that_hung_on_a_second_credential() {
    let (key, record) = sample(1);
    let record = KeyRecord {
        expires_at: Some(Timestamp::from_unix(NOW + 86_400)),
        ..record
    };
    let gate = Gate::of_graphql("", "['api_key + jwt', 'jwt', 'api_key']", &[record]).await;
    let (bearer, of_key) = (format!("Bearer {}", token()), format!("Bearer {key}"));
    for (token, headers, ttl) in [
        (&bearer, json!({}), 300),
        (&of_key, json!({}), 300),
        (&bearer, json!({"x-api-key": key}), 0),
    ] {
        let event = json!({
            "authorizationToken": token,
            "requestHeaders": headers,
            "requestContext": {"apiId": "graph", "queryString": "{ a }"},
        });
        let answer = gate.ask(&event).await.unwrap();
        assert_eq!(
            answer["isAuthorized"],
            json!(true),
            "{headers} {}",
            gate.line()
        );
        assert_eq!(answer["ttlOverride"], json!(ttl), "{headers}");
    }
}
