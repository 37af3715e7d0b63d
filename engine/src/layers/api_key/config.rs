//! The configuration of API keys: as written, and checked.

use doorward_keys::{
    ForeignForms,
    format::{KeyFormat, MAX_WORD, is_word},
};
use serde::Deserialize;

use super::imported::{self, RawImported};
use crate::config::{
    ConfigEnv, Faults, Problem, RawSecret,
    values::{self, Limits, distinct, shown},
};

/// Which keys are accepted, where they may stand and how long they are remembered.
#[derive(Clone, Debug)]
pub struct ApiKeysConfig {
    /// Which printed keys are ours, with the peppers.
    pub format: KeyFormat,
    /// What keys look like that were made elsewhere.
    pub imported: ForeignForms,
    /// Headers that may carry a key, lower case; `authorization` (`Bearer` or `ApiKey`) always may.
    pub headers: Vec<String>,
    /// A query parameter that may carry a key (off unless named).
    pub query_parameter: Option<String>,
    /// How long a found key is remembered, in seconds; part of the stated delay of a revocation.
    pub cache_seconds: u32,
    /// How long an unknown key is remembered, in seconds.
    pub negative_cache_seconds: u32,
    /// How many keys are remembered at most.
    pub cache_entries: usize,
    /// Life of a new key when nothing is said, in days.
    pub default_lifetime_days: u32,
    /// Longest life of a new key, in days.
    pub max_lifetime_days: u32,
    /// How long after its end a key is kept before it can be deleted, in days.
    pub retention_days: u32,
    /// How many days before its end an event says that a key expires soon, the most first.
    pub expiry_notice_days: Vec<u32>,
    /// After how many days without a use an event says so; `None` for never.
    pub unused_after_days: Option<u32>,
}

/// API keys: which printed keys are ours, where they may stand and how long they are remembered.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawApiKeys {
    /// The first word of every key, such as `ck` in `ck_live_…`. Required.
    prefix: Option<String>,
    /// The second words that are accepted here, such as `live`. Required: a key for testing must not open production.
    environments: Option<Vec<String>>,
    /// Headers that may carry a key. `Authorization` with the scheme `Bearer` or `ApiKey` always may.
    #[cfg_attr(feature = "schema", schemars(extend("default" = ["x-api-key"])))]
    headers: Option<Vec<String>>,
    /// A query parameter that may carry a key. Off unless named: query strings end up in logs.
    query_parameter: Option<String>,
    /// How long a found key is remembered, in seconds. A revoked key works for so long, and then for as long as the
    /// cache of the gateway says.
    #[cfg_attr(feature = "schema", schemars(range(min = CACHE.min, max = CACHE.max), extend("default" = CACHE.default)))]
    cache_seconds: Option<i64>,
    /// How long an unknown key is remembered, in seconds; at most `cache_seconds`.
    #[cfg_attr(feature = "schema", schemars(range(min = NEGATIVE.min, max = NEGATIVE.max), extend("default" = NEGATIVE.default)))]
    negative_cache_seconds: Option<i64>,
    /// How many keys are remembered at most.
    #[cfg_attr(feature = "schema", schemars(range(min = ENTRIES.min, max = ENTRIES.max), extend("default" = ENTRIES.default)))]
    cache_entries: Option<i64>,
    /// A secret of at least 32 bytes, kept outside the table: `env:NAME`, `ssm:/name` or `secretsmanager:name`. With it
    /// the table holds HMAC-SHA-256 in place of SHA-256, and a made-up key dies without a read.
    pepper: Option<RawSecret>,
    /// The pepper before this one, while keys made with it still live.
    previous_pepper: Option<RawSecret>,
    /// Life of a new key when nothing is said, in days; at most `max_lifetime_days`.
    #[cfg_attr(feature = "schema", schemars(range(min = LIFETIME.min, max = LIFETIME.max), extend("default" = LIFETIME.default)))]
    default_lifetime_days: Option<i64>,
    /// Longest life of a new key, in days.
    #[cfg_attr(feature = "schema", schemars(range(min = MAX_LIFETIME.min, max = MAX_LIFETIME.max), extend("default" = MAX_LIFETIME.default)))]
    max_lifetime_days: Option<i64>,
    /// How long after its end a revoked or expired key is kept before it can be deleted, in days.
    #[cfg_attr(feature = "schema", schemars(range(min = RETENTION.min, max = RETENTION.max), extend("default" = RETENTION.default)))]
    retention_days: Option<i64>,
    /// Keys that were made elsewhere and brought here.
    imported: Option<Vec<RawImported>>,
    /// How many days before its end an event says that a key expires soon, once for each number; empty for never. What comes to
    /// expire sooner than a number gets the next smaller one.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = NOTICE.min, max = NOTICE.max)), extend("default" = NOTICES)))]
    expiry_notice_days: Option<Vec<i64>>,
    /// After how many days without a use an event says so, and again after as many more; 0 for never. At most
    /// `usage.retention_days`, because what is not counted any more is not known.
    #[cfg_attr(feature = "schema", schemars(range(min = UNUSED.min, max = UNUSED.max), extend("default" = UNUSED.default)))]
    unused_after_days: Option<i64>,
}

