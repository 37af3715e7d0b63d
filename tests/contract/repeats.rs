//! Requests that come again.

use std::sync::Arc;

use doorward_keys::{AuditAction, Earlier, Idempotency, KeyRecord, Written};
use doorward_tests::keys::{NOW, audit, record, rotation};

use crate::{stores::Store, writes::create};

fn request(operation: &str, content: &str, seconds_later: i64) -> Idempotency {
    Idempotency::new(
        operation,
        "acme",
        "request-1",
        content,
        NOW.plus(seconds_later),
    )
}

async fn create_once(store: &Store, record: &KeyRecord, request: &Idempotency) -> Written {
    let entry = audit(AuditAction::Create, record, 0);
    let written = store.ledger.create(record, &entry, Some(request)).await;
    written.unwrap()
}

pub(crate) async fn a_repeated_creation_makes_no_second_key(store: &Store) {
    let first = record("acme", 1);
    let second = record("acme", 2);
    let same = Earlier::Same(first.id.clone());
    let asked = request("create", "{}", 0);
    assert_eq!(store.ledger.recall(&asked).await, Ok(None));
    assert_eq!(create_once(store, &first, &asked).await, Written::Now);
    let again = request("create", "{}", 60);
    assert_eq!(store.ledger.recall(&again).await, Ok(Some(same.clone())));
    assert_eq!(
        create_once(store, &second, &again).await,
        Written::Before(same)
    );
    assert_eq!(store.ledger.fetch(&second.id).await, Ok(None));
}

pub(crate) async fn a_repeated_rotation_makes_no_second_successor(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let mut outcomes = Vec::new();
    for number in [2, 3] {
        let both = rotation(&key, number).unwrap();
        let entries = [
            audit(AuditAction::Rotate, &both.old, number),
            audit(AuditAction::Create, &both.new, number),
        ];
        let asked = request("rotate", "{}", 0);
        let written = store.ledger.rotate(&both, 1, &entries, Some(&asked)).await;
        outcomes.push(written.unwrap());
    }
    let successor = record("acme", 2).id;
    let same = Written::Before(Earlier::Same(successor.clone()));
    assert_eq!(outcomes, [Written::Now, same]);
    let old = store.ledger.fetch(&key.id).await.unwrap().unwrap();
    assert_eq!(old.rotated_to, Some(successor));
    assert_eq!(store.ledger.fetch(&record("acme", 3).id).await, Ok(None));
}

pub(crate) async fn a_name_used_for_something_else_is_refused(store: &Store) {
    let asked = request("create", "{\"name\":\"a\"}", 0);
    create_once(store, &record("acme", 1), &asked).await;
    let other = request("create", "{\"name\":\"b\"}", 0);
    let second = record("acme", 2);
    assert_eq!(
        create_once(store, &second, &other).await,
        Written::Before(Earlier::Different)
    );
    assert_eq!(store.ledger.fetch(&second.id).await, Ok(None));
    // The same text for another operation is another request.
    let rotate = request("rotate", "{\"name\":\"b\"}", 0);
    assert_eq!(store.ledger.recall(&rotate).await, Ok(None));
}

pub(crate) async fn a_request_is_forgotten_after_its_time(store: &Store) {
    create_once(store, &record("acme", 1), &request("create", "{}", 0)).await;
    let last = request("create", "{}", Idempotency::MEMORY_SECONDS - 1);
    assert!(store.ledger.recall(&last).await.unwrap().is_some());
    // Forgotten although the item is still there: the store sweeps late, and code compares the time itself.
    let late = request("create", "{}", Idempotency::MEMORY_SECONDS);
    assert_eq!(store.ledger.recall(&late).await, Ok(None));
    let second = record("acme", 2);
    assert_eq!(create_once(store, &second, &late).await, Written::Now);
    let remembered = store.ledger.recall(&late).await;
    assert_eq!(remembered, Ok(Some(Earlier::Same(second.id))));
}

pub(crate) async fn of_ten_equal_requests_at_once_one_makes_a_key(store: &Store) {
    let writers = (1..=10_u64).map(|number| {
        let ledger = Arc::clone(&store.ledger);
        tokio::spawn(async move {
            let key = record("acme", number);
            let entry = audit(AuditAction::Create, &key, number);
            let asked = request("create", "{}", 0);
            let written = ledger.create(&key, &entry, Some(&asked)).await;
            (key.id, written)
        })
    });
    let mut made = Vec::new();
    let mut told = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            (id, Ok(Written::Now)) => made.push(id),
            (_, Ok(Written::Before(Earlier::Same(id)))) => told.push(id),
            // Two transactions on one item at the very same time: the caller asks again.
            (_, Err(doorward_keys::StoreError::Conflict(_))) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(made.len(), 1);
    assert!(told.iter().all(|id| *id == made[0]), "{told:?} {made:?}");
    let listed = store.ledger.list("acme", 100, None).await.unwrap();
    assert_eq!(listed.items.len(), 1);
}
