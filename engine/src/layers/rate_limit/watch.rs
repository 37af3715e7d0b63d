//! What time it is while the limits of a request are asked, and what that leaves for a wait.

use std::time::Duration;

use super::{Asked, Terms};
use crate::limits::{Algorithm, Moment, Rule, Span};

/// What is kept of the time of the function for what comes after a wait.
pub(super) const RESERVE: Duration = Duration::from_millis(100);

/// What time it is while the limits of a request are asked.
pub(super) struct Watch<'a> {
    stopwatch: fn() -> Duration,
    began: Duration,
    pub(super) asked: &'a Asked<'a>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(stopwatch: fn() -> Duration, asked: &'a Asked<'a>) -> Self {
        Self {
            stopwatch,
            began: stopwatch(),
            asked,
        }
    }

    pub(super) fn since_began(&self) -> Duration {
        (self.stopwatch)().saturating_sub(self.began)
    }

    pub(super) fn since_received(&self) -> Duration {
        self.asked.elapsed.saturating_add(self.since_began())
    }

    pub(super) fn now(&self) -> Moment {
        self.asked.now.plus(span(self.since_received()))
    }
}

fn span(time: Duration) -> Span {
    Span::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

/// The same terms, with no slot later than there is time for. Slots are told from the time of the request.
pub(super) fn in_time(terms: Terms, asked: &Asked<'_>) -> Terms {
    let Algorithm::LeakyBucket {
        limit,
        window,
        max_wait,
    } = terms.shared.algorithm()
    else {
        return terms;
    };
    let Some(left) = asked.time_left else {
        return terms;
    };
    let left = span(asked.elapsed.saturating_add(left.saturating_sub(RESERVE)));
    if left >= max_wait {
        return terms;
    }
    let shorter = Algorithm::LeakyBucket {
        limit,
        window,
        max_wait: left,
    };
    // INVARIANT: a shorter wait is as valid as the longer one was.
    Rule::new(shorter).map_or(terms, |rule| Terms { rule, shared: rule })
}
