//! What is done about a key that was found where it must not be: what the rule of its environment says, and its owner is told.
//!
//! 1. First the key is stopped, then it is told: whoever is told finds it stopped. A store that fails in between leaves the rest
//!    to the report when it comes again; what was done is not done again.
//! 2. The owner is told once for each key and place.
//! 3. A decoy is left as it is: it was planted to be found, and its use is what is waited for.
//! 4. Where the rule is to rotate, a key with a place for its successor works on for a little while beside it (`rotation`).
//! 5. A key that is revoked or disabled already is told of all the same: its owner should know where it stands.

use doorward_engine::leaks::{LeakAction, LeaksConfig};
use doorward_keys::{EventKind, KeyId, KeyRecord, KeyStatus, Timestamp, format::FormatFault};

use super::{
    Notice,
    report::{Finding, name_of},
    rotation::Rotated,
};
use crate::{
    admin::{Call, KeyAdmin},
    caller::Caller,
    command::{ChangeKey, Command},
    entropy::Entropy,
    error::AdminError,
    jobs::Jobs,
};

/// Who is named in changes and events.
const ACTOR: &str = "leak:github";
/// The longest reason of a change, in characters.
const MAX_REASON: usize = 256;

/// What a token turned out to be.
pub(crate) enum Found {
    /// One of our keys.
    Key(Leaked),
    /// None.
    Nothing,
    /// Perhaps one of another environment, whose keys are not here.
    Elsewhere,
}

/// One of our keys that was found.
pub(crate) struct Leaked {
    pub(crate) id: KeyId,
    /// Whether the owner was told now, and not before.
    pub(crate) is_told: bool,
}

impl KeyAdmin {
    /// Does what `rules` say about a token that was found.
    pub(crate) async fn leaked(
        &self,
        finding: &Finding,
        (rules, jobs): (&LeaksConfig, Option<&Jobs>),
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Found, AdminError> {
        let before = match self.shown(finding.token.expose(), now).await? {
            Ok(Some(record)) => record,
            Err(FormatFault::Environment) => return Ok(Found::Elsewhere),
            Ok(None) | Err(_) => return Ok(Found::Nothing),
        };
        let action = if before.decoy {
            LeakAction::Notify
        } else {
            rules.action(&before.environment)
        };
        let call = Call {
            admin: self,
            caller: &Caller::operator(ACTOR),
            now,
            entropy,
        };
        let (record, word) = call.stopped(before, action, (rules, jobs), finding).await?;
        let details = [
            ("source", "github".to_owned()),
            ("url", finding.url.clone()),
            ("place", finding.place.clone()),
            ("action", word.to_owned()),
        ];
        let notice = Notice {
            kind: EventKind::KeyLeaked,
            record: &record,
            at: now,
            once: &format!("leak-{}", name_of(&finding.url)),
            actor: Some(ACTOR),
            details: details
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        };
        let is_told = self.tell(notice, entropy).await?;
        Ok(Found::Key(Leaked {
            id: record.id,
            is_told,
        }))
    }
}

impl Call<'_> {
    /// The key after `action`, and what was done, in a word.
    async fn stopped(
        &self,
        record: KeyRecord,
        action: LeakAction,
        (rules, jobs): (&LeaksConfig, Option<&Jobs>),
        finding: &Finding,
    ) -> Result<(KeyRecord, &'static str), AdminError> {
        let reason = reason(&finding.url);
        if (action, record.status) == (LeakAction::Rotate, KeyStatus::Active) {
            let overlap = rules.overlap_seconds;
            match self.rotate_leaked(&record, overlap, &reason, jobs).await? {
                Rotated::Now => return Ok((self.after(&record).await?, "rotated")),
                Rotated::Before => return Ok((record, "none")),
                Rotated::No => {}
            }
        }
        let change = ChangeKey {
            id: record.id.to_string(),
            expected_version: None,
            reason: Some(reason),
        };
        let command = match (action, record.status) {
            (LeakAction::Notify, _)
            | (_, KeyStatus::Revoked)
            | (LeakAction::Disable | LeakAction::Rotate, KeyStatus::Disabled) => {
                return Ok((record, "none"));
            }
            (LeakAction::Revoke | LeakAction::Rotate, _) => Command::Revoke(change),
            (LeakAction::Disable, KeyStatus::Active) => Command::Disable(change),
        };
        let admin = self.admin;
        match admin
            .run(command, self.caller, self.now, self.entropy)
            .await
        {
            // Somebody else stopped it in the meantime.
            Ok(_) | Err(AdminError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        let after = self.after(&record).await?;
        let word = match after.status {
            status if status == record.status => "none",
            status => status.as_str(),
        };
        Ok((after, word))
    }

    async fn after(&self, record: &KeyRecord) -> Result<KeyRecord, AdminError> {
        let found = self.admin.ledger().fetch(&record.id).await?;
        found.ok_or_else(|| AdminError::no_key(&record.id))
    }
}

/// Why, for the audit.
fn reason(url: &str) -> String {
    if url.is_empty() {
        return "found by GitHub".to_owned();
    }
    let reason = format!("found by GitHub at {url}");
    let bounded: String = reason.chars().take(MAX_REASON).collect();
    bounded.trim_end().to_owned()
}
