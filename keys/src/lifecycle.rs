//! How a key lives: a pure state machine on [`KeyRecord`].
//!
//! ```text
//! create -> Active <-> Disabled
//!             |            |
//!             +-> Revoked <+      for good
//! ```
//!
//! 1. A new key lives for a bounded time; no key lives for ever.
//! 2. Every change counts the version up by one; what changes nothing is [`Refusal::Already`], and the version stays.
//! 3. A revoked key stays revoked: no change is possible after it.
//! 4. A rotation makes a successor with the same rights. The old key works until the end of the overlap or its own
//!    expiry, whichever comes first; a key is rotated once, its successor is rotated next. An expired key may be
//!    rotated (it does not come back to life), a disabled one must be enabled first.
//! 5. Expiry is a time, not a status: [`standing`] compares it at every use.
//! 6. An [`update`] changes rights and facts, never what the key is; it wakes no expired key, and gives a rotated one no
//!    more time. Whether it [widens](Updated::widens) what the key may do is said, for those who ask who may do that.
//! 7. A decoy is never given rights and has no successor: it would open something, or warn of nothing.
//! 8. A key from elsewhere is [imported](import) once, by whoever owns it; what ended does not come back by an import.
//! 9. A rotation can be [scheduled](schedule) for a time at which the key still works.
//! 10. What ended long enough ago can be [deleted](deletable).

mod deletion;
mod import;
mod schedule;
mod update;

use std::collections::BTreeMap;

use ipnet::IpNet;

pub use deletion::deletable;
pub use import::{import, known, known_by, moved};
pub use schedule::{schedule, unschedule};
pub use update::{Setting, Update, Updated, update};

use crate::{
    digest::Digest,
    record::{KeyId, KeyRecord, KeyStatus},
    time::Timestamp,
};

/// Bounds of the lives of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest life of a new key, in seconds.
    pub max_lifetime_seconds: i64,
    /// The longest time for which a rotated key works beside its successor, in seconds.
    pub max_overlap_seconds: i64,
}

/// What a new key shall be.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Owner.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// The environment word in the printed key.
    pub environment: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The names of the routes it may use; absent means all that its scopes allow.
    pub routes: Option<Vec<String>>,
    /// Where it may be used from; absent means anywhere.
    pub addresses: Option<Vec<IpNet>>,
    /// The value of a usage-plan key of the gateway.
    pub usage_plan_key: Option<String>,
    /// The plan of the configuration whose numbers its limits have.
    pub plan: Option<String>,
    /// Whether it is a decoy.
    pub decoy: bool,
    /// Facts about the key for the context of the backend.
    pub metadata: BTreeMap<String, String>,
    /// How long it lives, in seconds.
    pub lifetime_seconds: i64,
}

/// The fresh id and digest of a key to be.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// Public id.
    pub id: KeyId,
    /// Digest of the whole printed key.
    pub digest: Digest,
}

/// Both sides of a rotation, to be written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The old key with its end and the link to its successor.
    pub old: KeyRecord,
    /// The successor.
    pub new: KeyRecord,
}

/// Why a change is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The key is in that status already; nothing is to be done.
    #[error("the key is {0} already")]
    Already(KeyStatus),
    /// A revoked key stays revoked.
    #[error("the key is revoked and stays revoked; create a new one")]
    Revoked,
    /// A disabled key is not rotated.
    #[error("the key is disabled; enable it before it is rotated")]
    Disabled,
    /// The key has a successor.
    #[error("the key has been rotated already; rotate its successor")]
    Rotated,
    /// The life asked for is not positive or too long.
    #[error("the lifetime must be between 1 and {0} seconds")]
    Lifetime(i64),
    /// The overlap asked for is negative or too long.
    #[error("the overlap must be between 0 and {0} seconds")]
    Overlap(i64),
    /// An expired key is not brought back to life.
    #[error("the key has expired and stays so; rotate it, or create a new one")]
    Expired,
    /// A rotated key gets no more time.
    #[error(
        "the key has been rotated and ends beside its successor; it can end earlier, not later"
    )]
    Ending,
    /// A decoy is replaced, not rotated.
    #[error("the key is a decoy and is not rotated; revoke it and create another")]
    DecoyRotated,
    /// A decoy opens nothing.
    #[error("the key is a decoy and opens nothing; it takes no scopes, routes, addresses or plan")]
    DecoyRights,
    /// The update changes nothing.
    #[error("the key is like that already")]
    Unchanged,
    /// A rotation is scheduled for a time to come, and before the key expires.
    #[error("the key can be rotated from now until it expires, and not at that time")]
    Unreachable,
    /// What still works, or can work again, is not deleted.
    #[error("the key has not ended; revoke it first")]
    Alive,
    /// A key from elsewhere is known already, as somebody else's.
    #[error("the key belongs to another tenant; it is never imported twice")]
    Taken,
    /// A key from elsewhere was known before and ended.
    #[error("the key was revoked or deleted here and is not brought back by an import")]
    Ended,
    /// What ended is kept for a while.
    #[error("the key is kept for now; it can be deleted {} days after its end", .0.div_euclid(86_400))]
    Kept(i64),
}

/// Whether a key works at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It works.
    Usable,
    /// It is switched off.
    Disabled,
    /// It is dead for good.
    Revoked,
    /// Its time is over.
    Expired,
}

