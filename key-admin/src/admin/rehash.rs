//! Keys that were imported by a former hash alone, and were used since.

use doorward_keys::{
    AuditAction, Rehash, Timestamp,
    lifecycle::{self, Refusal},
};

use super::{Call, KeyAdmin};
use crate::{caller::Caller, entropy::Entropy, error::AdminError};

/// Who is named in the audit.
const ACTOR: &str = "authorizer";
/// Why, there.
const REASON: &str = "used for the first time since it was imported by a former hash";

/// What came of a move that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rehashed {
    /// The key stands under its proper digest now.
    Moved,
    /// There was nothing to do any more.
    Over,
    /// Nothing shows that the digest is one of that key.
    Unproven,
}

impl KeyAdmin {
    /// Whether keys may stand under a former hash.
    pub(crate) fn has_former(&self) -> bool {
        !self.foreign.hashes().is_empty()
    }

    /// Does what the authorizer asked for. A [`AdminError::Conflict`] says that somebody else changed the key at the same time.
    pub(crate) async fn rehash(
        &self,
        asked: &Rehash,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Rehashed, AdminError> {
        let Some(record) = self.ledger().fetch(&asked.key_id).await? else {
            return Ok(Rehashed::Over);
        };
        let moved = match lifecycle::moved(&record, asked.digest.clone(), now) {
            Ok(moved) => moved,
            Err(Refusal::Revoked | Refusal::Unchanged) => return Ok(Rehashed::Over),
            Err(refusal) => return Err(refusal.into()),
        };
        if !asked.is_proven(&record, self.policy.format.pepper.as_ref()) {
            return Ok(Rehashed::Unproven);
        }
        let call = Call {
            admin: self,
            caller: &Caller::operator(ACTOR),
            now,
            entropy,
        };
        let mut entry = call.entry(AuditAction::Update, &moved)?;
        entry.fields = vec!["digest".to_owned()];
        entry.reason = Some(REASON.to_owned());
        let ledger = self.ledger();
        ledger
            .rehash(&moved, &record.digest, &[], record.version, &entry)
            .await?;
        Ok(Rehashed::Moved)
    }
}
