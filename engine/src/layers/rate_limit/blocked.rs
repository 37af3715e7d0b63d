//! Who was refused and until when, so that asking again costs nothing.
//!
//! What is remembered is the bucket as the store last showed it. Buckets only fill up as time goes by, so what they refused
//! then they refuse until that state itself lets it pass, whatever the cost and the numbers of who asks. There is one
//! exception: what others have leased may come back. Where a limit has leases, a refusal is believed for [`DOUBT`] only.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::{Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;

use super::leases::DOUBT;
use crate::limits::{Bucket, Moment, Outcome, Rule, Spent, State, state::spend};
use crate::memory::bounded;

/// Refusals of the store that are not over yet, bounded in number.
pub(super) struct Blocked {
    refusals: Mutex<LruCache<Bucket, Refusal>>,
}

struct Refusal {
    state: State,
    /// When there is room for whoever was refused.
    until: Moment,
    /// When it was learned, where it is to be doubted soon.
    doubted_since: Option<Moment>,
}

impl Blocked {
    pub(super) fn new(buckets: NonZeroUsize) -> Self {
        Self {
            refusals: Mutex::new(bounded(buckets)),
        }
    }

    /// Whether nothing is remembered, so that nobody need look.
    pub(super) fn is_empty(&self) -> bool {
        self.refusals().is_empty()
    }

    /// The refusal of `cost` at `now` that follows from what is remembered, if one does.
    pub(super) fn refusal(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Option<Spent> {
        let mut refusals = self.refusals();
        let held = refusals.get(bucket)?;
        let doubted = |since: Moment| now < since || now >= since.plus(DOUBT);
        if now >= held.until || held.doubted_since.is_some_and(doubted) {
            refusals.pop(bucket);
            return None;
        }
        let spent = spend(rule, Some(held.state), cost, now);
        (!spent.is_admitted()).then_some(spent)
    }

    /// Remembers what the store said at `now`, where it refused and will do so for a while.
    pub(super) fn remember(
        &self,
        bucket: &Bucket,
        spent: &Spent,
        now: Moment,
        others_may_return: bool,
    ) {
        let Outcome::Refused {
            retry_at: Some(until),
        } = spent.outcome
        else {
            return;
        };
        let refusal = Refusal {
            state: spent.state,
            until,
            doubted_since: others_may_return.then_some(now),
        };
        self.refusals().put(bucket.clone(), refusal);
    }

    fn refusals(&self) -> MutexGuard<'_, LruCache<Bucket, Refusal>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
