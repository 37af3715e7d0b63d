//! Who changed what, when: written in the same transaction as the change, never changed afterwards.

use crate::{
    record::{KeyId, KeyRecord},
    time::Timestamp,
};

/// What was done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditAction {
    /// The key was made.
    Create,
    /// The key got a successor.
    Rotate,
    /// The key was switched off.
    Disable,
    /// The key was switched on again.
    Enable,
    /// The key was ended for good.
    Revoke,
    /// Something the key may do, or is known by, was changed.
    Update,
    /// The key was brought from elsewhere by its digest.
    Import,
    /// A time was set at which the key is rotated, or taken back.
    Schedule,
    /// What was stored of the key was removed.
    Delete,
}

impl AuditAction {
    /// Every action there is.
    pub const ALL: [Self; 9] = [
        Self::Create,
        Self::Rotate,
        Self::Disable,
        Self::Enable,
        Self::Revoke,
        Self::Update,
        Self::Import,
        Self::Schedule,
        Self::Delete,
    ];

    /// The word for it in stores, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Rotate => "rotate",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Revoke => "revoke",
            Self::Update => "update",
            Self::Import => "import",
            Self::Schedule => "schedule",
            Self::Delete => "delete",
        }
    }

    /// Reads what [`AuditAction::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// One change of one key. No secret and no digest is part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// A ULID in canonical form; entries of one key sort by it: by time, and within one second by version.
    pub id: String,
    /// The key.
    pub key_id: KeyId,
    /// The owner of the key.
    pub tenant: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: AuditAction,
    /// Who, from the verified identity.
    pub actor: String,
    /// The version of the record after the change.
    pub version: u64,
    /// Why, in the words of the caller.
    pub reason: Option<String>,
    /// The other key of a rotation.
    pub related: Option<KeyId>,
    /// What an update changed: names of attributes, no values.
    pub fields: Vec<String>,
}

impl AuditEntry {
    /// The entry for a change by `actor` that led to `record`. `random` makes the id unique.
    pub fn of(
        action: AuditAction,
        record: &KeyRecord,
        actor: &str,
        now: Timestamp,
        random: u128,
    ) -> Self {
        // Times are whole seconds. The version in front of 32 random bits keeps changes within one second in order.
        let seconds = u64::try_from(now.unix()).unwrap_or(0);
        let tail = (u128::from(record.version) << 32) | (random & u128::from(u32::MAX));
        Self {
            id: ulid::Ulid::from_parts(seconds.saturating_mul(1000), tail).to_string(),
            key_id: record.id.clone(),
            tenant: record.tenant.clone(),
            at: now,
            action,
            actor: actor.to_owned(),
            version: record.version,
            reason: None,
            related: None,
            fields: vec![],
        }
    }

    /// What the ids of all entries from `at` on are not smaller than.
    pub fn first_id(at: Timestamp) -> String {
        let seconds = u64::try_from(at.unix()).unwrap_or(0);
        ulid::Ulid::from_parts(seconds.saturating_mul(1000), 0).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digest::Digest,
        lifecycle::{Fresh, create},
        samples,
    };

    #[test]
    fn changes_within_one_second_sort_by_version() {
        let now = Timestamp::from_unix(1_700_000_000);
        let fresh = Fresh {
            id: KeyId::new(now, 1),
            digest: Digest::of("key", None),
        };
        let mut record = create(samples::draft(), fresh, now, samples::LIMITS).unwrap();
        let mut before = String::new();
        for version in [1, 2, 999, 1000, 1001, 65_536, 1 << 40] {
            record.version = version;
            let random = u128::MAX - u128::from(version);
            let entry = AuditEntry::of(AuditAction::Disable, &record, "op", now, random);
            assert!(entry.id > before, "{version}");
            before = entry.id;
        }
        let later = AuditEntry::of(AuditAction::Enable, &record, "op", now.plus(1), 0);
        assert!(later.id > before);
    }
}
