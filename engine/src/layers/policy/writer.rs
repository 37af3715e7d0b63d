//! From evidence to answer: the only place that makes a [`Grant`].

use std::{cell::OnceCell, time::Duration};

use doorward_keys::Timestamp;

use super::{
    Asked, Condition, GatewayCache, Policy, Scope, build, build_denial, conditions::Facts,
};
use crate::{
    config::{Config, HttpApiAnswer, RateLimited},
    context::{self, context},
    decision::Grant,
    denial::{Class, Denial, Reason},
    identity::Authenticated,
    layers::{
        entitlements,
        ip_allow::Admitted,
        proof::{Confirmation, Proven},
        rate_limit::{Asked as Spender, Quota, RateLimits},
    },
    limits::Moment,
    request::{Form, Located, Request},
    routes::Route,
};

/// How long the way of an answer to the gateway may take, in seconds. As times in policies are whole seconds, what ends with the
/// moment is allowed for one to two seconds.
const MOMENT: i64 = 1;

/// How long ago the request was received.
#[derive(Clone, Copy)]
pub(crate) struct Elapsed {
    pub(crate) stopwatch: fn() -> Duration,
    pub(crate) started: Duration,
}

/// What was found on the way to the answer.
pub(crate) struct Seen {
    pub(crate) admitted: Admitted,
    pub(crate) proven: Proven,
    pub(crate) elapsed: Elapsed,
}

impl Elapsed {
    /// When an answer to what was received at `received_at` ends, if it holds for a moment only.
    pub(crate) fn end_of_moment(self, received_at: Moment) -> Timestamp {
        let since = (self.stopwatch)().saturating_sub(self.started);
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        let now = received_at.micros().saturating_add(micros);
        let seconds = i64::try_from(now.div_ceil(1_000_000)).unwrap_or(i64::MAX);
        Timestamp::from_unix(seconds).plus(MOMENT)
    }
}

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
    limits: &'a RateLimits,
    spender: Spender<'a>,
    rate_limited: &'a RateLimited,
    proven: Proven,
    gateway_cache: GatewayCache,
    elapsed: Elapsed,
    /// The end of the moment, looked up once, so that one policy has one end.
    moment: OnceCell<Timestamp>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        config: &'a Config,
        limits: &'a RateLimits,
        request: &'a Request,
        located: &'a Located,
        spender: Spender<'a>,
        seen: Seen,
    ) -> Self {
        let Seen {
            admitted,
            proven,
            elapsed,
        } = seen;
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
            bound_until: proven.until,
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
            limits,
            spender,
            rate_limited: &config.answers.rate_limited,
            proven,
            gateway_cache: config.policy.gateway_cache,
            elapsed,
            moment: OnceCell::new(),
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
            RateLimited::PenaltyKey(_) | RateLimited::Backend => return Ok(quota),
            RateLimited::Deny => {}
        }
        let mut denial = exceeded.denial();
        if let Some(report) = quota.report() {
            denial = denial.with_limit(report.clone());
        }
        if self.yes_or_no {
            return Err(denial);
        }
        let later = |route: &Route| Condition {
            from: exceeded.concerns(route).then_some(exceeded.until),
            ..self.condition(route)
        };
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
                    .ending_at(exceeded.until));
            }
        }
        let others = |route: &Route| !exceeded.concerns(route) && self.permits(route);
        let policy = build_denial(&self.scope, &self.asked, &others, &|route| {
            self.condition(route)
        });
        Err(denial.with_policy(policy, context(self.caller, self.route)))
    }

    /// The grant for a caller who is entitled to the route. Where a limit is used up it is one that the gateway or the
    /// backend turns into a refusal.
    pub(crate) fn grant(&self, quota: &Quota) -> Result<Grant, Denial> {
        let momentary = self.is_momentary();
        let policy = if self.yes_or_no {
            if momentary && self.gateway_cache != GatewayCache::Off {
                return Err(Denial::new(
                    Reason::AnswerKept,
                    "a certificate or a proof decided, and `answers.http_api` is `simple`",
                ));
            }
            None
        } else {
            Some(self.policy()?)
        };
        let mut context = context(self.caller, self.route);
        if let Some(report) = quota.report() {
            context.extend(context::of_limit(report, self.spender.now.timestamp()));
        }
        if let Some(nonce) = &self.proven.nonce {
            context.insert("dpopNonce".to_owned(), nonce.clone());
        }
        let of_key = self
            .caller
            .client
            .as_ref()
            .and_then(|client| client.record().usage_plan_key.clone());
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
            momentary,
            usage_plan_key,
            limit: quota.report().cloned(),
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
            Class::Forbidden | Class::Throttled if self.yes_or_no => denial,
            Class::Forbidden | Class::Throttled => {
                let policy = build_denial(
                    &self.scope,
                    &self.asked,
                    &|route| self.permits(route),
                    &|route| self.condition(route),
                );
                denial.with_policy(policy, context(self.caller, self.route))
            }
        }
    }

    /// Whether a cached answer may let the caller use `route` too. A route with another context is left out: the gateway
    /// forwards the cached context, which would be the wrong one there.
    fn permits(&self, route: &Route) -> bool {
        route.context == self.route.context
            && (!self.rests_on_proof() || route.key == self.route.key)
            && entitlements::check(route, self.caller, self.admitted.address()).is_ok()
            && self.limits.can_count(&Spender {
                route,
                ..self.spender
            })
    }

    fn condition(&self, route: &Route) -> Condition {
        let condition = if self.conditions {
            self.facts.condition(route)
        } else {
            Condition::default()
        };
        if !self.is_momentary() {
            return condition;
        }
        let moment = self.moment();
        Condition {
            before: Some(condition.before.map_or(moment, |end| end.min(moment))),
            ..condition
        }
    }

    /// A proof is for one request: what it opens, nothing else may be let through by.
    const fn rests_on_proof(&self) -> bool {
        matches!(self.proven.by, Some(Confirmation::Key(_)))
    }

    /// Whether something decided that the gateway cannot be told to look at again.
    fn is_momentary(&self) -> bool {
        let by_certificate = self.caller.certificate.is_some()
            || matches!(self.proven.by, Some(Confirmation::Certificate(_)));
        self.rests_on_proof()
            || (by_certificate && self.gateway_cache != GatewayCache::ByCertificate)
    }

    /// The end of the moment: the next whole second, and the way of the answer.
    fn moment(&self) -> Timestamp {
        *self
            .moment
            .get_or_init(|| self.elapsed.end_of_moment(self.spender.now))
    }
}
