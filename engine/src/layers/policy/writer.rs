//! From evidence to answer: the only place that makes a [`Grant`].

use std::sync::Arc;

use doorward_keys::Timestamp;

use super::{
    Bounds, Case, Elapsed, GatewayCache, Policies, Policy,
    moment::{is_momentary, rests_on_proof},
};
use crate::{
    config::{Config, RateLimited},
    context::{self, context},
    decision::{Context, Grant},
    denial::{Denial, Reason},
    layers::{
        exchange::Exchanged,
        ip_allow::Admitted,
        proof::Proven,
        rate_limit::{Asked as Spender, Quota, RateLimits},
    },
    request::{Located, Request},
    routes::Route,
};

/// What a writer writes about.
pub(crate) struct Subject<'a> {
    /// [`Authenticated::principal`](crate::identity::Authenticated::principal) of the caller.
    pub(crate) principal: Arc<str>,
    /// The request.
    pub(crate) request: &'a Request,
    /// What it asks for.
    pub(crate) located: &'a Located,
    /// The route, and who is calling.
    pub(crate) spender: Spender<'a>,
    /// That their address is admitted.
    pub(crate) admitted: Admitted,
    /// What was proved beside the credentials.
    pub(crate) proven: Proven,
    /// How long ago the request came.
    pub(crate) elapsed: Elapsed,
}

