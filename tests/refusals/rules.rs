//! Rules that only the whole gate can break.

use std::sync::{Arc, atomic::Ordering};

use doorward_authorizer::Refusal;
use doorward_keys::{KeyRecord, KeyStatus, Timestamp};
use doorward_tests::documents::Documents;
use serde_json::{Value, json};

use crate::gate::{
    ARN, Gate, NOW, bearer, http, lets_pass, remote_token, rest, sample, sample_of, store, token,
};

/// The events with which each kind of gateway brings `credential`, and whether it wants a simple answer.
fn every_kind(credential: &str) -> Vec<Value> {
    let value = format!("Bearer {credential}");
    let arn = format!("{ARN}/GET/any/42");
    let mut first = rest("GET", "/any/42", &[("authorization", &value)]);
    first["version"] = json!("1.0");
    vec![
        json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": value}),
        rest("GET", "/any/42", &[("Authorization", &value)]),
        first,
        http("GET", "/any/42", &[("authorization", &value)]),
        json!({
            "authorizationToken": value, "requestHeaders": {},
            "requestContext": {"apiId": "graph", "queryString": "{ a }"},
        }),
    ]
}

#[tokio::test]
async fn every_dead_key_gets_the_same_answer() {
    let dead = |number: u8, change: fn(&mut KeyRecord)| {
        let (printed, mut record) = sample(number);
        change(&mut record);
        (printed, record)
    };
    let stored = [
        dead(1, |key| key.status = KeyStatus::Revoked),
        dead(2, |key| key.status = KeyStatus::Disabled),
        dead(3, |key| key.expires_at = Some(Timestamp::from_unix(NOW))),
        dead(4, |key| "test".clone_into(&mut key.environment)),
    ];
    let records: Vec<KeyRecord> = stored.iter().map(|(_, record)| record.clone()).collect();
    let mut mistyped = sample(5).0;
    mistyped.push('x');
    let unknown = [sample(6).0, sample_of("test", 7).0, mistyped];
    let printed = stored.into_iter().map(|(printed, _)| printed);
    let printed: Vec<String> = printed.chain(unknown).collect();
    for more in ["", "[answers]\nhttp_api = 'simple'\n"] {
        let gate = Gate::of_keys(more, &records).await;
        let mut reasons = Vec::new();
        let mut answers = Vec::new();
        for key in &printed {
            let mut of_key = Vec::new();
            for event in every_kind(key) {
                of_key.push(gate.ask(&event).await);
            }
            answers.push(of_key);
            reasons.push(gate.line()["reason"].as_str().unwrap().to_owned());
        }
        assert!(
            answers.iter().all(|of_key| of_key == &answers[0]),
            "{answers:?}"
        );
        assert_eq!(
            reasons,
            [
                "key_revoked",
                "key_disabled",
                "key_expired",
                "key_environment",
                "key_unknown",
                "key_environment",
                "key_malformed",
            ],
            "the operator is told them apart"
        );
    }
}

#[tokio::test]
async fn refuses_a_bad_credential_without_trying_it_as_another_kind() {
    let (printed, record) = sample(1);
    let keys = store(&[record]).await;
    let documents = Arc::new(Documents::default());
    let gate = Gate::new("", Arc::clone(&keys) as _, Arc::clone(&documents) as _);
    let forged = format!("{}AAAA", token());
    for (credential, layer) in [
        (forged.as_str(), "jwt"),
        ("a.b.c", "jwt"),
        ("ck_live_a.b.c", "api_key"),
        (printed.trim_end_matches(char::is_alphanumeric), "api_key"),
    ] {
        assert_eq!(
            gate.ask(&bearer(credential)).await,
            Err(Refusal::Unauthorized)
        );
        let layers = gate.layers();
        let (refused, _) = layers.last().unwrap();
        assert_eq!(refused, layer, "{credential}");
        let others = layers
            .iter()
            .filter(|(name, _)| (name == "jwt" || name == "api_key") && name != layer);
        for (name, outcome) in others {
            assert_eq!(outcome, "absent", "{name}");
        }
    }
    assert_eq!(keys.reads.load(Ordering::SeqCst), 0);
    assert_eq!(documents.fetches(), 0);
}

#[tokio::test]
async fn refuses_two_credentials_before_either_is_looked_up() {
    let (printed, record) = sample(1);
    let keys = store(&[record]).await;
    let documents = Arc::new(Documents::default());
    let gate = Gate::new("", Arc::clone(&keys) as _, Arc::clone(&documents) as _);
    let of_token = format!("Bearer {}", remote_token());
    let event = rest(
        "GET",
        "/any/42",
        &[("Authorization", &of_token), ("X-Api-Key", &printed)],
    );
    assert_eq!(gate.ask(&event).await, Err(Refusal::Unauthorized));
    assert_eq!(gate.line()["reason"], "credential_repeated");
    assert_eq!(keys.reads.load(Ordering::SeqCst), 0);
    assert_eq!(documents.fetches(), 0);
}

