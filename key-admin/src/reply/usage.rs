//! Usage as shown: what the authorizer decided and what the access log saw, side by side.
//!
//! The gateway's cache answers requests without asking the authorizer, so there are more requests than decisions. What the
//! cache answered is the difference, as far as both counts are of the same requests:
//!
//! - A decision that the key proves nothing (`unauthenticated`), or that something did not answer (`unavailable`), ends the
//!   request before the gateway learns whose it is. Its line in the access log names no key, so it is left out of the
//!   difference.
//! - Where the access log has no request and the authorizer decided some, the log was not read: the requests are not known,
//!   and absent. The same holds where the access log has none in the whole time asked for.
//! - A line comes minutes after its request, and a request at the turn of an hour may be counted in either. The difference
//!   is never less than nothing.

use std::borrow::Cow;

use doorward_keys::{LastUse, Requests, Usage, UsageHour};
use serde::{Deserialize, Serialize};

use crate::command::Span;

/// What was counted of a key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageView {
    /// The length of the steps: `hour`, `day` or `month`, in UTC.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["hour", "day", "month"])))]
    pub by: Cow<'static, str>,
    /// The beginning of the first step.
    pub from: i64,
    /// The end of the last step.
    pub to: i64,
    /// The steps in order, those in which nothing was counted too.
    pub steps: Vec<UsageStep>,
    /// All steps together.
    pub total: UsageStep,
    /// When the key was last presented to the authorizer, at whatever time; absent when that is not known. Requests that
    /// the cache answered are not among these, so the true time is later by the gateway's time to live at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<i64>,
    /// From which address that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_address: Option<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageStep {
    /// Its beginning.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// What the authorizer decided.
    pub decisions: DecisionsView,
    /// What the access log saw; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<RequestsView>,
    /// How many requests the gateway's cache answered; absent where the requests are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<u64>,
}

/// Decisions of the authorizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecisionsView {
    /// All of them.
    pub total: u64,
    /// Allowed.
    pub allowed: u64,
    /// Refused because the key does not work any more, or something beside it proves nothing.
    pub unauthenticated: u64,
    /// Refused because the key may not do that, or not from there.
    pub forbidden: u64,
    /// Refused because a limit is used up.
    pub throttled: u64,
    /// Refused because something did not answer.
    pub unavailable: u64,
}

/// Requests in the access log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestsView {
    /// All of them.
    pub total: u64,
    /// Answered with 429.
    pub throttled: u64,
    /// Answered with 5xx.
    pub failed: u64,
}

/// What `hours` come to in the steps of `span`.
pub(crate) fn steps_of(span: &Span, hours: &[UsageHour], last: Option<LastUse>) -> UsageView {
    let is_logged = hours.iter().any(|hour| hour.requests.total > 0);
    let mut hours = hours.iter().peekable();
    let mut total = Sums::default();
    let steps = span.steps().map(|(from, to)| {
        let mut step = Sums::default();
        while let Some(hour) = hours.next_if(|hour| hour.hour.begin() < to) {
            step.decisions = step.decisions.plus(hour.decisions);
            step.requests = step.requests.plus(hour.requests);
        }
        step.is_known = is_logged && (step.requests.total > 0 || step.logged() == 0);
        step.cached = step.requests.total.saturating_sub(step.logged());
        total.add(&step);
        step.view(from.unix(), to.unix())
    });
    let steps = steps.collect();
    let (from, to) = (span.from().unix(), span.to().unix());
    UsageView {
        by: Cow::Borrowed(span.by.as_str()),
        from,
        to,
        steps,
        total: total.view(from, to),
        last_used_at: last.map(|last| last.at.unix()),
        last_address: last
            .and_then(|last| last.address)
            .map(|address| address.to_string()),
    }
}

/// Both counts of a step, or of several.
#[derive(Default)]
struct Sums {
    decisions: Usage,
    requests: Requests,
    is_known: bool,
    /// What the cache answered, as far as the requests are known.
    cached: u64,
}

impl Sums {
    /// The decisions whose requests stand in the access log under the key.
    const fn logged(&self) -> u64 {
        let Usage {
            allowed,
            forbidden,
            throttled,
            ..
        } = self.decisions;
        allowed.saturating_add(forbidden).saturating_add(throttled)
    }

    fn add(&mut self, step: &Self) {
        self.decisions = self.decisions.plus(step.decisions);
        self.requests = self.requests.plus(step.requests);
        self.is_known |= step.is_known;
        if step.is_known {
            self.cached = self.cached.saturating_add(step.cached);
        }
    }

    fn view(&self, from: i64, to: i64) -> UsageStep {
        let Usage {
            allowed,
            unauthenticated,
            forbidden,
            throttled,
            unavailable,
            last: _,
        } = self.decisions;
        UsageStep {
            from,
            to,
            decisions: DecisionsView {
                total: self.decisions.total(),
                allowed,
                unauthenticated,
                forbidden,
                throttled,
                unavailable,
            },
            requests: self.is_known.then_some(RequestsView {
                total: self.requests.total,
                throttled: self.requests.throttled,
                failed: self.requests.failed,
            }),
            cached: self.is_known.then_some(self.cached),
        }
    }
}

#[cfg(test)]
mod tests;
