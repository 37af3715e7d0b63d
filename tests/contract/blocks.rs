//! What every store of blocks must do, run over each of them.

use std::{collections::BTreeSet, sync::Arc};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::{
    dynamodb::{DynamoBlocks, DynamoKeys, TableNames, connect, create_missing_tables},
    memory::{MemoryBlocks, MemoryKeys},
};
use doorward_keys::{
    Block, BlockAction, BlockChange, BlockId, BlockLedger, Event, Outbox, StoreError, Target,
    Timestamp,
};
use doorward_tests::{dynamodb::endpoint_of_environment, keys::told};

use crate::stores::own_tables;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// One store under test.
struct Place {
    store: Arc<dyn BlockLedger>,
    outbox: Arc<dyn Outbox>,
    table: Option<(Client, String)>,
    _running: Option<EmbeddedDynamo>,
}

impl Place {
    fn on(client: Client, table: String, running: Option<EmbeddedDynamo>) -> Self {
        Self {
            store: Arc::new(DynamoBlocks::new(client.clone(), &table)),
            outbox: Arc::new(DynamoKeys::new(client.clone(), &table)),
            table: Some((client, table)),
            _running: running,
        }
    }
}

async fn places() -> Vec<Place> {
    let keys = Arc::new(MemoryKeys::new());
    let mut places = vec![Place {
        store: Arc::new(MemoryBlocks::beside(Arc::clone(&keys))),
        outbox: keys,
        table: None,
        _running: None,
    }];
    let names = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
        .await
        .unwrap();
    let client = dynamo.client().clone();
    places.push(Place::on(client, names.keys, Some(dynamo)));
    if let Some(url) = endpoint_of_environment() {
        let client = connect(doorward::dynamodb::connection(&url)).await;
        let names = own_tables();
        create_missing_tables(&client, &names).await.unwrap();
        places.push(Place::on(client, names.keys, None));
    }
    places
}

fn block(number: u32, target: Target) -> Block {
    let made = NOW.plus(number.into());
    Block {
        id: BlockId::new(made, number.into()),
        issuer: "https://issuer.example".to_owned(),
        target,
        issued_before: None,
        expires_at: NOW.plus(3600),
        created_at: made,
        actor: "arn:aws:iam::111122223333:role/on-call".to_owned(),
        reason: None,
    }
}

fn change(action: BlockAction, block: &Block, number: u32) -> BlockChange {
    let at = NOW.plus(number.into());
    BlockChange::of(action, block, "op", Some("because"), at, number.into())
}

async fn add(place: &Place, block: &Block, number: u32) -> BlockChange {
    let change = change(BlockAction::Add, block, number);
    place.store.add(&change).await.unwrap();
    change
}

fn ids(blocks: &[Block]) -> BTreeSet<&str> {
    blocks.iter().map(|block| block.id.as_str()).collect()
}

#[tokio::test]
async fn every_kind_of_block_comes_back_as_it_was_written() {
    for place in places().await {
        assert_eq!(place.store.version().await, Ok(0));
        assert_eq!(place.store.all().await, Ok(vec![]));
        let name = || "#pk = :pk \"ann\" ü".to_owned();
        let targets = [
            Target::Jti(name()),
            Target::OriginJti(name()),
            Target::Subject(name()),
            Target::Client(name()),
            Target::Issuer,
        ];
        let mut blocks = Vec::new();
        for (number, target) in (1..).zip(targets) {
            let block = Block {
                issued_before: (number % 2 == 0).then_some(NOW),
                reason: (number % 2 == 1).then(|| "leaked".to_owned()),
                ..block(number, target)
            };
            add(&place, &block, number).await;
            assert_eq!(place.store.fetch(&block.id).await, Ok(Some(block.clone())));
            blocks.push(block);
        }
        assert_eq!(place.store.version().await, Ok(5));
        let mut all = place.store.all().await.unwrap();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(all, blocks);
    }
}

#[tokio::test]
async fn a_block_that_is_taken_back_is_gone_and_the_version_says_so() {
    for place in places().await {
        let block = block(1, Target::Issuer);
        let added = add(&place, &block, 1).await;
        let removed = change(BlockAction::Remove, &block, 2);
        place.store.remove(&removed).await.unwrap();
        assert_eq!(place.store.version().await, Ok(2));
        assert_eq!(place.store.all().await, Ok(vec![]));
        assert_eq!(place.store.fetch(&block.id).await, Ok(None));
        let changes = place.store.changes(10, None).await.unwrap();
        assert_eq!(changes.items, [added, removed]);
        assert_eq!(changes.next, None);
    }
}

#[tokio::test]
async fn every_change_is_an_event_until_it_is_delivered() {
    for place in places().await {
        let block = Block {
            issued_before: Some(NOW),
            ..block(1, Target::Subject("#pk ü".to_owned()))
        };
        let added = add(&place, &block, 1).await;
        let removed = change(BlockAction::Remove, &block, 2);
        place.store.remove(&removed).await.unwrap();
        let outbox = place.outbox.as_ref();
        let [added, removed] = [added, removed].map(Event::Block);
        assert_eq!(told(outbox, 10).await, [added.clone(), removed.clone()]);
        outbox.delivered(&added).await.unwrap();
        assert_eq!(told(outbox, 10).await, [removed]);
    }
}

