//! What callers do.

use anyhow::ensure;
use serde_json::Value;

use crate::{
    candidates::Candidate,
    credentials::{Credentials, DENIED, event},
    lambda::Answered,
};

/// One kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    DistinctRs256,
    DistinctEs256,
    RepeatedToken,
    KeyCached,
    KeyUncached,
    BadChecksum,
    BadAddress,
}

/// What has to come of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Allowed,
    /// A Deny.
    Denied,
    /// The error that becomes 401.
    Unauthorized,
}

impl Scenario {
    pub(crate) const ALL: [Self; 7] = [
        Self::DistinctRs256,
        Self::DistinctEs256,
        Self::RepeatedToken,
        Self::KeyCached,
        Self::KeyUncached,
        Self::BadChecksum,
        Self::BadAddress,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DistinctRs256 => "RS256, each token new",
            Self::DistinctEs256 => "ES256, each token new",
            Self::RepeatedToken => "RS256, the same token",
            Self::KeyCached => "API key, the same",
            Self::KeyUncached => "API key, each new: one read",
            Self::BadChecksum => "refused: a mistyped key",
            Self::BadAddress => "refused: an address",
        }
    }

    /// The event of call `number`.
    pub(crate) fn event(self, credentials: &Credentials, number: usize) -> String {
        let of = |all: &[String], number: usize| {
            let index = number.checked_rem(all.len()).unwrap_or_default();
            all.get(index).cloned().unwrap_or_default()
        };
        let bearer = |token: String| format!("Bearer {token}");
        let key = |key: String| format!("ApiKey {key}");
        match self {
            Self::DistinctRs256 => event(&bearer(of(&credentials.rs256, number)), None),
            Self::DistinctEs256 => event(&bearer(of(&credentials.es256, number)), None),
            Self::RepeatedToken => event(&bearer(of(&credentials.rs256, 0)), None),
            Self::KeyCached => event(&key(of(&credentials.keys, 0)), None),
            Self::KeyUncached => event(&key(of(&credentials.keys, number)), None),
            Self::BadChecksum => {
                let mut mistyped = of(&credentials.keys, 0);
                let last = mistyped.pop();
                mistyped.push(if last == Some('a') { 'b' } else { 'a' });
                event(&key(mistyped), None)
            }
            Self::BadAddress => event(&bearer(of(&credentials.rs256, 0)), Some(DENIED)),
        }
    }

    const fn expected(self) -> Expected {
        match self {
            Self::BadChecksum => Expected::Unauthorized,
            Self::BadAddress => Expected::Denied,
            _ => Expected::Allowed,
        }
    }

    /// Whether the answer is the right one. The floor decides nothing.
    pub(crate) fn check(self, candidate: &Candidate, answered: &Answered) -> anyhow::Result<()> {
        let found = match &answered.said {
            Err(error) if error == "Unauthorized" => Expected::Unauthorized,
            Err(error) => anyhow::bail!("{}: {}: {error}", candidate.name, self.name()),
            Ok(answer) if is_allowed(answer) => Expected::Allowed,
            Ok(_) => Expected::Denied,
        };
        ensure!(
            !candidate.decides || found == self.expected(),
            "{}: {}: {found:?}, {:?}",
            candidate.name,
            self.name(),
            answered.said
        );
        Ok(())
    }
}

/// Whether a policy allows what was asked for. A refusal of Doorward may hold what else the caller may do, and says why it is one.
fn is_allowed(answer: &Value) -> bool {
    let statements = answer
        .pointer("/policyDocument/Statement")
        .and_then(Value::as_array);
    let mut effects = statements
        .into_iter()
        .flatten()
        .filter_map(|one| one.get("Effect"));
    answer.pointer("/context/reason").is_none() && effects.any(|effect| effect == "Allow")
}
