//! Limits in memory: of one process alone.

use std::num::NonZeroU64;

use async_trait::async_trait;
use doorward_engine::limits::{
    Bucket, LimitStore, LimitStoreError, Moment, Rule, Spent,
    state::{give_back, spend},
};

use super::Buckets;

/// Limits in memory. Each call takes one short lock and waits for nothing else.
///
/// Counts what this process admits and nothing besides: two processes admit twice as much. Its size is bounded; when more
/// buckets are in use at once than there is room for, those that would be whole again soonest are forgotten and admit
/// early.
pub struct MemoryLimits {
    buckets: Buckets,
}

impl MemoryLimits {
    /// How many buckets are kept, if not said otherwise: at most about ten megabytes.
    pub const BUCKETS: usize = 32_768;

    /// An empty store for [`MemoryLimits::BUCKETS`] buckets.
    pub fn new() -> Self {
        Self::with_capacity(Self::BUCKETS)
    }

    /// An empty store for so many buckets.
    pub fn with_capacity(buckets: usize) -> Self {
        Self {
            buckets: Buckets::with_capacity(buckets),
        }
    }

    /// As [`LimitStore::spend`], without waiting.
    pub fn spend_now(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Result<Spent, LimitStoreError> {
        let answer = self.buckets.change(bucket, now, |held| {
            let spent = spend(rule, held, cost, now);
            let kept = (spent.state, now.plus(rule.memory()));
            (spent.is_admitted().then_some(kept), spent)
        });
        answer.ok_or_else(no_room)
    }
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl LimitStore for MemoryLimits {
    async fn spend(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Result<Spent, LimitStoreError> {
        self.spend_now(bucket, rule, cost, now)
    }

    async fn give_back(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        amount: NonZeroU64,
        spent: &Spent,
    ) -> Result<(), LimitStoreError> {
        let mark = spent.state.mark;
        let at = Moment::from_micros(mark);
        let done = self.buckets.change(bucket, at, |held| {
            let held = held.filter(|state| state.mark == mark);
            let given = held.map(|state| give_back(rule, state, amount, mark));
            // Two windows, as the window of `mark` begins there and what is left of it is not known.
            let until = at.plus(rule.memory()).plus(rule.memory());
            (given.map(|state| (state, until)), ())
        });
        done.ok_or_else(no_room)
    }
}

fn no_room() -> LimitStoreError {
    LimitStoreError::Unavailable("there is no memory for it".to_owned())
}
