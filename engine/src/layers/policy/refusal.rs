//! What goes with a refusal, so that a gateway which keeps it shuts nobody out of what they may do.
//!
//! 1. A refusal by an address list goes with everything that the caller may do from other addresses, each route under its
//!    lists; the Deny of what was asked is for the address that was refused.
//! 2. A refusal by the limit of addresses goes with the same, and a Deny of everything for that address until there is room.
//!    IPv6 counts by /64, and is denied by it.
//! 3. Where the address is told by proxies, or conditions are switched off, no policy can tell addresses apart. Then 1 has
//!    only what no list concerns, and 2 allows everything from the time on when there is room, if times can be said.
//! 4. Every other refusal goes with what the caller may do from where they are, and a Deny of what was asked.
//!
//! Each list of routes is that of [`crate::layers::entitlements::check`]; nothing is allowed here that it refuses.

use std::net::IpAddr;

use doorward_keys::Timestamp;
use ipnet::IpNet;

use super::{
    Condition, Policy, Scope,
    build::{denying_asked, room_to_deny},
    build_denial,
    case::{Case, is_yes_or_no, says_addresses},
    draft::deny_size,
};
use crate::{
    config::Config,
    context::context,
    decision::Context,
    denial::{Class, Denial, Reason},
    layers::rate_limit::network_of,
    request::{Request, Target},
    routes::Route,
};

/// Whether a gateway may keep `denial` of `request` and nothing goes with it yet, although something could be said as soon as
/// the caller is known.
pub(crate) fn lacks_policy(
    denial: &Denial,
    config: &Config,
    request: &Request,
    address: Option<IpAddr>,
) -> bool {
    let is_kept = matches!(denial.class(), Class::Forbidden | Class::Throttled)
        && matches!(request.target, Target::Http { .. })
        && !is_yes_or_no(config, request);
    let can_be_said = match denial.reason() {
        Reason::AddressRefused | Reason::KeyAddressRefused => says_addresses(config, address),
        Reason::AddressUnknown => {
            config.addresses.rules.is_open() && config.limits.before_credentials.is_none()
        }
        Reason::RateLimited => config.policy.conditions,
        _ => true,
    };
    is_kept && can_be_said && denial.policy().is_none()
}

impl Case<'_> {
    /// `denial` with what else the caller may do, where the gateway may keep it.
    pub(crate) fn refuse(&self, denial: Denial) -> Denial {
        let is_kept = matches!(denial.class(), Class::Forbidden | Class::Throttled);
        if !is_kept || self.yes_or_no() || denial.policy().is_some() {
            return denial;
        }
        // Without conditions a route cannot be shut until a limit has room.
        let can_open =
            |route: &Route| self.config.policy.conditions || self.opens_at(route, None).is_none();
        let here = |route: &Route| self.permits_here(route) && can_open(route);
        let there = |route: &Route| self.permits_there(route) && can_open(route);
        let address = self.address.filter(|_| self.says_addresses());
        match (denial.reason(), denial.holds().before, address) {
            (
                Reason::AddressRefused | Reason::RouteAddressRefused | Reason::KeyAddressRefused,
                _,
                Some(address),
            ) => {
                let denial = denial.for_range(IpNet::from(address));
                self.keep_elsewhere(self.scope(), denial, &there)
            }
            (Reason::RateLimited, Some(_), Some(address)) => {
                let denial = denial.for_range(network_of(address));
                self.keep_for_others(denial, &there)
            }
            (Reason::RateLimited, Some(until), None) if self.config.policy.conditions => {
                let later = |route: &Route| self.condition_from(until, route);
                self.keep(denial, &here, &later)
            }
            (Reason::RateLimited, ..) => denial,
            _ => self.keep(denial, &here, &|route| {
                self.condition(route, self.opens_at(route, None))
            }),
        }
    }

    /// `denial` with the routes that `may` lets pass.
    pub(super) fn keep(
        &self,
        denial: Denial,
        may: &dyn Fn(&Route) -> bool,
        condition: &dyn Fn(&Route) -> Condition,
    ) -> Denial {
        self.kept_within(self.scope(), denial, may, condition)
    }

    /// The same with a Deny of everything for those whom the refusal concerns, as long as it holds.
    fn keep_for_others(&self, denial: Denial, may: &dyn Fn(&Route) -> bool) -> Denial {
        let scope = self.scope();
        let room = deny_size(scope.stage.arn_prefix(), "*", denial.holds());
        let scope = Scope {
            max_bytes: scope.max_bytes.saturating_sub(room),
            ..scope
        };
        let kept = self.keep_elsewhere(scope, denial, may);
        kept.map_policy(|policy, holds| policy.and_deny("*".to_owned(), holds.clone()))
    }

    /// `denial` with the routes that `may` lets pass, each under its lists of addresses.
    fn keep_elsewhere(
        &self,
        scope: Scope<'_>,
        denial: Denial,
        may: &dyn Fn(&Route) -> bool,
    ) -> Denial {
        let asked = self.asked();
        let route = self.route.filter(|route| may(route));
        let remembered = || {
            let place = asked.place(scope.table)?;
            let room = room_to_deny(&scope, &asked, denial.holds());
            let max_bytes = scope.max_bytes.saturating_sub(room);
            self.policies.elsewhere(self, place, route?, max_bytes)
        };
        match (route, remembered()) {
            (Some(route), Some(policy)) => {
                let policy = denying_asked(policy, &scope, &asked, denial.holds());
                self.kept(denial, policy, &route.context)
            }
            _ => self.kept_within(scope, denial, may, &|route| {
                self.condition_there(route, self.opens_at(route, None))
            }),
        }
    }

    fn kept_within(
        &self,
        scope: Scope<'_>,
        denial: Denial,
        may: &dyn Fn(&Route) -> bool,
        condition: &dyn Fn(&Route) -> Condition,
    ) -> Denial {
        let shared = self.shared_context(may);
        let permitted = |route: &Route| route.context == *shared && may(route);
        let policy = build_denial(&scope, &self.asked(), &permitted, condition, denial.holds());
        self.kept(denial, policy, shared)
    }

    fn kept(&self, denial: Denial, policy: Policy, of_route: &Context) -> Denial {
        denial.with_policy(
            policy,
            context(self.caller, self.bounds.bound_until, of_route),
            self.usage_plan_key(),
        )
    }

    fn condition_from(&self, from: Timestamp, route: &Route) -> Condition {
        let of_limits = self.opens_at(route, None);
        self.condition(route, of_limits.max(Some(from)))
    }
}
