//! A store that does not answer: how long it is waited for, and how long it is left alone.
//!
//! Only a store that serves nobody is left alone. One bucket that is too busy says nothing of the others, and neither does a
//! limit that had little left of the time of its request.

use std::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::Pause;
use crate::{
    limits::{LimitStoreError, Moment, Span},
    waiting::before,
};

/// How long one request waits for the store, all of its limits together.
pub const STORE_BUDGET: Duration = Duration::from_millis(250);

/// How long the store is left alone after it did not answer, so that only few requests pay for an outage.
pub const COOL_DOWN: Span = Span::SECOND;

/// When the store last failed.
#[derive(Default)]
pub(super) struct Outage {
    /// In microseconds since the epoch; nothing while all is well.
    failed_at: AtomicU64,
}

impl Outage {
    /// Says why the store is not to be asked at `now`, the time of asking and not of the request: the limits before may have
    /// taken theirs. A clock that was set back ends the silence rather than prolonging it.
    pub(super) fn check(&self, now: Moment) -> Result<(), LimitStoreError> {
        let failed_at = Moment::from_micros(self.failed_at.load(Ordering::Relaxed));
        if now >= failed_at && now < failed_at.plus(COOL_DOWN) {
            let why = "left alone for a moment, because it did not answer before";
            return Err(LimitStoreError::Unavailable(why.to_owned()));
        }
        Ok(())
    }

    /// What `asking` brings within `budget`. A failure starts the time in which the store is left alone; `clock` says when
    /// it came.
    pub(super) async fn within<T>(
        &self,
        budget: Duration,
        pause: Pause,
        clock: impl Fn() -> Moment,
        asking: impl Future<Output = Result<T, LimitStoreError>>,
    ) -> Result<T, LimitStoreError> {
        let Some(found) = before(pause(budget), pin!(asking)).await else {
            if budget.saturating_mul(2) >= STORE_BUDGET {
                self.fail(clock());
            }
            let millis = budget.as_millis();
            let why = format!("no answer within {millis} ms");
            return Err(LimitStoreError::Unavailable(why));
        };
        match &found {
            Ok(_) => self.failed_at.store(0, Ordering::Relaxed),
            Err(LimitStoreError::Unavailable(_)) => self.fail(clock()),
            Err(LimitStoreError::Busy(_) | LimitStoreError::Corrupt(_)) => {}
        }
        found
    }

    fn fail(&self, at: Moment) {
        self.failed_at.store(at.micros(), Ordering::Relaxed);
    }
}
