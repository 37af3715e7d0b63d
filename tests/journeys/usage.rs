//! What is counted of the use of a key beside a running `doorward local`: decisions by the authorizer, requests by the access
//! log, also where the cache answered them.

use std::time::Duration;

use doorward::{
    dynamodb::{EmbeddedDynamo, Storage},
    local::gateway::Asked,
};
use doorward_backends::dynamodb::{DynamoUsage, Patience, TableNames, connect};
use doorward_key_admin::reply::UsageStep;
use doorward_keys::{Hour, Hours, KeyId, Usage, UsageReader};

use crate::house::{APIS, House, Setup};

/// The counts of a key once `requests` and a decision are counted; what came by then where they are not counted in time.
async fn counted(house: &House, id: &str, requests: u64) -> UsageStep {
    let mut total = house.usage(id).await.total;
    for _ in 0..100 {
        let is_logged = total
            .requests
            .is_some_and(|counted| counted.total >= requests);
        if is_logged && total.decisions.total > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        total = house.usage(id).await.total;
    }
    total
}

#[tokio::test]
async fn requests_that_the_cache_answers_are_counted_beside_the_decisions() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let (key, other) = (
            house.key(&["orders:read"]).await,
            house.key(&["orders:read"]).await,
        );
        assert_eq!(
            house.bearer("GET /orders/42", &key.printed).await,
            (200, Asked::Yes)
        );
        for _ in 0..4 {
            assert_eq!(
                house.bearer("GET /orders/43", &key.printed).await,
                (200, Asked::Cached)
            );
        }
        // Refused by the cached answer, which says whose request it is.
        assert_eq!(
            house.bearer("POST /orders", &key.printed).await,
            (403, Asked::Cached)
        );
        // Refused by the authorizer, in an answer that says so too.
        assert_eq!(
            house.bearer("POST /orders", &other.printed).await,
            (403, Asked::Yes)
        );
        // Nobody's.
        house
            .bearer("GET /orders/42", &house.token(&["orders:read"]))
            .await;
        house.bearer("GET /orders/42", "ck_test_x").await;
        house.call("GET /health", &[]).await;

        let total = counted(&house, &key.id, 6).await;
        let requests = total.requests.unwrap();
        assert_eq!(
            (requests.total, requests.throttled, requests.failed),
            (6, 0, 0),
            "{payload:?}"
        );
        assert_eq!(
            (total.decisions.total, total.decisions.allowed),
            (1, 1),
            "{payload:?}"
        );
        assert_eq!(total.cached, Some(5), "{payload:?}");
        let total = counted(&house, &other.id, 1).await;
        assert_eq!(
            (total.decisions.total, total.decisions.forbidden),
            (1, 1),
            "{payload:?}"
        );
        let requests = total.requests.unwrap().total;
        assert_eq!((requests, total.cached), (1, Some(0)), "{payload:?}");
        // What comes late would be counted by now.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(counted(&house, &key.id, 6).await.requests.unwrap().total, 6);
        house.stop().await;
    }
}

#[tokio::test]
async fn a_key_that_was_not_used_has_no_requests() {
    let house = House::start(Setup::default()).await;
    let key = house.key(&["orders:read"]).await;
    let usage = house.usage(&key.id).await;
    assert_eq!((usage.total.requests, usage.total.cached), (None, None));
    assert_eq!(usage.total.decisions.total, 0);
    assert_eq!(usage.last_used_at, None);
    house.stop().await;
}

async fn decided(url: &str, key: &str) -> Usage {
    let client = connect(doorward::dynamodb::connection(url)).await;
    let usage = DynamoUsage::new(&client, TableNames::default().counters, Patience::ADMIN);
    let hour = Hour::of(doorward::clock::wall());
    let hours = Hours::new(hour.plus(-1), hour.plus(1)).unwrap();
    let read = usage
        .usage(&KeyId::parse(key).unwrap(), hours)
        .await
        .unwrap();
    let sum = |sum: Usage, hour: &doorward_keys::UsageHour| sum.plus(hour.decisions);
    read.iter().fold(Usage::default(), sum)
}

#[tokio::test]
async fn the_use_of_a_key_is_counted_within_seconds_without_the_calls_that_the_cache_answered() {
    let house = House::start(Setup {
        ttl: 60,
        ..Setup::default()
    })
    .await;
    let key = house.key(&["orders:read"]).await;
    for _ in 0..5 {
        assert_eq!(house.bearer("GET /orders/42", &key.printed).await.0, 200);
    }
    let mut seen = Usage::default();
    for _ in 0..50 {
        seen = decided(house.dynamodb(), &key.id).await;
        if seen.total() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // The gateway asked once; its cache answered the rest.
    assert_eq!((seen.allowed, seen.total()), (1, 1));
    assert_eq!(seen.last.unwrap().address, "127.0.0.1".parse().ok());
    house.stop().await;
}

#[tokio::test]
async fn what_is_counted_when_the_gateway_is_stopped_is_in_the_file() {
    let file = std::env::temp_dir().join(format!("doorward-usage-{}.db", std::process::id()));
    let storage = Storage::File(file.clone());
    let house = House::start(Setup {
        ttl: 0,
        storage: storage.clone(),
        ..Setup::default()
    })
    .await;
    let key = house.key(&["orders:read"]).await;
    for line in ["GET /orders/42", "GET /orders/43", "POST /orders"] {
        house.bearer(line, &key.printed).await;
    }
    house.stop().await;
    let dynamo = EmbeddedDynamo::start(&storage, 0, &TableNames::default()).await;
    let dynamo = dynamo.unwrap();
    let seen = decided(&dynamo.endpoint_url(), &key.id).await;
    assert_eq!((seen.allowed, seen.forbidden, seen.total()), (2, 1, 3));
    dynamo.stop().await;
    std::fs::remove_file(file).unwrap();
}
