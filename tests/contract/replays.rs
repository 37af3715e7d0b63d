//! What every store of proofs must do, run over each of them.

use std::sync::Arc;

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::{
    dynamodb::{DynamoReplays, Patience, TableNames, connect, create_missing_tables},
    memory::MemoryReplays,
};
use doorward_engine::layers::proof::{
    Remembered::{Before, First},
    ReplayStore,
};
use doorward_keys::Timestamp;
use doorward_tests::dynamodb::endpoint_of_environment;

use crate::stores::own_tables;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// One store under test.
struct Place {
    store: Arc<dyn ReplayStore>,
    _running: Option<EmbeddedDynamo>,
}

async fn places() -> Vec<Place> {
    let mut places = vec![Place {
        store: Arc::new(MemoryReplays::new()),
        _running: None,
    }];
    let names = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
        .await
        .unwrap();
    places.push(Place {
        // A test machine is busy, and what is tested is not the patience.
        store: Arc::new(DynamoReplays::new(
            dynamo.client(),
            &names.counters,
            Patience::ADMIN,
        )),
        _running: Some(dynamo),
    });
    if let Some(url) = endpoint_of_environment() {
        let client = connect(doorward::dynamodb::connection(&url)).await;
        let names = own_tables();
        create_missing_tables(&client, &names).await.unwrap();
        places.push(Place {
            store: Arc::new(DynamoReplays::new(
                &client,
                &names.counters,
                Patience::ADMIN,
            )),
            _running: None,
        });
    }
    places
}

#[tokio::test]
async fn a_proof_is_first_once_until_its_time() {
    for place in places().await {
        let ask = async |digest: u8, until: i64, now: i64| {
            let (until, now) = (NOW.plus(until), NOW.plus(now));
            place
                .store
                .remember(&[digest; 32], until, now)
                .await
                .unwrap()
        };
        assert_eq!(ask(1, 60, 0).await, First);
        assert_eq!(ask(1, 60, 0).await, Before);
        assert_eq!(ask(1, 90, 59).await, Before, "a later end prolongs nothing");
        assert_eq!(ask(2, 60, 0).await, First);
        // Past its time it is as good as forgotten, swept or not.
        assert_eq!(ask(1, 120, 60).await, First);
        assert_eq!(ask(1, 120, 119).await, Before);
        assert_eq!(ask(1, 180, 120).await, First);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_is_first() {
    for place in places().await {
        let callers = (0..16).map(|_| {
            let store = Arc::clone(&place.store);
            tokio::spawn(async move { store.remember(&[7; 32], NOW.plus(60), NOW).await.unwrap() })
        });
        let mut firsts = 0;
        for caller in callers.collect::<Vec<_>>() {
            firsts += usize::from(caller.await.unwrap() == First);
        }
        assert_eq!(firsts, 1);
    }
}
