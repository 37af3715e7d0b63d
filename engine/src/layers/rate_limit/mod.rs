//! Rate limits and quotas: what a caller may spend in a time.
//!
//! 1. The limit of `addresses.limit` stands before all credentials, goes by address and is counted in memory: it costs
//!    nothing, and protects what comes behind it. It always refuses with a Deny.
//! 2. The limits of a route come after the credentials, so that nothing is written for a credential that does not hold, and
//!    before what the caller may do, so that asking for what one may not have is limited too: but only by limits that count
//!    the caller apart ([`Reach`]), because what many pay into must not be spent by those who may have none of it. Only on a
//!    route that is open to anybody is something written for a caller without a credential: the count by address.
//!    Those with the shortest window come first, and the first that is used up ends it: what a rate refuses spends nothing of
//!    a quota. What is known here to be used up refuses before anything is spent, and of several the one that lasts longest.
//! 3. Buckets are told apart by what the limit names, joined unambiguously, and by what their numbers mean
//!    ([`Rule::unit`]). A caller without a key, client, tenant or
//!    subject is counted by the next best; an anonymous one by address, IPv6 by /64. Where an address is needed and the event
//!    carries none, the request is refused ([`Reason::AddressUnknown`]).
//! 4. A key whose plan the configuration does not name is refused wherever a limit applies
//!    ([`Reason::KeyPlanUnknown`]): falling back to the numbers of everybody could widen what it may spend.
//! 5. Whoever was refused is refused again from memory until there is room. With `lease`, many are taken from the store
//!    at once ([`leases`]).
//! 6. A leaky bucket with `max_wait_ms` makes the call wait for its slot, which is a time on the clock: what the store took is
//!    part of the wait. A slot that does not lie within the time of the function is a refusal that spends nothing.
//! 7. The store has [`outage::STORE_BUDGET`] for one request. When it does not answer it is left alone for
//!    [`outage::COOL_DOWN`], and each limit says what holds meanwhile: nobody passes
//!    ([`Reason::LimitStoreUnavailable`]), or the same limit in this memory. A bucket that cannot be read refuses always: it is
//!    no outage, and counting anew would admit whoever can spoil it.
//!
//! What becomes of a request over a limit is not decided here: see `answers.rate_limited`.

mod blocked;
mod bucket;
mod config;
pub mod leases;
mod local;
pub mod outage;
mod quota;
#[cfg(test)]
mod tests;
mod visited;
mod watch;

use std::{
    future::Future,
    net::IpAddr,
    num::{NonZeroU64, NonZeroUsize},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

pub(crate) use bucket::network_of;
pub use config::{
    Charge, Dimension, Limit, LimitsConfig, LimitsStore, OnOutage, Plan, RedisStore, Terms,
};
pub(crate) use config::{RawCharge, RawLimit, RawLimitsStore, RawPlan, Uses, check};
use doorward_keys::{Secret, Timestamp};
pub(crate) use quota::Exceeded;
pub use quota::Quota;
pub use visited::{Counted, Visited};

use self::{
    blocked::Blocked,
    leases::Leases,
    local::LocalLimits,
    outage::Outage,
    watch::{Watch, in_time},
};
use crate::{
    denial::{Denial, Reason},
    identity::{Authenticated, Client},
    limits::{Bucket, LimitStore, LimitStoreError, Moment, Outcome, Rule, Span, Spent},
    routes::Route,
};

/// Sleeps for a time. The engine has no clock of its own.
pub type Pause = fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// How many buckets are remembered in each of the memories.
const BUCKETS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Who asks for what, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The route.
    pub route: &'a Route,
    /// Who proved to be calling.
    pub caller: &'a Authenticated,
    /// From where.
    pub address: Option<IpAddr>,
    /// When.
    pub now: Moment,
    /// How long ago that was when the limits are asked.
    pub elapsed: Duration,
    /// How long the answer may take from then on; absent where nobody waits.
    pub time_left: Option<Duration>,
}

