//! What is remembered for what happens by itself: flushes, places, and rotations.

use doorward_keys::{
    AuditAction, Day, KeyRecord, RotationState, ScheduledRotation, StoreError, Timestamp, Written,
    lifecycle::{self, Rotation},
};
use doorward_tests::keys::{NOW, audit, record, rotation};

use crate::{stores::Store, writes::create};

const DAY: i64 = 86_400;

pub(crate) async fn a_flush_is_due_at_its_time_and_until_it_is_done(store: &Store) {
    let keys = &store.keys;
    for (stage, after) in [
        ("rest:a/v1", 60),
        ("rest:a/v1", 90),
        ("rest:a/v1", 60),
        ("http:b/v1", 10),
    ] {
        keys.ask(stage, NOW.plus(after)).await.unwrap();
    }
    let due = async |now: Timestamp| {
        doorward_keys::FlushBook::due(keys.as_ref(), "rest:a/v1", now, 10)
            .await
            .unwrap()
    };
    assert_eq!(due(NOW.plus(59)).await, []);
    assert_eq!(due(NOW.plus(60)).await, [NOW.plus(60)]);
    assert_eq!(due(NOW.plus(500)).await, [NOW.plus(60), NOW.plus(90)]);
    for _ in 0..2 {
        keys.done("rest:a/v1", NOW.plus(60)).await.unwrap();
        assert_eq!(due(NOW.plus(500)).await, [NOW.plus(90)]);
    }
    let other = doorward_keys::FlushBook::due(keys.as_ref(), "http:b/v1", NOW.plus(10), 10);
    assert_eq!(other.await.unwrap(), [NOW.plus(10)]);
}

pub(crate) async fn a_place_is_the_last_one_kept(store: &Store) {
    assert_eq!(store.keys.place("expired").await.unwrap(), None);
    for place in ["here", "there"] {
        store.keys.keep_place("expired", place).await.unwrap();
        let kept = store.keys.place("expired").await.unwrap();
        assert_eq!(kept.as_deref(), Some(place));
    }
    assert_eq!(store.keys.place("other").await.unwrap(), None);
}

pub(crate) fn planned(key: &KeyRecord, at: Timestamp) -> ScheduledRotation {
    ScheduledRotation {
        key_id: key.id.clone(),
        at,
        every_days: Some(90),
        overlap_seconds: 3600,
        expires_in_days: Some(120),
        secret: Some("doorward/partner".to_owned()),
        actor: "op".to_owned(),
        state: RotationState::Waiting,
    }
}

/// A key whose rotation is scheduled for ten days from now.
async fn scheduled(store: &Store, number: u64) -> (KeyRecord, ScheduledRotation) {
    let key = record("acme", number);
    create(store, &key).await;
    let at = NOW.plus(10 * DAY);
    let key = lifecycle::schedule(&key, at, NOW).unwrap();
    let plan = planned(&key, at);
    let entry = audit(AuditAction::Schedule, &key, number);
    store
        .keys
        .schedule(&key, 1, Some(&plan), &entry)
        .await
        .unwrap();
    (key, plan)
}

async fn due(store: &Store, at: Timestamp) -> Vec<doorward_keys::KeyId> {
    let book: &dyn doorward_keys::RotationBook = store.keys.as_ref();
    book.due(Day::of(at), at, 10, None).await.unwrap().items
}