#[tokio::test]
async fn refuses_a_bare_credential_in_an_authorization_header() {
    let (printed, record) = sample(1);
    let gate = Gate::of_keys("", &[record]).await;
    for credential in [token(), printed] {
        for event in [
            rest("GET", "/any/42", &[("Authorization", &credential)]),
            http("GET", "/any/42", &[("authorization", &credential)]),
        ] {
            assert_eq!(gate.ask(&event).await, Err(Refusal::Unauthorized));
            assert_eq!(gate.line()["reason"], "credential_malformed");
        }
        // The header of a TOKEN event is unknown; it may be one without schemes.
        let arn = format!("{ARN}/GET/any/42");
        let event = json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": credential});
        assert!(gate.ask(&event).await.is_ok());
        assert_eq!(gate.line()["decision"], "allow");
    }
}

#[tokio::test]
async fn refuses_what_matches_no_route_whoever_asks() {
    let (printed, record) = sample(1);
    let keys = store(&[record]).await;
    let gate = Gate::new("", Arc::clone(&keys) as _, Arc::new(Documents::default()));
    let value = format!("Bearer {printed}");
    for (verb, path) in [
        ("GET", "/"),
        ("GET", "/any"),
        ("GET", "/ANY/42"),
        ("GET", "/any/42/43"),
        ("POST", "/any/42"),
        ("OPTIONS", "/any/42"),
        ("HEAD", "/nowhere/42"),
    ] {
        let event = rest(verb, path, &[("Authorization", &value)]);
        let answer = gate.ask(&event).await.unwrap();
        assert!(!lets_pass(&answer, verb, path), "{answer}");
        assert!(lets_pass(&answer, "GET", "/any/42"), "{answer}");
        assert_eq!(gate.line()["reason"], "route_unknown", "{verb} {path}");
    }
    assert_eq!(
        keys.reads.load(Ordering::SeqCst),
        7,
        "one look each, to say what the caller may do"
    );
}

#[tokio::test]
async fn refuses_a_stage_in_the_path_that_the_arn_does_not_leave_out() {
    let gate = Gate::of_keys("", &[]).await;
    let value = format!("Bearer {}", token());
    // The raw path of an HTTP API begins with the stage, the ARN names it apart.
    let mut event = http("GET", "/any/42", &[("authorization", &value)]);
    event["rawPath"] = json!("/prod/any/42");
    event["requestContext"]["http"]["path"] = json!("/prod/any/42");
    assert!(gate.ask(&event).await.is_ok());
    assert_eq!(gate.line()["decision"], "allow");
    for path in ["/prod/any/42", "/prod/prod/any/42", "/dev/any/42"] {
        let event = http("GET", path, &[("authorization", &value)]);
        let _ = gate.ask(&event).await;
        assert_eq!(gate.line()["reason"], "route_unknown", "{path}");
    }
}

#[tokio::test]
async fn refuses_a_credential_that_two_maps_or_two_spellings_contradict() {
    let gate = Gate::of_keys("", &[]).await;
    let value = format!("Bearer {}", token());
    let good = || rest("GET", "/any/42", &[("Authorization", &value)]);
    assert!(gate.ask(&good()).await.is_ok());
    for (single, multi) in [
        (
            json!({"Authorization": value}),
            json!({"Authorization": [value, value]}),
        ),
        (
            json!({"Authorization": value}),
            json!({"authorization": [value]}),
        ),
        (
            json!({"Authorization": "Bearer a.b.c"}),
            json!({"Authorization": [value]}),
        ),
        (json!({"Authorization": value}), json!({"Host": ["h"]})),
        (
            json!({"Host": "h"}),
            json!({"Host": ["h"], "Authorization": [value]}),
        ),
        (
            json!({"Authorization": value, "authorization": value}),
            json!({}),
        ),
    ] {
        let mut event = good();
        event["headers"] = single;
        event["multiValueHeaders"] = multi;
        assert_eq!(
            gate.ask(&event).await,
            Err(Refusal::Unauthorized),
            "{event}"
        );
        assert_eq!(gate.line()["reason"], "credential_repeated", "{event}");
    }
}

#[tokio::test]
async fn refuses_an_anonymous_caller_where_the_route_demands_more() {
    for demand in [
        "scopes = ['nobody']",
        "roles = ['nobody']",
        "tenants = ['nobody']",
        "tenants = []",
    ] {
        let more = format!(
            "[[routes]]\nroute = 'GET /mixed/{{id}}'\ncredentials = ['jwt', 'anonymous']\n{demand}\n"
        );
        let gate = Gate::of_keys(&more, &[]).await;
        let event = rest("GET", "/mixed/42", &[]);
        assert_eq!(gate.ask(&event).await, Err(Refusal::Unauthorized));
        assert_eq!(gate.line()["reason"], "credential_missing", "{demand}");
        let value = format!("Bearer {}", token());
        let event = rest("GET", "/mixed/42", &[("Authorization", &value)]);
        assert!(gate.ask(&event).await.is_ok());
        assert_eq!(gate.line()["Class"], "forbidden", "{demand}");
    }
}