/// Which limits of a route a request spends from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All of them.
    All,
    /// Those that count the caller apart, by key, subject or address: the caller may not use the route, and what others pay
    /// into is not theirs to spend.
    Own,
}

impl Reach {
    /// All for whoever is entitled to the route.
    pub(crate) const fn of(entitled: &Result<(), Denial>) -> Self {
        match entitled {
            Ok(()) => Self::All,
            Err(_) => Self::Own,
        }
    }

    fn covers(self, limit: &Limit) -> bool {
        match self {
            Self::All => true,
            Self::Own => limit.by.iter().any(|dimension| match dimension {
                Dimension::Key | Dimension::Subject | Dimension::Address => true,
                Dimension::Client | Dimension::Tenant | Dimension::Route => false,
            }),
        }
    }
}

/// Spends from limits. One for the life of a configuration; shared between concurrent requests.
pub struct RateLimits {
    config: LimitsConfig,
    store: Arc<dyn LimitStore>,
    leases: Leases,
    blocked: Blocked,
    outage: Outage,
    local: LocalLimits,
    pause: Pause,
    stopwatch: fn() -> Duration,
}

impl RateLimits {
    /// The limits of `config` over `store`.
    pub fn new(
        config: LimitsConfig,
        store: Arc<dyn LimitStore>,
        pause: Pause,
        stopwatch: fn() -> Duration,
    ) -> Self {
        Self {
            config,
            leases: Leases::new(Arc::clone(&store), BUCKETS),
            store,
            blocked: Blocked::new(BUCKETS),
            outage: Outage::default(),
            local: LocalLimits::new(BUCKETS),
            pause,
            stopwatch,
        }
    }

    /// Spends from the limit before all credentials, where there is one.
    ///
    /// # Errors
    /// [`Reason::RateLimited`], with the report; [`Reason::AddressUnknown`].
    pub fn admit(&self, address: Option<IpAddr>, now: Moment) -> Result<(), Denial> {
        let Some(limit) = &self.config.before_credentials else {
            return Ok(());
        };
        let bucket = bucket::of_address(limit, address)?;
        let rule = &limit.terms.rule;
        let spent = self.local.spend_now(&bucket, rule, NonZeroU64::MIN, now);
        if spent.is_admitted() {
            return Ok(());
        }
        let report = quota::report(&limit.name, rule, &spent, now);
        let ends_at = quota::ends_at(&report, now);
        Err(used_up(limit).with_limit(report).ending_at(ends_at))
    }

    /// Whether a request of `caller` for `route` could be counted at all. What decides here must not be forgotten when a
    /// policy is written for other routes than the one asked for.
    pub fn can_count(&self, asked: &Asked<'_>) -> bool {
        self.spendings(asked, Reach::All).is_ok()
    }

    /// From when on the limits of the route let the caller pass, as far as that is known here without asking: what the store
    /// refused before, and what `exceeded` says. `None` where nothing known stands in the way. For routes that a policy speaks
    /// of besides the one that was asked for.
    pub(crate) fn opens_at(
        &self,
        asked: &Asked<'_>,
        exceeded: Option<&Exceeded>,
    ) -> Option<Timestamp> {
        if exceeded.is_none() && self.blocked.is_empty() {
            return None;
        }
        let now = asked.now;
        let spendings = self.spendings(asked, Reach::All).unwrap_or_default();
        let ends = spendings.iter().flat_map(|spending| {
            let Spending {
                limit,
                terms,
                bucket,
                cost,
            } = spending;
            let of_asked = exceeded.and_then(|exceeded| exceeded.refusal(bucket, *cost, now));
            let before = self.blocked.refusal(bucket, &terms.shared, *cost, now);
            let refusals = [of_asked, before].into_iter().flatten();
            refusals.map(|spent| {
                let report = quota::report(&limit.name, &terms.rule, &spent, now);
                quota::ends_at(&report, now)
            })
        });
        ends.max()
    }

    /// Whether no limit is known here to be used up for anybody, so that [`Self::opens_at`] says so of every route.
    pub(crate) fn is_none_used_up(&self) -> bool {
        self.blocked.is_empty()
    }

