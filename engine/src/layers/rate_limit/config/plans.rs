//! Plans: other numbers for the keys that have one.

use std::collections::BTreeMap;

use super::{
    Plan, Terms,
    check::{Known, check_name},
    raw::RawPlan,
    rule::with,
};
use crate::config::{
    ConfigEnv, Faults, Problem, join,
    values::{hint, shown},
};

pub(super) fn check(
    raw: BTreeMap<String, RawPlan>,
    known: &Known,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> BTreeMap<String, Plan> {
    let mut plans = BTreeMap::new();
    for (name, raw) in raw {
        let path = join("plans", &name);
        check_name(&name, &path, faults);
        plans.insert(name, raw.check(&path, known, env, faults));
    }
    plans
}

impl RawPlan {
    fn check(self, path: &str, known: &Known, env: &ConfigEnv<'_>, faults: &mut Faults) -> Plan {
        let of_key = format!("{path}.usage_plan_key");
        let key = self.usage_plan_key.as_ref();
        let mut plan = Plan {
            usage_plan_key: key.and_then(|key| key.fetch_plan_key(&of_key, env, faults)),
            ..Plan::default()
        };
        for (name, raw) in self.limits.unwrap_or_default() {
            let path = join(&format!("{path}.limits"), &name);
            let Some(limit) = known.get(&name) else {
                let is_replaced =
                    faults.is_replaced("limits") || faults.is_replaced(&join("limits", &name));
                if !is_replaced {
                    let hint = hint(&name, known.keys().map(String::as_str));
                    let found = shown(&name);
                    faults.problem(path, Problem::LimitUnknown { found, hint });
                }
                continue;
            };
            let Some(limit) = limit else { continue };
            let Some(rule) = with(&limit.terms.rule, &raw, &path, faults) else {
                continue;
            };
            if let Some(terms) = Terms::new(rule, limit.lease) {
                plan.terms.insert(name, terms);
            } else {
                let lease = limit.lease.map_or(0, std::num::NonZeroU64::get);
                faults.problem(path, Problem::PlanLease { lease });
            }
        }
        plan
    }
}
