//! The configuration of usage: as written, and checked.

use serde::Deserialize;

use crate::{
    config::{Faults, Problem, values::Limits},
    limits::Span,
};

/// How the use of API keys is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageConfig {
    /// When counts are written.
    pub mode: UsageMode,
    /// Whether the configuration asks for usage. Without a word on it, it is counted where there is a table for it.
    pub is_asked: bool,
    /// How old the first count may be before all are written.
    pub flush_after: Span,
    /// How many calls may be counted before they are written.
    pub flush_calls: u32,
    /// For how many days counts are kept.
    pub retention_days: u32,
}

/// When counts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageMode {
    /// Nothing is counted.
    Off,
    /// After answers have left, many calls at once.
    Batched,
    /// Before the answer leaves, for each allowed call.
    Exact(OnUsageOutage),
}

/// What becomes of an allowed call that the store did not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUsageOutage {
    /// It is refused.
    Deny,
    /// It passes, and is counted in memory and written later.
    Allow,
}

impl Default for UsageConfig {
    fn default() -> Self {
        Self {
            mode: UsageMode::Batched,
            is_asked: false,
            flush_after: Span::from_seconds(SECONDS.default.into()),
            flush_calls: CALLS.default,
            retention_days: DAYS.default,
        }
    }
}

/// How the use of API keys is counted.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawUsage {
    /// When counts are written.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "batched")))]
    mode: Option<RawMode>,
    /// How old the first count may be before all are written, in seconds. Written is after an answer has left, so a sandbox
    /// without calls writes at its end.
    #[cfg_attr(feature = "schema", schemars(range(min = SECONDS.min, max = SECONDS.max), extend("default" = SECONDS.default)))]
    flush_seconds: Option<i64>,
    /// How many calls may be counted before they are written: what a sandbox that is killed may lose.
    #[cfg_attr(feature = "schema", schemars(range(min = CALLS.min, max = CALLS.max), extend("default" = CALLS.default)))]
    flush_calls: Option<i64>,
    /// For how many days the counts of an hour are kept.
    #[cfg_attr(feature = "schema", schemars(range(min = DAYS.min, max = DAYS.max), extend("default" = DAYS.default)))]
    retention_days: Option<i64>,
    /// What becomes of an allowed call that the store did not count, for `mode = "exact"`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "deny")))]
    on_outage: Option<RawOnUsageOutage>,
}

/// When counts are written.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawMode {
    /// After answers have left, many calls in one write for each key and hour.
    Batched,
    /// Before the answer leaves, one write for each allowed call. Refusals are counted as with `batched`.
    Exact,
    /// Nothing is counted.
    Off,
}

/// What becomes of an allowed call that the store did not count.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawOnUsageOutage {
    /// It is refused.
    Deny,
    /// It passes, and is written later.
    Allow,
}

const SECONDS: Limits = Limits {
    min: 1,
    max: 3600,
    default: 60,
};
const CALLS: Limits = Limits {
    min: 1,
    max: 100_000,
    default: 1000,
};
const DAYS: Limits = Limits {
    min: 1,
    max: 3650,
    default: 400,
};

impl RawUsage {
    /// The checked configuration; the default where a fault was found. `has_keys` says whether there are API keys.
    pub(crate) fn check(self, has_keys: bool, faults: &mut Faults) -> UsageConfig {
        let path = |setting: &str| format!("usage.{setting}");
        let is_off = matches!(self.mode, Some(RawMode::Off));
        let is_exact = matches!(self.mode, Some(RawMode::Exact));
        if !has_keys && !is_off {
            faults.warning("usage", Problem::UsageAlone);
        }
        for (setting, is_set) in [
            ("flush_seconds", self.flush_seconds.is_some()),
            ("flush_calls", self.flush_calls.is_some()),
            ("retention_days", self.retention_days.is_some()),
        ] {
            if is_set && is_off {
                faults.problem(path(setting), Problem::UsageOff);
            }
        }
        if self.on_outage.is_some() && !is_exact && !faults.is_replaced("usage.mode") {
            let needs = "mode = \"exact\"";
            faults.problem(path("on_outage"), Problem::UsageSetting { needs });
        }
        let mut number =
            |limits: Limits, value, setting| limits.check(value, &path(setting), faults);
        let seconds = number(SECONDS, self.flush_seconds, "flush_seconds");
        let flush_calls = number(CALLS, self.flush_calls, "flush_calls");
        let retention_days = number(DAYS, self.retention_days, "retention_days");
        UsageConfig {
            mode: match self.mode {
                None | Some(RawMode::Batched) => UsageMode::Batched,
                Some(RawMode::Off) => UsageMode::Off,
                Some(RawMode::Exact) => UsageMode::Exact(match self.on_outage {
                    None | Some(RawOnUsageOutage::Deny) => OnUsageOutage::Deny,
                    Some(RawOnUsageOutage::Allow) => OnUsageOutage::Allow,
                }),
            },
            is_asked: true,
            flush_after: Span::from_seconds(seconds.into()),
            flush_calls,
            retention_days,
        }
    }
}
