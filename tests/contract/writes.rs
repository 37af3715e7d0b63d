//! Finding, creating, changing and rotating.

use std::{collections::BTreeMap, sync::Arc};

use doorward_keys::{
    AuditAction, AuditSpan, Digest, KeyRecord, KeyStatus, StoreError, Timestamp, Written,
    lifecycle::{self, Rotation},
};
use doorward_tests::keys::{audit, fresh, record, rotation};

use crate::stores::Store;

/// Writes `record` as a new key.
pub(crate) async fn create(store: &Store, record: &KeyRecord) {
    let entry = audit(AuditAction::Create, record, 0);
    let written = store.ledger.create(record, &entry, None).await;
    assert_eq!(written, Ok(Written::Now));
}

/// What is stored under the digest and the id of `record`; both must agree.
async fn stored(store: &Store, record: &KeyRecord) -> Option<KeyRecord> {
    let by_digest = store.lookup.lookup(&record.digest).await.unwrap();
    let by_id = store.ledger.fetch(&record.id).await.unwrap();
    assert_eq!(by_digest, by_id);
    by_digest
}

async fn changes(store: &Store, record: &KeyRecord) -> Vec<AuditAction> {
    let page = store
        .ledger
        .audit(&record.id, AuditSpan::default(), 100, None)
        .await
        .unwrap();
    page.items.iter().map(|entry| entry.action).collect()
}

fn is_conflict<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
}

pub(crate) async fn a_created_key_is_found_by_digest_and_by_id_as_it_was_written(store: &Store) {
    let plain = record("acme", 1);
    let full = KeyRecord {
        routes: Some(vec!["orders".to_owned()]),
        addresses: Some(vec![
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ]),
        rotated_from: Some(fresh(90).id),
        rotated_to: Some(fresh(91).id),
        usage_plan_key: Some("plan".to_owned()),
        plan: Some("gold".to_owned()),
        metadata: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
        version: u64::MAX,
        status: KeyStatus::Disabled,
        ..record("acme", 2)
    };
    // Present but empty is another thing than absent, and must come back as such.
    let empty = KeyRecord {
        scopes: vec![],
        routes: Some(vec![]),
        addresses: Some(vec![]),
        expires_at: None,
        ..record("acme", 3)
    };
    for record in [plain, full, empty] {
        create(store, &record).await;
        assert_eq!(stored(store, &record).await, Some(record));
    }
}

pub(crate) async fn an_unknown_key_is_not_found(store: &Store) {
    create(store, &record("acme", 1)).await;
    let unknown = Digest::of("unknown", None);
    assert_eq!(store.lookup.lookup(&unknown).await, Ok(None));
    assert_eq!(store.ledger.fetch(&fresh(2).id).await, Ok(None));
}

pub(crate) async fn a_revoked_key_is_found_and_says_so(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let revoked = lifecycle::revoke(&key, doorward_tests::keys::NOW).unwrap();
    let entry = audit(AuditAction::Revoke, &revoked, 0);
    store.ledger.replace(&revoked, 1, &entry).await.unwrap();
    let found = stored(store, &key).await.unwrap();
    assert_eq!(found.status, KeyStatus::Revoked);
    assert_eq!(found.version, 2);
}

pub(crate) async fn text_that_looks_like_an_expression_or_a_key_stays_text(store: &Store) {
    let hostile = [
        "#pk",
        ":pk",
        "a#b",
        "\" OR attribute_not_exists(pk) OR \"",
        "acme\u{0}x",
        "\u{202e}\u{1f511}",
        "{\"S\":\"x\"}",
    ];
    for (number, text) in (1_u64..).zip(hostile) {
        let key = KeyRecord {
            name: text.to_owned(),
            scopes: vec![text.to_owned()],
            metadata: BTreeMap::from([(text.to_owned(), text.to_owned())]),
            ..record(text, number)
        };
        create(store, &key).await;
        assert_eq!(stored(store, &key).await.as_ref(), Some(&key), "{text:?}");
        let page = store.ledger.list(text, 10, None).await.unwrap();
        assert_eq!(page.items, [key], "{text:?}");
    }
}

