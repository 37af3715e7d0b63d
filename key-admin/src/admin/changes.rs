//! Switching keys off and on, and ending them.

use doorward_keys::{
    AuditAction, AuditEntry, KeyId, KeyRecord, StoreError, Timestamp,
    lifecycle::{self, Refusal},
};

use super::{Call, flush::Promise};
use crate::{
    caller::Permission,
    command::{ChangeKey, check_key_ref, checked},
    error::AdminError,
    reply::{KeyView, Reply},
};

/// How often a change is tried anew when somebody else was faster and the caller does not insist on a version.
pub(super) const TRIES: usize = 4;

/// What becomes of a stored key.
pub(super) struct Made {
    /// The key and the audit entry of its change; `None` where what was asked for holds already.
    pub(super) to: Option<(KeyRecord, AuditEntry)>,
    /// Whether something may be taken away, so that a flush is asked for.
    pub(super) narrows: bool,
}

type Change = fn(&KeyRecord, Timestamp) -> Result<KeyRecord, Refusal>;

impl Call<'_> {
    pub(super) async fn disable(&self, asked: &ChangeKey) -> Result<Reply, AdminError> {
        self.change(asked, AuditAction::Disable, lifecycle::disable)
            .await
    }

    pub(super) async fn enable(&self, asked: &ChangeKey) -> Result<Reply, AdminError> {
        self.change(asked, AuditAction::Enable, lifecycle::enable)
            .await
    }

    pub(super) async fn revoke(&self, asked: &ChangeKey) -> Result<Reply, AdminError> {
        self.change(asked, AuditAction::Revoke, lifecycle::revoke)
            .await
    }

    async fn change(
        &self,
        asked: &ChangeKey,
        action: AuditAction,
        change: Change,
    ) -> Result<Reply, AdminError> {
        let id = checked(|check| {
            check_key_ref(
                &asked.id,
                asked.expected_version,
                asked.reason.as_deref(),
                check,
            )
        })?;
        self.caller.require(Permission::Change)?;
        self.write_over(&id, asked.expected_version, |record| {
            let narrows = action != AuditAction::Enable;
            let changed = match change(record, self.now) {
                Ok(changed) => changed,
                // A repeat is no mistake: what was asked for holds.
                Err(Refusal::Already(_)) => return Ok(Made { to: None, narrows }),
                Err(refusal) => return Err(refusal.into()),
            };
            let mut entry = self.entry(action, &changed)?;
            entry.reason.clone_from(&asked.reason);
            Ok(Made {
                to: Some((changed, entry)),
                narrows,
            })
        })
        .await
    }

    /// Writes what `make` makes of a key: anew of the stored one where somebody else was faster and the caller does not insist on
    /// a version.
    pub(super) async fn write_over(
        &self,
        id: &KeyId,
        expected_version: Option<u64>,
        make: impl Fn(&KeyRecord) -> Result<Made, AdminError> + Send + Sync,
    ) -> Result<Reply, AdminError> {
        let mut tries = 1;
        loop {
            let record = self.find(id).await?;
            require_version(&record, expected_version)?;
            let Made { to, narrows } = make(&record)?;
            let promise = if narrows {
                self.narrowing().await
            } else {
                self.widening()
            };
            let Some((changed, entry)) = to else {
                return Ok(self.changed(&record, false, promise));
            };
            let ledger = self.ledger();
            match ledger.replace(&changed, record.version, &entry).await {
                Ok(()) => return Ok(self.changed(&changed, true, promise)),
                Err(StoreError::Conflict(_)) if expected_version.is_none() && tries < TRIES => {
                    tries += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn changed(&self, record: &KeyRecord, changed: bool, promise: Promise) -> Reply {
        let within = promise.within_seconds;
        // The time of the command is when it was received; the promise of a flush counts from there itself.
        let made_by = if promise.flushed {
            0
        } else {
            i64::from(self.admin.settle_seconds)
        };
        Reply::Changed {
            key: KeyView::of(record, self.now),
            changed,
            effective_within_seconds: within,
            effective_by: self.now.plus(i64::from(within) + made_by).unix(),
            flush: if promise.flushed { "scheduled" } else { "none" }.into(),
        }
    }
}

/// Refuses when the caller has seen another version than the stored one.
pub(super) fn require_version(record: &KeyRecord, expected: Option<u64>) -> Result<(), AdminError> {
    match expected {
        Some(expected) if expected != record.version => {
            let stored = record.version;
            let message = format!("version {expected} was expected, version {stored} is stored");
            Err(AdminError::Conflict(message))
        }
        _ => Ok(()),
    }
}
