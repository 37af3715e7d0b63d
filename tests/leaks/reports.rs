//! What becomes of keys that are reported, and what GitHub is told.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use doorward_keys::{KeyStatus, format::KeyFormat};
use serde_json::{Value, json};

use crate::house::{House, NOW, URL, event, is_logged, report};

fn hashed(token: &str) -> String {
    let bytes = digest(&SHA256, token.as_bytes());
    bytes.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn feedback(token: &str, label: &str) -> Value {
    json!({"token_hash": hashed(token), "token_type": "doorward_key", "label": label})
}

/// A token of the form of a key, for any environment.
fn made_up(environment: &str) -> String {
    let format = KeyFormat {
        prefix: "ck".to_owned(),
        environments: vec![environment.to_owned()],
        pepper: None,
        previous_pepper: None,
    };
    let minted = format.mint(environment, [7; 32]).unwrap();
    minted.printed.expose().clone()
}

#[tokio::test]
async fn known_keys_are_revoked_their_owner_is_told_and_github_hears_what_is_real() {
    let house = House::open("").await;
    let (key, other) = (house.key("live").await, house.key("live").await);
    let unknown = made_up("live");
    let mut mistyped = key.printed.clone();
    mistyped.pop();
    let elsewhere = made_up("staging");
    let tokens = [
        key.printed.as_str(),
        &unknown,
        &mistyped,
        &elsewhere,
        "NMIfyYncKcRALEXAMPLE",
    ];
    let answer = house.reported(&tokens).await;
    assert_eq!(answer.status, 200);
    // Of another environment nothing is known here, so nothing is said.
    let expected = [
        feedback(&key.printed, "true_positive"),
        feedback(&unknown, "false_positive"),
        feedback(&mistyped, "false_positive"),
        feedback("NMIfyYncKcRALEXAMPLE", "false_positive"),
    ];
    assert_eq!(answer.body, json!(expected));
    assert_eq!(house.status(&key).await, "revoked");
    assert_eq!(house.status(&other).await, "active");

    let told = house.told().await;
    let [event] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((event.key_id.as_str(), event.at), (key.id.as_str(), NOW));
    assert_eq!((event.status, event.version), (KeyStatus::Revoked, 2));
    assert_eq!(event.actor.as_deref(), Some("leak:github"));
    let details: Vec<_> = event
        .details
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        details,
        [
            ("action", "revoked"),
            ("place", "commit"),
            ("source", "github"),
            ("url", URL)
        ]
    );
    let changes = house
        .asked(json!({"operation": "audit", "id": key.id}))
        .await;
    let revoked = &changes["changes"][1];
    assert_eq!(
        (&revoked["action"], &revoked["actor"]),
        (&json!("revoke"), &json!("leak:github"))
    );
    assert_eq!(revoked["reason"], format!("found by GitHub at {URL}"));
    for token in tokens {
        assert!(!is_logged(token), "{token}");
    }
    assert!(is_logged(&key.id));
    house.close().await;
}

#[tokio::test]
async fn a_report_that_comes_again_changes_and_tells_nothing() {
    let house = House::open("").await;
    let key = house.key("live").await;
    let first = house.reported(&[&key.printed]).await;
    let again = house.reported(&[&key.printed]).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(house.told().await.len(), 1);
    let changes = house
        .asked(json!({"operation": "audit", "id": key.id}))
        .await;
    assert_eq!(changes["changes"].as_array().unwrap().len(), 2);
    // Another place is news.
    let body = report(&[&key.printed, &key.printed], "https://github.com/other");
    let signed = event(
        &house.signer.name,
        &house.signer.sign(body.as_bytes()),
        &body,
    );
    assert_eq!(house.send(&signed, 1).await.status, 200);
    let told = house.told().await;
    let actions: Vec<_> = told
        .iter()
        .map(|event| event.details["action"].as_str())
        .collect();
    assert_eq!(actions, ["revoked", "none"]);
    house.close().await;
}

