//! Sample keys.
#![expect(clippy::expect_used, reason = "a suite may panic")]

use std::collections::BTreeMap;

use doorward_keys::{
    AuditAction, AuditEntry, Digest, Event, KeyEvent, KeyId, KeyRecord, Outbox, Timestamp,
    lifecycle::{self, Fresh, Limits},
};

/// When the samples are made: 2023-11-14T22:13:20Z.
pub const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// The bounds of the samples' lives.
pub const LIMITS: Limits = Limits {
    max_lifetime_seconds: 400 * 86_400,
    max_overlap_seconds: 30 * 86_400,
};

/// The id and digest of sample `number`.
pub fn fresh(number: u64) -> Fresh {
    Fresh {
        id: KeyId::new(NOW, u128::from(number)),
        digest: Digest::of(&format!("sample {number}"), None),
    }
}

/// A sample key, new.
pub fn record(tenant: &str, number: u64) -> KeyRecord {
    let Fresh { id, digest } = fresh(number);
    KeyRecord {
        digest,
        id,
        tenant: tenant.to_owned(),
        name: "continuous integration".to_owned(),
        environment: "live".to_owned(),
        scopes: vec!["orders:write".to_owned(), "orders:read".to_owned()],
        routes: None,
        addresses: None,
        created_at: NOW,
        expires_at: Some(NOW.plus(90 * 86_400)),
        status: doorward_keys::KeyStatus::Active,
        changed_at: NOW,
        rotated_from: None,
        rotated_to: None,
        rotates_at: None,
        usage_plan_key: None,
        plan: None,
        decoy: false,
        metadata: BTreeMap::new(),
        version: 1,
    }
}

/// The audit entry of a change that led to `record`; `number` tells entries of one version apart.
pub fn audit(action: AuditAction, record: &KeyRecord, number: u64) -> AuditEntry {
    AuditEntry::of(
        action,
        record,
        "arn:aws:iam::111122223333:user/op",
        NOW,
        u128::from(number),
    )
}

/// The rotation of `old` to sample `number`.
///
/// # Errors
///
/// What [`lifecycle::rotate`] refuses.
pub fn rotation(old: &KeyRecord, number: u64) -> Result<lifecycle::Rotation, lifecycle::Refusal> {
    lifecycle::rotate(old, fresh(number), 86_400, 3_600, NOW.plus(60), LIMITS)
}

/// Every event about a key that waits in `outbox` and can be read, in parts of `limit`, by part and then in order.
///
/// # Panics
///
/// When the outbox cannot be read, or a part of it is longer than asked for.
pub async fn waiting(outbox: &dyn Outbox, limit: usize) -> Vec<KeyEvent> {
    let all = told(outbox, limit).await.into_iter();
    all.filter_map(|event| match event {
        Event::Key(event) => Some(event),
        Event::Block(_) => None,
    })
    .collect()
}

/// The same, whatever the events are about.
///
/// # Panics
///
/// As [`waiting`].
pub async fn told(outbox: &dyn Outbox, limit: usize) -> Vec<Event> {
    let mut found = Vec::new();
    for part in 0..outbox.parts() {
        let mut after = None;
        loop {
            let page = outbox.waiting(part, limit, after.as_ref()).await;
            let page = page.expect("the outbox can be read");
            assert!(page.items.len() <= limit, "more than asked for");
            found.extend(page.items.into_iter().flatten());
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    found
}
