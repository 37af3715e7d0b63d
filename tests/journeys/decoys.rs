//! A decoy is refused like a key that nobody knows, and its first use is an event.

use std::time::Duration;

use doorward::{dynamodb, local::gateway::Asked};
use doorward_backends::dynamodb::{DynamoKeys, TableNames, connect};
use doorward_keys::{EventKind, KeyEvent, Outbox as _};
use serde_json::json;

use crate::house::{APIS, House, Key, Setup};

/// The events about uses of decoys that wait for their delivery.
async fn alarms(house: &House) -> Vec<KeyEvent> {
    let client = connect(dynamodb::connection(house.dynamodb())).await;
    let keys = DynamoKeys::new(client, TableNames::default().keys);
    let mut waiting = keys.waiting(1000).await.unwrap();
    waiting.retain(|event| event.kind == EventKind::DecoyKeyUsed);
    waiting
}

async fn decoy(house: &House) -> Key {
    let asked =
        json!({"tenant": "acme", "name": "in the wiki", "environment": "test", "decoy": true});
    house.created(serde_json::from_value(asked).unwrap()).await
}

#[tokio::test]
async fn the_first_use_of_a_decoy_is_an_event_and_the_second_is_none() {
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
        // Told in their order: when the other one is told, nothing of the first is under way.
        house.bearer("GET /orders/42", &other.printed).await;
        let mut seen = alarms(&house).await;
        for _ in 0..100 {
            if seen.len() > 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            seen = alarms(&house).await;
        }
        seen.sort_by(|left, right| left.key_id.cmp(&right.key_id));
        let mut told: Vec<&str> = seen.iter().map(|event| event.key_id.as_str()).collect();
        told.sort_unstable();
        let mut expected = [first.id.as_str(), other.id.as_str()];
        expected.sort_unstable();
        assert_eq!(told, expected, "{payload:?}");
        let event = seen.first().unwrap();
        assert_eq!(
            (event.tenant.as_str(), event.actor.as_ref()),
            ("acme", None)
        );
        assert_eq!(event.details["address"], "127.0.0.1");
        assert_eq!(event.details["route"], "GET /orders/{id}");
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
    let mut seen = alarms(&house).await;
    for _ in 0..100 {
        if !seen.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        seen = alarms(&house).await;
    }
    let told: Vec<&str> = seen.iter().map(|event| event.key_id.as_str()).collect();
    assert_eq!(told, [armed.id.as_str()]);
    house.stop().await;
}
