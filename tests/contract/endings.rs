//! Deleting, and what is left of a deleted key.

use doorward_keys::{AuditAction, AuditSpan, KeyRecord, KeyStatus, StoreError};
use doorward_tests::keys::{NOW, audit, record};

use crate::{stores::Store, writes::create};

fn revoked(number: u64) -> KeyRecord {
    KeyRecord {
        status: KeyStatus::Revoked,
        version: 2,
        ..record("acme", number)
    }
}

async fn delete(store: &Store, key: &KeyRecord, version: u64) -> Result<(), StoreError> {
    let buried = KeyRecord {
        version: version + 1,
        ..key.clone()
    };
    let entry = audit(AuditAction::Delete, &buried, 9);
    store.ledger.delete(&buried, version, &entry).await
}

pub(crate) async fn a_deleted_key_is_gone_but_for_its_owner_and_its_changes(store: &Store) {
    let key = revoked(1);
    create(store, &key).await;
    create(store, &record("acme", 2)).await;
    delete(store, &key, 2).await.unwrap();
    assert_eq!(store.lookup.lookup(&key.digest).await, Ok(None));
    assert_eq!(store.ledger.fetch(&key.id).await, Ok(None));
    assert_eq!(
        store.ledger.list("acme", 10, None).await.unwrap().items,
        [record("acme", 2)]
    );
    let owner = store.ledger.owner(&key.id).await.unwrap();
    assert_eq!(owner.as_deref(), Some("acme"));
    let all = AuditSpan::default();
    let page = store.ledger.audit(&key.id, all, 10, None).await.unwrap();
    let actions: Vec<_> = page.items.iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [AuditAction::Create, AuditAction::Delete]);
    assert_eq!(
        store.ledger.owner(&record("acme", 3).id).await,
        Ok(None),
        "a key that never was"
    );
}

pub(crate) async fn a_deleted_key_is_made_again_by_nobody(store: &Store) {
    let key = revoked(1);
    create(store, &key).await;
    delete(store, &key, 2).await.unwrap();
    let same_digest = KeyRecord {
        digest: key.digest.clone(),
        ..record("evil", 2)
    };
    let same_id = KeyRecord {
        id: key.id.clone(),
        ..record("evil", 3)
    };
    for risen in [same_digest, same_id] {
        let entry = audit(AuditAction::Import, &risen, 7);
        let written = store.ledger.create(&risen, &entry, None).await;
        assert!(
            matches!(written, Err(StoreError::Conflict(_))),
            "{written:?}"
        );
        let entry = audit(AuditAction::Enable, &risen, 8);
        let written = store.ledger.replace(&risen, 3, &entry).await;
        assert!(
            matches!(written, Err(StoreError::Conflict(_))),
            "{written:?}"
        );
    }
    assert_eq!(store.lookup.lookup(&key.digest).await, Ok(None));
}

pub(crate) async fn a_key_in_another_version_or_missing_is_not_deleted(store: &Store) {
    let key = revoked(1);
    create(store, &key).await;
    for (key, version) in [(&key, 1), (&key, 3), (&revoked(5), 2)] {
        let done = delete(store, key, version).await;
        assert!(matches!(done, Err(StoreError::Conflict(_))), "{done:?}");
    }
    assert_eq!(store.ledger.fetch(&key.id).await, Ok(Some(key)));
}

pub(crate) async fn the_changes_of_a_tenant_are_listed_in_time_and_in_parts(store: &Store) {
    let mut ids = Vec::new();
    for number in 1..=5 {
        let mut key = record("acme", number);
        key.created_at = NOW.plus(i64::try_from(number).unwrap());
        let mut entry = audit(AuditAction::Create, &key, number);
        let at = NOW.plus(i64::try_from(number).unwrap());
        entry.at = at;
        entry.id = doorward_keys::AuditEntry::of(AuditAction::Create, &key, "op", at, 7).id;
        store.ledger.create(&key, &entry, None).await.unwrap();
        ids.push(key.id);
    }
    create(store, &record("other", 9)).await;
    let seen = async |span: AuditSpan, limit: usize| {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let ledger = &store.ledger;
            let page = ledger.audit_of_tenant("acme", span, limit, after.as_ref());
            let page = page.await.unwrap();
            seen.extend(page.items.into_iter().map(|entry| entry.key_id));
            after = page.next;
            if after.is_none() {
                return seen;
            }
        }
    };
    for limit in [1, 2, 5, 100] {
        assert_eq!(seen(AuditSpan::default(), limit).await, ids, "{limit}");
        let span = AuditSpan {
            from: Some(NOW.plus(2)),
            until: Some(NOW.plus(4)),
        };
        assert_eq!(seen(span, limit).await, ids[1..3], "{limit}");
    }
}
