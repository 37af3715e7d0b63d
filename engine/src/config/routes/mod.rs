//! Routes: what a caller needs where.

mod context;
mod credentials;
mod demand;
mod place;
mod remote;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

pub(crate) use self::demand::scope as scope_problem;
use self::{
    credentials::Accepted,
    demand::{RawDemand, demand, scope, word, words},
    place::{place, unique},
};
pub(super) use self::{remote::Named, remote::warn_unused as warn_unused_remote};
use super::{AddressLists, AnswersConfig, faults::Faults, problems::Problem, values::shown};
use crate::{
    layers::{
        ip_allow::RawRules,
        rate_limit::{RawCharge, Uses},
    },
    routes::{Demand, Kind, Route},
};

/// One route: a method and a path template, and what opens it.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawRoute {
    /// `GET /orders/{id}`: a method (or `ANY`), one space and a path template in the syntax of API Gateway. Or
    /// `$connect` for a WebSocket API, `$graphql` for an `AppSync` API.
    route: Option<String>,
    /// A short name by which keys and logs may call the route. Default: the text of `route`.
    name: Option<String>,
    /// What opens the route; one is enough: `jwt`, `opaque`, `api_key`, `certificate`, `api_key + jwt` for both at once, `anonymous`. Required,
    /// because nothing is open by default.
    credentials: Option<Vec<String>>,
    /// Scopes that the caller needs: a list that must be held whole, or a table with `any` and `all`.
    scopes: Option<RawDemand>,
    /// Roles that the caller needs: a list that must be held whole, or a table with `any` and `all`.
    roles: Option<RawDemand>,
    /// Tenants that may use the route. Absent: all. Empty: none.
    tenants: Option<Vec<String>>,
    /// Addresses from which the route may be used, beside the rules for every route.
    addresses: Option<RawRules>,
    /// Facts for the backend: names and texts.
    context: Option<BTreeMap<String, String>>,
    /// What a request spends from: names of limits, or tables with `name` and `cost`. Default: `default_limits`. Empty: none.
    limits: Option<Vec<RawCharge>>,
    /// The server in `introspection` that knows the opaque tokens of this route. Default: the token decides, by its prefix.
    introspection: Option<String>,
    /// What holds for opaque tokens while their server cannot be asked.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "deny")))]
    on_outage: Option<RawOnOutage>,
    /// The exchange in `exchanges` that makes a token for the backend, in the context as `downstreamToken`.
    exchange: Option<String>,
}

/// What holds for opaque tokens while their server cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "RawRouteOnOutage"))]
pub(super) enum RawOnOutage {
    /// Nobody passes.
    Deny,
    /// A token passes that the server called active a short while ago and that has not expired.
    RecentlyActive,
}

/// The kinds of credentials, and what each needs in the configuration.
const NEEDS: [(Kind, &str); 4] = [
    (Kind::Jwt, "issuers"),
    (Kind::Opaque, "introspection"),
    (Kind::ApiKey, "api_keys"),
    (Kind::Certificate, "certificates"),
];

/// Which kinds of credentials are configured at all.
pub(super) struct Configured(BTreeSet<Kind>);

impl Configured {
    /// Whether this kind is.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.0.contains(&kind)
    }
}

impl FromIterator<Kind> for Configured {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().collect())
    }
}

/// What routes refer to.
pub(super) struct Surroundings<'a> {
    pub(super) configured: &'a Configured,
    pub(super) answers: &'a AnswersConfig,
    /// The names that routes may use; `None` where they are not known because of other faults.
    pub(super) named: Option<&'a Named>,
    pub(super) lists: &'a mut AddressLists,
    pub(super) uses: &'a mut Uses,
}

