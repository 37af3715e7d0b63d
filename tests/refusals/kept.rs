//! Refusals that a gateway keeps: what goes with them, and what finding that out may cost.

use std::sync::{Arc, atomic::Ordering};

use doorward_keys::KeyRecord;
use doorward_tests::documents::Documents;
use serde_json::{Value, json};

use crate::gate::{ARN, Gate, bearer, http, rest, sample, sample_of, store, token};

const DENIED: &str = "[addresses]\ndeny = ['198.51.100.7']\n";
const DENIED_AND_LIMITED: &str = "[limits.one]\nlimit = 1\nper = 'day'\nby = ['address']\n\
                                  [addresses]\ndeny = ['198.51.100.7']\nlimit = 'one'\n";

/// The resources of all statements with this effect.
fn resources(answer: &Value, effect: &str) -> Vec<String> {
    let statements = answer["policyDocument"]["Statement"].as_array().unwrap();
    let of = statements.iter().filter(|said| said["Effect"] == effect);
    let all = of.flat_map(|said| said["Resource"].as_array().unwrap());
    all.map(|resource| resource.as_str().unwrap().replace(&format!("{ARN}/"), ""))
        .collect()
}

#[tokio::test]
async fn a_refused_address_costs_one_read_and_learns_nothing_of_a_key() {
    let (good, record) = sample(1);
    let store = store(&[record]).await;
    let gate = Gate::new(DENIED, store.clone(), Arc::new(Documents::default()));
    let (unknown, _) = sample(2);
    for (key, reads, outcome) in [(&good, 1, "passed"), (&unknown, 2, "absent")] {
        let answer = gate.ask(&bearer(key)).await.unwrap();
        assert_eq!(gate.line()["reason"], "address_refused");
        let last = gate.layers().pop().unwrap();
        assert_eq!(last, ("refusal".to_owned(), outcome.to_owned()), "{key}");
        assert_eq!(store.reads.load(Ordering::SeqCst), reads);
        // The same Deny, whether it is for this address or for everybody who has a key that does not hold.
        assert!(resources(&answer, "Deny").contains(&"GET/any/42".to_owned()));
        assert_eq!(resources(&answer, "Allow").is_empty(), outcome == "absent");
    }
}

