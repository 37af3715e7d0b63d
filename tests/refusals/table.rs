//! A table that is down, slow or answers garbage: the request is refused as unavailable within the time of the function,
//! and the line in the log says what was asked of which table and what came of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use doorward_authorizer::Refusal;
use doorward_keys::KeyLookup;
use doorward_tests::{
    documents::Documents,
    dynamodb::{Parrot, Silent, keys_behind},
    faulty::{Fault, Faulty},
};

use crate::gate::{Gate, bearer, rest, sample, store, token};

async fn behind(url: &str) -> Gate {
    let keys = keys_behind(url, "doorward-keys").await;
    gate(Arc::new(keys))
}

fn gate(keys: Arc<dyn KeyLookup>) -> Gate {
    Gate::new("", keys, Arc::new(Documents::default())).within(Duration::from_secs(5))
}

const ON_TABLE: &str = "GetItem on table `doorward-keys`";

#[tokio::test]
async fn a_table_that_is_down_refuses_and_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gate = behind(&url).await;
    let answer = gate.ask(&bearer(&sample(1).0)).await;
    gate.could_not_find_out(&answer, "key_store_unavailable", &[ON_TABLE, "refused"]);
    let refused = ("api_key".to_owned(), "key_store_unavailable".to_owned());
    assert_eq!(gate.layers().last(), Some(&refused));
}

#[tokio::test]
async fn a_table_that_never_answers_refuses_long_before_the_function_ends() {
    let silent = Silent::start().await.unwrap();
    let gate = behind(&silent.url).await;
    #[expect(clippy::disallowed_methods, reason = "a measurement")]
    let began = Instant::now();
    let answer = gate.ask(&bearer(&sample(1).0)).await;
    assert!(began.elapsed() < Duration::from_secs(3));
    let causes = [ON_TABLE, "no answer in time"];
    gate.could_not_find_out(&answer, "key_store_unavailable", &causes);
}

#[tokio::test]
async fn a_table_that_answers_what_no_table_does_refuses() {
    for (status, body) in [
        (StatusCode::OK, "<html>captive portal</html>"),
        (StatusCode::OK, "{\"Item\":"),
        (StatusCode::INTERNAL_SERVER_ERROR, ""),
    ] {
        let parrot = Parrot::start(status, body).await.unwrap();
        let gate = behind(&parrot.url).await;
        let answer = gate.ask(&bearer(&sample(1).0)).await;
        gate.could_not_find_out(&answer, "key_store_unavailable", &[ON_TABLE]);
    }
}

#[tokio::test]
async fn a_table_that_refuses_the_function_is_told_from_one_that_is_down() {
    for (code, cause) in [
        (
            "com.amazon.coral.service#AccessDeniedException",
            "AccessDeniedException",
        ),
        (
            "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            "ResourceNotFoundException",
        ),
        (
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "ProvisionedThroughputExceededException",
        ),
    ] {
        let body = format!(r#"{{"__type":"{code}","message":"why"}}"#).leak();
        let parrot = Parrot::start(StatusCode::BAD_REQUEST, body).await.unwrap();
        let gate = behind(&parrot.url).await;
        let answer = gate.ask(&bearer(&sample(1).0)).await;
        gate.could_not_find_out(&answer, "key_store_unavailable", &[ON_TABLE, cause]);
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_read_refuses_and_its_flaw_is_named() {
    for (body, cause) in [
        (r#"{"Item":{}}"#, "format"),
        (r#"{"Item":{"format":{"N":"99"}}}"#, "format"),
    ] {
        let parrot = Parrot::start(StatusCode::OK, body).await.unwrap();
        let gate = behind(&parrot.url).await;
        let answer = gate.ask(&bearer(&sample(1).0)).await;
        gate.could_not_find_out(&answer, "key_store_corrupt", &[cause]);
    }
}

#[tokio::test]
async fn a_store_that_answers_with_another_key_refuses() {
    let (printed, record) = sample(1);
    let keys = Faulty::new(store(&[record]).await, Fault::Wrong);
    let gate = gate(Arc::new(keys));
    let answer = gate.ask(&bearer(&printed)).await;
    gate.could_not_find_out(&answer, "key_store_corrupt", &["another key"]);
}

#[tokio::test]
async fn a_store_that_outlasts_the_function_refuses_in_time_and_the_line_says_where() {
    let (printed, record) = sample(1);
    let slow = Fault::Slow(Duration::from_mins(1));
    let keys = Faulty::new(store(&[record]).await, slow);
    let gate = gate(Arc::new(keys)).within(Duration::from_millis(250));
    let answer = gate.ask(&bearer(&printed)).await;
    gate.could_not_find_out(&answer, "time_exhausted", &["`certificate`"]);
    let passed = ("certificate".to_owned(), "absent".to_owned());
    assert_eq!(
        gate.layers().last(),
        Some(&passed),
        "what was done is shown"
    );
    assert_eq!(gate.line()["route"], "GET /any/{id}");
}

#[tokio::test]
async fn a_fault_of_the_table_refuses_those_with_a_key_and_nobody_else() {
    let silent = Silent::start().await.unwrap();
    let gate = behind(&silent.url).await;
    let (key, token) = (sample(1).0, token());
    assert_eq!(gate.ask(&bearer(&key)).await, Err(Refusal::Failed));
    assert!(gate.ask(&bearer(&token)).await.is_ok());
    assert_eq!(gate.line()["decision"], "allow");
    // Nor is a key that cannot open the route worth a read.
    let of_key = format!("Bearer {key}");
    let event = rest("GET", "/token/42", &[("Authorization", &of_key)]);
    assert_eq!(gate.ask(&event).await, Err(Refusal::Unauthorized));
    assert_eq!(gate.line()["reason"], "credential_insufficient");
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let (printed, record) = sample(1);
    let well = store(&[record]).await;
    for fault in [Fault::Down, Fault::Garbage, Fault::Wrong] {
        let faulty = gate(Arc::new(Faulty::new(Arc::clone(&well), fault)));
        assert_eq!(
            faulty.ask(&bearer(&printed)).await,
            Err(Refusal::Failed),
            "{fault:?}"
        );
    }
    assert!(gate(well).ask(&bearer(&printed)).await.is_ok());
}