/// Whether `record` works at `now`: status first, then expiry. A key that expires at `now` has expired.
pub fn standing(record: &KeyRecord, now: Timestamp) -> Standing {
    match record.status {
        KeyStatus::Revoked => Standing::Revoked,
        KeyStatus::Disabled => Standing::Disabled,
        KeyStatus::Active if record.expires_at.is_some_and(|end| now >= end) => Standing::Expired,
        KeyStatus::Active => Standing::Usable,
    }
}

/// A new key, in version 1.
pub fn create(
    draft: Draft,
    fresh: Fresh,
    now: Timestamp,
    limits: Limits,
) -> Result<KeyRecord, Refusal> {
    let expires_at = end_of_life(draft.lifetime_seconds, now, limits)?;
    let record = KeyRecord {
        digest: fresh.digest,
        id: fresh.id,
        tenant: draft.tenant,
        name: draft.name,
        environment: draft.environment,
        scopes: draft.scopes,
        routes: draft.routes,
        addresses: draft.addresses,
        created_at: now,
        expires_at: Some(expires_at),
        status: KeyStatus::Active,
        changed_at: now,
        rotated_from: None,
        rotated_to: None,
        rotates_at: None,
        usage_plan_key: draft.usage_plan_key,
        plan: draft.plan,
        decoy: draft.decoy,
        metadata: draft.metadata,
        version: 1,
    };
    if record.decoy && has_rights(&record) {
        return Err(Refusal::DecoyRights);
    }
    Ok(record)
}

/// A successor of `old` with the same rights, living for `lifetime_seconds`, and `old` ending after `overlap_seconds`.
pub fn rotate(
    old: &KeyRecord,
    fresh: Fresh,
    lifetime_seconds: i64,
    overlap_seconds: i64,
    now: Timestamp,
    limits: Limits,
) -> Result<Rotation, Refusal> {
    match old.status {
        KeyStatus::Revoked => return Err(Refusal::Revoked),
        KeyStatus::Disabled => return Err(Refusal::Disabled),
        KeyStatus::Active if old.decoy => return Err(Refusal::DecoyRotated),
        KeyStatus::Active if old.rotated_to.is_some() => return Err(Refusal::Rotated),
        KeyStatus::Active => {}
    }
    if !(0..=limits.max_overlap_seconds).contains(&overlap_seconds) {
        return Err(Refusal::Overlap(limits.max_overlap_seconds));
    }
    let expires_at = end_of_life(lifetime_seconds, now, limits)?;
    let end_of_overlap = now.plus(overlap_seconds);
    let new = KeyRecord {
        digest: fresh.digest,
        id: fresh.id.clone(),
        created_at: now,
        expires_at: Some(expires_at),
        changed_at: now,
        rotated_from: Some(old.id.clone()),
        rotated_to: None,
        rotates_at: None,
        version: 1,
        ..old.clone()
    };
    let old = KeyRecord {
        expires_at: Some(
            old.expires_at
                .map_or(end_of_overlap, |end| end.min(end_of_overlap)),
        ),
        rotated_to: Some(fresh.id),
        rotates_at: None,
        ..counted_up(old, now)
    };
    Ok(Rotation { old, new })
}

/// The key switched off; it can be switched on again.
pub fn disable(record: &KeyRecord, now: Timestamp) -> Result<KeyRecord, Refusal> {
    moved_to(KeyStatus::Disabled, record, now)
}

/// The key switched on again.
pub fn enable(record: &KeyRecord, now: Timestamp) -> Result<KeyRecord, Refusal> {
    moved_to(KeyStatus::Active, record, now)
}

/// The key dead for good.
pub fn revoke(record: &KeyRecord, now: Timestamp) -> Result<KeyRecord, Refusal> {
    moved_to(KeyStatus::Revoked, record, now)
}

fn moved_to(status: KeyStatus, record: &KeyRecord, now: Timestamp) -> Result<KeyRecord, Refusal> {
    if record.status == status {
        return Err(Refusal::Already(status));
    }
    if record.status == KeyStatus::Revoked {
        return Err(Refusal::Revoked);
    }
    Ok(KeyRecord {
        status,
        ..counted_up(record, now)
    })
}

/// Whether it says of `record` what it opens, or from where. An absent list is no word, though it means everything: nobody reads
/// it of a decoy.
const fn has_rights(record: &KeyRecord) -> bool {
    !record.scopes.is_empty()
        || record.routes.is_some()
        || record.addresses.is_some()
        || record.plan.is_some()
        || record.usage_plan_key.is_some()
}

fn counted_up(record: &KeyRecord, now: Timestamp) -> KeyRecord {
    KeyRecord {
        changed_at: now,
        version: record.version.saturating_add(1),
        ..record.clone()
    }
}

fn end_of_life(
    lifetime_seconds: i64,
    now: Timestamp,
    limits: Limits,
) -> Result<Timestamp, Refusal> {
    if (1..=limits.max_lifetime_seconds).contains(&lifetime_seconds) {
        Ok(now.plus(lifetime_seconds))
    } else {
        Err(Refusal::Lifetime(limits.max_lifetime_seconds))
    }
}

#[cfg(test)]
mod tests;
