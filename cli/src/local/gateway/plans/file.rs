//! Usage plans as written in a file:
//!
//! ```toml
//! [[usage_plans]]
//! name = "gold"
//! keys = ["gold-plan-key-of-acme"]
//! rate = 10
//! burst = 20
//! quota = { limit = 1000, period = "day" }
//! ```

use doorward_keys::Secret;
use serde::Deserialize;

use super::{Period, PlanError, Quota, Throttle, UsagePlan};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlans {
    usage_plans: Vec<RawPlan>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    name: String,
    keys: Vec<String>,
    rate: Option<u32>,
    burst: Option<u32>,
    quota: Option<RawQuota>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuota {
    limit: u64,
    period: RawPeriod,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawPeriod {
    Day,
    Week,
    Month,
}

pub(super) fn read(text: &str, name: &str) -> Result<Vec<UsagePlan>, PlanError> {
    let raw: RawPlans = toml::from_str(text).map_err(|error| {
        // The lines of the file are not repeated: they may hold keys.
        let line = error.span().and_then(|span| text.get(..span.start));
        let line = line.map_or(1, |before| before.lines().count().max(1));
        PlanError::File(format!("`{name}`, near line {line}: {}", error.message()))
    })?;
    raw.usage_plans
        .into_iter()
        .map(|plan| checked(plan, name))
        .collect()
}

fn checked(raw: RawPlan, file: &str) -> Result<UsagePlan, PlanError> {
    let throttle = match (raw.rate, raw.burst) {
        (None, None) => None,
        (Some(rate), Some(burst)) => Some(Throttle { rate, burst }),
        _ => {
            return Err(PlanError::File(format!(
                "`{file}`: the usage plan `{}` needs both `rate` and `burst`, or neither",
                raw.name
            )));
        }
    };
    Ok(UsagePlan {
        name: raw.name,
        keys: raw.keys.into_iter().map(Secret::new).collect(),
        throttle,
        quota: raw.quota.map(|quota| Quota {
            limit: quota.limit,
            period: match quota.period {
                RawPeriod::Day => Period::Day,
                RawPeriod::Week => Period::Week,
                RawPeriod::Month => Period::Month,
            },
        }),
    })
}