#[tokio::test]
async fn a_refused_address_over_its_limit_causes_no_read() {
    let (good, record) = sample(1);
    let store = store(&[record]).await;
    let gate = Gate::new(
        DENIED_AND_LIMITED,
        store.clone(),
        Arc::new(Documents::default()),
    );
    for expected in [1, 1, 1] {
        gate.ask(&bearer(&good)).await.unwrap();
        assert_eq!(gate.line()["reason"], "address_refused");
        assert_eq!(store.reads.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test]
async fn a_credential_that_no_route_takes_causes_no_read() {
    let (of_test, record) = sample_of("test", 1);
    let store = store(&[record]).await;
    let gate = Gate::new(DENIED, store.clone(), Arc::new(Documents::default()));
    let answer = gate.ask(&bearer(&of_test)).await.unwrap();
    assert_eq!(resources(&answer, "Allow"), Vec::<String>::new());
    let value = format!("Bearer {of_test}");
    let both = [("authorization", &*value), ("x-api-key", &*of_test)];
    gate.ask(&rest("GET", "/any/42", &both)).await.unwrap();
    assert_eq!(store.reads.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nobody_is_looked_for_where_no_policy_is_kept() {
    let (good, record) = sample(1);
    let simple = format!("{DENIED}[answers]\nhttp_api = 'simple'\n");
    let value = format!("Bearer {good}");
    let graphql = json!({
        "authorizationToken": value, "requestContext": {"apiId": "graph", "queryString": "{ a }"},
    });
    let connect = json!({
        "type": "REQUEST", "methodArn": format!("{ARN}/$connect"), "headers": {"authorization": value},
        "requestContext": {
            "eventType": "CONNECT", "apiId": "a1b2c3", "stage": "prod",
            "identity": {"sourceIp": "198.51.100.7"},
        },
    });
    for (more, event) in [
        (
            &*simple,
            http("GET", "/any/42", &[("authorization", &value)]),
        ),
        (DENIED, graphql),
        (DENIED, connect),
    ] {
        let store = store(std::slice::from_ref(&record)).await;
        let gate = Gate::new(more, store.clone(), Arc::new(Documents::default()));
        gate.ask(&event).await.unwrap();
        assert_eq!(gate.line()["Class"], "forbidden", "{event}");
        assert_eq!(store.reads.load(Ordering::SeqCst), 0, "{event}");
    }
}

#[tokio::test]
async fn an_address_that_no_condition_can_name_is_refused_plainly() {
    let (good, record) = sample(1);
    for more in [
        format!("{DENIED}[policy]\nconditions = false\n"),
        "[addresses]\ndeny = ['203.0.113.9']\ntrusted_hops = 1\n".to_owned(),
    ] {
        let store = store(std::slice::from_ref(&record)).await;
        let gate = Gate::new(&more, store.clone(), Arc::new(Documents::default()));
        let value = format!("Bearer {good}");
        let headers = [
            ("authorization", &*value),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        let answer = gate.ask(&rest("GET", "/any/42", &headers)).await.unwrap();
        assert_eq!(gate.line()["reason"], "address_refused");
        assert_eq!(resources(&answer, "Allow"), Vec::<String>::new());
        assert_eq!(
            store.reads.load(Ordering::SeqCst),
            0,
            "nothing could be said"
        );
    }
}

#[tokio::test]
async fn an_unknown_address_keeps_what_no_address_decides() {
    let hops = "[addresses]\ntrusted_hops = 2\n";
    let gate = Gate::of_keys(hops, &[]).await;
    let answer = gate.ask(&bearer(&token())).await.unwrap();
    assert_eq!(gate.line()["reason"], "address_unknown");
    assert!(resources(&answer, "Allow").contains(&"GET/token/?*".to_owned()));
    assert!(resources(&answer, "Deny").contains(&"GET/any/42".to_owned()));
    let listed = format!("{hops}allow = ['198.51.100.0/24']\n");
    let gate = Gate::of_keys(&listed, &[]).await;
    let answer = gate.ask(&bearer(&token())).await.unwrap();
    assert_eq!(resources(&answer, "Allow"), Vec::<String>::new());
}

#[tokio::test]
async fn a_refusal_brings_the_usage_plan_key_that_the_other_routes_need() {
    let (key, record) = sample(1);
    let record = KeyRecord {
        usage_plan_key: Some("plan-key-of-this-caller".to_owned()),
        ..record
    };
    let gate = Gate::of_keys("", &[record]).await;
    let value = format!("Bearer {key}");
    for (verb, path, reason) in [
        ("DELETE", "/any/42", "scope_missing"),
        ("GET", "/nowhere", "route_unknown"),
        ("GET", "/any/4%2F2", "path_refused"),
    ] {
        let event = rest(verb, path, &[("authorization", &value)]);
        let answer = gate.ask(&event).await.unwrap();
        assert_eq!(gate.line()["reason"], reason);
        assert_eq!(answer["usageIdentifierKey"], "plan-key-of-this-caller");
        assert!(
            resources(&answer, "Allow").contains(&"GET/any/?*".to_owned()),
            "{answer}"
        );
        assert_eq!(answer["context"]["subject"], answer["context"]["keyId"]);
        assert_eq!(answer["context"]["reason"], "forbidden");
    }
    // Of a caller who is not known nothing is said.
    let (unknown, _) = sample(2);
    let event = rest(
        "GET",
        "/nowhere",
        &[("authorization", &format!("Bearer {unknown}"))],
    );
    let answer = gate.ask(&event).await.unwrap();
    assert_eq!(answer.get("usageIdentifierKey"), None);
    assert_eq!(answer["principalId"], "unknown");
    assert_eq!(answer["context"], json!({"reason": "forbidden"}));
}
