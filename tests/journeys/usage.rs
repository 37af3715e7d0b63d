//! What `doorward local` counts of the use of a key can be read from its table while it runs.

use std::time::Duration;

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::{DynamoUsage, Patience, TableNames, connect};
use doorward_keys::{Hour, Hours, KeyId, Usage, UsageReader};

use crate::house::{House, Setup};

async fn counted(url: &str, key: &str) -> Usage {
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
        seen = counted(house.dynamodb(), &key.id).await;
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
    let seen = counted(&dynamo.endpoint_url(), &key.id).await;
    assert_eq!((seen.allowed, seen.forbidden, seen.total()), (2, 1, 3));
    dynamo.stop().await;
    std::fs::remove_file(file).unwrap();
}
