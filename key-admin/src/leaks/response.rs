//! What is done about a key that was found where it must not be: what the rule of its environment says, and its owner is told.
//!
//! 1. First the key is stopped, then it is told: whoever is told finds it stopped. A store that fails in between leaves the rest
//!    to the report when it comes again; what was done is not done again.
//! 2. The owner is told once for each key and place.
//! 3. A decoy is left as it is: it was planted to be found, and its use is what is waited for.
//! 4. A key that is revoked or disabled already is told of all the same: its owner should know where it stands.

use doorward_engine::leaks::{LeakAction, LeaksConfig};
use doorward_keys::{EventKind, KeyId, KeyRecord, KeyStatus, Timestamp, format::FormatFault};

use super::{
    Notice,
    report::{Finding, name_of},
};
use crate::{
    admin::KeyAdmin,
    caller::Caller,
    command::{ChangeKey, Command},
    entropy::Entropy,
    error::AdminError,
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
        rules: &LeaksConfig,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Found, AdminError> {
        let digest = match self.policy().format.parse(finding.token.expose()) {
            Ok(digest) => digest,
            Err(FormatFault::Environment) => return Ok(Found::Elsewhere),
            Err(_) => return Ok(Found::Nothing),
        };
        let Some(before) = self.ledger().lookup(&digest).await? else {
            return Ok(Found::Nothing);
        };
        let action = if before.decoy {
            LeakAction::Notify
        } else {
            rules.action(&before.environment)
        };
        let record = self.stopped(&before, action, finding, now, entropy).await?;
        let word = if record.status == before.status {
            "none"
        } else {
            record.status.as_str()
        };
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

    /// The key after `action`.
    async fn stopped(
        &self,
        record: &KeyRecord,
        action: LeakAction,
        finding: &Finding,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<KeyRecord, AdminError> {
        let change = ChangeKey {
            id: record.id.to_string(),
            expected_version: None,
            reason: Some(reason(&finding.url)),
        };
        let command = match (action, record.status) {
            (LeakAction::Notify, _)
            | (_, KeyStatus::Revoked)
            | (LeakAction::Disable, KeyStatus::Disabled) => return Ok(record.clone()),
            (LeakAction::Revoke, _) => Command::Revoke(change),
            (LeakAction::Disable, KeyStatus::Active) => Command::Disable(change),
        };
        let caller = Caller::operator(ACTOR);
        match self.run(command, &caller, now, entropy).await {
            // Somebody else stopped it in the meantime.
            Ok(_) | Err(AdminError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        let found = self.ledger().fetch(&record.id).await?;
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
