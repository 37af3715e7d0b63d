//! Who was refused and until when, so that asking again costs nothing.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::{Mutex, PoisonError},
};

use lru::LruCache;

use crate::limits::{Bucket, Moment, Outcome, Rule, Spent};

/// Refusals of the store that are not over yet, bounded in number.
pub(super) struct Blocked {
    refusals: Mutex<LruCache<Bucket, Refusal>>,
}

struct Refusal {
    rule: Rule,
    cost: NonZeroU64,
    until: Moment,
    spent: Spent,
}

impl Blocked {
    pub(super) fn new(buckets: NonZeroUsize) -> Self {
        Self {
            refusals: Mutex::new(LruCache::new(buckets)),
        }
    }

    /// The refusal that still holds for this cost, under the same numbers: with others the store may say something else.
    pub(super) fn refusal(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Option<Spent> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let held = refusals.get(bucket)?;
        if now >= held.until {
            refusals.pop(bucket);
            return None;
        }
        (held.rule == *rule && cost >= held.cost).then_some(held.spent)
    }

    /// Remembers what the store said, where it refused and will do so for a while.
    pub(super) fn remember(&self, bucket: &Bucket, rule: &Rule, cost: NonZeroU64, spent: &Spent) {
        let Outcome::Refused {
            retry_at: Some(until),
        } = spent.outcome
        else {
            return;
        };
        let refusal = Refusal {
            rule: *rule,
            cost,
            until,
            spent: *spent,
        };
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.put(bucket.clone(), refusal);
    }
}
