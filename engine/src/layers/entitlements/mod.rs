//! What an authenticated caller may do on a route. One function decides, for the route asked and for every other route
//! that the policy speaks of: so the two cannot differ.
//!
//! 1. The addresses of the route must admit the caller.
//! 2. Where key and token both name a tenant, they must name the same.
//! 3. An anonymous route without other demands asks for nothing more. Elsewhere the kinds of credentials verified must be
//!    exactly one of the combinations of the route, and `anonymous` is none of them.
//! 4. A key that lists routes may use those only.
//! 5. The tenant must be one of the route's.
//! 6. Scopes and roles: each of `all`, and one of `any`, compared whole and case-sensitively (RFC 6749 section 3.3). With
//!    two credentials the scopes are those that both have: neither widens the other. Roles come from tokens only.

use std::{collections::BTreeSet, net::IpAddr};

use crate::{
    denial::{Denial, Reason},
    identity::Authenticated,
    layers::ip_allow,
    routes::{Demand, Kind, Route},
};

#[cfg(test)]
mod tests;

/// Whether credentials of exactly these kinds open `route`.
pub fn opens(route: &Route, kinds: &[Kind]) -> bool {
    let same = |combination: &Vec<Kind>| {
        combination.len() == kinds.len() && kinds.iter().all(|kind| combination.contains(kind))
    };
    route.is_open() || (!kinds.is_empty() && route.credentials.iter().any(same))
}

/// Whether `caller` at `address` may use `route`; the refusal says what is missing.
pub fn check(route: &Route, caller: &Authenticated, address: Option<IpAddr>) -> Result<(), Denial> {
    if let Some(rules) = &route.addresses {
        ip_allow::check(rules, address, Reason::RouteAddressRefused)?;
    }
    check_elsewhere(route, caller)
}

/// [`check`] without its first rule: for a policy that says the addresses of the route as a condition.
pub(crate) fn check_elsewhere(route: &Route, caller: &Authenticated) -> Result<(), Denial> {
    let tenant = tenant(caller)?;
    if route.is_open() {
        return Ok(());
    }
    if !opens(route, &caller.kinds()) {
        return Err(Denial::new(
            Reason::CredentialInsufficient,
            format!("`{}` wants other credentials", route.key),
        ));
    }
    if let Some(names) = caller
        .client
        .as_ref()
        .and_then(|client| client.record.routes.as_ref())
        && !names.contains(&route.name)
    {
        return Err(Denial::new(
            Reason::KeyRouteRefused,
            format!("the key does not list the route `{}`", route.name),
        ));
    }
    if let Some(tenants) = &route.tenants {
        one_of(tenants, tenant, &route.key)?;
    }
    demand(
        &route.scopes,
        &caller.scopes(),
        Reason::ScopeMissing,
        "scope",
    )?;
    let roles = caller
        .subject
        .iter()
        .flat_map(|subject| subject.roles.iter().map(String::as_str))
        .collect();
    demand(&route.roles, &roles, Reason::RoleMissing, "role")
}

/// The tenant of the caller.
fn tenant(caller: &Authenticated) -> Result<Option<&str>, Denial> {
    let of_key = caller
        .client
        .as_ref()
        .map(|client| client.record.tenant.as_str());
    let of_token = caller
        .subject
        .as_ref()
        .and_then(|subject| subject.tenant.as_deref());
    match (of_key, of_token) {
        (Some(key), Some(token)) if key != token => Err(Denial::new(
            Reason::TenantRefused,
            "key and token belong to different tenants",
        )),
        _ => Ok(of_key.or(of_token)),
    }
}

fn one_of(tenants: &[String], tenant: Option<&str>, route: &str) -> Result<(), Denial> {
    match tenant {
        Some(tenant) if tenants.iter().any(|held| held == tenant) => Ok(()),
        Some(tenant) => Err(Denial::new(
            Reason::TenantRefused,
            format!("the tenant `{tenant}` may not use `{route}`"),
        )),
        None => Err(Denial::new(
            Reason::TenantRefused,
            "the credential names no tenant",
        )),
    }
}

fn demand(
    demand: &Demand,
    held: &BTreeSet<&str>,
    refusal: Reason,
    word: &str,
) -> Result<(), Denial> {
    if let Some(missing) = demand
        .all
        .iter()
        .find(|wanted| !held.contains(wanted.as_str()))
    {
        return Err(Denial::new(
            refusal,
            format!("the {word} `{missing}` is missing"),
        ));
    }
    if !demand.any.is_empty()
        && !demand
            .any
            .iter()
            .any(|wanted| held.contains(wanted.as_str()))
    {
        return Err(Denial::new(
            refusal,
            format!("one {word} of `{}` is needed", demand.any.join(" ")),
        ));
    }
    Ok(())
}
