//! From evidence to answer: the only place that makes a [`Grant`].

use super::{Case, Condition, Policy, build};
use crate::{
    config::{Config, RateLimited},
    context::{self, context},
    decision::Grant,
    denial::Denial,
    layers::{
        ip_allow::Admitted,
        rate_limit::{Asked as Spender, Quota, RateLimits},
    },
    request::{Located, Request},
    routes::Route,
};

/// Writes the answer for one caller: what they may do beyond the route asked for, and until when.
pub(crate) struct Writer<'a> {
    case: Case<'a>,
    route: &'a Route,
    rate_limited: &'a RateLimited,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        config: &'a Config,
        limits: &'a RateLimits,
        request: &'a Request,
        located: &'a Located,
        spender: Spender<'a>,
        admitted: Admitted,
    ) -> Self {
        let Spender { route, caller, .. } = spender;
        Self {
            case: Case {
                config,
                limits,
                request,
                located: Some(located),
                route: Some(route),
                caller,
                address: admitted.address(),
            },
            route,
            rate_limited: &config.answers.rate_limited,
        }
    }

    /// The same quota where it lets the request go on: no limit is used up, or the answer is to let the gateway or the
    /// backend refuse. Otherwise a refusal; with it goes what else the caller may do, and what the limit concerns from the
    /// time on when there is room again, so that a cached answer ends on time.
    pub(crate) fn within(&self, quota: Quota) -> Result<Quota, Denial> {
        let Some(exceeded) = quota.exceeded() else {
            return Ok(quota);
        };
        match self.rate_limited {
            RateLimited::Backend => return Ok(quota),
            RateLimited::PenaltyKey(_) if self.case.request.has_usage_plans => return Ok(quota),
            RateLimited::PenaltyKey(_) | RateLimited::Deny => {}
        }
        let mut denial = exceeded.denial();
        if let Some(report) = quota.report() {
            denial = denial.with_limit(report.clone());
        }
        if self.case.yes_or_no() {
            return Err(denial);
        }
        let later = |route: &Route| Condition {
            from: exceeded.concerns(route).then_some(exceeded.until),
            ..self.case.condition(route)
        };
        if self.case.config.policy.conditions
            && self.permits(self.route)
            && let Ok(policy) = self.build(&later)
        {
            return Err(denial
                .with_policy(policy, self.context(), self.case.usage_plan_key())
                .ending_at(exceeded.until));
        }
        let others = |route: &Route| !exceeded.concerns(route) && self.case.permits(route);
        Err(self
            .case
            .keep(denial, &others, &|route| self.case.condition(route)))
    }

    /// The grant for a caller who is entitled to the route. Where a limit is used up it is one that the gateway or the
    /// backend turns into a refusal.
    pub(crate) fn grant(&self, quota: &Quota) -> Result<Grant, Denial> {
        let policy = if self.case.yes_or_no() {
            None
        } else {
            Some(self.policy()?)
        };
        let mut context = self.context();
        if let Some(report) = quota.report() {
            let now = self.case.request.received_at.timestamp();
            context.extend(context::of_limit(report, now));
        }
        let usage_plan_key = match (quota.exceeded(), self.rate_limited) {
            (Some(_), RateLimited::PenaltyKey(key)) => Some(key.expose().clone()),
            _ => self.case.usage_plan_key(),
        };
        let caller = self.case.caller;
        Ok(Grant {
            principal: caller.principal(),
            policy,
            context,
            valid_until: caller.valid_until(),
            by_address: self.case.facts(self.case.address).by_address(self.route),
            credentials: caller.kinds().len(),
            usage_plan_key,
            limit: quota.report().cloned(),
        })
    }

    fn policy(&self) -> Result<Policy, Denial> {
        let policy = self.build(&|route| self.case.condition(route));
        policy.map_err(|reason| {
            let detail = format!("no policy can be written for `{}`", self.route.key);
            Denial::new(reason, detail)
        })
    }

    fn build(&self, condition: &dyn Fn(&Route) -> Condition) -> Result<Policy, crate::Reason> {
        build(
            &self.case.scope(),
            &self.case.asked(),
            &|route| self.permits(route),
            condition,
        )
    }

    /// The refusal of a caller who is known: with it goes what else they may do, so that a cached refusal does not lock them
    /// out of that.
    pub(crate) fn refuse(&self, denial: Denial) -> Denial {
        self.case.refuse(denial)
    }

    fn context(&self) -> crate::decision::Context {
        context(self.case.caller, &self.route.context)
    }

    /// Whether a cached answer may let the caller use `route` too. A route with another context is left out: the gateway
    /// forwards the cached context, which would be the wrong one there.
    fn permits(&self, route: &Route) -> bool {
        route.context == self.route.context && self.case.permits(route)
    }
}