#[tokio::test]
async fn each_environment_has_its_rule() {
    let house = House::open("action = 'disable'\nactions = { test = 'notify' }").await;
    let (live, test) = (house.key("live").await, house.key("test").await);
    house.reported(&[&live.printed, &test.printed]).await;
    assert_eq!(house.status(&live).await, "disabled");
    assert_eq!(house.status(&test).await, "active");
    let mut told: Vec<_> = house
        .told()
        .await
        .iter()
        .map(|event| (event.environment.clone(), event.details["action"].clone()))
        .collect();
    told.sort();
    let owned = |one: &str, two: &str| (one.to_owned(), two.to_owned());
    assert_eq!(told, [owned("live", "disabled"), owned("test", "none")]);
    // Switched on again, and reported again: still in the open.
    house
        .asked(json!({"operation": "enable", "id": live.id}))
        .await;
    house.reported(&[&live.printed]).await;
    assert_eq!(house.status(&live).await, "disabled");
    house.close().await;
}

#[tokio::test]
async fn a_key_that_is_dead_already_is_told_of() {
    let house = House::open("action = 'disable'").await;
    let key = house.key("live").await;
    house
        .asked(json!({"operation": "revoke", "id": key.id}))
        .await;
    let answer = house.reported(&[&key.printed]).await;
    assert_eq!(answer.body[0]["label"], "true_positive");
    assert_eq!(house.status(&key).await, "revoked");
    assert_eq!(house.told().await[0].details["action"], "none");
    house.close().await;
}

#[tokio::test]
async fn a_decoy_is_told_of_and_stays_armed() {
    let house = House::open("").await;
    let decoy = house
        .made(json!({"environment": "live", "decoy": true}))
        .await;
    let answer = house.reported(&[&decoy.printed]).await;
    assert_eq!(answer.body[0]["label"], "true_positive");
    assert_eq!(house.status(&decoy).await, "active");
    assert_eq!(house.told().await[0].details["action"], "none");
    house.close().await;
}

#[tokio::test]
async fn what_stands_at_a_place_is_cleaned_and_bounded() {
    let house = House::open("").await;
    let key = house.key("live").await;
    let url = format!("https://github.com/\u{1b}[31m\n{}", "x".repeat(5000));
    let body = report(&[&key.printed], &url);
    let signed = event(
        &house.signer.name,
        &house.signer.sign(body.as_bytes()),
        &body,
    );
    assert_eq!(house.send(&signed, 0).await.status, 200);
    let told = house.told().await;
    let url = &told[0].details["url"];
    assert!(url.len() <= 1024 && !url.chars().any(char::is_control));
    assert_eq!(house.status(&key).await, "revoked");
    house.close().await;
}

#[tokio::test]
async fn a_body_that_the_gateway_took_for_binary_is_read_as_well() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let house = House::open("").await;
    let key = house.key("live").await;
    let body = report(&[&key.printed], URL);
    let mut signed = event(&house.signer.name, &house.signer.sign(body.as_bytes()), "");
    signed["body"] = json!(STANDARD.encode(&body));
    signed["isBase64Encoded"] = json!(true);
    assert_eq!(house.send(&signed, 0).await.status, 200);
    assert_eq!(house.status(&key).await, "revoked");
    house.close().await;
}

#[tokio::test]
async fn a_key_from_elsewhere_is_found_by_its_former_hash() {
    let house = House::open("").await;
    let printed = "acme-00112233445566778899aabbccddeeff";
    let import = json!({"operation": "import", "tenant": "acme", "name": "old", "environment": "live",
        "former": [{"hash": "sha256", "value": hashed(printed)}]});
    let id = house.asked(import).await["key"]["id"].clone();
    let never = "acme-ffeeddccbbaa99887766554433221100";
    let answer = house.reported(&[printed, never]).await;
    assert_eq!(
        answer.body,
        json!([
            feedback(printed, "true_positive"),
            feedback(never, "false_positive")
        ])
    );
    let shown = house.asked(json!({"operation": "get", "id": id})).await;
    assert_eq!(shown["key"]["status"], "revoked");
    assert!(!is_logged(printed));
    house.close().await;
}
