//! What is counted for one key.

use std::time::Duration;

use doorward_keys::Timestamp;
use time::OffsetDateTime;

use super::{Counted, Period, Throttle, UsagePlan};

/// One call, in the unit in which a bucket is filled: a rate of one call in a second adds one unit in a nanosecond.
const CALL: u128 = 1_000_000_000;

const SECONDS_OF_DAY: i64 = 86_400;

#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    level: u128,
    filled_at: Duration,
    period: i64,
    used: u64,
}

impl Meter {
    /// The meter of a key that has not called yet.
    pub(super) fn full(plan: &UsagePlan, now: Duration) -> Self {
        Self {
            level: plan.throttle.map_or(0, capacity),
            filled_at: now,
            period: 0,
            used: 0,
        }
    }

    /// Counts one call, if it may pass.
    pub(super) fn count(&mut self, plan: &UsagePlan, wall: Timestamp, now: Duration) -> Counted {
        if let Some(throttle) = plan.throttle {
            self.fill(throttle, now);
            let is_open = throttle.rate > 0 && self.level >= CALL;
            if !is_open {
                return Counted::Throttled;
            }
            self.level -= CALL;
        }
        if let Some(quota) = plan.quota {
            let period = number(quota.period, wall);
            if period != self.period {
                self.period = period;
                self.used = 0;
            }
            if self.used >= quota.limit {
                return Counted::QuotaExceeded;
            }
            self.used = self.used.saturating_add(1);
        }
        Counted::Passes
    }

    fn fill(&mut self, throttle: Throttle, now: Duration) {
        let elapsed = now.saturating_sub(self.filled_at).as_nanos();
        let more = elapsed.saturating_mul(u128::from(throttle.rate));
        self.level = self.level.saturating_add(more).min(capacity(throttle));
        self.filled_at = self.filled_at.max(now);
    }
}

fn capacity(throttle: Throttle) -> u128 {
    u128::from(throttle.burst).saturating_mul(CALL)
}

/// A number that is the same exactly within one period. Weeks begin on Sunday (`CloudFormation`, `QuotaSettings`, `Offset`).
fn number(period: Period, wall: Timestamp) -> i64 {
    let day = wall.unix().div_euclid(SECONDS_OF_DAY);
    match period {
        Period::Day => day,
        // The first day of the epoch was a Thursday.
        Period::Week => day.saturating_add(4).div_euclid(7),
        Period::Month => OffsetDateTime::from_unix_timestamp(wall.unix()).map_or(0, |time| {
            let (year, month) = (i64::from(time.year()), i64::from(u8::from(time.month())));
            year.saturating_mul(12).saturating_add(month)
        }),
    }
}
