//! A store that does not answer: how long it is waited for, and how long it is left alone.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::Pause;
use crate::{
    before::before,
    limits::{LimitStoreError, Moment, Span},
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
    /// Says why the store is not to be asked now. A clock that was set back ends the silence rather than prolonging it.
    pub(super) fn check(&self, now: Moment) -> Result<(), LimitStoreError> {
        let failed_at = Moment::from_micros(self.failed_at.load(Ordering::Relaxed));
        if now >= failed_at && now < failed_at.plus(COOL_DOWN) {
            let why = "left alone for a moment, because it did not answer before";
            return Err(LimitStoreError::Unavailable(why.to_owned()));
        }
        Ok(())
    }

    /// What `asking` brings within `budget`. A failure starts the time in which the store is left alone.
    pub(super) async fn within<T>(
        &self,
        budget: Duration,
        pause: Pause,
        now: Moment,
        asking: impl Future<Output = Result<T, LimitStoreError>>,
    ) -> Result<T, LimitStoreError> {
        let found = before(pause(budget), asking).await.unwrap_or_else(|| {
            let millis = STORE_BUDGET.as_millis();
            let why = format!("no answer within {millis} ms");
            Err(LimitStoreError::Unavailable(why))
        });
        match &found {
            Ok(_) => self.failed_at.store(0, Ordering::Relaxed),
            Err(LimitStoreError::Unavailable(_)) => {
                self.failed_at.store(now.micros(), Ordering::Relaxed);
            }
            Err(LimitStoreError::Corrupt(_)) => {}
        }
        found
    }
}
