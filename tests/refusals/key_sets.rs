//! A key set that cannot be had: the request is refused as unavailable within the time of the function, and the line in
//! the log names issuer, address and cause.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use doorward_authorizer::Refusal;
use doorward_backends::http::HttpKeySets;
use doorward_engine::layers::jwt::KeySetSource;
use doorward_tests::{
    documents::Documents,
    dynamodb::{Parrot, Silent},
    faulty::{Fault, Faulty},
};

use crate::gate::{
    Gate, NOW, REMOTE, REMOTE_KEYS, bearer, remote_keys, remote_token, sample, store, token,
};

async fn gate(jwks_uri: &str, key_sets: Arc<dyn KeySetSource>) -> Gate {
    let (_, record) = sample(1);
    let keys = store(&[record]).await;
    Gate::fetching(jwks_uri, "", keys, key_sets).within(Duration::from_secs(5))
}

/// A gate that fetches from `url`.
async fn from(url: &str) -> Gate {
    gate(
        &format!("jwks_uri = '{url}/keys'"),
        Arc::new(HttpKeySets::new()),
    )
    .await
}

const UNAVAILABLE: &str = "key_set_unavailable";

#[tokio::test]
async fn a_key_set_that_nobody_serves_refuses_and_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gate = from(&url).await;
    let answer = gate.ask(&bearer(&remote_token())).await;
    let causes = ["issuer `remote`", &format!("{url}/keys"), "cannot connect"];
    gate.could_not_find_out(&answer, UNAVAILABLE, &causes);
    let refused = ("jwt".to_owned(), UNAVAILABLE.to_owned());
    assert_eq!(gate.layers().last(), Some(&refused));
}

#[tokio::test]
async fn a_key_set_that_never_comes_refuses_before_the_function_ends() {
    let silent = Silent::start().await.unwrap();
    let gate = from(&silent.url).await;
    let answer = gate.ask(&bearer(&remote_token())).await;
    let causes = ["issuer `remote`", &silent.url, "no answer within 2 seconds"];
    gate.could_not_find_out(&answer, UNAVAILABLE, &causes);
}

#[tokio::test]
async fn a_key_set_that_is_garbage_refuses_and_its_flaw_is_named() {
    for (status, body, cause) in [
        (
            StatusCode::OK,
            "<html>captive portal</html>",
            "expected value",
        ),
        (StatusCode::OK, "{}", "it has no `keys`"),
        (
            StatusCode::OK,
            r#"{"keys":7}"#,
            "`keys` is a number, not a list",
        ),
        (StatusCode::OK, r#"{"keys":[],"keys":[]}"#, "repeated"),
        (
            StatusCode::FOUND,
            "",
            "status 302, and redirects are not followed",
        ),
        (StatusCode::INTERNAL_SERVER_ERROR, "", "status 500"),
    ] {
        let parrot = Parrot::start(status, body).await.unwrap();
        let gate = from(&parrot.url).await;
        let answer = gate.ask(&bearer(&remote_token())).await;
        gate.could_not_find_out(&answer, UNAVAILABLE, &["issuer `remote`", cause]);
    }
}

#[tokio::test]
async fn a_key_set_without_the_key_refuses_the_token_and_names_the_key() {
    let documents = Faulty::new(Arc::new(Documents::default()), Fault::Wrong);
    let gate = gate(&format!("jwks_uri = '{REMOTE_KEYS}'"), Arc::new(documents)).await;
    assert_eq!(
        gate.ask(&bearer(&remote_token())).await,
        Err(Refusal::Unauthorized)
    );
    let line = gate.line();
    assert_eq!(line["reason"], "token_key_unknown");
    assert!(line["detail"].as_str().unwrap().contains("no usable key"));
}

#[tokio::test]
async fn metadata_that_cannot_be_had_or_is_of_another_issuer_refuses_and_is_named() {
    let openid = format!("{REMOTE}/.well-known/openid-configuration");
    let oauth = format!("{REMOTE}/.well-known/oauth-authorization-server");
    for (metadata, causes) in [
        (None, [oauth.as_str(), "status 404"]),
        (Some("garbage".to_owned()), [&oauth, "expected value"]),
        (
            Some(
                r#"{"issuer":"https://evil.example","jwks_uri":"https://evil.example/k"}"#
                    .to_owned(),
            ),
            ["`https://evil.example`", REMOTE],
        ),
        (
            Some(format!(r#"{{"issuer":"{REMOTE}"}}"#)),
            [&oauth, "no `jwks_uri`"],
        ),
    ] {
        let documents = Arc::new(Documents::default());
        if let Some(metadata) = metadata {
            for place in [&openid, &oauth] {
                documents.publish(place, metadata.clone());
            }
        }
        let gate = gate("", documents).await;
        let answer = gate.ask(&bearer(&remote_token())).await;
        gate.could_not_find_out(&answer, UNAVAILABLE, &causes);
    }
}

#[tokio::test]
async fn a_fetch_that_outlasts_the_function_refuses_in_time_and_starts_the_cool_down() {
    let documents = Arc::new(Documents::default());
    documents.publish(REMOTE_KEYS, remote_keys());
    let slow = Faulty::new(documents, Fault::Slow(Duration::from_mins(1)));
    let uri = format!("jwks_uri = '{REMOTE_KEYS}'");
    let gate = gate(&uri, Arc::new(slow)).await;
    let gate = gate.within(Duration::from_millis(250));
    let answer = gate.ask(&bearer(&remote_token())).await;
    gate.could_not_find_out(&answer, "time_exhausted", &["`api_key`"]);
    let answer = gate.ask(&bearer(&remote_token())).await;
    gate.could_not_find_out(&answer, UNAVAILABLE, &["issuer `remote`", "given up"]);
}

#[tokio::test]
async fn a_fault_of_one_issuer_refuses_its_tokens_and_nobody_elses() {
    let silent = Silent::start().await.unwrap();
    let gate = from(&silent.url).await;
    assert_eq!(
        gate.ask(&bearer(&remote_token())).await,
        Err(Refusal::Failed)
    );
    for credential in [token(), sample(1).0] {
        assert!(gate.ask(&bearer(&credential)).await.is_ok());
    }
    // A stranger's token costs no fetch and is no fault of ours.
    let stranger = doorward_tests::tokens::Token::access("https://evil.example", "api", NOW);
    let stranger = stranger.with_signature([0; 64]);
    assert_eq!(
        gate.ask(&bearer(&stranger)).await,
        Err(Refusal::Unauthorized)
    );
}

#[tokio::test]
async fn an_issuer_that_comes_back_is_believed_after_the_cool_down() {
    let documents = Arc::new(Documents::default());
    let uri = format!("jwks_uri = '{REMOTE_KEYS}'");
    let gate = gate(&uri, Arc::clone(&documents) as _).await;
    let event = bearer(&remote_token());
    assert_eq!(gate.ask(&event).await, Err(Refusal::Failed));
    documents.publish(REMOTE_KEYS, remote_keys());
    assert_eq!(gate.ask_at(&event, NOW + 29).await, Err(Refusal::Failed));
    assert!(gate.ask_at(&event, NOW + 30).await.is_ok());
    assert_eq!(documents.fetches(), 2);
}
