//! Leases: many taken from the store in one write, and spent in memory.
//!
//! 1. A lease is debited before any of it is used, so the limit holds whatever becomes of it. What is never used is the
//!    price: commonly at most one lease for each bucket and process, and less than two where a call costs more than one. On top
//!    come leases that were debited and never had: a store that answered too late, an attempt that was made again, and what
//!    was forgotten because more buckets are leased than there is room for.
//! 2. A lease of a window is good until that window ends. Leased tokens lapse when as much time has passed as they take to
//!    come back; the store is asked to hold the burst less the lease, and both together keep the promise exactly
//!    ([`super::Terms`]).
//! 3. One request at a time asks for a lease of a bucket; the others wait for it and spend from it.
//! 4. Where a lease is refused, the cost alone is tried, and so until there could be room for a lease again, or for [`DOUBT`]:
//!    others may give theirs back.
//! 5. A lease belongs to a bucket and a rule: those of two plans that share a bucket leave each other alone.

use std::{
    collections::VecDeque,
    num::{NonZeroU64, NonZeroUsize},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;

use super::Counted;
use crate::limits::{
    Algorithm, Bucket, LimitStore, LimitStoreError, Moment, Outcome, Rule, Span, Spent,
};
use crate::memory::bounded;

/// How long a refusal is believed where others hold leases, which may come back.
pub const DOUBT: Span = Span::from_seconds(5);

/// How much a request may be older than a lease that it spends from: no gateway waits longer for its authorizer. Without a
/// bound, a clock that is set back would make leases of tokens last.
const OLDEST_REQUEST: Span = Span::from_seconds(10);

/// Leases over a store, bounded in number.
pub struct Leases {
    store: Arc<dyn LimitStore>,
    slots: Mutex<LruCache<(Bucket, Rule), Arc<Slot>>>,
}

/// The leases of one bucket under one rule.
#[derive(Default)]
struct Slot {
    held: Mutex<Held>,
    /// Held while a lease is asked for; dropped with the future that asks, so that whoever gives up blocks nobody.
    turn: async_lock::Mutex<()>,
}

#[derive(Default)]
struct Held {
    /// Oldest first, and never more than two with anything left: another is taken only when all of them are too small.
    leases: VecDeque<Lease>,
    /// Between these there is no room for a lease.
    scarce: Option<(Moment, Moment)>,
}

struct Lease {
    left: u64,
    taken: Moment,
    until: Moment,
    spent: Spent,
}

impl Lease {
    const fn is_good(&self, now: Moment) -> bool {
        now.micros() < self.until.micros()
            && self.taken.micros() <= now.plus(OLDEST_REQUEST).micros()
    }
}

impl Leases {
    /// Leases over `store`, for so many buckets.
    pub fn new(store: Arc<dyn LimitStore>, buckets: NonZeroUsize) -> Self {
        Self {
            store,
            slots: Mutex::new(bounded(buckets)),
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
        self.slot(bucket, rule)?.spend(cost, now)
    }

    /// Whether so much of `bucket` is leased.
    pub fn holds(&self, bucket: &Bucket, rule: &Rule, cost: NonZeroU64, now: Moment) -> bool {
        let slot = self.slot(bucket, rule);
        slot.is_some_and(|slot| slot.held().left(now) >= cost.get())
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
                .get_or_insert((bucket.clone(), *rule), || Arc::new(Slot::default())),
        );
        if cost <= amount && !slot.held().is_scarce(now) {
            let _turn = slot.turn.lock().await;
            // Whoever had the turn before may have brought a lease.
            if let Some(spent) = slot.spend(cost, now) {
                return Ok((spent, Counted::Lease));
            }
            if !slot.held().is_scarce(now) {
                let spent = self.store.spend(bucket, rule, amount, now).await?;
                slot.keep(rule, amount, spent, now);
                if let Some(spent) = slot.spend(cost, now) {
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
        let returns = returns.map(|((bucket, rule), spent, amount)| async move {
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
    fn drain(&self, now: Moment) -> Vec<((Bucket, Rule), Spent, NonZeroU64)> {
        let mut slots = self.slots();
        let all = std::iter::from_fn(|| slots.pop_lru());
        let held = all.flat_map(|(of, slot)| {
            let leases = std::mem::take(&mut slot.held().leases);
            let good = leases.into_iter().filter(|lease| lease.is_good(now));
            let good = good.filter_map(|lease| Some((lease.spent, NonZeroU64::new(lease.left)?)));
            good.map(|(spent, amount)| (of.clone(), spent, amount))
                .collect::<Vec<_>>()
        });
        held.collect()
    }

    fn slot(&self, bucket: &Bucket, rule: &Rule) -> Option<Arc<Slot>> {
        self.slots().get(&(bucket.clone(), *rule)).cloned()
    }

    fn slots(&self) -> MutexGuard<'_, LruCache<(Bucket, Rule), Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn left(&self, now: Moment) -> u64 {
        let good = self.leases.iter().filter(|lease| lease.is_good(now));
        good.fold(0, |sum, lease| sum.saturating_add(lease.left))
    }

    fn is_scarce(&self, now: Moment) -> bool {
        self.scarce
            .is_some_and(|(from, until)| now >= from && now < until)
    }
}

impl Slot {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spends `cost` from all leases together, from the oldest first.
    fn spend(&self, cost: NonZeroU64, now: Moment) -> Option<Spent> {
        let mut held = self.held();
        let left = held.left(now).checked_sub(cost.get())?;
        let mut due = cost.get();
        let mut from = None;
        for lease in held.leases.iter_mut().filter(|lease| lease.is_good(now)) {
            let part = lease.left.min(due);
            lease.left -= part;
            due -= part;
            if part > 0 {
                from = Some(lease.spent);
            }
        }
        held.leases.retain(|lease| lease.left > 0);
        from.map(|spent| Spent {
            outcome: Outcome::Admitted { wait: Span::ZERO },
            remaining: spent.remaining.saturating_add(left),
            ..spent
        })
    }

    /// Keeps a lease of `amount` that was admitted at `now`, or how long there is no room for one.
    fn keep(&self, rule: &Rule, amount: NonZeroU64, spent: Spent, now: Moment) {
        let mut held = self.held();
        if let Outcome::Refused { retry_at } = spent.outcome {
            let until = retry_at.unwrap_or(spent.reset_at).min(now.plus(DOUBT));
            held.scarce = Some((now, until));
            return;
        }
        held.scarce = None;
        held.leases.retain(|lease| now < lease.until);
        let until = match rule.algorithm() {
            Algorithm::TokenBucket { .. } | Algorithm::LeakyBucket { .. } => {
                let micros = amount.get().saturating_mul(rule.interval().micros());
                now.plus(Span::from_micros(micros))
            }
            Algorithm::FixedWindow { .. }
            | Algorithm::SlidingWindow { .. }
            | Algorithm::Calendar { .. } => {
                // The bucket is in another window; no call is to be counted half in the one and half in the other.
                held.leases.retain(|lease| lease.until == spent.reset_at);
                spent.reset_at
            }
        };
        // What is left of a lease in the same window is as good as the new one.
        let before = held
            .leases
            .back_mut()
            .filter(|before| before.until == until);
        if let Some(before) = before {
            before.left = before.left.saturating_add(amount.get());
            before.taken = before.taken.min(now);
            before.spent = spent;
        } else {
            held.leases.push_back(Lease {
                left: amount.get(),
                taken: now,
                until,
                spent,
            });
        }
    }
}
