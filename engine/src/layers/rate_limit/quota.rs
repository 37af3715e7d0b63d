//! What came of a request's limits.

use std::sync::Arc;

use doorward_keys::Timestamp;

use super::{Limit, used_up};
use crate::{
    denial::Denial,
    layers::rate_limit::Dimension,
    limits::{LimitReport, Moment, Outcome, Rule, Span, Spent},
    routes::Route,
};

/// The evidence that every limit of the route was asked, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Quota {
    report: Option<LimitReport>,
    exceeded: Option<Exceeded>,
}

/// A limit that is used up.
#[derive(Clone, Debug)]
pub(crate) struct Exceeded {
    limit: Arc<Limit>,
    /// The key of the route that was asked for.
    route: String,
    /// When there is room again, in whole seconds.
    pub(crate) until: Timestamp,
}

impl Exceeded {
    /// The refusal because of it.
    pub(crate) fn denial(&self) -> Denial {
        used_up(&self.limit)
    }

    /// Whether `route` spends from the bucket that is empty.
    pub(crate) fn concerns(&self, route: &Route) -> bool {
        let spends = route.limits.iter().any(|c| c.limit.name == self.limit.name);
        let apart = self.limit.by.contains(&Dimension::Route);
        spends && (!apart || route.key == self.route)
    }
}

impl Quota {
    /// Takes in what came of one more limit.
    pub(super) fn add(&mut self, report: LimitReport) {
        let stricter = |held: &LimitReport| is_stricter(&report, held);
        if self.report.as_ref().is_none_or(stricter) {
            self.report = Some(report);
        }
    }

    /// Ends with `limit`, which is used up.
    pub(super) fn end(
        &mut self,
        limit: &Arc<Limit>,
        route: &Route,
        report: LimitReport,
        now: Moment,
    ) {
        let until = ends_at(&report, now);
        self.exceeded = Some(Exceeded {
            limit: Arc::clone(limit),
            route: route.key.clone(),
            until,
        });
        self.report = Some(report);
    }

    /// The strictest limit, or the one that is used up; absent where the route has none.
    pub const fn report(&self) -> Option<&LimitReport> {
        self.report.as_ref()
    }

    /// The limit that is used up, if one is.
    pub(crate) const fn exceeded(&self) -> Option<&Exceeded> {
        self.exceeded.as_ref()
    }
}

/// When the limit of `report` has room again.
pub(super) fn ends_at(report: &LimitReport, now: Moment) -> Timestamp {
    let seconds = report.retry_after.unwrap_or(0);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    now.timestamp().plus(seconds)
}

/// Less is left of it, as a share of the whole.
fn is_stricter(report: &LimitReport, held: &LimitReport) -> bool {
    let share = |a: &LimitReport, b: &LimitReport| u128::from(a.remaining) * u128::from(b.limit);
    share(report, held) < share(held, report)
}

/// What the caller may know of `spent`.
pub(super) fn report(name: &str, rule: &Rule, spent: &Spent, now: Moment) -> LimitReport {
    let (begin, end) = rule.window_around(now);
    let window = match end.since(begin) {
        Span::ZERO => rule.window(),
        window => window,
    };
    let window_seconds = match rule.interval() {
        Span::ZERO => window,
        interval => Span::from_micros(interval.micros().saturating_mul(rule.limit())),
    }
    .seconds_up();
    let retry_after = match spent.outcome {
        Outcome::Admitted { .. } => None,
        Outcome::Refused { retry_at } => {
            let seconds = retry_at.map_or(window_seconds, |at| seconds_until(at, now));
            Some(seconds.max(1))
        }
    };
    LimitReport {
        name: name.to_owned(),
        limit: rule.limit(),
        remaining: spent.remaining.min(rule.limit()),
        reset_seconds: seconds_until(spent.reset_at, now),
        retry_after,
        window_seconds,
    }
}

/// Whole seconds from the second of `now` to the first whole second at or after `at`. A policy can name whole seconds only;
/// counted like this, whoever waits for so long comes at or after the second that it names.
fn seconds_until(at: Moment, now: Moment) -> u64 {
    let second = Span::SECOND.micros();
    let end = at.micros().div_ceil(second);
    end.saturating_sub(now.micros() / second)
}