pub(crate) async fn a_taken_id_or_digest_is_refused(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let same_digest = KeyRecord {
        digest: key.digest.clone(),
        ..record("evil", 2)
    };
    let same_id = KeyRecord {
        id: key.id.clone(),
        ..record("evil", 3)
    };
    for taken in [same_digest, same_id] {
        let entry = audit(AuditAction::Create, &taken, 7);
        is_conflict(&store.ledger.create(&taken, &entry, None).await);
    }
    assert_eq!(stored(store, &key).await, Some(key));
}

pub(crate) async fn a_stale_version_is_refused(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let disabled = lifecycle::disable(&key, doorward_tests::keys::NOW).unwrap();
    let entry = audit(AuditAction::Disable, &disabled, 0);
    store.ledger.replace(&disabled, 1, &entry).await.unwrap();
    let revoked = lifecycle::revoke(&key, doorward_tests::keys::NOW).unwrap();
    for version in [0, 1, 3, u64::MAX] {
        let entry = audit(AuditAction::Revoke, &revoked, version);
        is_conflict(&store.ledger.replace(&revoked, version, &entry).await);
    }
    assert_eq!(stored(store, &key).await, Some(disabled));
}

pub(crate) async fn a_change_of_a_missing_or_foreign_key_is_refused(store: &Store) {
    let missing = record("acme", 1);
    let entry = audit(AuditAction::Disable, &missing, 0);
    is_conflict(&store.ledger.replace(&missing, 1, &entry).await);
    assert_eq!(stored(store, &missing).await, None);

    let key = record("acme", 2);
    create(store, &key).await;
    let other_id = KeyRecord {
        id: fresh(3).id,
        ..key.clone()
    };
    let entry = audit(AuditAction::Disable, &other_id, 0);
    is_conflict(&store.ledger.replace(&other_id, 1, &entry).await);
    assert_eq!(stored(store, &key).await, Some(key));
}

pub(crate) async fn a_stored_revoked_key_is_never_written_over(store: &Store) {
    let revoked = KeyRecord {
        status: KeyStatus::Revoked,
        ..record("acme", 1)
    };
    create(store, &revoked).await;
    let risen = KeyRecord {
        status: KeyStatus::Active,
        version: 2,
        ..revoked.clone()
    };
    let entry = audit(AuditAction::Enable, &risen, 0);
    is_conflict(&store.ledger.replace(&risen, 1, &entry).await);
    let Rotation { old, new } = rotation(&record("acme", 1), 2).unwrap();
    let entries = [
        audit(AuditAction::Rotate, &old, 0),
        audit(AuditAction::Create, &new, 0),
    ];
    let both = Rotation { old, new };
    is_conflict(&store.ledger.rotate(&both, 1, &entries, None).await);
    assert_eq!(stored(store, &revoked).await, Some(revoked));
}

pub(crate) async fn a_refused_creation_leaves_nothing_behind(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let late = record("acme", 2);
    let taken = KeyRecord {
        digest: key.digest.clone(),
        ..late.clone()
    };
    let entry = audit(AuditAction::Create, &taken, 0);
    is_conflict(&store.ledger.create(&taken, &entry, None).await);
    assert_eq!(store.ledger.fetch(&late.id).await, Ok(None));
    assert_eq!(changes(store, &late).await, []);
    let listed = store.ledger.list("acme", 10, None).await.unwrap();
    assert_eq!(listed.items, [key]);
}

pub(crate) async fn a_refused_change_leaves_no_audit_entry(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let disabled = lifecycle::disable(&key, doorward_tests::keys::NOW).unwrap();
    let entry = audit(AuditAction::Disable, &disabled, 0);
    is_conflict(&store.ledger.replace(&disabled, 9, &entry).await);
    assert_eq!(changes(store, &key).await, [AuditAction::Create]);
}

