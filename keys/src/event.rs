//! What others are told about keys and blocks of tokens. Every change is an event, written in the same transaction as the change
//! and its audit entry; the rest are notices about keys, written once each. Delivered at least once: whoever listens tells
//! repeats apart by the id.

mod delivery;
mod detail;
mod told;

use std::collections::BTreeMap;

use async_trait::async_trait;

pub use delivery::{BusError, EventBus, Outbox};
pub use detail::{BlockEventDetail, EventDetail};
pub use told::Event;

use crate::{
    audit::{AuditAction, AuditEntry},
    day::Day,
    record::{KeyId, KeyRecord, KeyStatus},
    store::{Cursor, Page, StoreError},
    time::Timestamp,
};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// A key was made.
    KeyCreated,
    /// A key was brought from elsewhere.
    KeyImported,
    /// A key was changed.
    KeyUpdated,
    /// A key got a successor.
    KeyRotated,
    /// A time was set at which a key is rotated, or taken back.
    KeyRotationScheduled,
    /// A key is to be rotated now, and nobody said where the new secret goes.
    KeyRotationDue,
    /// A key was switched off.
    KeyDisabled,
    /// A key was switched on again.
    KeyEnabled,
    /// A key was ended for good.
    KeyRevoked,
    /// A key was removed.
    KeyDeleted,
    /// A key expires soon and has no successor.
    KeyExpiringSoon,
    /// A key has expired.
    KeyExpired,
    /// A key was not used for a long time.
    KeyUnused,
    /// A key was found where it must not be.
    KeyLeaked,
    /// A decoy was presented for the first time.
    DecoyKeyUsed,
}

impl EventKind {
    /// Every kind there is.
    pub const ALL: [Self; 15] = [
        Self::KeyCreated,
        Self::KeyImported,
        Self::KeyUpdated,
        Self::KeyRotated,
        Self::KeyRotationScheduled,
        Self::KeyRotationDue,
        Self::KeyDisabled,
        Self::KeyEnabled,
        Self::KeyRevoked,
        Self::KeyDeleted,
        Self::KeyExpiringSoon,
        Self::KeyExpired,
        Self::KeyUnused,
        Self::KeyLeaked,
        Self::DecoyKeyUsed,
    ];

    /// The word for it in stores, events and logs; the `detail-type` of `EventBridge`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyCreated => "KeyCreated",
            Self::KeyImported => "KeyImported",
            Self::KeyUpdated => "KeyUpdated",
            Self::KeyRotated => "KeyRotated",
            Self::KeyRotationScheduled => "KeyRotationScheduled",
            Self::KeyRotationDue => "KeyRotationDue",
            Self::KeyDisabled => "KeyDisabled",
            Self::KeyEnabled => "KeyEnabled",
            Self::KeyRevoked => "KeyRevoked",
            Self::KeyDeleted => "KeyDeleted",
            Self::KeyExpiringSoon => "KeyExpiringSoon",
            Self::KeyExpired => "KeyExpired",
            Self::KeyUnused => "KeyUnused",
            Self::KeyLeaked => "KeyLeaked",
            Self::DecoyKeyUsed => "DecoyKeyUsed",
        }
    }

    /// Reads what [`EventKind::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    const fn of(action: AuditAction) -> Self {
        match action {
            AuditAction::Create => Self::KeyCreated,
            AuditAction::Rotate => Self::KeyRotated,
            AuditAction::Disable => Self::KeyDisabled,
            AuditAction::Enable => Self::KeyEnabled,
            AuditAction::Revoke => Self::KeyRevoked,
            AuditAction::Update => Self::KeyUpdated,
            AuditAction::Import => Self::KeyImported,
            AuditAction::Schedule => Self::KeyRotationScheduled,
            AuditAction::Delete => Self::KeyDeleted,
        }
    }
}

/// One event about one key. No secret and no digest is part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    /// Names the event: a ULID, so that events sort by time, `#` and the id of the key.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The key.
    pub key_id: KeyId,
    /// Its owner.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// Its environment.
    pub environment: String,
    /// Its status after what happened.
    pub status: KeyStatus,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// Its version after what happened.
    pub version: u64,
    /// Who did it; absent where it happened by itself.
    pub actor: Option<String>,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
    /// The other key of a rotation.
    pub related: Option<KeyId>,
    /// What an update changed: names of attributes, no values.
    pub fields: Vec<String>,
    /// What else is to be known, by name.
    pub details: BTreeMap<String, String>,
}

impl KeyEvent {
    /// The event of a change that led to `record` and is audited as `entry`.
    pub fn of_change(record: &KeyRecord, entry: &AuditEntry) -> Self {
        Self {
            kind: EventKind::of(entry.action),
            actor: Some(entry.actor.clone()),
            reason: entry.reason.clone(),
            related: entry.related.clone(),
            fields: entry.fields.clone(),
            version: entry.version,
            ..Self::notice(
                EventKind::of(entry.action),
                record,
                entry.at,
                entry.id.clone(),
            )
        }
    }

    /// Something that is to be known of `record` and is no change of it. `ulid` is a ULID of its own.
    pub fn notice(kind: EventKind, record: &KeyRecord, at: Timestamp, ulid: String) -> Self {
        Self {
            id: ulid + "#" + record.id.as_str(),
            kind,
            at,
            key_id: record.id.clone(),
            tenant: record.tenant.clone(),
            name: record.name.clone(),
            environment: record.environment.clone(),
            status: record.status,
            expires_at: record.expires_at,
            version: record.version,
            actor: None,
            reason: None,
            related: None,
            fields: vec![],
            details: BTreeMap::new(),
        }
    }

    /// The same with something else that is to be known.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// Keys by the day on which they expire.
#[async_trait]
pub trait Calendar: Send + Sync {
    /// The keys that expire on `day` and are not revoked, by time of expiry and id, at most `limit` (at least one), behind
    /// `after`. May miss what was written in the last seconds.
    async fn expiring(
        &self,
        day: Day,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyRecord>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_was_written_and_every_action_has_its_own() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(EventKind::parse("keyCreated"), None);
        let kinds = AuditAction::ALL.map(EventKind::of);
        let distinct: std::collections::BTreeSet<_> = kinds.into_iter().collect();
        assert_eq!(distinct.len(), AuditAction::ALL.len());
    }
}
