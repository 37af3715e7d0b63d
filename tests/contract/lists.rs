//! Lists in parts.

use doorward_keys::{AuditAction, AuditSpan, Cursor, KeyRecord};
use doorward_tests::keys::{NOW, audit, record};

use crate::{stores::Store, writes::create};

async fn listed(store: &Store, tenant: &str, limit: usize) -> Vec<Vec<KeyRecord>> {
    let mut parts = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = store.ledger.list(tenant, limit, after.as_ref()).await;
        let page = page.unwrap();
        parts.push(page.items);
        // Through its printed form, as callers hand it back.
        let next = page.next.map(|next| next.to_string());
        after = next.map(|next| Cursor::parse(&next).unwrap());
        if after.is_none() {
            return parts;
        }
        assert!(parts.len() < 100, "the list does not end");
    }
}

pub(crate) async fn keys_are_listed_in_parts_and_in_order(store: &Store) {
    // Made in another order than listed: by time first, by id within one second.
    let mut keys: Vec<KeyRecord> = (0..12_u64)
        .map(|number| KeyRecord {
            created_at: NOW.plus(i64::try_from(number / 3).unwrap()),
            ..record("acme", (number * 7) % 12)
        })
        .collect();
    for key in &keys {
        create(store, key).await;
    }
    keys.sort_by_key(|key| (key.created_at, key.id.clone()));
    for (limit, lengths) in [
        (5, vec![5, 5, 2]),
        (4, vec![4, 4, 4]),
        (12, vec![12]),
        (100, vec![12]),
        (0, vec![1; 12]),
    ] {
        let parts = listed(store, "acme", limit).await;
        let seen: Vec<usize> = parts.iter().map(Vec::len).collect();
        assert_eq!(seen, lengths, "limit {limit}");
        assert_eq!(parts.concat(), keys, "limit {limit}");
    }
    assert_eq!(listed(store, "nobody", 5).await, [vec![]]);
}

pub(crate) async fn keys_of_another_tenant_are_never_listed(store: &Store) {
    let tenants = ["acme", "acme#", "acme#0", "ACME", "acm", " acme"];
    for (number, tenant) in (1_u64..).zip(tenants) {
        create(store, &record(tenant, number)).await;
    }
    for (number, tenant) in (1_u64..).zip(tenants) {
        assert_eq!(
            listed(store, tenant, 10).await,
            [vec![record(tenant, number)]]
        );
    }
}

pub(crate) async fn the_changes_of_a_key_are_listed_in_parts_and_in_order(store: &Store) {
    let mut key = record("acme", 1);
    create(store, &key).await;
    create(store, &record("acme", 2)).await;
    let mut entries = vec![audit(AuditAction::Create, &key, 0)];
    for version in 1..=6_u64 {
        key.version = version + 1;
        // Random parts that fall, so that only time and version can put the entries in order.
        let mut entry = audit(AuditAction::Disable, &key, 100 - version);
        entry.reason = Some(format!("change {version}"));
        entry.related = Some(record("acme", 2).id);
        store.ledger.replace(&key, version, &entry).await.unwrap();
        entries.push(entry);
    }
    for limit in [1, 3, 7, 100] {
        let mut seen = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = store
                .ledger
                .audit(&key.id, AuditSpan::default(), limit, after.as_ref())
                .await;
            let page = page.unwrap();
            assert!((1..=limit).contains(&page.items.len()));
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, entries, "limit {limit}");
    }
}

pub(crate) async fn a_made_up_place_in_a_list_shows_nothing_new(store: &Store) {
    let own = record("acme", 1);
    create(store, &own).await;
    create(store, &record("other", 2)).await;
    for position in ["0", "tenant#other", "~", "key#00", "zzzz"] {
        let after = Cursor::behind(position.to_owned());
        let page = store.ledger.list("acme", 10, Some(&after)).await.unwrap();
        assert!(page.items.iter().all(|key| *key == own), "{position}");
        let page = store
            .ledger
            .audit(&own.id, AuditSpan::default(), 10, Some(&after))
            .await
            .unwrap();
        assert!(
            page.items.iter().all(|entry| entry.key_id == own.id),
            "{position}"
        );
    }
}