    /// Spends from every limit of the route within `reach`, as far as they let it, and waits where one says so.
    ///
    /// # Errors
    /// [`Reason::LimitStoreUnavailable`], [`Reason::KeyPlanUnknown`], [`Reason::AddressUnknown`]. A limit that is used up is
    /// no error: it stands in the [`Quota`].
    pub async fn spend(
        &self,
        asked: &Asked<'_>,
        reach: Reach,
        visited: &mut Vec<Visited>,
    ) -> Result<Quota, Denial> {
        let spendings = self.spendings(asked, reach)?;
        if spendings.is_empty() {
            return Ok(Quota::default());
        }
        let watch = Watch::new(self.stopwatch, asked);
        let mut quota = self.refused_before(&spendings, asked.now, visited);
        if quota.exceeded().is_some() {
            return Ok(quota);
        }
        let mut wait = Span::ZERO;
        for spending in &spendings {
            let Spending { limit, terms, .. } = spending;
            let spent = Box::pin(self.spend_one(spending, &watch, visited));
            let (spent, rule) = spent.await?;
            let report = quota::report(&limit.name, &terms.rule, &spent, asked.now);
            match spent.outcome {
                Outcome::Refused { .. } => {
                    let held = (&spending.bucket, rule, spent.state);
                    quota.end(limit, held, report, asked.now);
                    return Ok(quota);
                }
                Outcome::Admitted { wait: own } => {
                    wait = wait.max(own);
                    quota.add(report);
                }
            }
        }
        // The slot is a time on the clock: what was spent of it on the way is not waited again.
        let wait = wait.duration().saturating_sub(watch.since_received());
        if !wait.is_zero() {
            (self.pause)(wait).await;
        }
        Ok(quota)
    }

    /// The value of the usage-plan key of the caller's plan, where it has one.
    pub(crate) fn usage_plan_key(&self, caller: &Authenticated) -> Option<&Secret<String>> {
        let plan = caller.client.as_ref()?.record().plan.as_deref()?;
        self.config.plans.get(plan)?.usage_plan_key.as_ref()
    }

    /// Connects to the store, so that the first request need not.
    ///
    /// # Errors
    /// As the store.
    pub async fn prepare(&self) -> Result<(), LimitStoreError> {
        self.store.prepare().await
    }

    /// Gives back what is leased, for the end of the process.
    pub async fn return_leases(&self, now: Moment) {
        self.leases.give_back(now).await;
    }

    /// The numbers of `limit` for `caller`.
    fn terms(&self, limit: &Limit, caller: &Authenticated) -> Result<Terms, Denial> {
        let record = caller.client.as_ref().map(Client::record);
        let Some((record, name)) = record.and_then(|r| Some((r, r.plan.as_deref()?))) else {
            return Ok(limit.terms);
        };
        let Some(plan) = self.config.plans.get(name) else {
            let detail = format!("{} has the plan `{name}`", record.id);
            return Err(Denial::new(Reason::KeyPlanUnknown, detail));
        };
        Ok(plan.terms.get(&limit.name).copied().unwrap_or(limit.terms))
    }