const CACHE: Limits = Limits {
    min: 0,
    max: 300,
    default: 60,
};
const NEGATIVE: Limits = Limits {
    min: 0,
    max: 300,
    default: 10,
};
const ENTRIES: Limits = Limits {
    min: 1,
    max: 1_000_000,
    default: 10_000,
};
const LIFETIME: Limits = Limits {
    min: 1,
    max: 3650,
    default: 90,
};
const MAX_LIFETIME: Limits = Limits {
    min: 1,
    max: 3650,
    default: 365,
};

const RETENTION: Limits = Limits {
    min: 0,
    max: 3650,
    default: 30,
};

const NOTICE: Limits = Limits {
    min: 1,
    max: 365,
    default: 7,
};
const NOTICES: [u32; 3] = [30, 7, 1];
const UNUSED: Limits = Limits {
    min: 0,
    max: 3650,
    default: 0,
};

impl RawApiKeys {
    /// Whether the headers that may carry a key are named, rather than left at the default.
    pub(crate) fn names_headers(&self) -> bool {
        self.headers.as_ref().is_some_and(|names| !names.is_empty())
    }

    /// The checked configuration; `None` when a part without a default is missing.
    pub(crate) fn check(self, env: &ConfigEnv<'_>, faults: &mut Faults) -> Option<ApiKeysConfig> {
        let prefix = self.prefix(faults);
        let environments = self.environments(faults);
        let headers = headers(self.headers, faults);
        let path = "api_keys.query_parameter";
        let query_parameter = values::query_parameter(self.query_parameter, path, faults);
        let cache_seconds = CACHE.check(self.cache_seconds, "api_keys.cache_seconds", faults);
        let negative_cache_seconds = at_most(
            (
                "api_keys.negative_cache_seconds",
                self.negative_cache_seconds,
                NEGATIVE,
            ),
            ("cache_seconds", cache_seconds),
            faults,
        );
        let entries = ENTRIES.check(self.cache_entries, "api_keys.cache_entries", faults);
        let path = "api_keys.max_lifetime_days";
        let max_lifetime_days = MAX_LIFETIME.check(self.max_lifetime_days, path, faults);
        let default_lifetime_days = at_most(
            (
                "api_keys.default_lifetime_days",
                self.default_lifetime_days,
                LIFETIME,
            ),
            ("max_lifetime_days", max_lifetime_days),
            faults,
        );
        let path = "api_keys.retention_days";
        let retention_days = RETENTION.check(self.retention_days, path, faults);
        let imported = imported::check(self.imported, prefix.as_deref(), env, faults);
        let expiry_notice_days = notices(self.expiry_notice_days, faults);
        let path = "api_keys.unused_after_days";
        let unused = UNUSED.check(self.unused_after_days, path, faults);
        let (pepper, previous_pepper) = peppers(self.pepper, self.previous_pepper, env, faults);
        Some(ApiKeysConfig {
            format: KeyFormat {
                prefix: prefix?,
                environments: environments?,
                pepper,
                previous_pepper,
            },
            imported,
            headers,
            query_parameter,
            cache_seconds,
            negative_cache_seconds,
            cache_entries: entries as usize,
            default_lifetime_days,
            max_lifetime_days,
            retention_days,
            expiry_notice_days,
            unused_after_days: (unused > 0).then_some(unused),
        })
    }

