//! The configuration of limits: as written, and checked.

mod check;
mod plans;
mod raw;
mod rule;
mod store;
mod uses;

use std::{collections::BTreeMap, num::NonZeroU64, sync::Arc};

use doorward_keys::Secret;

use crate::limits::{Algorithm, Rule};

pub(crate) use check::check;
pub(crate) use raw::{RawCharge, RawLimit, RawLimitsStore, RawPlan};
pub(crate) use uses::Uses;

/// All limits, the plans that change them, and where they are counted.
#[derive(Clone, Debug, Default)]
pub struct LimitsConfig {
    /// The limits by name.
    pub limits: BTreeMap<String, Arc<Limit>>,
    /// What keys of a plan have in place of the numbers of the limits, by the name of the plan.
    pub plans: BTreeMap<String, Plan>,
    /// Where buckets are kept.
    pub store: LimitsStore,
    /// The limit by address that stands before all credentials and is counted in memory.
    pub before_credentials: Option<Arc<Limit>>,
}

/// Where buckets are kept.
#[derive(Clone, Debug, Default)]
pub enum LimitsStore {
    /// The `DynamoDB` table of counters.
    #[default]
    DynamoDb,
    /// Redis or Valkey.
    Redis(RedisStore),
    /// The memory of each sandbox.
    Memory,
}

/// A server of Redis or Valkey.
#[derive(Clone, Debug)]
pub struct RedisStore {
    /// Its address, such as `rediss://cache.example.com:6379/0`. No credential stands in it.
    pub address: String,
    /// The user of its access control list; absent for the default user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret<String>>,
    /// The certificates that vouch for it, as PEM; absent for those of the machine.
    pub authority: Option<String>,
}

/// One limit.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// What buckets are told apart by; a list is a combination.
    pub by: Vec<Dimension>,
    /// The numbers for whoever has no plan with others.
    pub terms: Terms,
    /// How many are taken in one write and spent in memory.
    pub lease: Option<NonZeroU64>,
    /// What holds when the store does not answer.
    pub on_outage: OnOutage,
}

/// What buckets are told apart by. A caller without what is named is told apart by the next best: a key or client by the
/// subject, a tenant by the subject, a subject by the key, and whoever has none of these by the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The API key.
    Key,
    /// The subject of the token.
    Subject,
    /// The OAuth client of the token.
    Client,
    /// The tenant of the key or the token.
    Tenant,
    /// The address of the caller, IPv6 by /64.
    Address,
    /// The route.
    Route,
}

impl Dimension {
    /// The word for it in configuration and bucket names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Subject => "subject",
            Self::Client => "client",
            Self::Tenant => "tenant",
            Self::Address => "address",
            Self::Route => "route",
        }
    }
}

/// What holds when the store of limits does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOutage {
    /// Nobody passes.
    Deny,
    /// The same limit in the memory of each sandbox.
    Local,
}

/// The numbers of a limit, for the caller and for the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What is promised.
    pub rule: Rule,
    /// What the store is asked to hold: less by the lease for a token bucket.
    ///
    /// INVARIANT: leased tokens lapse `lease` × interval after they were taken, so all that is spent in a time t was taken in
    /// a time t + `lease` × interval, in which this rule gives (`burst` - `lease`) + t / interval + `lease` at most: exactly
    /// the promise.
    pub shared: Rule,
}

impl Terms {
    /// The terms of `rule` with `lease`; `None` where the lease takes more than half of what the rule holds.
    pub fn new(rule: Rule, lease: Option<NonZeroU64>) -> Option<Self> {
        let Some(lease) = lease else {
            return Some(Self { rule, shared: rule });
        };
        if lease.get() > rule.limit() / 2 {
            return None;
        }
        let shared = match rule.algorithm() {
            Algorithm::TokenBucket {
                limit,
                window,
                burst,
            } => Rule::new(Algorithm::TokenBucket {
                limit,
                window,
                burst: burst.checked_sub(lease.get())?,
            })
            .ok()?,
            _ => rule,
        };
        Some(Self { rule, shared })
    }
}

/// A plan: other numbers for some limits.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// By the name of the limit.
    pub terms: BTreeMap<String, Terms>,
    /// The value of the usage-plan key of callers who have none of their own.
    pub usage_plan_key: Option<Secret<String>>,
}

/// What a request spends from one limit.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The limit.
    pub limit: Arc<Limit>,
    /// How much.
    pub cost: NonZeroU64,
}
