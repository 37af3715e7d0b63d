//! The circuit breaker: states and rules, without clock, lock or server.
//!
//! Closed, every call passes, and so many failures one after the other open it. Open, no call passes until a time. From
//! then on it is half open: one call passes as the probe, the others are refused until the probe is back. A good probe
//! closes it, a bad one opens it again; a probe that never comes back gives way to another after a while.
//!
//! Where sandboxes share their state one of them all sends the probe (`shared`).
//!
//! Only the outcome of the probe counts while it is not closed: a call that began before it opened says nothing of now. A
//! call that says nothing of the server changes nothing, and a probe of that kind leaves its turn to the next call.

use crate::limits::{Moment, Span};

/// When it opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// So many failures one after the other open it. At least 1.
    pub failures: u32,
    /// How long it stays open.
    pub open: Span,
    /// How long a probe may take before another is sent.
    pub probe: Span,
}

/// Its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Calls pass.
    Closed {
        /// Failures since the last success.
        failures: u32,
    },
    /// No call passes.
    Open {
        /// Until then.
        until: Moment,
    },
    /// One call is under way.
    HalfOpen {
        /// When it began, which tells it from others.
        probe: Moment,
    },
}

/// Why a call may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The breaker was closed.
    Regular,
    /// It is the probe that began then.
    Probe(Moment),
}

/// What the end of a call says of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Well,
    /// It does not.
    Ill,
    /// Nothing.
    Unknown,
}

impl State {
    /// The state at the beginning.
    pub const CLOSED: Self = Self::Closed { failures: 0 };

    /// The word for it in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }

    /// Whether a call may pass at `now`, and the state after that. A time of opening that lies further ahead than the rule
    /// can have set it was noted by a clock that has been set back since; it counts from now.
    pub fn ask(self, rule: &Rule, now: Moment) -> (Self, Option<Pass>) {
        let probing = (Self::HalfOpen { probe: now }, Some(Pass::Probe(now)));
        match self {
            Self::Closed { .. } => (self, Some(Pass::Regular)),
            Self::Open { until } if until <= now => probing,
            Self::Open { until } => {
                let until = until.min(now.plus(rule.open));
                (Self::Open { until }, None)
            }
            Self::HalfOpen { probe } if probe.plus(rule.probe) <= now => probing,
            Self::HalfOpen { probe } if probe > now.plus(rule.probe) => probing,
            Self::HalfOpen { .. } => (self, None),
        }
    }

    /// The state after the call with this pass has ended so at `now`.
    pub fn ended(self, rule: &Rule, pass: Pass, outcome: Outcome, now: Moment) -> Self {
        let open = |until| Self::Open { until };
        match (self, pass) {
            (Self::Closed { failures }, Pass::Regular) => match outcome {
                Outcome::Well => Self::CLOSED,
                Outcome::Ill if failures.saturating_add(1) >= rule.failures => {
                    open(now.plus(rule.open))
                }
                Outcome::Ill => Self::Closed {
                    failures: failures.saturating_add(1),
                },
                Outcome::Unknown => self,
            },
            (Self::HalfOpen { probe }, Pass::Probe(own)) if probe == own => match outcome {
                Outcome::Well => Self::CLOSED,
                Outcome::Ill => open(now.plus(rule.open)),
                Outcome::Unknown => open(now),
            },
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests;
