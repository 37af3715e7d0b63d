//! Buckets in memory, bounded in number.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::{Mutex, PoisonError},
};

use lru::LruCache;

use crate::limits::{Bucket, Moment, Rule, Spent, State, state::spend};
use crate::memory::bounded;

/// Buckets in the memory of this process: the limit before all credentials, and what stands in for a store that is out. It
/// knows nothing of other processes. The bucket that was untouched for longest is forgotten when room is short.
pub(super) struct LocalLimits {
    buckets: Mutex<LruCache<Bucket, State>>,
}

impl LocalLimits {
    /// Room for so many buckets.
    pub(super) fn new(buckets: NonZeroUsize) -> Self {
        Self {
            buckets: Mutex::new(bounded(buckets)),
        }
    }

    /// Spends `cost` from `bucket`, if `rule` lets it.
    pub(super) fn spend_now(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Spent {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let held = buckets.get(bucket).copied();
        let spent = spend(rule, held, cost, now);
        if spent.is_admitted() {
            buckets.put(bucket.clone(), spent.state);
        }
        spent
    }
}