    /// What a request spends, and from where; nothing is asked yet.
    fn spendings<'a>(&self, asked: &Asked<'a>, reach: Reach) -> Result<Vec<Spending<'a>>, Denial> {
        let charges = asked.route.limits.iter();
        let charges = charges.filter(|charge| reach.covers(&charge.limit));
        charges
            .map(|Charge { limit, cost }| {
                let terms = in_time(self.terms(limit, asked.caller)?, asked);
                Ok(Spending {
                    limit,
                    terms,
                    bucket: bucket::bucket(limit, &terms.rule, asked)?,
                    cost: *cost,
                })
            })
            .collect()
    }

    /// The limit that is known to be used up; of several, the one that lasts longest. Asking the others first would spend
    /// from them for nothing, and name an end that is none.
    fn refused_before(
        &self,
        spendings: &[Spending<'_>],
        now: Moment,
        visited: &mut Vec<Visited>,
    ) -> Quota {
        let mut quota = Quota::default();
        for spending in spendings {
            if let Some(spent) = self.refusal_in_memory(spending, now) {
                let Spending {
                    limit,
                    terms,
                    bucket,
                    ..
                } = spending;
                visited.push(Visited::of(
                    limit,
                    Some(Counted::Blocked),
                    Some(&spent),
                    None,
                ));
                let report = quota::report(&limit.name, &terms.rule, &spent, now);
                quota.end(limit, (bucket, terms.shared, spent.state), report, now);
            }
        }
        quota
    }

    /// What is leased is spent even where the store refuses.
    fn refusal_in_memory(&self, spending: &Spending<'_>, now: Moment) -> Option<Spent> {
        let Spending {
            limit,
            terms: Terms { shared: rule, .. },
            bucket,
            cost,
        } = spending;
        if limit.lease.is_some() && self.leases.holds(bucket, rule, *cost, now) {
            return None;
        }
        self.blocked.refusal(bucket, rule, *cost, now)
    }

    /// What came of it, and the rule under which it was counted.
    async fn spend_one(
        &self,
        spending: &Spending<'_>,
        watch: &Watch<'_>,
        visited: &mut Vec<Visited>,
    ) -> Result<(Spent, Rule), Denial> {
        let Spending {
            limit,
            terms,
            bucket,
            cost,
        } = spending;
        let mut note = |counted, spent: Option<&Spent>, fault| {
            visited.push(Visited::of(limit, counted, spent, fault));
        };
        match self.ask(spending, watch).await {
            Ok((spent, counted)) => {
                note(Some(counted), Some(&spent), None);
                Ok((spent, terms.shared))
            }
            Err(error)
                if limit.on_outage == OnOutage::Deny
                    || matches!(error, LimitStoreError::Corrupt(_)) =>
            {
                note(None, None, Some(error.to_string()));
                let detail = format!("`{}`: {error}", limit.name);
                Err(Denial::new(Reason::LimitStoreUnavailable, detail))
            }
            Err(error) => {
                let now = watch.asked.now;
                let spent = self.local.spend_now(bucket, &terms.rule, *cost, now);
                note(Some(Counted::Local), Some(&spent), Some(error.to_string()));
                Ok((spent, terms.rule))
            }
        }
    }

    /// Asks the memories, then the store.
    async fn ask(
        &self,
        spending: &Spending<'_>,
        watch: &Watch<'_>,
    ) -> Result<(Spent, Counted), LimitStoreError> {
        let Spending {
            limit,
            terms: Terms { shared: rule, .. },
            bucket,
            cost,
        } = spending;
        let now = watch.asked.now;
        if limit.lease.is_some()
            && let Some(spent) = self.leases.spend_leased(bucket, rule, *cost, now)
        {
            return Ok((spent, Counted::Lease));
        }
        if let Some(spent) = self.blocked.refusal(bucket, rule, *cost, now) {
            return Ok((spent, Counted::Blocked));
        }
        self.outage.check(watch.now())?;
        let asking = async {
            if let Some(lease) = limit.lease {
                return self.leases.spend(bucket, rule, lease, *cost, now).await;
            }
            let spent = self.store.spend(bucket, rule, *cost, now).await?;
            Ok((spent, Counted::Store))
        };
        let budget = outage::STORE_BUDGET.saturating_sub(watch.since_began());
        let clock = || watch.now();
        let found = self.outage.within(budget, self.pause, clock, asking);
        let (spent, counted) = found.await?;
        self.blocked
            .remember(bucket, &spent, now, limit.lease.is_some());
        Ok((spent, counted))
    }
}

/// One spending from one limit.
struct Spending<'a> {
    limit: &'a Arc<Limit>,
    terms: Terms,
    bucket: Bucket,
    cost: NonZeroU64,
}

/// The refusal because of `limit`.
fn used_up(limit: &Limit) -> Denial {
    Denial::new(Reason::RateLimited, format!("`{}` is used up", limit.name))
}
