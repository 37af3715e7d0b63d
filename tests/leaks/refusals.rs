//! What is not believed, and what is put off.

use std::sync::Arc;

use axum::http::StatusCode;
use doorward_key_admin::KeyAdmin;
use doorward_tests::dynamodb::{Parrot, keys_behind};
use serde_json::{Value, json};

use crate::{
    github::Signer,
    house::{House, URL, event, report, send},
};

const INTERNAL: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}"#;

#[tokio::test]
async fn a_report_that_github_did_not_sign_is_refused_and_nothing_is_looked_up() {
    let house = House::open("").await;
    let key = house.key("live").await;
    let body = report(&[&key.printed], URL);
    let good = house.signer.sign(body.as_bytes());
    let stranger = Signer::new("stranger");
    let same_name = Signer::new("current");
    let spaced = format!("{body} ");
    let forged = [
        event("current", &same_name.sign(body.as_bytes()), &body),
        event("stranger", &stranger.sign(body.as_bytes()), &body),
        event("current", &good, &spaced),
        event("current", "", &body),
        event("", &good, &body),
        without(
            &event("current", &good, &body),
            "Github-Public-Key-Identifier",
        ),
        without(
            &event("current", &good, &body),
            "Github-Public-Key-Signature",
        ),
    ];
    // Whatever looked something up would fail here, and say so with another status.
    let dead = Parrot::start(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL)
        .await
        .unwrap();
    let nowhere = Arc::new(keys_behind(&dead.url, "keys").await);
    let api_keys = house.config.api_keys.as_ref().unwrap();
    let admin = KeyAdmin::from_config(api_keys, nowhere.clone())
        .with_outbox(nowhere)
        .with_leaks(house.config.leaks.clone());
    let function = house.function(admin);
    for event in forged {
        let answer = send(&function, &event, 0).await;
        assert_eq!(answer.status, 403, "{event}");
        assert_eq!(answer.body["code"], "forbidden");
    }
    assert_eq!(dead.heard(), 0);
    // The keys were asked for at the first report, and a strange name within the minute asks for no others.
    assert_eq!(house.github.heard(), 1);
    assert_eq!(house.status(&key).await, "active");
    house.close().await;
}

#[tokio::test]
async fn a_key_that_github_publishes_later_is_found_a_minute_later() {
    let house = House::open("").await;
    let key = house.key("live").await;
    house.reported(&[]).await;
    let next = Signer::new("next");
    house.github.publish(&[&house.signer, &next]);
    let body = report(&[&key.printed], URL);
    let signed = event("next", &next.sign(body.as_bytes()), &body);
    assert_eq!(house.send(&signed, 59).await.status, 403);
    assert_eq!(house.send(&signed, 60).await.status, 200);
    assert_eq!(house.github.heard(), 2);
    assert_eq!(house.status(&key).await, "revoked");
    house.close().await;
}

#[tokio::test]
async fn without_public_keys_a_report_is_put_off() {
    let house = House::open("").await;
    let key = house.key("live").await;
    house.github.fail();
    let answer = house.reported(&[&key.printed]).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (503, &json!("unavailable"))
    );
    assert_eq!(house.status(&key).await, "active");
    house.github.publish(&[&house.signer]);
    let body = report(&[&key.printed], URL);
    let signed = event("current", &house.signer.sign(body.as_bytes()), &body);
    assert_eq!(house.send(&signed, 60).await.status, 200);
    house.close().await;
}

#[tokio::test]
async fn bodies_of_no_known_form_are_refused() {
    let house = House::open("").await;
    let key = house.key("live").await;
    let many = vec!["x"; 2001];
    let twice = format!(r#"[{{"token":"x","token":"{}"}}]"#, key.printed);
    for body in [
        String::new(),
        "{}".to_owned(),
        "[1]".to_owned(),
        r#"[{"type":"t"}]"#.to_owned(),
        r#"[{"token":7}]"#.to_owned(),
        format!("{}]", report(&[&key.printed], URL)),
        twice,
        report(&many, URL),
        format!("[{}]", " ".repeat(1024 * 1024)),
    ] {
        let signed = event("current", &house.signer.sign(body.as_bytes()), &body);
        let answer = house.send(&signed, 0).await;
        let shown: String = body.chars().take(60).collect();
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (400, &json!("invalid")),
            "{shown}"
        );
        assert!(!answer.body.to_string().contains(&key.printed));
    }
    assert_eq!(house.status(&key).await, "active");
    house.close().await;
}

#[tokio::test]
async fn a_store_that_fails_has_github_come_again_and_every_key_is_tried() {
    let house = House::open("").await;
    let key = house.key("live").await;
    let dead = Parrot::start(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL)
        .await
        .unwrap();
    let nowhere = Arc::new(keys_behind(&dead.url, "keys").await);
    let api_keys = house.config.api_keys.as_ref().unwrap();
    let body = report(&[&key.printed], URL);
    let signed = event("current", &house.signer.sign(body.as_bytes()), &body);
    let leaks = || house.config.leaks.clone();

    let all_down = KeyAdmin::from_config(api_keys, nowhere.clone())
        .with_outbox(nowhere.clone())
        .with_leaks(leaks());
    let answer = send(&house.function(all_down), &signed, 0).await;
    assert_eq!(answer.status, 503);
    assert!(!answer.body.to_string().contains(&key.printed));

    // It stops between the change and the notice.
    let half = KeyAdmin::from_config(api_keys, house.keys.clone())
        .with_outbox(nowhere)
        .with_leaks(leaks());
    assert_eq!(send(&house.function(half), &signed, 0).await.status, 503);
    assert_eq!(house.status(&key).await, "revoked");
    assert!(house.told().await.is_empty());
    // The report comes again, and the owner is told after all.
    assert_eq!(house.send(&signed, 0).await.status, 200);
    assert_eq!(house.told().await.len(), 1);
    house.close().await;
}

#[tokio::test]
async fn where_no_reports_are_wanted_there_is_no_such_route() {
    let house = House::open("").await;
    let key = house.key("live").await;
    let admin = house.admin().with_leaks(None);
    let body = report(&[&key.printed], URL);
    let signed = event("current", &house.signer.sign(body.as_bytes()), &body);
    assert_eq!(send(&house.function(admin), &signed, 0).await.status, 404);
    assert_eq!(house.status(&key).await, "active");
    for (method, resource) in [
        ("GET", "/leaks/github"),
        ("POST", "/leaks/gitlab"),
        ("POST", "/keys"),
    ] {
        let mut other = signed.clone();
        other["httpMethod"] = json!(method);
        other["resource"] = json!(resource);
        // Nobody is let in there without IAM.
        assert_eq!(
            house.send(&other, 0).await.status,
            403,
            "{method} {resource}"
        );
    }
    house.close().await;
}

fn without(event: &Value, header: &str) -> Value {
    let mut event = event.clone();
    event["headers"].as_object_mut().unwrap().remove(header);
    event
}
