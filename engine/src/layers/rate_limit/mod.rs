//! Rate limits and quotas: what a caller may spend in a time.
//!
//! 1. The limit of `addresses.limit` stands before all credentials, goes by address and is counted in memory: it costs
//!    nothing, and protects what comes behind it. It always refuses with a Deny.
//! 2. The limits of a route come after the credentials, so that nothing is written for a credential that does not hold, and
//!    before what the caller may do, so that asking for what one may not have is limited too. Only on a route that is open to
//!    anybody is something written for a caller without a credential: the count by address. Those with the shortest window
//!    come first, and the first that is used up ends it: what a rate refuses spends nothing of a quota.
//! 3. Buckets are told apart by what the limit names, joined unambiguously. A caller without a key, client, tenant or
//!    subject is counted by the next best; an anonymous one by address, IPv6 by /64. Where an address is needed and the event
//!    carries none, the request is refused ([`Reason::AddressUnknown`]).
//! 4. A key whose plan the configuration does not name is refused wherever a limit applies
//!    ([`Reason::KeyPlanUnknown`]): falling back to the numbers of everybody could widen what it may spend.
//! 5. Whoever was refused is refused again from memory until there is room. With `lease`, many are taken from the store
//!    at once ([`leases`]).
//! 6. A leaky bucket with `max_wait_ms` makes the call wait for its slot; a wait that does not fit into the time of the
//!    function is a refusal that spends nothing.
//! 7. The store has [`outage::STORE_BUDGET`] for one request. When it does not answer it is left alone for
//!    [`outage::COOL_DOWN`], and each limit says what holds meanwhile: nobody passes
//!    ([`Reason::LimitStoreUnavailable`]), or the same limit in this memory.
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
pub use quota::Quota;

use self::{blocked::Blocked, leases::Leases, local::LocalLimits, outage::Outage};
use crate::{
    denial::{Denial, Reason},
    identity::{Authenticated, Client},
    limits::{Algorithm, Bucket, LimitStore, LimitStoreError, Moment, Outcome, Rule, Span, Spent},
    routes::Route,
};

/// Sleeps for a time. The engine has no clock of its own.
pub type Pause = fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// How many buckets are remembered in each of the memories.
const BUCKETS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// What is kept of the time of the function for what comes after a wait.
const RESERVE: Duration = Duration::from_millis(100);

/// Where a limit was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// In the store.
    Store,
    /// In memory, from what was taken from the store before.
    Lease,
    /// Nowhere: the store refused before, and that still holds.
    Blocked,
    /// In this memory alone.
    Local,
}

impl Counted {
    /// The word for it in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Lease => "lease",
            Self::Blocked => "blocked",
            Self::Local => "local",
        }
    }
}

