//! What an authenticated caller may do on a route. One function decides, for the route asked and for every other route
//! that the policy speaks of: so the two cannot differ.
//!
//! 1. The addresses of the route must admit the caller.
//! 2. An anonymous route asks for nothing more. Elsewhere the kinds of credentials verified must be exactly one of the
//!    combinations of the route.
//! 3. A key that lists routes may use those only.
//! 4. The tenant must be one of the route's; where key and token both name a tenant, they must name the same.
//! 5. Scopes and roles: each of `all`, and one of `any`, compared whole and case-sensitively (RFC 6749 section 3.3). With
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
    route.anonymous || (!kinds.is_empty() && route.credentials.iter().any(same))
}

/// Whether `caller` at `address` may use `route`; the refusal says what is missing.
pub fn check(route: &Route, caller: &Authenticated, address: Option<IpAddr>) -> Result<(), Denial> {
    if let Some(rules) = &route.addresses {
        ip_allow::check(rules, address, Reason::RouteAddressRefused)?;
    }
    if route.anonymous {
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
    tenant(route, caller)?;
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

fn tenant(route: &Route, caller: &Authenticated) -> Result<(), Denial> {
    let of_key = caller
        .client
        .as_ref()
        .map(|client| client.record.tenant.as_str());
    let of_token = caller
        .subject
        .as_ref()
        .and_then(|subject| subject.tenant.as_deref());
    if let (Some(key), Some(token)) = (of_key, of_token)
        && key != token
    {
        return Err(Denial::new(
            Reason::TenantRefused,
            "key and token belong to different tenants",
        ));
    }
    let Some(tenants) = &route.tenants else {
        return Ok(());
    };
    match of_key.or(of_token) {
        Some(tenant) if tenants.iter().any(|held| held == tenant) => Ok(()),
        Some(tenant) => Err(Denial::new(
            Reason::TenantRefused,
            format!("the tenant `{tenant}` may not use `{}`", route.key),
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