pub(crate) async fn a_scheduled_rotation_is_due_at_its_time(store: &Store) {
    let (key, plan) = scheduled(store, 1).await;
    let kept = store.keys.scheduled(&key.id).await.unwrap();
    assert_eq!(kept, Some(plan.clone()));
    let fetched = store.ledger.fetch(&key.id).await.unwrap().unwrap();
    assert_eq!(fetched.rotates_at, Some(plan.at));
    assert_eq!(due(store, plan.at.plus(-1)).await, []);
    assert_eq!(due(store, plan.at).await, std::slice::from_ref(&key.id));
    // It is not among the keys that expire.
    let expiring = store.calendar.expiring(Day::of(plan.at), 10, None).await;
    assert_eq!(expiring.unwrap().items, []);
    // Taken back, it is gone from the calendar.
    let free = lifecycle::unschedule(&key, NOW).unwrap();
    let entry = audit(AuditAction::Schedule, &free, 2);
    store.keys.schedule(&free, 2, None, &entry).await.unwrap();
    assert_eq!(store.keys.scheduled(&key.id).await.unwrap(), None);
    assert_eq!(due(store, plan.at).await, []);
}

pub(crate) async fn due_rotations_are_read_in_parts(store: &Store) {
    let mut expected = Vec::new();
    let mut at = NOW;
    for number in 1..=5 {
        let (key, plan) = scheduled(store, number).await;
        at = plan.at;
        expected.push(key.id);
    }
    expected.sort();
    let book: &dyn doorward_keys::RotationBook = store.keys.as_ref();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = book.due(Day::of(at), at, 2, after.as_ref()).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
}

pub(crate) async fn a_schedule_on_a_stale_version_is_refused_whole(store: &Store) {
    let (key, plan) = scheduled(store, 1).await;
    let other = ScheduledRotation {
        at: plan.at.plus(DAY),
        ..plan.clone()
    };
    let entry = audit(AuditAction::Schedule, &key, 9);
    let stale = store.keys.schedule(&key, 1, Some(&other), &entry).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))));
    assert_eq!(store.keys.scheduled(&key.id).await.unwrap(), Some(plan));
}

pub(crate) async fn a_scheduled_rotation_is_seen_whole_with_the_next(store: &Store) {
    let (key, plan) = scheduled(store, 1).await;
    let Rotation { old, mut new } = rotation(&key, 2).unwrap();
    let next = plan.next(&new.id, NOW.plus(60)).unwrap();
    new.rotates_at = Some(next.at);
    let entries = [
        audit(AuditAction::Rotate, &old, 0),
        audit(AuditAction::Create, &new, 0),
    ];
    let left = ScheduledRotation {
        state: RotationState::Rotated(new.id.clone()),
        ..plan.clone()
    };
    let both = Rotation { old, new };
    let write = || {
        let keys = &store.keys;
        keys.rotate_scheduled(&both, 2, &entries, None, Some(&left), Some(&next))
    };
    assert_eq!(write().await.unwrap(), Written::Now);
    assert!(matches!(write().await, Err(StoreError::Conflict(_))));
    assert_eq!(
        store.keys.scheduled(&key.id).await.unwrap(),
        Some(left.clone())
    );
    assert_eq!(due(store, plan.at).await, std::slice::from_ref(&key.id));
    assert_eq!(
        store.keys.scheduled(&both.new.id).await.unwrap(),
        Some(next)
    );
    // The old one is settled once.
    store.keys.settle(&left, None).await.unwrap();
    assert_eq!(due(store, plan.at).await, []);
    let again = store.keys.settle(&left, None).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
}

pub(crate) async fn what_was_scheduled_otherwise_meanwhile_is_not_settled(store: &Store) {
    let (key, plan) = scheduled(store, 1).await;
    let moved = lifecycle::schedule(&key, plan.at.plus(DAY), NOW).unwrap();
    let later = planned(&moved, plan.at.plus(DAY));
    let entry = audit(AuditAction::Schedule, &moved, 2);
    store
        .keys
        .schedule(&moved, 2, Some(&later), &entry)
        .await
        .unwrap();
    let stale = store.keys.settle(&plan, None).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))));
    let told = ScheduledRotation {
        state: RotationState::Told,
        ..later.clone()
    };
    store.keys.settle(&later, Some(&told)).await.unwrap();
    assert_eq!(store.keys.scheduled(&key.id).await.unwrap(), Some(told));
    assert_eq!(due(store, later.at).await, []);
}
