//! Leases: many taken from the store in one write, and spent in memory.
//!
//! 1. A lease is debited before any of it is used, so the limit holds whatever becomes of it. What is never used is the
//!    price: at most one lease for each bucket and process.
//! 2. A lease of a window is good until that window ends. Leased tokens lapse when as much time has passed as they take to
//!    come back; the store is asked to hold the burst less the lease, and both together keep the promise exactly
//!    ([`super::Terms`]).
//! 3. One request at a time asks for a lease of a bucket; the others wait for it and spend from it.
//! 4. Where a lease is refused, the cost alone is tried, and so until there could be room for a lease again.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;

use super::Counted;
use crate::limits::{
    Algorithm, Bucket, LimitStore, LimitStoreError, Moment, Outcome, Rule, Span, Spent,
};

/// Leases over a store, bounded in number.
pub struct Leases {
    store: Arc<dyn LimitStore>,
    slots: Mutex<LruCache<Bucket, Arc<Slot>>>,
}

/// The lease of one bucket.
#[derive(Default)]
struct Slot {
    held: Mutex<Held>,
    /// Held while a lease is asked for; dropped with the future that asks, so that whoever gives up blocks nobody.
    turn: async_lock::Mutex<()>,
}

#[derive(Default)]
struct Held {
    lease: Option<Lease>,
    /// Until then there is no room for a lease.
    scarce_until: Moment,
}

struct Lease {
    rule: Rule,
    left: u64,
    until: Moment,
    spent: Spent,
}

impl Leases {
    /// Leases over `store`, for so many buckets.
    pub fn new(store: Arc<dyn LimitStore>, buckets: NonZeroUsize) -> Self {
        Self {
            store,
            slots: Mutex::new(LruCache::new(buckets)),
        }
    }

    /// Spends `cost` from what is leased of `bucket`, if that is enough. `rule` is what the store is asked to hold.
    pub fn spend_leased(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Option<Spent> {
        let slot = self.slots().get(bucket).cloned()?;
        slot.spend(rule, cost, now)
    }

    /// Spends `cost` from a lease of `amount`, which is taken if there is none with enough left; from the store itself where
    /// it gives no lease.
    ///
    /// # Errors
    /// As the store.
    pub async fn spend(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        amount: NonZeroU64,
        cost: NonZeroU64,
        now: Moment,
    ) -> Result<(Spent, Counted), LimitStoreError> {
        let slot = Arc::clone(
            self.slots()
                .get_or_insert(bucket.clone(), || Arc::new(Slot::default())),
        );
        if cost <= amount && now >= slot.held().scarce_until {
            let _turn = slot.turn.lock().await;
            // Whoever had the turn before may have brought a lease.
            if let Some(spent) = slot.spend(rule, cost, now) {
                return Ok((spent, Counted::Lease));
            }
            if now >= slot.held().scarce_until {
                let spent = self.store.spend(bucket, rule, amount, now).await?;
                slot.keep(rule, amount, spent, now);
                if let Some(spent) = slot.spend(rule, cost, now) {
                    return Ok((spent, Counted::Store));
                }
            }
        }
        let spent = self.store.spend(bucket, rule, cost, now).await?;
        Ok((spent, Counted::Store))
    }

    /// Gives back what is leased and not lapsed. For the end of the process: nothing is leased afterwards until somebody
    /// asks. What the store does not take back is lost, which admits nobody.
    pub async fn give_back(&self, now: Moment) {
        let returns = self.drain(now).into_iter();
        let returns = returns.map(|(bucket, lease, amount)| async move {
            let Lease { rule, spent, .. } = lease;
            // A return that fails is lost; the window ends all the same.
            let _ = self.store.give_back(&bucket, &rule, amount, &spent).await;
        });
        let mut returns: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>> =
            returns.map(|one| Box::pin(one) as _).collect();
        std::future::poll_fn(|context| {
            returns.retain_mut(|one| one.as_mut().poll(context).is_pending());
            if returns.is_empty() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    }

    /// Takes all leases out, those that still hold.
    fn drain(&self, now: Moment) -> Vec<(Bucket, Lease, NonZeroU64)> {
        let mut slots = self.slots();
        let all = std::iter::from_fn(|| slots.pop_lru());
        let held = all.filter_map(|(bucket, slot)| {
            let lease = slot.held().lease.take()?;
            let amount = NonZeroU64::new(lease.left)?;
            (now < lease.until).then_some((bucket, lease, amount))
        });
        held.collect()
    }

    fn slots(&self) -> MutexGuard<'_, LruCache<Bucket, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spend(&self, rule: &Rule, cost: NonZeroU64, now: Moment) -> Option<Spent> {
        let mut held = self.held();
        let lease = held.lease.as_mut()?;
        if lease.rule != *rule || now >= lease.until {
            return None;
        }
        lease.left = lease.left.checked_sub(cost.get())?;
        Some(Spent {
            outcome: Outcome::Admitted { wait: Span::ZERO },
            remaining: lease.spent.remaining.saturating_add(lease.left),
            ..lease.spent
        })
    }

    /// Keeps a lease of `amount` that was admitted at `now`, or how long there is no room for one.
    fn keep(&self, rule: &Rule, amount: NonZeroU64, spent: Spent, now: Moment) {
        let mut held = self.held();
        match spent.outcome {
            Outcome::Refused { retry_at } => {
                held.scarce_until = retry_at.unwrap_or(spent.reset_at);
            }
            Outcome::Admitted { .. } => {
                let until = match rule.algorithm() {
                    Algorithm::TokenBucket { .. } | Algorithm::LeakyBucket { .. } => {
                        let micros = amount.get().saturating_mul(rule.interval().micros());
                        now.plus(Span::from_micros(micros))
                    }
                    Algorithm::FixedWindow { .. }
                    | Algorithm::SlidingWindow { .. }
                    | Algorithm::Calendar { .. } => spent.reset_at,
                };
                // What is left of a lease in the same window is as good as the new one.
                let before = held
                    .lease
                    .take()
                    .filter(|before| before.rule == *rule && before.until == until && now < until);
                let left = before.map_or(0, |before| before.left);
                held.lease = Some(Lease {
                    rule: *rule,
                    left: left.saturating_add(amount.get()),
                    until,
                    spent,
                });
            }
        }
    }
}
