//! After how much time a change counts everywhere, and the flush that makes it less.

use doorward_keys::FlushBook;

use super::{Call, KeyAdmin};

/// Which stages are flushed, and how soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlushPolicy {
    /// The stages that ask this authorizer, by name.
    pub stages: Vec<String>,
    /// How long a command takes at most, in seconds: its change is made within that time after it was received.
    pub settle_seconds: u32,
    /// How often due flushes are done, in seconds.
    pub every_seconds: u32,
    /// How late a run may begin, and how long it and the gateway take, in seconds.
    pub late_seconds: u32,
}

impl FlushPolicy {
    /// Within how many seconds after its time a flush is promised to be done.
    pub(crate) fn promised_after_due(&self) -> i64 {
        i64::from(self.every_seconds) + i64::from(self.late_seconds)
    }
}

/// What is promised of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Promise {
    /// After how many seconds at most it counts everywhere.
    pub(super) within_seconds: u32,
    /// Whether a flush is part of it.
    pub(super) flushed: bool,
}

impl KeyAdmin {
    /// After how many seconds at most a change counts everywhere without a flush, once it is made.
    const fn without_flush(&self) -> Promise {
        Promise {
            within_seconds: self.policy.effective_within_seconds(),
            flushed: false,
        }
    }

    /// The same with a flush, where there is one that makes it less.
    fn with_flush_of(&self) -> Option<(&dyn FlushBook, &FlushPolicy, Promise)> {
        let (book, policy) = self.flush.as_ref()?;
        let flushed = [
            self.policy.cache_seconds,
            policy.settle_seconds,
            policy.every_seconds,
            policy.late_seconds,
        ];
        let promise = Promise {
            within_seconds: flushed.into_iter().fold(0, u32::saturating_add),
            flushed: true,
        };
        let helps = promise.within_seconds < self.policy.effective_within_seconds()
            && !policy.stages.is_empty();
        helps.then_some((book.as_ref(), policy, promise))
    }
}

impl Call<'_> {
    /// Asks for the flush that a change needs which takes something away, and says what can be promised of the change. Asked
    /// before the change is made, so that none is without: a flush too many does no harm. Where it cannot be asked for, the change
    /// is made nevertheless, and the longer time is promised.
    pub(super) async fn narrowing(&self) -> Promise {
        let Some((book, policy, promise)) = self.admin.with_flush_of() else {
            return self.admin.without_flush();
        };
        // When the change is made for sure, and then forgotten by every authorizer.
        let from = i64::from(policy.settle_seconds) + i64::from(self.admin.policy.cache_seconds);
        for stage in &policy.stages {
            if book.ask(stage, self.now.plus(from)).await.is_err() {
                return self.admin.without_flush();
            }
        }
        promise
    }

    /// After how many seconds at most a change counts everywhere without a flush.
    pub(super) fn longest_promise(&self) -> i64 {
        i64::from(self.admin.policy.effective_within_seconds())
    }

    /// What can be promised of a change that only gives.
    pub(super) const fn widening(&self) -> Promise {
        self.admin.without_flush()
    }
}
