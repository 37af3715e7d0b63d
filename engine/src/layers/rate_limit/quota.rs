//! What came of a request's limits.

use std::{num::NonZeroU64, sync::Arc};

use doorward_keys::Timestamp;

use super::{Limit, used_up};
use crate::{
    denial::Denial,
    limits::{Bucket, LimitReport, Moment, Outcome, Rule, Span, Spent, State, state::spend},
};

/// The evidence that every limit of the route was asked, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Quota {
    report: Option<LimitReport>,
    /// Boxed, because few have it and all are passed around.
    exceeded: Option<Box<Exceeded>>,
}

/// A limit that is used up.
#[derive(Clone, Debug)]
pub(crate) struct Exceeded {
    limit: Arc<Limit>,
    bucket: Bucket,
    rule: Rule,
    state: State,
    /// When there is room again, in whole seconds.
    pub(crate) until: Timestamp,
}

impl Exceeded {
    /// The refusal because of it.
    pub(crate) fn denial(&self) -> Denial {
        used_up(&self.limit)
    }

    /// What it means for whoever would spend `cost` from `bucket`, where that is the bucket that is used up: others may cost
    /// less and pass, or more and wait longer.
    pub(super) fn refusal(&self, bucket: &Bucket, cost: NonZeroU64, now: Moment) -> Option<Spent> {
        if self.bucket != *bucket {
            return None;
        }
        let spent = spend(&self.rule, Some(self.state), cost, now);
        (!spent.is_admitted()).then_some(spent)
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

    /// Ends with `limit`, which is used up; of several, with the one that lasts longest.
    pub(super) fn end(
        &mut self,
        limit: &Arc<Limit>,
        (bucket, rule, state): (&Bucket, Rule, State),
        report: LimitReport,
        now: Moment,
    ) {
        let until = ends_at(&report, now);
        if self
            .exceeded
            .as_ref()
            .is_some_and(|held| held.until >= until)
        {
            return;
        }
        self.exceeded = Some(Box::new(Exceeded {
            limit: Arc::clone(limit),
            bucket: bucket.clone(),
            rule,
            state,
            until,
        }));
        self.report = Some(report);
    }

    /// The strictest limit, or the one that is used up; absent where the route has none.
    pub const fn report(&self) -> Option<&LimitReport> {
        self.report.as_ref()
    }

    /// The limit that is used up, if one is.
    pub(crate) fn exceeded(&self) -> Option<&Exceeded> {
        self.exceeded.as_deref()
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
