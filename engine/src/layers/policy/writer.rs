//! From evidence to answer: the only place that makes a [`Grant`].

use doorward_keys::Timestamp;

use super::{Asked, Condition, Policy, Scope, build, build_denial, conditions::Facts};
use crate::{
    config::{Config, HttpApiAnswer, RateLimited},
    context::{self, context},
    decision::Grant,
    denial::{Class, Denial},
    identity::Authenticated,
    layers::{
        entitlements,
        ip_allow::Admitted,
        rate_limit::{Asked as Spender, Exceeded, Quota, RateLimits},
    },
    request::{Form, Located, Request},
    routes::Route,
};

/// Writes the answer for one caller: what they may do beyond the route asked for, and until when.
pub(crate) struct Writer<'a> {
    scope: Scope<'a>,
    asked: Asked<'a>,
    route: &'a Route,
    caller: &'a Authenticated,
    admitted: Admitted,
    facts: Facts<'a>,
    conditions: bool,
    /// Whether the front is told yes or no, so that there is nothing to write.
    yes_or_no: bool,
    /// Whether the front has usage plans, whose penalty key refuses.
    has_usage_plans: bool,
    limits: &'a RateLimits,
    spender: Spender<'a>,
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
        let scope = Scope {
            stage: &request.stage,
            table: &config.routes,
            config: &config.policy,
            max_bytes: config.answers.max_policy_bytes,
        };
        let asked = Asked {
            target: &request.target,
            located,
        };
        let facts = Facts {
            addresses: &config.addresses,
            caller,
            address: admitted.address(),
        };
        Self {
            scope,
            asked,
            route,
            caller,
            admitted,
            facts,
            conditions: config.policy.conditions,
            has_usage_plans: request.form == Form::PolicyUnderPlan,
            yes_or_no: request.form == Form::AsConfigured
                && config.answers.http_api == HttpApiAnswer::Simple,
            limits,
            spender,
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
            RateLimited::PenaltyKey(_) if self.has_usage_plans => return Ok(quota),
            RateLimited::PenaltyKey(_) | RateLimited::Deny => {}
        }
        let mut denial = exceeded.denial();
        if let Some(report) = quota.report() {
            denial = denial.with_limit(report.clone());
        }
        if self.yes_or_no {
            return Err(denial);
        }
        let later = |route: &Route| Condition {
            from: self.opens_at(route, Some(exceeded)),
            ..self.facts.condition(route)
        };
        // What was asked for may wait for more than the limit that decided.
        let until = self.opens_at(self.route, Some(exceeded));
        let until = until.map_or(exceeded.until, |until| until.max(exceeded.until));
        if self.conditions && self.permits(self.route) {
            let policy = build(
                &self.scope,
                &self.asked,
                &|route| self.permits(route),
                &later,
            );
            if let Ok(policy) = policy {
                return Err(denial
                    .with_policy(policy, context(self.caller, self.route))
                    .ending_at(until));
            }
        }
        let others =
            |route: &Route| self.opens_at(route, Some(exceeded)).is_none() && self.permits(route);
        let policy = build_denial(&self.scope, &self.asked, &others, &|route| {
            self.condition(route, None)
        });
        Err(denial.with_policy(policy, context(self.caller, self.route)))
    }

    /// The grant for a caller who is entitled to the route. Where a limit is used up it is one that the gateway or the
    /// backend turns into a refusal.
    pub(crate) fn grant(&self, quota: &Quota) -> Result<Grant, Denial> {
        let policy = if self.yes_or_no {
            None
        } else {
            Some(self.policy(quota)?)
        };
        let mut context = context(self.caller, self.route);
        if let Some(report) = quota.report() {
            context.extend(context::of_limit(report, self.spender.now.timestamp()));
        }
        let of_key = self
            .caller
            .client
            .as_ref()
            .and_then(|client| client.record().usage_plan_key.clone())
            .or_else(|| {
                let of_plan = self.limits.usage_plan_key(self.caller)?;
                Some(of_plan.expose().clone())
            });
        let usage_plan_key = match (quota.exceeded(), self.rate_limited) {
            (Some(_), RateLimited::PenaltyKey(key)) => Some(key.expose().clone()),
            _ => of_key,
        };
        Ok(Grant {
            principal: self.caller.principal(),
            policy,
            context,
            valid_until: self.facts.valid_until(),
            by_address: self.facts.by_address(self.route),
            usage_plan_key,
            limit: quota.report().cloned(),
        })
    }

    fn policy(&self, quota: &Quota) -> Result<Policy, Denial> {
        let ends = |route: &Route| self.still_shut(route, quota);
        let policy = build(
            &self.scope,
            &self.asked,
            &|route| self.permits(route) && (self.conditions || ends(route).is_none()),
            &|route| self.condition(route, ends(route)),
        );
        policy.map_err(|reason| {
            let detail = format!("no policy can be written for `{}`", self.route.key);
            Denial::new(reason, detail)
        })
    }

    /// The refusal of a caller who is known but not entitled: with it goes what else they may do, so that a cached
    /// refusal of one route does not lock them out of the others.
    pub(crate) fn refuse(&self, denial: Denial) -> Denial {
        match denial.class() {
            Class::Unauthenticated | Class::Unavailable => denial,
            Class::Forbidden | Class::Throttled if self.yes_or_no => denial,
            Class::Forbidden | Class::Throttled => {
                let ends = |route: &Route| self.opens_at(route, None);
                let policy = build_denial(
                    &self.scope,
                    &self.asked,
                    &|route| self.permits(route) && (self.conditions || ends(route).is_none()),
                    &|route| self.condition(route, ends(route)),
                );
                denial.with_policy(policy, context(self.caller, self.route))
            }
        }
    }

    /// Whether a cached answer may let the caller use `route` too. A route with another context is left out: the gateway
    /// forwards the cached context, which would be the wrong one there.
    fn permits(&self, route: &Route) -> bool {
        route.context == self.route.context
            && entitlements::check(route, self.caller, self.admitted.address()).is_ok()
            && self.limits.can_count(&Spender {
                route,
                ..self.spender
            })
    }

    /// The condition of `route`, which opens at `from` where a limit is known to be used up.
    fn condition(&self, route: &Route, from: Option<Timestamp>) -> Condition {
        if self.conditions {
            Condition {
                from,
                ..self.facts.condition(route)
            }
        } else {
            Condition::default()
        }
    }

    /// From when on the limits of `route` let the caller pass, where they are known not to now.
    fn opens_at(&self, route: &Route, exceeded: Option<&Exceeded>) -> Option<Timestamp> {
        let spender = Spender {
            route,
            ..self.spender
        };
        self.limits.opens_at(&spender, exceeded)
    }

    /// The same for the policy of an Allow. What was asked for is open: it was counted, or somebody else is to refuse it. Who
    /// does so goes by the end that the context names, so a route that is shut no longer than that is left to them too.
    fn still_shut(&self, route: &Route, quota: &Quota) -> Option<Timestamp> {
        if route.key == self.route.key {
            return None;
        }
        let exceeded = quota.exceeded();
        let end = self.opens_at(route, exceeded)?;
        exceeded
            .is_none_or(|exceeded| end > exceeded.until)
            .then_some(end)
    }
}
