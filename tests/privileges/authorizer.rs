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
    let environment: Environment = house.environment(true).into_iter().collect();
    let service = wiring::Service::start(environment, Arc::new(|_| {})).await;
    let event = json!({
        "type": "TOKEN", "authorizationToken": format!("Bearer {}", made["secret"].as_str().unwrap()),
        "methodArn": "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/orders",
    });
    let call = Call {
        request_id: "r".to_owned(),
        trace_id: None,
        received_at: now().into(),
        time_left: None,
    };
    let event = Event::parse(event.to_string().as_bytes());
    let answer = service.authorizer().handle(&event, &call).await;
    let answer = serde_json::to_value(answer.unwrap()).unwrap();
    assert_eq!(
        answer["policyDocument"]["Statement"][0]["Effect"], "Allow",
        "{answer}"
    );
    service
        .finish(Duration::from_secs(5), Duration::from_secs(5))
        .await;
}
