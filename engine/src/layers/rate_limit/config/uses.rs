//! Limits where routes and addresses name them.

use std::{collections::BTreeSet, num::NonZeroU64, sync::Arc};

use super::{
    Charge, Limit, LimitsConfig,
    check::Known,
    raw::{RawCharge, RawPriced},
    rule::count,
};
use crate::{
    config::{
        Faults, Problem, join,
        values::{hint, shown},
    },
    layers::rate_limit::Dimension,
    limits::{Algorithm, Span},
    routes::Route,
};

/// What the names of limits stand for, and which were used.
pub(crate) struct Uses {
    known: Known,
    used: BTreeSet<String>,
    /// What a route spends that says nothing.
    default: Vec<Charge>,
}

impl Uses {
    pub(super) const fn new(known: Known) -> Self {
        Self {
            known,
            used: BTreeSet::new(),
            default: Vec::new(),
        }
    }

    /// What routes spend that say nothing.
    pub(crate) fn default(&mut self, raw: Option<Vec<RawCharge>>, faults: &mut Faults) {
        self.default = raw.map_or_else(Vec::new, |raw| self.charges(raw, "default_limits", faults));
    }

    /// What a route at `path` spends.
    pub(crate) fn of_route(
        &mut self,
        raw: Option<Vec<RawCharge>>,
        path: &str,
        faults: &mut Faults,
    ) -> Vec<Charge> {
        match raw {
            None => self.default.clone(),
            Some(raw) => self.charges(raw, path, faults),
        }
    }

    /// The limit that stands before all credentials.
    pub(crate) fn before_credentials(
        &mut self,
        name: Option<String>,
        faults: &mut Faults,
    ) -> Option<Arc<Limit>> {
        let path = "addresses.limit";
        let limit = self.named(&name?, path, faults)?;
        let waits = matches!(
            limit.terms.rule.algorithm(),
            Algorithm::LeakyBucket { max_wait, .. } if max_wait > Span::ZERO
        );
        if limit.by != [Dimension::Address] || limit.lease.is_some() || waits {
            faults.problem(path, Problem::LimitBeforeCredentials);
        }
        Some(limit)
    }

    /// Refuses costs that a plan could never pay, and warns of limits that are used nowhere.
    pub(crate) fn finish(&self, routes: &[Route], config: &LimitsConfig, faults: &mut Faults) {
        for (name, plan) in &config.plans {
            for (limit, terms) in &plan.terms {
                let charges = routes.iter().flat_map(|route| {
                    let spent = route.limits.iter().filter(|c| c.limit.name == *limit);
                    spent.map(move |charge| (charge.cost.get(), &route.key))
                });
                let dearest = charges.max_by_key(|(cost, _)| *cost);
                if let Some((cost, route)) = dearest
                    && cost > terms.shared.limit()
                {
                    let path = join(&format!("{}.limits", join("plans", name)), limit);
                    let route = shown(route);
                    faults.problem(path, Problem::PlanCost { cost, route });
                }
            }
        }
        if !faults.is_empty() {
            return;
        }
        for name in self.known.keys().filter(|name| !self.used.contains(*name)) {
            faults.warning(join("limits", name), Problem::ListUnused);
        }
    }

    /// Warns of limits by tenant, where several issuers name tenants.
    pub(crate) fn warn_of_tenants(&self, faults: &mut Faults) {
        for (name, limit) in &self.known {
            let by = limit.iter().flat_map(|limit| &limit.by);
            if self.used.contains(name) && by.clone().any(|by| *by == Dimension::Tenant) {
                let path = format!("{}.by", join("limits", name));
                faults.warning(path, Problem::TenantsTogether);
            }
        }
    }

    fn charges(&mut self, raw: Vec<RawCharge>, path: &str, faults: &mut Faults) -> Vec<Charge> {
        let mut charges: Vec<Charge> = Vec::new();
        let mut names = BTreeSet::new();
        for (index, raw) in raw.into_iter().enumerate() {
            let path = format!("{path}[{index}]");
            let (priced, of_name) = match raw {
                RawCharge::One(name) => {
                    let name = Some(name);
                    (RawPriced { name, cost: None }, path.clone())
                }
                RawCharge::Priced(priced) => (priced, format!("{path}.name")),
            };
            let Some(name) = priced.name else {
                let what = "name a limit of `limits`";
                faults.problem(of_name, Problem::Missing { what });
                continue;
            };
            if !names.insert(name.clone()) {
                let value = shown(&name);
                faults.problem(of_name, Problem::Repeated { value });
                continue;
            }
            let of_cost = format!("{path}.cost");
            let cost = priced
                .cost
                .map_or(Some(1), |cost| count(Some(cost), &of_cost, faults));
            let Some(limit) = self.named(&name, &of_name, faults) else {
                continue;
            };
            let Some(cost) = cost.and_then(NonZeroU64::new) else {
                continue;
            };
            let max = limit.terms.shared.limit();
            if cost.get() > max {
                let (found, limit) = (cost.get(), shown(&name));
                faults.problem(of_cost, Problem::LimitCost { max, limit, found });
                continue;
            }
            charges.push(Charge { limit, cost });
        }
        // Shorter windows first, so that what a rate refuses spends nothing of a quota.
        charges.sort_by_key(|charge| charge.limit.terms.rule.window());
        charges
    }

    /// The limit of this name; nothing, and nothing is said, where it has a fault of its own.
    fn named(&mut self, name: &str, path: &str, faults: &mut Faults) -> Option<Arc<Limit>> {
        if let Some(limit) = self.known.get(name) {
            self.used.insert(name.to_owned());
            return limit.clone();
        }
        if !faults.is_replaced("limits") && !faults.is_replaced(&join("limits", name)) {
            let hint = hint(name, self.known.keys().map(String::as_str));
            let found = shown(name);
            faults.problem(path, Problem::LimitUnknown { found, hint });
        }
        None
    }
}
