//! Records that move to another digest, and what is left where they stood.

use doorward_keys::{
    AuditAction, Digest, KeyRecord, StoreError, Trace,
    lifecycle::{moved, revoke},
};
use doorward_tests::keys::{audit, fresh, record};

use crate::{stores::Store, writes::create};

fn there(key: &KeyRecord) -> KeyRecord {
    moved(key, Digest::of("there", None), key.created_at).unwrap()
}

async fn rehash(store: &Store, key: &KeyRecord, from: &KeyRecord) -> Result<(), StoreError> {
    let entry = audit(AuditAction::Update, key, 9);
    store
        .ledger
        .rehash(key, &from.digest, &[], from.version, &entry)
        .await
}

fn is_conflict(result: &Result<(), StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
}

pub(crate) async fn a_moved_key_is_found_by_both_digests_and_stands_at_the_new_one(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let here = Trace::Here(Box::new(key.clone()));
    assert_eq!(store.ledger.trace(&key.digest).await, Ok(Some(here)));
    let new = there(&key);
    assert_eq!(store.ledger.trace(&new.digest).await, Ok(None));
    rehash(store, &new, &key).await.unwrap();
    assert_eq!(
        store.lookup.lookup(&key.digest).await,
        Ok(Some(new.clone()))
    );
    let gone = Some(Trace::Gone(key.id.clone()));
    assert_eq!(store.ledger.trace(&key.digest).await, Ok(gone));
    assert_eq!(
        store.lookup.lookup(&new.digest).await,
        Ok(Some(new.clone()))
    );
    assert_eq!(store.ledger.fetch(&key.id).await, Ok(Some(new.clone())));
    let listed = store.ledger.list("acme", 10, None).await.unwrap();
    assert_eq!(listed.items, [new]);
}

pub(crate) async fn nothing_is_made_where_a_key_has_moved_away(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    rehash(store, &there(&key), &key).await.unwrap();
    let other = KeyRecord {
        id: fresh(2).id,
        ..key.clone()
    };
    let entry = audit(AuditAction::Create, &other, 0);
    let made = store.ledger.create(&other, &entry, None).await;
    is_conflict(&made.map(|_| ()));
    // Nor does the key move a second time from there.
    is_conflict(&rehash(store, &there(&key), &key).await);
}

pub(crate) async fn a_move_to_a_taken_digest_from_another_version_or_of_a_dead_key_is_refused(
    store: &Store,
) {
    let key = record("acme", 1);
    create(store, &key).await;
    let other = record("acme", 2);
    create(store, &other).await;
    let onto = moved(&key, other.digest.clone(), key.created_at).unwrap();
    is_conflict(&rehash(store, &onto, &key).await);
    let stale = KeyRecord {
        version: 7,
        ..key.clone()
    };
    is_conflict(&rehash(store, &there(&key), &stale).await);
    let dead = revoke(&key, key.created_at).unwrap();
    let entry = audit(AuditAction::Revoke, &dead, 0);
    store
        .ledger
        .replace(&dead, key.version, &entry)
        .await
        .unwrap();
    let waking = KeyRecord {
        version: 3,
        ..there(&key)
    };
    is_conflict(&rehash(store, &waking, &dead).await);
    assert_eq!(store.lookup.lookup(&key.digest).await, Ok(Some(dead)));
}

pub(crate) async fn a_moved_key_dies_under_both_digests(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let new = there(&key);
    rehash(store, &new, &key).await.unwrap();
    // Who saw it where it was before changes nothing there.
    let stale = revoke(&key, key.created_at).unwrap();
    let entry = audit(AuditAction::Revoke, &stale, 1);
    is_conflict(&store.ledger.replace(&stale, key.version, &entry).await);
    let dead = revoke(&new, key.created_at).unwrap();
    let entry = audit(AuditAction::Revoke, &dead, 2);
    store
        .ledger
        .replace(&dead, new.version, &entry)
        .await
        .unwrap();
    for digest in [&key.digest, &new.digest] {
        let found = store.lookup.lookup(digest).await;
        assert_eq!(found, Ok(Some(dead.clone())));
    }
    let mut buried = dead.clone();
    buried.version += 1;
    let entry = audit(AuditAction::Delete, &buried, 3);
    store
        .ledger
        .delete(&buried, dead.version, &entry)
        .await
        .unwrap();
    for digest in [&key.digest, &new.digest] {
        assert_eq!(store.lookup.lookup(digest).await, Ok(None));
        let other = KeyRecord {
            id: fresh(2).id,
            digest: digest.clone(),
            ..key.clone()
        };
        let entry = audit(AuditAction::Create, &other, 0);
        is_conflict(&store.ledger.create(&other, &entry, None).await.map(|_| ()));
    }
}

pub(crate) async fn a_key_is_imported_under_all_its_digests_or_not_at_all(store: &Store) {
    let key = record("acme", 1);
    let others = [Digest::of("there", None), Digest::of("elsewhere", None)];
    let entry = audit(AuditAction::Import, &key, 0);
    store.ledger.import(&key, &others, &entry).await.unwrap();
    for digest in others.iter().chain([&key.digest]) {
        let found = store.lookup.lookup(digest).await;
        assert_eq!(found, Ok(Some(key.clone())));
    }
    let second = record("acme", 2);
    let entry = audit(AuditAction::Import, &second, 0);
    let free = Digest::of("free", None);
    let taken = [free.clone(), others[0].clone()];
    is_conflict(&store.ledger.import(&second, &taken, &entry).await);
    assert_eq!(store.ledger.trace(&free).await, Ok(None));
    assert_eq!(store.ledger.fetch(&second.id).await, Ok(None));
    assert_eq!(
        store
            .ledger
            .list("acme", 10, None)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
}

pub(crate) async fn a_key_gets_to_be_known_by_more_where_it_is(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let known = KeyRecord {
        version: 2,
        ..key.clone()
    };
    let more = [Digest::of("there", None)];
    let entry = audit(AuditAction::Update, &known, 0);
    let ledger = &store.ledger;
    let write = || ledger.rehash(&known, &key.digest, &more, key.version, &entry);
    write().await.unwrap();
    is_conflict(&write().await);
    for digest in [&key.digest, &more[0]] {
        assert_eq!(store.lookup.lookup(digest).await, Ok(Some(known.clone())));
    }
}

pub(crate) async fn a_deleted_key_leaves_a_trace(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let mut buried = key.clone();
    buried.version += 1;
    let entry = audit(AuditAction::Delete, &buried, 0);
    store
        .ledger
        .delete(&buried, key.version, &entry)
        .await
        .unwrap();
    let gone = Some(Trace::Gone(key.id.clone()));
    assert_eq!(store.ledger.trace(&key.digest).await, Ok(gone));
}
