//! When a key may be deleted.

use super::{Refusal, Standing, standing};
use crate::{record::KeyRecord, time::Timestamp};

/// Whether `record` may be deleted at `now`: it was revoked, or has expired, at least `retention_seconds` ago. Until then it can
/// be listed, and what was done with it can be understood.
pub fn deletable(
    record: &KeyRecord,
    now: Timestamp,
    retention_seconds: i64,
) -> Result<(), Refusal> {
    let ended_at = match standing(record, now) {
        Standing::Usable | Standing::Disabled => return Err(Refusal::Alive),
        Standing::Revoked => record.changed_at,
        Standing::Expired => record.expires_at.unwrap_or(now),
    };
    if now >= ended_at.plus(retention_seconds) {
        Ok(())
    } else {
        Err(Refusal::Kept(retention_seconds))
    }
}
