//! Keys that were made elsewhere.

use super::{Draft, Fresh, Limits, Refusal, counted_up, create};
use crate::{
    digest::Digest,
    record::{KeyRecord, KeyStatus},
    time::Timestamp,
};

/// A key that was made elsewhere, in version 1. It has `status` from the beginning: one that was switched off stays so.
pub fn import(
    draft: Draft,
    fresh: Fresh,
    status: KeyStatus,
    now: Timestamp,
    limits: Limits,
) -> Result<KeyRecord, Refusal> {
    if status == KeyStatus::Revoked {
        return Err(Refusal::Ended);
    }
    let record = create(draft, fresh, now, limits)?;
    Ok(KeyRecord { status, ..record })
}

/// Whether `record`, which is there already, is what an import for `tenant` asks for. An import is no update: what else the
/// record says stays.
pub fn known(record: &KeyRecord, tenant: &str) -> Result<(), Refusal> {
    if record.tenant != tenant {
        Err(Refusal::Taken)
    } else if record.status == KeyStatus::Revoked {
        Err(Refusal::Ended)
    } else {
        Ok(())
    }
}

/// The same key under another digest, now that more is known of it than a former hash.
pub fn moved(record: &KeyRecord, digest: Digest, now: Timestamp) -> Result<KeyRecord, Refusal> {
    if record.digest == digest {
        return Err(Refusal::Unchanged);
    }
    known_by(record, digest, now)
}

/// The same key under `digest`, which may be the one under which it stands, now that it is known by more than that.
pub fn known_by(record: &KeyRecord, digest: Digest, now: Timestamp) -> Result<KeyRecord, Refusal> {
    if record.status == KeyStatus::Revoked {
        return Err(Refusal::Revoked);
    }
    Ok(KeyRecord {
        digest,
        ..counted_up(record, now)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lifecycle::revoke,
        record::KeyId,
        samples::{LIMITS, draft},
    };

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn imported(status: KeyStatus) -> Result<KeyRecord, Refusal> {
        let fresh = Fresh {
            id: KeyId::new(NOW, 1),
            digest: Digest::of("elsewhere", None),
        };
        import(draft(), fresh, status, NOW, LIMITS)
    }

    #[test]
    fn a_key_that_was_off_elsewhere_is_off_here_and_a_dead_one_does_not_come() {
        for status in [KeyStatus::Active, KeyStatus::Disabled] {
            assert_eq!(imported(status).map(|key| key.status), Ok(status));
        }
        assert_eq!(imported(KeyStatus::Revoked), Err(Refusal::Ended));
    }

    #[test]
    fn an_import_takes_no_key_of_others_and_wakes_no_dead_one() {
        let record = imported(KeyStatus::Disabled).unwrap();
        assert_eq!(known(&record, "acme"), Ok(()));
        assert_eq!(known(&record, "globex"), Err(Refusal::Taken));
        let dead = revoke(&record, NOW).unwrap();
        assert_eq!(known(&dead, "acme"), Err(Refusal::Ended));
    }

    #[test]
    fn a_moved_key_counts_up_and_a_dead_one_stays() {
        let record = imported(KeyStatus::Active).unwrap();
        let there = Digest::of("there", None);
        let key = moved(&record, there.clone(), NOW.plus(5)).unwrap();
        assert_eq!((key.digest, key.version), (there.clone(), 2));
        let here = record.digest.clone();
        assert_eq!(moved(&record, here, NOW), Err(Refusal::Unchanged));
        let dead = revoke(&record, NOW).unwrap();
        assert_eq!(moved(&dead, there, NOW), Err(Refusal::Revoked));
    }
}
