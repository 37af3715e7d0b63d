//! Limits as written.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    config::RawSecret,
    layers::rate_limit::{Dimension, OnOutage},
};

/// One limit: how many requests in what time, and whose requests are counted together.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawLimit {
    /// How requests are counted.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "token_bucket")))]
    pub(super) algorithm: Option<RawAlgorithm>,
    /// How many. Required.
    pub(super) limit: Option<i64>,
    /// In what time; or `window_seconds`. One of the two is required.
    pub(super) per: Option<RawPer>,
    /// In what time, in seconds, 1 to 2678400; in place of `per`.
    pub(super) window_seconds: Option<i64>,
    /// How many at once, for a token bucket. Default: `limit`.
    pub(super) burst: Option<i64>,
    /// How long a call may wait for its slot in a leaky bucket, in milliseconds, 0 to 5000. Default: 0, so that whoever finds
    /// no free slot is refused.
    pub(super) max_wait_ms: Option<i64>,
    /// Whose requests are counted together; several are a combination. A caller without a key, client or tenant is counted
    /// by subject, one without a subject by key, and an anonymous one by address. IPv6 addresses count by /64.
    #[cfg_attr(feature = "schema", schemars(extend("default" = ["subject"])))]
    pub(super) by: Option<Vec<RawDimension>>,
    /// How many are taken from the store in one write and spent in memory, from 2 to half of what the limit holds. The limit
    /// is never exceeded; each sandbox may leave so many unused. Not for leaky buckets, whose slots cannot be held.
    pub(super) lease: Option<i64>,
    /// What holds when the store does not answer: nobody passes, or the same limit in the memory of each sandbox. Default:
    /// `deny` for `calendar`, `local` for the others.
    pub(super) on_outage: Option<RawOnOutage>,
}

/// How requests are counted.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum RawAlgorithm {
    /// A bucket that holds `burst` and gains `limit` in each window.
    TokenBucket,
    /// `limit` in each window; up to twice that across the end of one.
    FixedWindow,
    /// `limit` in the blend of this window and what is left of the last.
    SlidingWindow,
    /// One after the other, evenly spread, `limit` in each window. With `max_wait_ms` a call waits for its slot.
    LeakyBucket,
    /// `limit` in each day or month of UTC.
    Calendar,
}

impl RawAlgorithm {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::TokenBucket => "token_bucket",
            Self::FixedWindow => "fixed_window",
            Self::SlidingWindow => "sliding_window",
            Self::LeakyBucket => "leaky_bucket",
            Self::Calendar => "calendar",
        }
    }
}

/// In what time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum RawPer {
    Second,
    Minute,
    Hour,
    /// 24 hours; for `calendar` from midnight to midnight in UTC.
    Day,
    /// For `calendar` only: from the first of the month, in UTC.
    Month,
}

impl RawPer {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum RawDimension {
    /// Those of one API key.
    Key,
    /// Those of one subject of a token.
    Subject,
    /// Those of one OAuth client.
    Client,
    /// Those of one tenant.
    Tenant,
    /// Those of one address.
    Address,
    /// Those for one route.
    Route,
}

impl From<RawDimension> for Dimension {
    fn from(raw: RawDimension) -> Self {
        match raw {
            RawDimension::Key => Self::Key,
            RawDimension::Subject => Self::Subject,
            RawDimension::Client => Self::Client,
            RawDimension::Tenant => Self::Tenant,
            RawDimension::Address => Self::Address,
            RawDimension::Route => Self::Route,
        }
    }
}

/// What holds when the store of limits does not answer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum RawOnOutage {
    /// Nobody passes: 500.
    Deny,
    /// The same limit in the memory of each sandbox.
    Local,
}

impl From<RawOnOutage> for OnOutage {
    fn from(raw: RawOnOutage) -> Self {
        match raw {
            RawOnOutage::Deny => Self::Deny,
            RawOnOutage::Local => Self::Local,
        }
    }
}

/// A plan: other numbers for the keys that have it.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawPlan {
    /// Other numbers, by the name of the limit.
    pub(super) limits: Option<BTreeMap<String, RawTerms>>,
    /// The value of the usage-plan key of its callers, for REST APIs that require keys: `env:NAME`, `ssm:/name` or
    /// `secretsmanager:name`. A key that names one of its own has that. Default: `answers.usage_plan_key`.
    pub(super) usage_plan_key: Option<RawSecret>,
}

/// Other numbers for a limit.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawTerms {
    /// How many. Default: as the limit says.
    pub(super) limit: Option<i64>,
    /// How many at once, for a token bucket. Default: as the limit says, or `limit` where that stands here.
    pub(super) burst: Option<i64>,
}

/// Where limits are counted.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawLimitsStore {
    /// Where buckets are kept.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "dynamodb")))]
    pub(super) kind: Option<RawStoreKind>,
    /// The address of Redis or Valkey, for `kind = "redis"`: `rediss://host:port`, or `redis://` without TLS.
    pub(super) address: Option<String>,
    /// The user of its access control list.
    pub(super) user: Option<String>,
    /// The password: `env:NAME`, `ssm:/name` or `secretsmanager:name`.
    pub(super) password: Option<RawSecret>,
    /// A file beside the configuration with the certificates that vouch for the server, as PEM. Default: those of the
    /// machine.
    pub(super) ca_file: Option<String>,
}

/// Where buckets are kept.
#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum RawStoreKind {
    /// In the `DynamoDB` table of counters.
    #[serde(rename = "dynamodb")]
    DynamoDb,
    /// In Redis or Valkey.
    #[serde(rename = "redis")]
    Redis,
    /// In the memory of each sandbox, which knows nothing of the others.
    #[serde(rename = "memory")]
    Memory,
}

/// What a request spends from one limit.
#[derive(Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum RawCharge {
    /// One from the limit of this name.
    One(String),
    /// Another cost.
    Priced(RawPriced),
}

/// What a request spends from one limit.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawPriced {
    /// The name of the limit. Required.
    pub(super) name: Option<String>,
    /// How much one request spends.
    #[cfg_attr(feature = "schema", schemars(extend("default" = 1)))]
    pub(super) cost: Option<i64>,
}
