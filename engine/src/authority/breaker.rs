//! The circuit breaker: states and rules, without clock, lock or server.
//!
//! Closed, every call passes, and so many failures one after the other open it. Open, no call passes until a time. From
//! then on it is half open: one call passes as the probe, the others are refused until the probe is back. A good probe
//! closes it, a bad one opens it again; a probe that never comes back gives way to another after a while.
//!
//! Where sandboxes share their state one of them all sends the probe (`shared`).
//!
//! Only the outcome of the probe counts while it is not closed: a call that began before it opened says nothing of now.

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

    /// The state after the call with this pass has ended at `now`, well or not.
    pub fn ended(self, rule: &Rule, pass: Pass, is_well: bool, now: Moment) -> Self {
        let open = Self::Open {
            until: now.plus(rule.open),
        };
        match (self, pass) {
            (Self::Closed { .. }, Pass::Regular) if is_well => Self::CLOSED,
            (Self::Closed { failures }, Pass::Regular) => {
                let failures = failures.saturating_add(1);
                if failures >= rule.failures {
                    open
                } else {
                    Self::Closed { failures }
                }
            }
            (Self::HalfOpen { probe }, Pass::Probe(own)) if probe == own => {
                if is_well {
                    Self::CLOSED
                } else {
                    open
                }
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests;
