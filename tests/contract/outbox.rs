//! Events in the outbox, notices, and the calendar.

use doorward_keys::{
    AuditAction, Day, Event, EventKind, KeyEvent, KeyRecord, KeyStatus, StoreError,
    lifecycle::{self, Rotation},
};
use doorward_tests::keys::{NOW, audit, record, rotation};

use crate::{stores::Store, writes::create};

/// Everything that waits.
pub(crate) async fn waiting(store: &Store, limit: usize) -> Vec<KeyEvent> {
    doorward_tests::keys::waiting(store.outbox.as_ref(), limit).await
}

async fn kinds(store: &Store) -> Vec<EventKind> {
    let mut waiting = waiting(store, 100).await;
    waiting.sort_by(|left, right| left.id.cmp(&right.id));
    waiting.iter().map(|event| event.kind).collect()
}

pub(crate) async fn every_change_is_an_event_with_the_facts_of_the_change(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let revoked = lifecycle::revoke(&key, NOW).unwrap();
    let mut entry = audit(AuditAction::Revoke, &revoked, 1);
    entry.reason = Some("leaked".to_owned());
    store.ledger.replace(&revoked, 1, &entry).await.unwrap();
    let waiting = waiting(store, 100).await;
    assert_eq!(waiting.len(), 2);
    let event = &waiting[1];
    assert_eq!(*event, KeyEvent::of_change(&revoked, &entry));
    assert_eq!(event.kind, EventKind::KeyRevoked);
    assert_eq!((event.status, event.version), (KeyStatus::Revoked, 2));
}

pub(crate) async fn a_change_that_is_refused_is_no_event(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let revoked = lifecycle::revoke(&key, NOW).unwrap();
    let entry = audit(AuditAction::Revoke, &revoked, 1);
    let stale = store.ledger.replace(&revoked, 7, &entry).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))));
    assert_eq!(kinds(store).await, [EventKind::KeyCreated]);
}

pub(crate) async fn both_sides_of_a_rotation_are_events(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let Rotation { old, new } = rotation(&key, 2).unwrap();
    let entries = [
        audit(AuditAction::Rotate, &old, 0),
        audit(AuditAction::Create, &new, 0),
    ];
    let both = Rotation { old, new };
    let ledger = &store.ledger;
    ledger.rotate(&both, 1, &entries, None).await.unwrap();
    let mut seen = kinds(store).await;
    seen.sort();
    assert_eq!(
        seen,
        [
            EventKind::KeyCreated,
            EventKind::KeyCreated,
            EventKind::KeyRotated
        ]
    );
}

pub(crate) async fn a_delivered_event_is_forgotten_and_no_other(store: &Store) {
    for number in 1..=40 {
        create(store, &record("acme", number)).await;
    }
    let mut delivered = 0;
    for event in waiting(store, 3).await {
        let part = store.outbox.part_of(event.key_id.as_str());
        assert!(part < store.outbox.parts());
        let event = Event::from(event);
        store.outbox.delivered(&event).await.unwrap();
        // A repeat does no harm.
        store.outbox.delivered(&event).await.unwrap();
        delivered += 1;
        assert_eq!(waiting(store, 100).await.len(), 40 - delivered);
    }
    assert_eq!(delivered, 40);
}

pub(crate) async fn a_notice_is_written_once_until_it_is_forgotten(store: &Store) {
    let key = record("acme", 1);
    let notice = |at: i64, number: u64| {
        let entry = audit(AuditAction::Update, &key, number);
        let mut event = KeyEvent::notice(EventKind::KeyExpiringSoon, &key, NOW.plus(at), entry.id);
        event.id = format!("{}x{number}", event.id);
        event.with("days", "7")
    };
    let end = NOW.plus(100);
    let announce =
        async |event: &KeyEvent, once: &str| store.outbox.announce(event, once, end).await.unwrap();
    assert!(announce(&notice(0, 1), "expiring-7").await);
    assert!(!announce(&notice(1, 2), "expiring-7").await);
    assert!(!announce(&notice(99, 3), "expiring-7").await);
    assert!(announce(&notice(1, 4), "expiring-1").await);
    assert!(announce(&notice(100, 5), "expiring-7").await);
    let waiting = waiting(store, 100).await;
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting[0], notice(0, 1));
}

pub(crate) async fn the_calendar_shows_the_keys_of_a_day_in_parts(store: &Store) {
    let day = Day::of(NOW.plus(90 * 86_400));
    let mut expected = Vec::new();
    for number in 1..=5 {
        let key = KeyRecord {
            expires_at: Some(day.begin().plus(i64::try_from(10 - number).unwrap())),
            ..record("acme", number)
        };
        create(store, &key).await;
        expected.insert(0, key.id);
    }
    let other_day = KeyRecord {
        expires_at: Some(day.plus(1).begin()),
        ..record("acme", 6)
    };
    let endless = KeyRecord {
        expires_at: None,
        ..record("acme", 7)
    };
    let dead = KeyRecord {
        status: KeyStatus::Revoked,
        expires_at: Some(day.begin()),
        ..record("acme", 8)
    };
    for key in [other_day, endless, dead] {
        create(store, &key).await;
    }
    for limit in [1, 2, 5, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.calendar.expiring(day, limit, after.as_ref());
            let page = page.await.unwrap();
            seen.extend(page.items.into_iter().map(|key| key.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "{limit}");
    }
}

pub(crate) async fn a_revoked_key_leaves_the_calendar(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let day = Day::of(key.expires_at.unwrap());
    let revoked = lifecycle::revoke(&key, NOW).unwrap();
    let entry = audit(AuditAction::Revoke, &revoked, 1);
    store.ledger.replace(&revoked, 1, &entry).await.unwrap();
    let page = store.calendar.expiring(day, 10, None).await.unwrap();
    assert_eq!(page.items, []);
}

pub(crate) async fn an_item_that_cannot_be_read_stands_in_nobodys_way(store: &Store) {
    use aws_sdk_dynamodb::types::AttributeValue;
    let table = store.table();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for part in 0..store.outbox.parts() {
        for number in 0..3 {
            let put = table.client.put_item().table_name(&table.names.keys);
            put.item("pk", text(&format!("outbox#{part}")))
                .item("sk", text(&format!("0{number}")))
                .item("format", AttributeValue::N("1".to_owned()))
                .send()
                .await
                .unwrap();
        }
    }
    create(store, &record("acme", 1)).await;
    assert_eq!(waiting(store, 1).await.len(), 1);
    let part = store.outbox.part_of(record("acme", 1).id.as_str());
    let page = store.outbox.waiting(part, 10, None).await.unwrap();
    let faults = page.items.iter().filter(|item| item.is_err());
    assert_eq!(faults.count(), 3);
}
