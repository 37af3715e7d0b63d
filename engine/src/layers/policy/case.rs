//! One request and its caller: what they may do, and under which conditions that can be said.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use doorward_keys::Timestamp;

use super::{Asked, Condition, Policies, Policy, Scope, build, conditions::Facts};
use crate::{
    config::{Config, HttpApiAnswer},
    decision::Context,
    denial::Reason,
    identity::Authenticated,
    layers::{
        api_key, entitlements,
        ip_allow::{self, Forwarding},
        rate_limit::{Asked as Spender, Exceeded, RateLimits},
    },
    request::{Form, Located, Request},
    routes::{Place, Route},
};

/// What an answer rests on beside rights and addresses, and what it must not outlive.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bounds<'a> {
    /// When what the token is bound to stops working.
    pub(crate) bound_until: Option<Timestamp>,
    /// The exchange whose token the answer carries, and when that is good no more.
    pub(crate) carried: Option<(&'a str, Timestamp)>,
    /// The end of the answer, where something decided that the gateway cannot be told to look at again.
    pub(crate) moment: Option<Timestamp>,
    /// Whether a proof decided, which is for this one request.
    pub(crate) by_proof: bool,
}

/// One request and its caller.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) config: &'a Config,
    pub(crate) limits: &'a RateLimits,
    pub(crate) policies: &'a Policies,
    pub(crate) request: &'a Request,
    /// What was asked for, where its path can be read.
    pub(crate) located: Option<&'a Located>,
    /// The route that answers it, where one does.
    pub(crate) route: Option<&'a Route>,
    /// Who is calling.
    pub(crate) caller: &'a Authenticated,
    /// From where.
    pub(crate) address: Option<IpAddr>,
    /// What else the answer rests on.
    pub(crate) bounds: Bounds<'a>,
}

impl<'a> Case<'a> {
    /// Whether the front is told yes or no, so that there is nothing to write.
    pub(super) fn yes_or_no(&self) -> bool {
        is_yes_or_no(self.config, self.request)
    }

