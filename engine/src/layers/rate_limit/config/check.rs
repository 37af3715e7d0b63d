//! Named limits and the store that they are counted in.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Limit, LimitsConfig, OnOutage, Terms, plans,
    raw::{RawLimit, RawLimitsStore, RawPlan},
    rule::{lease, rule},
};
use crate::{
    config::{
        ConfigEnv, Faults, Problem, join,
        values::{distinct, shown},
    },
    layers::rate_limit::Dimension,
    limits::Algorithm,
};

/// Limits by name; nothing stands for one that has a fault.
pub(super) type Known = BTreeMap<String, Option<Arc<Limit>>>;

/// The checked configuration, and what the names in it stand for.
pub(crate) fn check(
    limits: Option<BTreeMap<String, RawLimit>>,
    of_plans: Option<BTreeMap<String, RawPlan>>,
    store: Option<RawLimitsStore>,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> (LimitsConfig, super::Uses) {
    let mut known = Known::new();
    for (name, raw) in limits.unwrap_or_default() {
        let path = join("limits", &name);
        check_name(&name, &path, faults);
        let limit = raw.check(name.clone(), &path, faults).map(Arc::new);
        known.insert(name, limit);
    }
    let plans = plans::check(of_plans.unwrap_or_default(), &known, env, faults);
    let store = store.unwrap_or_default().check(env, faults);
    let named = known.iter();
    let limits =
        named.filter_map(|(name, limit)| Some((name.clone(), Arc::clone(limit.as_ref()?))));
    let config = LimitsConfig {
        limits: limits.collect(),
        plans,
        store,
        before_credentials: None,
    };
    (config, super::Uses::new(known))
}

impl RawLimit {
    fn check(self, name: String, path: &str, faults: &mut Faults) -> Option<Limit> {
        let rule = rule(&self, path, faults);
        let lease = lease(&self, path, faults);
        let by = self.by(path, faults);
        let rule = rule?;
        let Some(terms) = Terms::new(rule, lease) else {
            let (max, found) = (rule.limit() / 2, self.lease.unwrap_or_default());
            faults.problem(format!("{path}.lease"), Problem::LimitLease { max, found });
            return None;
        };
        let on_outage = match rule.algorithm() {
            Algorithm::Calendar { .. } => OnOutage::Deny,
            _ => OnOutage::Local,
        };
        Some(Limit {
            name,
            by,
            terms,
            lease,
            on_outage: self.on_outage.map_or(on_outage, OnOutage::from),
        })
    }

    fn by(&self, path: &str, faults: &mut Faults) -> Vec<Dimension> {
        let path = format!("{path}.by");
        let Some(raw) = &self.by else {
            return vec![Dimension::Subject];
        };
        if raw.is_empty() {
            let (what, otherwise) = ("word", "; leave it out to count by `subject`");
            faults.problem(&path, Problem::Empty { what, otherwise });
        }
        let by: Vec<Dimension> = raw.iter().map(|raw| Dimension::from(*raw)).collect();
        let words: Vec<String> = by.iter().map(|by| by.as_str().to_owned()).collect();
        distinct(&words, &path, faults);
        by
    }
}

/// A name that can stand in a header (RFC 9651 section 3.3.3) and in a bucket as it is.
pub(super) fn check_name(name: &str, path: &str, faults: &mut Faults) {
    let fits = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !fits {
        let found = shown(name);
        faults.problem(path, Problem::LimitName { found });
    }
}
