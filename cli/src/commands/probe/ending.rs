//! The end of a kept answer: with its token, and with its time in the cache.

use std::time::Duration;

use super::{
    Outcome,
    seen::{By, Seen},
    tries::Probe,
};
use crate::{clock, exit::Failure};

/// How long a token may live that is waited for, in seconds, beside the leeway.
const LONGEST_WAIT: i64 = 120;

/// How far from the end is asked, before it and after it, in seconds: more than a request takes, and than clocks that are set
/// differ.
const MARGIN: i64 = 2;

/// What was seen round the end of the token.
pub(super) struct Ended {
    /// When the last answer came that could be kept, in seconds since the epoch.
    kept_at: i64,
    after: Seen,
}

impl Probe<'_> {
    /// Asks before the end of the token, so that an answer is kept then, and after it.
    pub(super) async fn ends_in_time(&self) -> Result<Outcome, Failure> {
        let Some(token) = self.ending_token else {
            return Ok(Outcome::NotTried("no --ending-token".to_owned()));
        };
        let Some(end) = token.end() else {
            return Err(Failure::usage("the ending token is no JWT with `exp`"));
        };
        let left = end.saturating_sub(clock::wall().unix());
        if !(1..=LONGEST_WAIT).contains(&left) {
            let why = format!(
                "the ending token must end within {LONGEST_WAIT} seconds, it does in {left}"
            );
            return Err(Failure::usage(why));
        }
        let end = end.saturating_add(self.leeway);
        if let Some([other, _]) = token.respelled() {
            // Nobody should wait for nothing. What is kept of this is kept under another spelling.
            let first = self.open(&[other]).await?;
            if !first.is_in() {
                let why = format!("{}: the ending token opens nothing", first.shown());
                return Ok(Outcome::NotTried(why));
            }
        }
        until(end.saturating_sub(MARGIN)).await;
        let before = self.open(&[token.header()]).await?;
        if !before.is_in() {
            let why = format!(
                "{} {MARGIN} seconds before its end with a leeway of {} seconds: compare --leeway with `leeway_seconds`",
                before.shown(),
                self.leeway
            );
            return Ok(Outcome::NotTried(why));
        }
        let kept_at = clock::wall().unix();
        until(end.saturating_add(MARGIN)).await;
        let after = self.open(&[token.header()]).await?;
        let outcome = if after.is_refused() {
            Outcome::AsAssumed(format!("{}, then {}", before.shown(), after.shown()))
        } else {
            Outcome::Differs(format!("still {} after its end", after.shown()))
        };
        // Nothing else sets it.
        let _ = self.ended.set(Ended { kept_at, after });
        Ok(outcome)
    }

    /// Waits until the gateway must have dropped what it kept before the end. A fresh decision about the same token is 401, which
    /// no kept policy says.
    pub(super) async fn ends_with_ttl(&self) -> Result<Outcome, Failure> {
        let (Some(token), Some(ended)) = (self.ending_token, self.ended.get()) else {
            return Ok(Outcome::NotTried("no token was seen to end".to_owned()));
        };
        let Some(ttl) = self.ttl else {
            return Ok(Outcome::NotTried("no --ttl".to_owned()));
        };
        if ended.after.by == By::Credential {
            let why = format!("{} at its end: nothing was kept", ended.after.shown());
            return Ok(Outcome::NotTried(why));
        }
        until(ended.kept_at.saturating_add(ttl).saturating_add(MARGIN)).await;
        let seen = self.open(&[token.header()]).await?;
        let said = format!("{}, then {}", ended.after.shown(), seen.shown());
        Ok(if seen.by == By::Credential {
            Outcome::AsAssumed(said)
        } else {
            Outcome::Differs(said)
        })
    }
}

/// Sleeps until then, in seconds since the epoch.
async fn until(then: i64) {
    let left = then.saturating_sub(clock::wall().unix());
    let left = u64::try_from(left).unwrap_or_default();
    tokio::time::sleep(Duration::from_secs(left)).await;
}
