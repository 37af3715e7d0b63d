//! What an authenticated caller may do on a route. One function decides, for the route asked and for every other route
//! that the policy speaks of: so the two cannot differ.
//!
//! 1. The addresses of the route must admit the caller.
//! 2. Where several credentials name a tenant, they must name the same.
//! 3. An anonymous route without other demands asks for nothing more. Elsewhere the kinds of credentials verified must be
//!    exactly one of the combinations of the route, and `anonymous` is none of them. A certificate that the route does not ask
//!    for is not looked at.
//!    An opaque token opens only routes that ask the server it was checked by; one that was active a while ago opens only
//!    routes that take that.
//! 4. A key that lists routes may use those only.
//! 5. The tenant must be one of the route's.
//! 6. Scopes and roles: each of `all`, and one of `any`, compared whole and case-sensitively (RFC 6749 section 3.3). With
//!    several credentials the scopes are those that all have: none widens another. Roles come from tokens only.

use std::{net::IpAddr, sync::Arc};

use doorward_keys::KeyRecord;

use crate::{
    denial::{Denial, Reason},
    identity::{Authenticated, Client},
    layers::ip_allow,
    routes::{Demand, Kind, Route, RouteTable},
};

#[cfg(test)]
mod tests;

/// Whether credentials of exactly these kinds open `route`.
pub fn opens(route: &Route, kinds: impl IntoIterator<Item = Kind, IntoIter: Clone>) -> bool {
    let kinds = kinds.into_iter();
    let others = kinds.clone().filter(|kind| *kind != Kind::Certificate);
    let mut combinations = route.credentials.iter();
    // A certificate comes with every request of a domain with mutual TLS, so it is in nobody's way.
    route.is_open()
        || combinations
            .any(|wanted| is_exactly(wanted, kinds.clone()) || is_exactly(wanted, others.clone()))
}

/// Whether `kinds` are those of `combination`, and not none.
fn is_exactly(combination: &[Kind], mut kinds: impl Iterator<Item = Kind> + Clone) -> bool {
    let count = kinds.clone().count();
    count > 0 && count == combination.len() && kinds.all(|kind| combination.contains(&kind))
}

/// The routes that the key of `record` opens by itself, from the addresses that they admit; routes that are open to anybody
/// are among them. Whether the key works at all is not asked.
pub fn routes_of_key<'table>(table: &'table RouteTable, record: &KeyRecord) -> Vec<&'table Route> {
    let caller = Authenticated {
        client: Some(Client {
            record: Arc::new(record.clone().into()),
        }),
        subject: None,
        certificate: None,
    };
    let routes = table.routes().iter();
    routes
        .filter(|route| check_elsewhere(route, &caller).is_ok())
        .collect()
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
    let caller = &*caller.on(route);
    let tenant = tenant(caller)?;
    if route.is_open() {
        return Ok(());
    }
    if !opens(route, caller.kinds()) {
        return Err(Denial::new(
            Reason::CredentialInsufficient,
            format!("`{}` wants other credentials", route.key),
        ));
    }
    remote(route, caller)?;
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
    let has_scope = |scope: &String| caller.has_scope(scope);
    demand(&route.scopes, &has_scope, Reason::ScopeMissing, "scope")?;
    let subject = caller.subject.as_ref();
    let has_role = |role: &String| subject.is_some_and(|subject| subject.roles.contains(role));
    demand(&route.roles, &has_role, Reason::RoleMissing, "role")
}

/// Whether an opaque token is good for this route: the server that was asked is the one that knows the tokens of this route,
/// and where it was active a while ago only, the route takes that.
fn remote(route: &Route, caller: &Authenticated) -> Result<(), Denial> {
    let Some((subject, checked)) = caller
        .subject
        .as_ref()
        .and_then(|subject| Some((subject, subject.introspected.as_ref()?)))
    else {
        return Ok(());
    };
    let fits = match &route.remote.server {
        Some(name) => **name == *subject.issuer_name,
        None => checked.by_request,
    };
    if !fits {
        return Err(Denial::new(
            Reason::CredentialInsufficient,
            format!("`{}` asks another server about its tokens", route.key),
        ));
    }
    if checked.is_recent && !route.remote.recently_active {
        return Err(Denial::new(
            Reason::IntrospectionUnavailable,
            format!("`{}` takes no token that was active a while ago", route.key),
        ));
    }
    Ok(())
}

/// The tenant of the caller.
fn tenant(caller: &Authenticated) -> Result<Option<&str>, Denial> {
    let mut tenants = caller.tenants();
    let first = tenants.next();
    if tenants.any(|other| Some(other) != first) {
        return Err(Denial::new(
            Reason::TenantRefused,
            "the credentials belong to different tenants",
        ));
    }
    Ok(first)
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
    is_held: &dyn Fn(&String) -> bool,
    refusal: Reason,
    word: &str,
) -> Result<(), Denial> {
    if let Some(missing) = demand.all.iter().find(|wanted| !is_held(wanted)) {
        return Err(Denial::new(
            refusal,
            format!("the {word} `{missing}` is missing"),
        ));
    }
    if !demand.any.is_empty() && !demand.any.iter().any(is_held) {
        return Err(Denial::new(
            refusal,
            format!("one {word} of `{}` is needed", demand.any.join(" ")),
        ));
    }
    Ok(())
}