pub(crate) async fn a_change_that_cannot_be_audited_is_refused(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let disabled = lifecycle::disable(&key, doorward_tests::keys::NOW).unwrap();
    let entry = audit(AuditAction::Disable, &disabled, 0);
    store.ledger.replace(&disabled, 1, &entry).await.unwrap();
    // The same entry once more: an audit entry is never written over, and without one there is no change.
    let revoked = lifecycle::revoke(&disabled, doorward_tests::keys::NOW).unwrap();
    is_conflict(&store.ledger.replace(&revoked, 2, &entry).await);
    assert_eq!(stored(store, &key).await, Some(disabled));
    assert_eq!(
        changes(store, &key).await,
        [AuditAction::Create, AuditAction::Disable]
    );
}

pub(crate) async fn a_rotation_is_seen_whole(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let both = rotation(&key, 2).unwrap();
    let entries = [
        audit(AuditAction::Rotate, &both.old, 0),
        audit(AuditAction::Create, &both.new, 0),
    ];
    let written = store.ledger.rotate(&both, 1, &entries, None).await;
    assert_eq!(written, Ok(Written::Now));
    let Rotation { old, new } = both;
    assert_eq!(stored(store, &old).await.as_ref(), Some(&old));
    assert_eq!(stored(store, &new).await.as_ref(), Some(&new));
    assert_eq!(
        changes(store, &old).await,
        [AuditAction::Create, AuditAction::Rotate]
    );
    assert_eq!(changes(store, &new).await, [AuditAction::Create]);
}

pub(crate) async fn a_refused_rotation_leaves_nothing_behind(store: &Store) {
    let key = record("acme", 1);
    let taken = record("acme", 3);
    create(store, &key).await;
    create(store, &taken).await;
    let stale = (rotation(&key, 2).unwrap(), 7);
    let onto_taken = (rotation(&key, 3).unwrap(), 1);
    for (both, expected_version) in [stale, onto_taken] {
        let entries = [
            audit(AuditAction::Rotate, &both.old, 5),
            audit(AuditAction::Create, &both.new, 5),
        ];
        is_conflict(
            &store
                .ledger
                .rotate(&both, expected_version, &entries, None)
                .await,
        );
    }
    assert_eq!(stored(store, &key).await.as_ref(), Some(&key));
    assert_eq!(stored(store, &taken).await.as_ref(), Some(&taken));
    assert_eq!(stored(store, &record("acme", 2)).await, None);
    assert_eq!(changes(store, &key).await, [AuditAction::Create]);
    assert_eq!(changes(store, &taken).await, [AuditAction::Create]);
}

pub(crate) async fn of_ten_writers_of_one_version_exactly_one_wins(store: &Store) {
    let mut key = record("acme", 1);
    create(store, &key).await;
    for round in 1..=5_u64 {
        let writers = (0..10_i64).map(|writer| {
            let ledger = Arc::clone(&store.ledger);
            let changed = KeyRecord {
                expires_at: Some(Timestamp::from_unix(writer)),
                version: round + 1,
                ..key.clone()
            };
            let number = u64::try_from(writer).unwrap();
            let entry = audit(AuditAction::Disable, &changed, number);
            tokio::spawn(async move {
                let result = ledger.replace(&changed, round, &entry).await;
                (changed, result)
            })
        });
        let mut winners = Vec::new();
        for writer in writers.collect::<Vec<_>>() {
            match writer.await.unwrap() {
                (changed, Ok(())) => winners.push(changed),
                (_, result) => is_conflict(&result),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(stored(store, &key).await.as_ref(), winners.first());
        key = winners.remove(0);
    }
    assert_eq!(key.version, 6);
    assert_eq!(changes(store, &key).await.len(), 6);
}
