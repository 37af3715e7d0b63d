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
}

impl AuditAction {
    const ALL: [Self; 5] = [
        Self::Create,
        Self::Rotate,
        Self::Disable,
        Self::Enable,
        Self::Revoke,
    ];

    /// The word for it in stores, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Rotate => "rotate",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Revoke => "revoke",
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
    /// A ULID in canonical form; entries of one key sort by it in the order of the changes.
    pub id: String,
    /// The key.
    pub key_id: KeyId,
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
        // Times are whole seconds; the version in place of the milliseconds keeps changes within one second in order.
        let seconds = u64::try_from(now.unix()).unwrap_or(0);
        let millis = seconds
            .saturating_mul(1000)
            .saturating_add(record.version % 1000);
        Self {
            id: ulid::Ulid::from_parts(millis, random).to_string(),
            key_id: record.id.clone(),
            at: now,
            action,
            actor: actor.to_owned(),
            version: record.version,
            reason: None,
            related: None,
        }
    }
}