/// Writes the answer for one caller: what they may do beyond the route asked for, and until when.
pub(crate) struct Writer<'a> {
    principal: Arc<str>,
    case: Case<'a>,
    route: &'a Route,
    rate_limited: &'a RateLimited,
    /// What a proof has the caller told.
    nonce: Option<String>,
    /// Whether something decided that the gateway cannot be told to look at again.
    momentary: bool,
    elapsed: Elapsed,
    /// The token for the backend, once there is one.
    exchanged: Option<Exchanged>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        config: &'a Config,
        limits: &'a RateLimits,
        policies: &'a Policies,
        subject: Subject<'a>,
    ) -> Self {
        let Spender { route, caller, .. } = subject.spender;
        let proven = subject.proven;
        Self {
            principal: subject.principal,
            case: Case {
                config,
                limits,
                policies,
                request: subject.request,
                located: Some(subject.located),
                route: Some(route),
                caller,
                address: subject.admitted.address(),
                bounds: Bounds {
                    bound_until: proven.until,
                    by_proof: rests_on_proof(&proven),
                    ..Bounds::default()
                },
            },
            route,
            rate_limited: &config.answers.rate_limited,
            momentary: is_momentary(caller, &proven, config.policy.gateway_cache),
            nonce: proven.nonce,
            elapsed: subject.elapsed,
            exchanged: None,
        }
    }

    /// Takes a token for the backend, which the answer carries and must not outlive.
    pub(crate) fn carry(&mut self, exchanged: Exchanged) {
        self.exchanged = Some(exchanged);
    }

    /// The same quota where it lets the request go on: no limit is used up, or the answer is to let the gateway or the
    /// backend refuse. Otherwise a refusal; with it goes what else the caller may do, and what the limit concerns from the
    /// time on when there is room again, so that a cached answer ends on time.
    pub(crate) fn within(&self, quota: Quota) -> Result<Quota, Denial> {
        let Some(exceeded) = quota.exceeded() else {
            return Ok(quota);
        };
        let case = self.case();
        match self.rate_limited {
            RateLimited::Backend => return Ok(quota),
            RateLimited::PenaltyKey(_) if case.request.has_usage_plans => return Ok(quota),
            RateLimited::PenaltyKey(_) | RateLimited::Deny => {}
        }
        let mut denial = exceeded.denial();
        if let Some(report) = quota.report() {
            denial = denial.with_limit(report.clone());
        }
        if case.yes_or_no() {
            return Err(denial);
        }
        let opens_at = |route: &Route| case.opens_at(route, Some(exceeded));
        let later = |route: &Route| case.condition(route, opens_at(route));
        // What was asked for may wait for more than the limit that decided.
        let until = opens_at(self.route).max(Some(exceeded.until));
        if case.config.policy.conditions
            && self.permits(case, self.route)
            && let Ok(policy) = case.build(&|route| self.permits(case, route), &later)
        {
            return Err(denial
                .with_policy(policy, self.context(), case.usage_plan_key())
                .ending_at(until.unwrap_or(exceeded.until)));
        }
        let others = |route: &Route| opens_at(route).is_none() && case.permits(route);
        Err(case.keep(denial, &others, &|route| case.condition(route, None)))
    }

    /// The grant for a caller who is entitled to the route. Where a limit is used up it is one that the gateway or the
    /// backend turns into a refusal.
    pub(crate) fn grant(&self, quota: &Quota) -> Result<Grant, Denial> {
        let case = self.case();
        let policy = if case.yes_or_no() {
            if self.momentary && case.config.policy.gateway_cache != GatewayCache::Off {
                return Err(Denial::new(
                    Reason::AnswerKept,
                    "a certificate or a proof decided, and `answers.http_api` is `simple`",
                ));
            }
            None
        } else {
            Some(self.policy(case, quota)?)
        };
        let mut context = self.context();
        if let Some(report) = quota.report() {
            let now = case.request.received_at.timestamp();
            Arc::make_mut(&mut context).extend(context::of_limit(report, now));
        }
        if let Some(nonce) = &self.nonce {
            Arc::make_mut(&mut context).insert("dpopNonce".into(), nonce.clone());
        }
        let usage_plan_key = match (quota.exceeded(), self.rate_limited) {
            (Some(_), RateLimited::PenaltyKey(key)) => Some(key.expose().clone()),
            _ => case.usage_plan_key(),
        };
        let facts = case.facts(case.address);
        Ok(Grant {
            principal: Arc::clone(&self.principal),
            policy,
            context,
            valid_until: facts.valid_until(),
            by_address: facts.by_address(self.route),
            momentary: self.momentary,
            one_credential: case.caller.is_known_by_one_credential(),
            usage_plan_key,
            limit: quota.report().cloned(),
            downstream_token: self.exchanged.as_ref().map(|held| held.token.clone()),
            identity_token: None,
        })
    }

    /// The refusal of a caller who is known: with it goes what else they may do, so that a cached refusal does not lock them
    /// out of that.
    pub(crate) fn refuse(&self, denial: Denial) -> Denial {
        self.case().refuse(denial)
    }

    fn policy(&self, case: Case<'_>, quota: &Quota) -> Result<Policy, Denial> {
        let ends = |route: &Route| self.still_shut(case, route, quota);
        let can_open = |route: &Route| case.config.policy.conditions || ends(route).is_none();
        let place = case.asked().place(&case.config.routes);
        let all_open = quota.exceeded().is_none() && case.limits.is_none_used_up();
        let policy = match place.filter(|_| all_open) {
            Some(place) => case.policies.policy(&case, place, self.route),
            None => case.build(
                &|route| self.permits(case, route) && can_open(route),
                &|route| case.condition(route, ends(route)),
            ),
        };
        policy.map_err(|reason| {
            let detail = format!("no policy can be written for `{}`", self.route.key);
            Denial::new(reason, detail)
        })
    }

    fn context(&self) -> Arc<Context> {
        context(
            self.case.caller,
            self.case.bounds.bound_until,
            &self.route.context,
        )
    }

    /// Whether a cached answer may let the caller use `route` too. A route with another context is left out: the gateway
    /// forwards the cached context, which would be the wrong one there.
    fn permits(&self, case: Case<'_>, route: &Route) -> bool {
        route.context == self.route.context && case.permits(route)
    }

    /// From when on the limits of `route` let the caller pass, for the policy of an Allow. What was asked for is open: it was
    /// counted, or somebody else is to refuse it. Who does so goes by the end that the context names, so a route that is shut
    /// no longer than that is left to them too.
    fn still_shut(&self, case: Case<'_>, route: &Route, quota: &Quota) -> Option<Timestamp> {
        if route.key == self.route.key {
            return None;
        }
        let exceeded = quota.exceeded();
        let end = case.opens_at(route, exceeded)?;
        exceeded
            .is_none_or(|exceeded| end > exceeded.until)
            .then_some(end)
    }

    /// The case with all that bounds the answer, looked up once, so that one policy has one end.
    fn case(&self) -> Case<'_> {
        let received_at = self.case.request.received_at;
        let carried = self.exchanged.as_ref();
        Case {
            bounds: Bounds {
                carried: carried.map(|held| (held.exchange.as_str(), held.valid_until)),
                moment: self
                    .momentary
                    .then(|| self.elapsed.end_of_moment(received_at)),
                ..self.case.bounds
            },
            ..self.case
        }
    }
}
