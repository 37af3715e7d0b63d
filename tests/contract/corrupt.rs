//! Items that no code of ours wrote.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use doorward_keys::{Idempotency, KeyRecord, StoreError};
use doorward_tests::keys::{NOW, record};

use crate::{stores::Store, writes::create};

type Item = HashMap<String, AttributeValue>;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(digits: &str) -> AttributeValue {
    AttributeValue::N(digits.to_owned())
}

async fn item_of(store: &Store, pk: &str, sk: &str) -> Item {
    let table = store.table();
    let found = table
        .client
        .get_item()
        .table_name(&table.names.keys)
        .key("pk", text(pk))
        .key("sk", text(sk))
        .send()
        .await;
    found.unwrap().item.unwrap()
}

async fn put(store: &Store, item: &Item) {
    let table = store.table();
    let put = table.client.put_item().table_name(&table.names.keys);
    put.set_item(Some(item.clone())).send().await.unwrap();
}

fn pk_of(key: &KeyRecord) -> String {
    format!("key#{}", key.digest.to_hex())
}

fn is_corrupt<T: std::fmt::Debug>(result: Result<T, StoreError>, what: &str) {
    let Err(StoreError::Corrupt(message)) = result else {
        panic!("{what}: {result:?}");
    };
    assert!(
        message.len() < 200 && !message.contains("GARBAGE"),
        "{message}"
    );
}

pub(crate) async fn a_record_that_is_not_of_ours_is_refused(store: &Store) {
    let key = KeyRecord {
        routes: Some(vec!["orders".to_owned()]),
        addresses: Some(vec!["10.0.0.0/8".parse().unwrap()]),
        usage_plan_key: Some("plan".to_owned()),
        plan: Some("gold".to_owned()),
        rotated_to: Some(record("acme", 9).id),
        rotated_from: Some(record("acme", 8).id),
        ..record("acme", 1)
    };
    create(store, &key).await;
    let good = item_of(store, &pk_of(&key), "key").await;
    let garbage = || text("GARBAGE");
    let garbage_list = || AttributeValue::L(vec![AttributeValue::Null(true)]);
    let garbage_map = HashMap::from([("a".to_owned(), number("1"))]);
    let other_id = record("acme", 2).list_position();
    let changes = [
        ("format", number("1")),
        ("format", number("3")),
        ("format", number("4")),
        ("decoy", text("no")),
        ("changed_at", text("1")),
        ("day_pk", text("expires#1970-01-01")),
        ("day_sk", text("0")),
        ("plan", number("1")),
        ("format", text("1")),
        ("digest", garbage()),
        ("digest", AttributeValue::B(Blob::new(vec![0; 31]))),
        ("digest", AttributeValue::B(Blob::new(vec![0; 32]))),
        ("id", garbage()),
        ("tenant", number("1")),
        ("tenant", text("evil")),
        ("name", AttributeValue::Null(true)),
        ("environment", number("1")),
        ("scopes", garbage()),
        ("scopes", garbage_list()),
        ("scopes", AttributeValue::Ss(vec!["a".to_owned()])),
        ("routes", AttributeValue::Null(true)),
        ("routes", garbage_list()),
        ("addresses", AttributeValue::Null(true)),
        ("addresses", AttributeValue::L(vec![garbage()])),
        ("addresses", AttributeValue::L(vec![text("10.0.0.0/33")])),
        ("created_at", text("1700000000")),
        ("created_at", number("1.5")),
        ("expires_at", AttributeValue::Null(true)),
        ("expires_at", text("never")),
        ("expires_at", number("1e30")),
        ("status", text("ACTIVE")),
        ("status", garbage()),
        ("rotated_from", garbage()),
        ("rotated_to", number("1")),
        ("usage_plan_key", number("1")),
        ("metadata", garbage()),
        ("metadata", AttributeValue::M(garbage_map)),
        ("version", number("-1")),
        ("tenant_pk", text("tenant#evil")),
        ("tenant_sk", text(&other_id)),
    ];
    for (name, value) in changes {
        let what = format!("{name} = {value:?}");
        let mut bad = good.clone();
        bad.insert(name.to_owned(), value);
        put(store, &bad).await;
        is_corrupt(store.lookup.lookup(&key.digest).await, &what);
        is_corrupt(store.ledger.fetch(&key.id).await, &what);
    }
    for name in good.keys() {
        // What may be absent means something when it is; the index keys may not be missing either.
        let may_be_absent = [
            "routes",
            "addresses",
            "expires_at",
            "rotated_from",
            "rotated_to",
            "usage_plan_key",
        ];
        if ["pk", "sk"].contains(&name.as_str()) || may_be_absent.contains(&name.as_str()) {
            continue;
        }
        let mut bad = good.clone();
        bad.remove(name);
        put(store, &bad).await;
        is_corrupt(store.lookup.lookup(&key.digest).await, name);
    }
    put(store, &good).await;
    assert_eq!(store.lookup.lookup(&key.digest).await, Ok(Some(key)));
}

pub(crate) async fn an_id_that_leads_nowhere_or_elsewhere_is_refused(store: &Store) {
    let key = record("acme", 1);
    let other = record("acme", 2);
    create(store, &key).await;
    create(store, &other).await;
    let pk = format!("id#{}", key.id);
    let good = item_of(store, &pk, "id").await;
    let digests = [
        AttributeValue::B(Blob::new(vec![0; 32])),
        AttributeValue::B(Blob::new(other.digest.as_bytes().to_vec())),
        AttributeValue::B(Blob::new(vec![1])),
        text("GARBAGE"),
    ];
    for digest in digests {
        let what = format!("{digest:?}");
        let mut bad = good.clone();
        bad.insert("digest".to_owned(), digest);
        put(store, &bad).await;
        is_corrupt(store.ledger.fetch(&key.id).await, &what);
    }
}

pub(crate) async fn a_remembered_request_that_cannot_be_read_is_refused(store: &Store) {
    let request = Idempotency::new("create", "acme", "n", "{}", NOW);
    let bad = HashMap::from([
        ("pk".to_owned(), text(&format!("idem#{}", request.name))),
        ("sk".to_owned(), text("idem")),
        ("format".to_owned(), number("1")),
        ("content".to_owned(), text(&request.content)),
        ("id".to_owned(), text("GARBAGE")),
        ("purge_at".to_owned(), number("1800000000")),
    ]);
    put(store, &bad).await;
    is_corrupt(store.ledger.recall(&request).await, "id");
    let key = record("acme", 1);
    let entry = doorward_tests::keys::audit(doorward_keys::AuditAction::Create, &key, 0);
    let written = store.ledger.create(&key, &entry, Some(&request)).await;
    is_corrupt(written, "id");
    assert_eq!(store.ledger.fetch(&key.id).await, Ok(None));
}

pub(crate) async fn a_list_with_a_corrupt_record_is_refused(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let mut bad = item_of(store, &pk_of(&key), "key").await;
    bad.insert("status".to_owned(), text("GARBAGE"));
    put(store, &bad).await;
    is_corrupt(store.ledger.list("acme", 10, None).await, "status");
    let pk = format!("id#{}", key.id);
    let mut bad = HashMap::from([
        ("pk".to_owned(), text(&pk)),
        ("sk".to_owned(), text("audit#1GARBAGE")),
    ]);
    bad.insert("format".to_owned(), number("1"));
    put(store, &bad).await;
    is_corrupt(
        store
            .ledger
            .audit(&key.id, doorward_keys::AuditSpan::default(), 10, None)
            .await,
        "action",
    );
}
