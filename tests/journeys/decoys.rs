//! A decoy is refused like a key that nobody knows, and its first use is an event.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use doorward::{dynamodb, local::gateway::Asked};
use doorward_backends::dynamodb::{TableNames, connect, schema};
use serde_json::json;

use crate::house::{APIS, House, Key, Setup};

/// Whether the first use of this key was announced. The events themselves are delivered within a second.
async fn is_announced(house: &House, id: &str) -> bool {
    let client = connect(dynamodb::connection(house.dynamodb())).await;
    let text = AttributeValue::S;
    let found = client
        .query()
        .table_name(TableNames::default().keys)
        .key_condition_expression("pk = :pk AND begins_with(sk, :notice)")
        .expression_attribute_values(":pk", text(schema::id_pk(id)))
        .expression_attribute_values(":notice", text(schema::NOTICE_SK.to_owned()))
        .send()
        .await
        .unwrap();
    found.count() > 0
}

async fn announced(house: &House, id: &str) {
    for _ in 0..100 {
        if is_announced(house, id).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nobody was told of {id}");
}

async fn decoy(house: &House) -> Key {
    let asked =
        json!({"tenant": "acme", "name": "in the wiki", "environment": "test", "decoy": true});
    house.created(serde_json::from_value(asked).unwrap()).await
}

#[tokio::test]
async fn the_first_use_of_a_decoy_is_announced() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let (first, other) = (decoy(&house).await, decoy(&house).await);
        let unknown = house.bearer("GET /orders/42", "ck_test_unknown").await;
        for _ in 0..3 {
            let refused = house.bearer("GET /orders/42", &first.printed).await;
            assert_eq!(refused, unknown, "{payload:?}");
            assert_eq!(refused, (401, Asked::Yes), "{payload:?}");
        }
        house.bearer("GET /orders/42", &other.printed).await;
        announced(&house, &first.id).await;
        announced(&house, &other.id).await;
        house.stop().await;
    }
}

#[tokio::test]
async fn a_decoy_that_is_revoked_raises_no_alarm() {
    let house = House::start(Setup::default()).await;
    let (revoked, armed) = (decoy(&house).await, decoy(&house).await);
    house.revoke(&revoked.id).await;
    assert_eq!(
        house.bearer("GET /orders/42", &revoked.printed).await.0,
        401
    );
    house.bearer("GET /orders/42", &armed.printed).await;
    announced(&house, &armed.id).await;
    assert!(!is_announced(&house, &revoked.id).await);
    house.stop().await;
}