pub(super) fn check(
    raw: Option<Vec<RawRoute>>,
    mut around: Surroundings<'_>,
    faults: &mut Faults,
) -> Vec<Route> {
    let raw = raw.unwrap_or_default();
    if raw.is_empty() {
        faults.problem("routes", Problem::NoRoutes);
    }
    let routes: Vec<Option<Route>> = raw
        .into_iter()
        .enumerate()
        .map(|(index, raw)| {
            let path = format!("routes[{index}]");
            raw.check(&path, &mut around, faults)
        })
        .collect();
    unique(&routes, faults);
    routes.into_iter().flatten().collect()
}

impl RawRoute {
    fn check(
        self,
        path: &str,
        around: &mut Surroundings<'_>,
        faults: &mut Faults,
    ) -> Option<Route> {
        let configured = around.configured;
        let place = place(self.route.as_deref(), &format!("{path}.route"), faults);
        let name = name(self.name, &format!("{path}.name"), faults);
        let of_credentials = format!("{path}.credentials");
        let accepted = Accepted::check(self.credentials, &of_credentials, configured, faults);
        let scopes = demand(self.scopes, &format!("{path}.scopes"), scope, faults);
        let roles = demand(self.roles, &format!("{path}.roles"), word, faults);
        if let Some(tenants) = &self.tenants {
            words(tenants, &format!("{path}.tenants"), word, faults);
            if tenants.is_empty() {
                faults.warning(format!("{path}.tenants"), Problem::NobodyAllowed);
            }
        }
        for (setting, is_set) in [
            ("scopes", scopes != Demand::default()),
            ("roles", roles != Demand::default()),
            ("tenants", self.tenants.is_some()),
        ] {
            let path = format!("{path}.{setting}");
            match (
                is_set && accepted.anonymous,
                accepted.combinations.is_empty(),
            ) {
                (true, true) => faults.problem(path, Problem::AnonymousDemand),
                (true, false) => faults.warning(path, Problem::AnonymousNeverPasses),
                (false, _) => {}
            }
        }
        if roles != Demand::default() && accepted.takes_key_alone() {
            faults.warning(format!("{path}.roles"), Problem::KeysHaveNoRoles);
        }
        let of_addresses = format!("{path}.addresses");
        let addresses = self
            .addresses
            .map(|raw| raw.check(&of_addresses, around.lists, faults));
        let context = self.context.unwrap_or_default();
        context::check(&context, &format!("{path}.context"), around.answers, faults);
        let remote = remote::check(
            (self.introspection, self.on_outage, self.exchange),
            &accepted,
            path,
            around.named,
            faults,
        );
        let limits = around
            .uses
            .of_route(self.limits, &format!("{path}.limits"), faults);
        let key = self.route?;
        Some(Route {
            name: name.unwrap_or_else(|| key.clone()),
            key,
            place: place?,
            credentials: accepted.combinations,
            anonymous: accepted.anonymous,
            scopes,
            roles,
            tenants: self.tenants,
            addresses,
            context: context
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
            limits,
            remote,
        })
    }
}

fn name(name: Option<String>, path: &str, faults: &mut Faults) -> Option<String> {
    let name = name?;
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if fits {
        return Some(name);
    }
    let found = shown(&name);
    faults.problem(path, Problem::RouteName { found });
    None
}

/// Checks scopes that stand elsewhere than in a route.
pub(crate) fn check_scopes(list: &[String], path: &str, faults: &mut Faults) {
    words(list, path, scope, faults);
}

/// Checks the name of a tenant that stands elsewhere than in a route.
pub(crate) fn check_tenant(tenant: Option<&str>, path: &str, faults: &mut Faults) {
    if let Some(problem) = tenant.and_then(word) {
        faults.problem(path, problem);
    }
}

/// Warns of kinds of credentials that are configured and accepted nowhere.
pub(super) fn warn_unused(routes: &[Route], configured: &Configured, faults: &mut Faults) {
    for (kind, path) in NEEDS {
        let mut accepted = routes.iter().flat_map(|route| &route.credentials).flatten();
        if configured.has(kind) && !accepted.any(|accepted| *accepted == kind) {
            let kind = kind.as_str();
            faults.warning(path, Problem::NeverAccepted { kind });
        }
    }
}