    pub(super) const fn scope(&self) -> Scope<'a> {
        Scope {
            stage: &self.request.stage,
            table: &self.config.routes,
            config: &self.config.policy,
            max_bytes: self.config.answers.max_policy_bytes,
        }
    }

    pub(super) const fn asked(&self) -> Asked<'a> {
        Asked {
            target: &self.request.target,
            located: self.located,
        }
    }

    /// Whether the caller may use `route` from where they are, as far as rights go: what a request is held against before
    /// its route is known is not looked at again.
    pub(super) fn permits(&self, route: &Route) -> bool {
        entitlements::check(route, self.caller, self.address).is_ok()
            && self.can_count(route)
            && self.reaches(route)
    }

    /// Whether the caller may use `route` from where they are, whatever step looks at the address.
    pub(super) fn permits_here(&self, route: &Route) -> bool {
        let of_all = &self.config.addresses.rules;
        let before_credentials = &self.config.limits.before_credentials;
        ip_allow::check(of_all, self.address, Reason::AddressRefused).is_ok()
            && (before_credentials.is_none() || self.address.is_some())
            && self
                .caller
                .client
                .iter()
                .all(|c| api_key::admits(c, self.address).is_ok())
            && self.permits(route)
    }

    /// Whether the caller may use `route` from anywhere that [`Case::condition_there`] names.
    pub(super) fn permits_there(&self, route: &Route) -> bool {
        entitlements::check_elsewhere(route, self.caller).is_ok()
            && self.can_count(route)
            && self.reaches(route)
    }

    /// Whether the answer may speak of `route`: what a proof opened opens nothing else, and a route with another exchange than
    /// the one whose token is in the context would get the wrong one.
    fn reaches(&self, route: &Route) -> bool {
        let of_asked = || self.route.is_some_and(|asked| asked.key == route.key);
        let carried = self.bounds.carried.map(|(exchange, _)| exchange);
        (!self.bounds.by_proof || of_asked()) && route.remote.exchange.as_deref() == carried
    }

    fn can_count(&self, route: &Route) -> bool {
        self.limits.can_count(&self.spender(route))
    }

    /// From when on the limits of `route` let the caller pass, where they are known not to now.
    pub(super) fn opens_at(&self, route: &Route, exceeded: Option<&Exceeded>) -> Option<Timestamp> {
        self.limits.opens_at(&self.spender(route), exceeded)
    }

    fn spender<'r>(&'r self, route: &'r Route) -> Spender<'r> {
        Spender {
            route,
            caller: self.caller,
            address: self.address,
            now: self.request.received_at,
            elapsed: Duration::ZERO,
            time_left: None,
        }
    }

    /// The condition under which `route` stays allowed to whoever may use it from here: from `from` on, where a limit is known
    /// to be used up.
    pub(super) fn condition(&self, route: &Route, from: Option<Timestamp>) -> Condition {
        self.for_the_moment(if self.config.policy.conditions {
            Condition {
                from,
                ..self.facts(self.address).condition(route)
            }
        } else {
            Condition::default()
        })
    }

    /// When the answer ends, as far as a policy says it. All routes that it speaks of end together.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let said = self.config.policy.conditions;
        let of_facts = said.then(|| self.facts(None).valid_until()).flatten();
        of_facts.into_iter().chain(self.bounds.moment).min()
    }

    /// The condition, within the moment for which the answer holds. That is said even where no other condition is.
    fn for_the_moment(&self, condition: Condition) -> Condition {
        let Some(end) = self.bounds.moment else {
            return condition;
        };
        Condition {
            before: Some(condition.before.map_or(end, |before| before.min(end))),
            ..condition
        }
    }

    /// The condition under which `route` is allowed, wherever it is used from. For lists that are too long for a policy that
    /// is the address of the caller, if it is on them, and else nowhere.
    pub(super) fn condition_there(&self, route: &Route, from: Option<Timestamp>) -> Condition {
        let address = self.address.filter(|_| self.permits_here(route));
        self.for_the_moment(Condition {
            from,
            ..self.facts(address).condition(route)
        })
    }

    /// The policy that allows what `permits` lets pass.
    pub(super) fn build(
        &self,
        permits: &dyn Fn(&Route) -> bool,
        condition: &dyn Fn(&Route) -> Condition,
    ) -> Result<Policy, Reason> {
        build(&self.scope(), &self.asked(), permits, condition)
    }

    /// Whether address lists can be conditions: the gateway compares the very address that decides.
    pub(super) fn says_addresses(&self) -> bool {
        says_addresses(self.config, self.address)
    }

    pub(super) fn facts(&self, address: Option<IpAddr>) -> Facts<'a> {
        Facts {
            addresses: &self.config.addresses,
            caller: self.caller,
            address,
            bound_until: self.bounds.bound_until,
            carried_until: self.bounds.carried.map(|(_, until)| until),
        }
    }

    /// The usage-plan key of the caller.
    pub(super) fn usage_plan_key(&self) -> Option<String> {
        let client = self.caller.client.as_ref();
        let of_key = client.and_then(|client| client.record().usage_plan_key.clone());
        let of_plan = || self.limits.usage_plan_key(self.caller);
        of_key.or_else(|| Some(of_plan()?.expose().clone()))
    }

    /// The context that the answer carries to the backend, which the gateway forwards on every route that the policy lets
    /// pass: that of the route asked for, or, where the caller may not use it, the one that most of the others have. Routes
    /// that are open to anybody count for little: they need no answer to a caller.
    pub(super) fn shared_context(&self, may: &dyn Fn(&Route) -> bool) -> &'a Context {
        let asked = self.route.map(|route| &route.context);
        if let Some(route) = self.route.filter(|route| may(route)) {
            return &route.context;
        }
        let mut counted: BTreeMap<&'a Context, (usize, usize)> = BTreeMap::new();
        let routes = self.config.routes.routes().iter();
        for route in routes.filter(|r| matches!(r.place, Place::Http(..)) && may(r)) {
            let count = counted.entry(&route.context).or_default();
            count.0 = count.0.saturating_add(usize::from(!route.is_open()));
            count.1 = count.1.saturating_add(1);
        }
        let most = counted
            .into_iter()
            .max_by_key(|(context, count)| (*count, asked == Some(*context)));
        most.map(|(context, _)| context)
            .or(asked)
            .unwrap_or(&NO_CONTEXT)
    }
}

/// The context of no route.
static NO_CONTEXT: Context = Context::new();

/// Whether the front is told yes or no.
pub(super) fn is_yes_or_no(config: &Config, request: &Request) -> bool {
    request.form == Form::AsConfigured && config.answers.http_api == HttpApiAnswer::Simple
}

/// Whether address lists can be conditions for a caller at `address`.
pub(super) fn says_addresses(config: &Config, address: Option<IpAddr>) -> bool {
    config.policy.conditions
        && matches!(config.addresses.forwarding, Forwarding::Peer)
        && address.is_some()
}