#[tokio::test]
async fn a_refused_change_leaves_nothing_behind() {
    for place in places().await {
        let first = block(1, Target::Issuer);
        add(&place, &first, 1).await;
        let missing = block(2, Target::Issuer);
        let again = change(BlockAction::Add, &first, 2);
        let not_there = change(BlockAction::Remove, &missing, 3);
        // An entry that is there already: the change cannot be audited.
        let not_audited = change(BlockAction::Add, &missing, 1);
        for outcome in [
            place.store.add(&again).await,
            place.store.remove(&not_there).await,
            place.store.add(&not_audited).await,
        ] {
            assert!(
                matches!(&outcome, Err(StoreError::Conflict(_))),
                "{outcome:?}"
            );
        }
        assert_eq!(place.store.version().await, Ok(1));
        assert_eq!(place.store.all().await, Ok(vec![first]));
        let changes = place.store.changes(10, None).await.unwrap();
        assert_eq!(changes.items.len(), 1);
    }
}

#[tokio::test]
async fn blocks_and_changes_are_listed_in_parts_and_in_order() {
    for place in places().await {
        let mut made = Vec::new();
        for number in 1..=5 {
            let block = block(number, Target::Jti(number.to_string()));
            add(&place, &block, number).await;
            made.push(block);
        }
        let (mut found, mut changes) = (Vec::new(), Vec::new());
        let (mut after, mut behind) = (None, None);
        loop {
            let part = place.store.list(2, after.as_ref()).await.unwrap();
            let noted = place.store.changes(2, behind.as_ref()).await.unwrap();
            assert!(part.items.len() <= 2);
            assert_eq!(part.next.is_some(), noted.next.is_some());
            found.extend(part.items);
            changes.extend(noted.items.into_iter().map(|change| change.block));
            (after, behind) = (part.next, noted.next);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, made);
        assert_eq!(changes, made);
    }
}

/// Every change writes the item of the version: they meet there, and none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_changes_at_once_none_is_lost() {
    for place in places().await {
        let writers = (1..=8).map(|number| {
            let store = Arc::clone(&place.store);
            tokio::spawn(async move {
                let block = block(number, Target::Issuer);
                let added = change(BlockAction::Add, &block, number);
                store.add(&added).await.unwrap();
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        assert_eq!(place.store.version().await, Ok(8));
        assert_eq!(ids(&place.store.all().await.unwrap()).len(), 8);
        let changes = place.store.changes(10, None).await.unwrap();
        assert_eq!(changes.items.len(), 8);
    }
}

/// More than the store gives in one answer (1 MB).
#[tokio::test]
async fn a_long_list_is_read_whole() {
    for place in places().await {
        for number in 1..=400 {
            let value = format!("{number}-{}", "x".repeat(3000));
            add(&place, &block(number, Target::Jti(value)), number).await;
        }
        assert_eq!(ids(&place.store.all().await.unwrap()).len(), 400);
    }
}

#[tokio::test]
async fn items_that_no_code_of_ours_wrote_are_refused() {
    for place in places().await {
        let Some((client, table)) = &place.table else {
            continue;
        };
        let block = Block {
            issued_before: Some(NOW),
            ..block(1, Target::Jti("a".to_owned()))
        };
        add(&place, &block, 1).await;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let found = client
            .get_item()
            .table_name(table)
            .key("pk", text("blocks"))
            .key("sk", text(&format!("block#{}", block.id)))
            .send()
            .await;
        let good = found.unwrap().item.unwrap();
        // What the time to live goes by.
        assert_eq!(good["purge_at"], good["expires_at"]);
        for (name, value) in [
            ("format", AttributeValue::N("2".to_owned())),
            ("id", text("GARBAGE")),
            ("id", text(BlockId::new(NOW, 9).as_str())),
            ("issuer", AttributeValue::Null(true)),
            ("kind", text("Jti")),
            ("kind", text("issuer")),
            ("value", AttributeValue::N("1".to_owned())),
            ("issued_before", text("never")),
            ("expires_at", AttributeValue::Null(true)),
            ("created_at", text("1")),
            ("actor", AttributeValue::N("1".to_owned())),
            ("reason", AttributeValue::N("1".to_owned())),
        ] {
            let mut bad = good.clone();
            bad.insert(name.to_owned(), value.clone());
            let put = client.put_item().table_name(table).set_item(Some(bad));
            put.send().await.unwrap();
            let all = place.store.all().await;
            let Err(StoreError::Corrupt(message)) = all else {
                panic!("{name} = {value:?}: {all:?}");
            };
            assert!(!message.contains("GARBAGE"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_missing_table_is_unavailable() {
    let names = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
        .await
        .unwrap();
    let store = DynamoBlocks::new(dynamo.client().clone(), "elsewhere");
    let added = change(BlockAction::Add, &block(1, Target::Issuer), 1);
    for outcome in [
        doorward_keys::BlockReader::version(&store).await.map(drop),
        doorward_keys::BlockReader::all(&store).await.map(drop),
        store.list(1, None).await.map(drop),
        store.add(&added).await,
    ] {
        assert!(
            matches!(&outcome, Err(StoreError::Unavailable(why)) if why.contains("elsewhere")),
            "{outcome:?}"
        );
    }
}