    fn prefix(&self, faults: &mut Faults) -> Option<String> {
        let path = "api_keys.prefix";
        let Some(prefix) = &self.prefix else {
            let what = "name the first word of your keys, such as `ck`";
            faults.problem(path, Problem::Missing { what });
            return None;
        };
        key_word(prefix, path, faults);
        Some(prefix.clone())
    }

    fn environments(&self, faults: &mut Faults) -> Option<Vec<String>> {
        let path = "api_keys.environments";
        let Some(environments) = &self.environments else {
            let what = "name the environments whose keys are accepted here, such as `[\"live\"]`";
            faults.problem(path, Problem::Missing { what });
            return None;
        };
        if environments.is_empty() {
            let what = "environment";
            faults.problem(
                path,
                Problem::Empty {
                    what,
                    otherwise: "",
                },
            );
        }
        for (index, environment) in environments.iter().enumerate() {
            key_word(environment, &format!("{path}[{index}]"), faults);
        }
        distinct(environments, path, faults);
        Some(environments.clone())
    }
}

/// A word between the underscores of a printed key.
fn key_word(word: &str, path: &str, faults: &mut Faults) {
    if !is_word(word) {
        let found = shown(word);
        faults.problem(
            path,
            Problem::KeyWord {
                max: MAX_WORD,
                found,
            },
        );
    }
}

fn headers(raw: Option<Vec<String>>, faults: &mut Faults) -> Vec<String> {
    let path = "api_keys.headers";
    let Some(raw) = raw else {
        return vec!["x-api-key".to_owned()];
    };
    let lower: Vec<String> = raw.iter().map(|name| name.to_ascii_lowercase()).collect();
    distinct(&lower, path, faults);
    let named = raw.iter().enumerate();
    named
        .filter_map(|(index, name)| values::header(name, &format!("{path}[{index}]"), faults))
        .collect()
}

/// The numbers from the most days to the fewest, each once.
fn notices(raw: Option<Vec<i64>>, faults: &mut Faults) -> Vec<u32> {
    let path = "api_keys.expiry_notice_days";
    let Some(raw) = raw else {
        return NOTICES.to_vec();
    };
    let texts: Vec<String> = raw.iter().map(ToString::to_string).collect();
    distinct(&texts, path, faults);
    let mut days: Vec<u32> = raw
        .into_iter()
        .enumerate()
        .map(|(index, days)| NOTICE.check(Some(days), &format!("{path}[{index}]"), faults))
        .collect();
    days.sort_unstable_by(|left, right| right.cmp(left));
    days.dedup();
    days
}

/// A number that another one bounds. Its default gives way to a smaller bound.
fn at_most(
    (path, number, limits): (&str, Option<i64>, Limits),
    (other, max): (&'static str, u32),
    faults: &mut Faults,
) -> u32 {
    let is_set = number.is_some();
    let found = limits.check(number, path, faults);
    if is_set && found > max && !faults.is_replaced(&format!("api_keys.{other}")) {
        faults.problem(path, Problem::AboveOther { other, max, found });
    }
    found.min(max)
}

type Peppers = (Option<doorward_keys::Pepper>, Option<doorward_keys::Pepper>);

fn peppers(
    pepper: Option<RawSecret>,
    previous: Option<RawSecret>,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Peppers {
    let path = "api_keys.previous_pepper";
    match (&pepper, &previous) {
        (None, Some(_)) if !faults.is_replaced("api_keys.pepper") => {
            faults.problem(path, Problem::PepperAlone);
        }
        (Some(pepper), Some(previous)) if pepper.is_same(previous) => {
            faults.problem(path, Problem::PeppersEqual);
        }
        _ => {}
    }
    let pepper = pepper.and_then(|raw| raw.pepper("api_keys.pepper", env, faults));
    let previous = previous.and_then(|raw| raw.pepper(path, env, faults));
    (pepper, previous)
}
