//! Usage plans: what a REST API counts by itself, under the key that the authorizer names in `usageIdentifierKey`.
//!
//! An API with plans plays `ApiKeySourceType: AUTHORIZER` and `ApiKeyRequired: true` on every route that has an authorizer (API
//! Gateway Developer Guide, *Usage plans and API keys for REST APIs*, *Choose an API key source*):
//!
//! 1. Only what the policy allows is counted, whether the answer of the authorizer was fresh or cached.
//! 2. A key that is in no plan, or none at all, is 403 `INVALID_API_KEY`.
//! 3. Above the rate, a token bucket for each key, it is 429 `THROTTLED`; above the quota 429 `QUOTA_EXCEEDED`. What is throttled
//!    is not counted against the quota.
//! 4. A plan with a rate or burst of 0 has no allowance: its keys always get 429.
//!
//! AWS promises none of this exactly (*usage plan throttling and quotas are not hard limits*); here it is exact.

mod file;
mod meter;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use doorward_keys::{Secret, Timestamp};

use self::meter::Meter;

/// How fast the callers of a plan may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Calls in a second, over a longer time.
    pub rate: u32,
    /// Calls at once.
    pub burst: u32,
}

/// How often the callers of a plan may call in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Calls.
    pub limit: u64,
    /// The time in which they are counted.
    pub period: Period,
}

/// A period of a quota, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Sunday to Saturday.
    Week,
    /// From the first to the last day.
    Month,
}

/// One usage plan and its keys. Each key is counted for itself.
#[derive(Clone)]
pub struct UsagePlan {
    /// The name, for messages.
    pub name: String,
    /// The values of its keys.
    pub keys: Vec<Secret<String>>,
    /// Its rate, if it has one.
    pub throttle: Option<Throttle>,
    /// Its quota, if it has one.
    pub quota: Option<Quota>,
}

/// Why usage plans cannot be used. Names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The file is not what it should be.
    #[error("{0}")]
    File(String),
    /// API Gateway takes 20 to 128 characters.
    #[error(
        "a key of the usage plan `{0}` is not of 20 to 128 printable characters without spaces, as API Gateway demands"
    )]
    KeyLength(String),
    /// A key belongs to one plan of a stage.
    #[error(
        "the usage plans `{0}` and `{1}` share a key; API Gateway lets a key be in one plan of a stage"
    )]
    KeyTwice(String, String),
}

/// The usage plans of one stage. Empty: the API requires no keys.
#[derive(Clone, Default)]
pub struct UsagePlans(Vec<UsagePlan>);

/// What the gateway makes of a call that the policy allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// It may pass.
    Passes,
    /// The authorizer named no key, or one that is in no plan.
    KeyInvalid,
    /// Faster than the plan of the key.
    Throttled,
    /// The quota of the key is used up.
    QuotaExceeded,
}

/// Usage plans at work.
pub(super) struct Meters {
    plans: Vec<UsagePlan>,
    meters: Mutex<BTreeMap<String, Meter>>,
}

impl UsagePlans {
    /// Plans whose keys fit, and are each in one plan only.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn new(plans: Vec<UsagePlan>) -> Result<Self, PlanError> {
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        for plan in &plans {
            for key in &plan.keys {
                let key = key.expose().as_str();
                let fits =
                    (20..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
                if !fits {
                    return Err(PlanError::KeyLength(plan.name.clone()));
                }
                if let Some(other) = owners.insert(key, &plan.name) {
                    return Err(PlanError::KeyTwice(other.to_owned(), plan.name.clone()));
                }
            }
        }
        Ok(Self(plans))
    }

    /// Reads the plans in a TOML text that came from `name`.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn read(text: &str, name: &str) -> Result<Self, PlanError> {
        Self::new(file::read(text, name)?)
    }

    /// These plans, and `plan` with those of its keys that are in none of them; without it when it has none left.
    #[must_use]
    pub fn with(mut self, mut plan: UsagePlan) -> Self {
        let known = |key: &Secret<String>| {
            let mut keys = self.0.iter().flat_map(|plan| &plan.keys);
            keys.any(|known| known.expose() == key.expose())
        };
        plan.keys.retain(|key| !known(key));
        if !plan.keys.is_empty() {
            self.0.push(plan);
        }
        self
    }

    /// Whether the API requires keys.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the plans.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|plan| plan.name.as_str())
    }
}

impl Meters {
    pub(super) fn new(plans: UsagePlans) -> Self {
        Self {
            plans: plans.0,
            meters: Mutex::default(),
        }
    }

    /// Counts one call under `key`. `wall` is the time of day, for quotas, `now` that of a monotonic clock, for rates.
    pub(super) fn count(&self, key: Option<&str>, wall: Timestamp, now: Duration) -> Counted {
        if self.plans.is_empty() {
            return Counted::Passes;
        }
        let named = key.and_then(|key| Some((key, self.plan_of(key)?)));
        let Some((key, plan)) = named else {
            return Counted::KeyInvalid;
        };
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = meters
            .entry(key.to_owned())
            .or_insert_with(|| Meter::full(plan, now));
        meter.count(plan, wall, now)
    }

    fn plan_of(&self, key: &str) -> Option<&UsagePlan> {
        let holds = |plan: &&UsagePlan| plan.keys.iter().any(|held| held.expose() == key);
        self.plans.iter().find(holds)
    }
}

impl fmt::Debug for UsagePlans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests;
