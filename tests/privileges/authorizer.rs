//! Everything that the authorizer does with its tables.

use std::{sync::Arc, time::Duration};

use doorward_authorizer::{Call, Event, settings::Environment, wiring};
use doorward_backends::dynamodb::{DynamoBreakers, DynamoReplays, Patience};
use doorward_engine::{
    authority::BreakerStore as _,
    layers::proof::{Remembered, ReplayStore as _},
    limits::Moment,
};
use serde_json::json;

use crate::house::{House, now};

pub(crate) async fn work(house: &House) {
    decide(house).await;
    first_use(house, true).await;
    let done = house.administer(r#"{"job":"minute"}"#, false).await;
    assert_eq!(done.unwrap()["moved"], 1);
    let client = house.client().await;
    let counters = &house.names.counters;
    let replays = DynamoReplays::new(&client, counters, Patience::ADMIN);
    let first = replays.remember(&[7; 32], now().plus(60), now()).await;
    assert_eq!(first, Ok(Remembered::First));
    let breakers = DynamoBreakers::new(&client, counters, Patience::ADMIN);
    let url = "https://auth.example/introspect";
    let at = Moment::from(now());
    breakers.opened(url, at).await.unwrap();
    assert!(breakers.open_until(url).await.unwrap().is_some());
    breakers.claim(url, at, at).await.unwrap();
    breakers.closed(url, at).await.unwrap();
}

/// A call by key, allowed, limited and counted.
async fn decide(house: &House) {
    let made = r#"{"operation":"create","tenant":"a","name":"n","environment":"live"}"#;
    let made = house.administer(made, false).await.unwrap();
    let credential = format!("Bearer {}", made["secret"].as_str().unwrap());
    admitted(house, &credential, true).await;
}

/// A key of which a former system kept the SHA-256, imported by that.
pub(crate) const FORMER: &str = "Zk3tQw8Yb1Nf6Rr0Lm5Vx2Cc7Dd9Ee4A";

/// The first use of a key that was imported by its former hash, after which key administration is asked to move it.
pub(crate) async fn first_use(house: &House, through: bool) {
    let hash = doorward_keys::Digest::of(FORMER, None).to_hex();
    let import = json!({
        "operation": "import", "tenant": "a", "name": "n", "environment": "live",
        "former": [{"hash": "sha256", "value": hash}],
    });
    let import = house.administer(&import.to_string(), false).await;
    assert_eq!(import.unwrap()["imported"], true);
    admitted(house, &format!("ApiKey {FORMER}"), through).await;
}

async fn admitted(house: &House, credential: &str, through: bool) {
    let environment: Environment = house.environment(through).into_iter().collect();
    let service = wiring::Service::start(environment, Arc::new(|_| {})).await;
    let event = json!({
        "type": "TOKEN", "authorizationToken": credential,
        "methodArn": "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/orders",
    });
    let call = Call {
        request_id: "r".to_owned(),
        trace_id: None,
        received_at: now().into(),
        time_left: None,
    };
    let text = event.to_string();
    let event = Event::parse(text.as_bytes());
    let answer = service.authorizer().handle(&event, &call).await;
    let answer = serde_json::to_value(answer.unwrap()).unwrap();
    assert_eq!(
        answer["policyDocument"]["Statement"][0]["Effect"], "Allow",
        "{answer}"
    );
    service.refresh(Duration::from_secs(5)).await;
    service
        .finish(Duration::from_secs(5), Duration::from_secs(5))
        .await;
}
