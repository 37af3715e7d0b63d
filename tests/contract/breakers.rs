//! What every store of breakers must do: memory, the embedded `DynamoDB`, and the one that the environment names.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::{
    dynamodb::{DynamoBreakers, Patience, TableNames, connect, create_missing_tables},
    memory::MemoryBreakers,
};
use doorward_engine::{
    authority::{BreakerStore, BreakerStoreError},
    limits::Moment,
};
use doorward_tests::dynamodb::{Parrot, Silent, endpoint_of_environment};

const URL: &str = "https://login.example.com/introspect";

const fn at(seconds: u64) -> Moment {
    Moment::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
}

/// A breaker opens, opens for longer, is closed by a later probe only, and touches no other.
async fn check(store: &dyn BreakerStore) {
    let long = format!("https://login.example.com/{}", "x".repeat(2000));
    for url in [URL, &long] {
        assert_eq!(store.open_until(url).await, Ok(None));
        // Nobody has opened it, so there is nothing to close.
        store.closed(url, at(0)).await.unwrap();
        assert_eq!(store.open_until(url).await, Ok(None));
        store.opened(url, at(10)).await.unwrap();
        assert_eq!(store.open_until(url).await, Ok(Some(at(10))));
        store.opened(url, at(20)).await.unwrap();
        store.opened(url, at(15)).await.unwrap();
        assert_eq!(store.open_until(url).await, Ok(Some(at(20))));
        // A probe that began before it was opened again.
        store.closed(url, at(19)).await.unwrap();
        assert_eq!(store.open_until(url).await, Ok(Some(at(20))));
        store.closed(url, at(20)).await.unwrap();
        assert_eq!(store.open_until(url).await, Ok(None));
        store.opened(url, at(30)).await.unwrap();
        assert_eq!(store.open_until(url).await, Ok(Some(at(30))));
    }
}

/// One of all who come gets the probe; the others learn until when to wait. An end, a good probe and a bad one make way.
async fn check_claims(store: &dyn BreakerStore) {
    let url = "https://login.example.com/claimed";
    let claim = |now: u64, until: u64| store.claim(url, at(now), at(until));
    // Nobody has noted that it is open: the table was away, or has forgotten.
    assert_eq!(claim(0, 3).await, Ok(None));
    assert_eq!(claim(1, 4).await, Ok(Some(at(3))));
    store.opened(url, at(10)).await.unwrap();
    assert_eq!(claim(9, 12).await, Ok(Some(at(10))));
    let all = futures_util::future::join_all((0..50).map(|_| claim(10, 13))).await;
    let granted = all.iter().filter(|claimed| **claimed == Ok(None)).count();
    assert_eq!(granted, 1, "{all:?}");
    assert!(
        all.iter()
            .all(|claimed| matches!(claimed, Ok(None)) || *claimed == Ok(Some(at(13)))),
        "{all:?}"
    );
    // A probe that was never heard of again.
    assert_eq!(claim(12, 15).await, Ok(Some(at(13))));
    assert_eq!(claim(13, 16).await, Ok(None));
    // A bad one: open again, and then anybody's.
    store.opened(url, at(14)).await.unwrap();
    assert_eq!(claim(13, 16).await, Ok(Some(at(14))));
    assert_eq!(claim(14, 17).await, Ok(None));
    // A good one: nobody has to wait.
    store.closed(url, at(14)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(claim(14, 17).await, Ok(None));
    }
    assert_eq!(store.open_until(url).await, Ok(None));
    // A clock that was set back since does not hold the probe for ever.
    store.opened(url, at(20)).await.unwrap();
    assert_eq!(claim(1000, 1003).await, Ok(None));
    assert_eq!(claim(21, 24).await, Ok(None));
    assert_eq!(claim(22, 25).await, Ok(Some(at(24))));
}

#[tokio::test]
async fn memory_keeps_breakers() {
    let store = MemoryBreakers::new();
    check(&store).await;
    check_claims(&store).await;
}

#[tokio::test]
async fn the_embedded_table_keeps_breakers_between_sandboxes() {
    let tables = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &tables)
        .await
        .unwrap();
    let store = || DynamoBreakers::new(dynamo.client(), &tables.counters, Patience::ADMIN);
    check(&store()).await;
    check_claims(&store()).await;
    assert_eq!(store().open_until(URL).await, Ok(Some(at(30))));
}

#[tokio::test]
async fn the_table_of_the_environment_keeps_breakers() {
    let Some(url) = endpoint_of_environment() else {
        return;
    };
    let client = connect(doorward::dynamodb::connection(&url)).await;
    let tables = TableNames {
        keys: format!("breaker-keys-{}", std::process::id()),
        counters: format!("breaker-counters-{}", std::process::id()),
    };
    create_missing_tables(&client, &tables).await.unwrap();
    let store = DynamoBreakers::new(&client, &tables.counters, Patience::ADMIN);
    check(&store).await;
    check_claims(&store).await;
}

#[tokio::test]
async fn a_table_that_fails_is_an_error_in_time_and_never_an_open_breaker() {
    let silent = Silent::start().await.unwrap();
    let body = r#"{"__type":"com.amazon#InternalServerError","message":"no"}"#;
    let parrot = Parrot::start(StatusCode::INTERNAL_SERVER_ERROR, body)
        .await
        .unwrap();
    for url in [&silent.url, &parrot.url] {
        let client = connect(doorward::dynamodb::connection(url)).await;
        let store = Arc::new(DynamoBreakers::new(&client, "counters", Patience::LIMITS));
        let work = async {
            for outcome in [
                store.open_until(URL).await.map(drop),
                store.claim(URL, at(1), at(2)).await.map(drop),
                store.opened(URL, at(1)).await,
                store.closed(URL, at(1)).await,
            ] {
                assert!(
                    matches!(outcome, Err(BreakerStoreError::Unavailable(_))),
                    "{outcome:?}"
                );
            }
        };
        tokio::time::timeout(Duration::from_secs(6), work)
            .await
            .unwrap();
    }
}
