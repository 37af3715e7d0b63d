//! From evidence to answer: the only place that makes a [`Grant`].

use super::{Asked, Condition, Policy, Scope, build, build_denial, conditions::Facts};
use crate::{
    config::{Config, HttpApiAnswer},
    context::context,
    decision::Grant,
    denial::{Class, Denial},
    identity::Authenticated,
    layers::{entitlements, ip_allow::Admitted},
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
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        config: &'a Config,
        request: &'a Request,
        located: &'a Located,
        route: &'a Route,
        caller: &'a Authenticated,
        admitted: Admitted,
    ) -> Self {
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
            yes_or_no: request.form == Form::AsConfigured
                && config.answers.http_api == HttpApiAnswer::Simple,
        }
    }

    /// The grant for a caller who is entitled to the route.
    pub(crate) fn grant(&self) -> Result<Grant, Denial> {
        let policy = if self.yes_or_no {
            None
        } else {
            Some(self.policy()?)
        };
        Ok(Grant {
            principal: self.caller.principal(),
            policy,
            context: context(self.caller, self.route),
            valid_until: self.facts.valid_until(),
            by_address: self.facts.by_address(self.route),
            usage_plan_key: self
                .caller
                .client
                .as_ref()
                .and_then(|client| client.record().usage_plan_key.clone()),
        })
    }

    fn policy(&self) -> Result<Policy, Denial> {
        let policy = build(
            &self.scope,
            &self.asked,
            &|route| self.permits(route),
            &|route| self.condition(route),
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
            Class::Forbidden if self.yes_or_no => denial,
            Class::Forbidden => {
                let policy = build_denial(
                    &self.scope,
                    &self.asked,
                    &|route| self.permits(route),
                    &|route| self.condition(route),
                );
                denial.with_policy(policy)
            }
        }
    }

    /// Whether a cached answer may let the caller use `route` too. A route with another context is left out: the gateway
    /// forwards the cached context, which would be the wrong one there.
    fn permits(&self, route: &Route) -> bool {
        route.context == self.route.context
            && entitlements::check(route, self.caller, self.admitted.address()).is_ok()
    }

    fn condition(&self, route: &Route) -> Condition {
        if self.conditions {
            self.facts.condition(route)
        } else {
            Condition::default()
        }
    }
}