/// What came of one limit, for the operator.
#[derive(Clone, Debug)]
pub struct Visited {
    /// The name of the limit.
    pub name: String,
    /// How many are left.
    pub remaining: u64,
    /// Whether it is used up.
    pub is_exceeded: bool,
    /// Where it was counted; nowhere where the store did not answer and nobody passes then.
    pub counted: Option<Counted>,
    /// Why the store did not count.
    pub fault: Option<String>,
}

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
    /// How long the answer may take from now on; absent where nobody waits.
    pub time_left: Option<Duration>,
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
        let mut charges = asked.route.limits.iter();
        charges.all(|charge| {
            self.terms(&charge.limit, asked.caller).is_ok()
                && bucket::bucket(&charge.limit, asked).is_ok()
        })
    }

    /// Spends from every limit of the route, as far as they let it, and waits where one says so.
    ///
    /// # Errors
    /// [`Reason::LimitStoreUnavailable`], [`Reason::KeyPlanUnknown`], [`Reason::AddressUnknown`]. A limit that is used up is
    /// no error: it stands in the [`Quota`].
    pub async fn spend(
        &self,
        asked: &Asked<'_>,
        visited: &mut Vec<Visited>,
    ) -> Result<Quota, Denial> {
        let began = (self.stopwatch)();
        let mut quota = Quota::default();
        let mut wait = Span::ZERO;
        for Charge { limit, cost } in &asked.route.limits {
            let elapsed = (self.stopwatch)().saturating_sub(began);
            let terms = self.terms(limit, asked.caller)?;
            let terms = in_time(terms, asked.time_left, elapsed);
            let spending = Spending {
                limit,
                terms,
                bucket: bucket::bucket(limit, asked)?,
                cost: *cost,
                now: asked.now,
                budget: outage::STORE_BUDGET.saturating_sub(elapsed),
            };
            let spent = self.spend_one(&spending, visited).await?;
            let report = quota::report(&limit.name, &terms.rule, &spent, asked.now);
            match spent.outcome {
                Outcome::Refused { .. } => {
                    quota.end(limit, asked.route, report, asked.now);
                    return Ok(quota);
                }
                Outcome::Admitted { wait: own } => {
                    wait = wait.max(own);
                    quota.add(report);
                }
            }
        }
        if wait > Span::ZERO {
            (self.pause)(wait.duration()).await;
        }
        Ok(quota)
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

    async fn spend_one(
        &self,
        spending: &Spending<'_>,
        visited: &mut Vec<Visited>,
    ) -> Result<Spent, Denial> {
        let limit = spending.limit;
        let mut note = |counted, spent: Option<&Spent>, fault| {
            visited.push(Visited {
                name: limit.name.clone(),
                remaining: spent.map_or(0, |spent| spent.remaining),
                is_exceeded: spent.is_some_and(|spent| !spent.is_admitted()),
                counted,
                fault,
            });
        };
        match self.ask(spending).await {
            Ok((spent, counted)) => {
                note(Some(counted), Some(&spent), None);
                Ok(spent)
            }
            Err(error) if limit.on_outage == OnOutage::Deny => {
                note(None, None, Some(error.to_string()));
                let detail = format!("`{}`: {error}", limit.name);
                Err(Denial::new(Reason::LimitStoreUnavailable, detail))
            }
            Err(error) => {
                let Spending {
                    terms,
                    bucket,
                    cost,
                    now,
                    ..
                } = spending;
                let spent = self.local.spend_now(bucket, &terms.rule, *cost, *now);
                note(Some(Counted::Local), Some(&spent), Some(error.to_string()));
                Ok(spent)
            }
        }
    }

    /// Asks the memories, then the store.
    async fn ask(&self, spending: &Spending<'_>) -> Result<(Spent, Counted), LimitStoreError> {
        let Spending {
            limit,
            terms: Terms { shared: rule, .. },
            bucket,
            cost,
            now,
            budget,
        } = spending;
        if let Some(spent) = self.blocked.refusal(bucket, rule, *cost, *now) {
            return Ok((spent, Counted::Blocked));
        }
        if limit.lease.is_some()
            && let Some(spent) = self.leases.spend_leased(bucket, rule, *cost, *now)
        {
            return Ok((spent, Counted::Lease));
        }
        self.outage.check(*now)?;
        let asking = async {
            if let Some(lease) = limit.lease {
                return self.leases.spend(bucket, rule, lease, *cost, *now).await;
            }
            let spent = self.store.spend(bucket, rule, *cost, *now).await?;
            Ok((spent, Counted::Store))
        };
        let found = self.outage.within(*budget, self.pause, *now, asking);
        let (spent, counted) = found.await?;
        self.blocked.remember(bucket, rule, *cost, &spent);
        Ok((spent, counted))
    }
}

/// One spending from one limit.
struct Spending<'a> {
    limit: &'a Limit,
    terms: Terms,
    bucket: Bucket,
    cost: NonZeroU64,
    now: Moment,
    budget: Duration,
}

/// The same terms, with no longer a wait than fits into the time that is left.
fn in_time(terms: Terms, time_left: Option<Duration>, elapsed: Duration) -> Terms {
    let Algorithm::LeakyBucket {
        limit,
        window,
        max_wait,
    } = terms.shared.algorithm()
    else {
        return terms;
    };
    let Some(left) = time_left else { return terms };
    let left = left.saturating_sub(elapsed).saturating_sub(RESERVE);
    let left = Span::from_micros(u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
    if left >= max_wait {
        return terms;
    }
    let shorter = Algorithm::LeakyBucket {
        limit,
        window,
        max_wait: left,
    };
    // INVARIANT: a shorter wait is as valid as the longer one was.
    Rule::new(shorter).map_or(terms, |rule| Terms { rule, shared: rule })
}

/// The refusal because of `limit`.
fn used_up(limit: &Limit) -> Denial {
    Denial::new(Reason::RateLimited, format!("`{}` is used up", limit.name))
}
