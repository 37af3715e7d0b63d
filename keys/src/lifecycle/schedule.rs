//! Scheduling a rotation.

use super::{Refusal, counted_up};
use crate::{
    record::{KeyRecord, KeyStatus},
    time::Timestamp,
};

/// The key that is to be rotated at `at`: in time to come, while it still works.
pub fn schedule(record: &KeyRecord, at: Timestamp, now: Timestamp) -> Result<KeyRecord, Refusal> {
    if record.status == KeyStatus::Revoked {
        return Err(Refusal::Revoked);
    }
    if record.decoy {
        return Err(Refusal::DecoyRotated);
    }
    if record.rotated_to.is_some() {
        return Err(Refusal::Rotated);
    }
    if at <= now || record.expires_at.is_some_and(|end| at >= end) {
        return Err(Refusal::Unreachable);
    }
    Ok(KeyRecord {
        rotates_at: Some(at),
        ..counted_up(record, now)
    })
}

/// The key that is no longer to be rotated by itself.
pub fn unschedule(record: &KeyRecord, now: Timestamp) -> Result<KeyRecord, Refusal> {
    if record.rotates_at.is_none() {
        return Err(Refusal::Unchanged);
    }
    if record.status == KeyStatus::Revoked {
        return Err(Refusal::Revoked);
    }
    Ok(KeyRecord {
        rotates_at: None,
        ..counted_up(record, now)
    })
}
