//! What a route asks of authorization servers.

use std::{collections::BTreeSet, sync::Arc};

use super::{RawOnOutage, credentials::Accepted};
use crate::{
    config::{
        faults::Faults,
        problems::Problem,
        values::{hint, shown},
    },
    layers::{exchange::ExchangeConfig, introspection::ServerConfig},
    routes::{Kind, Remote, Route},
};

/// The names that routes may use.
pub(in crate::config) struct Named {
    servers: Vec<String>,
    exchanges: Vec<String>,
}

impl Named {
    pub(in crate::config) fn of(
        servers: &[Arc<ServerConfig>],
        exchanges: &[Arc<ExchangeConfig>],
    ) -> Self {
        Self {
            servers: servers.iter().map(|one| one.name.clone()).collect(),
            exchanges: exchanges.iter().map(|one| one.name.clone()).collect(),
        }
    }
}

type Raw = (Option<String>, Option<RawOnOutage>, Option<String>);

pub(super) fn check(
    (server, on_outage, exchange): Raw,
    accepted: &Accepted,
    path: &str,
    named: Option<&Named>,
    faults: &mut Faults,
) -> Remote {
    let at = |setting: &str| format!("{path}.{setting}");
    let is_known = !accepted.combinations.is_empty();
    let has = |kind: Kind| accepted.combinations.iter().any(|one| one.contains(&kind));
    for (setting, is_set) in [
        ("introspection", server.is_some()),
        ("on_outage", on_outage.is_some()),
    ] {
        if is_set && is_known && !has(Kind::Opaque) {
            faults.problem(at(setting), Problem::OpaqueAlone);
        }
    }
    let with_token =
        |kinds: &Vec<Kind>| kinds.contains(&Kind::Jwt) || kinds.contains(&Kind::Opaque);
    let has_others = accepted.anonymous || !accepted.combinations.iter().all(with_token);
    if exchange.is_some() && has_others {
        faults.problem(at("exchange"), Problem::ExchangeWithoutToken);
    }
    if let (Some(found), Some(named)) = (&server, named)
        && !named.servers.contains(found)
    {
        let hint = hint(found, named.servers.iter().map(String::as_str));
        let found = shown(found);
        faults.problem(at("introspection"), Problem::ServerUnknown { found, hint });
    }
    if let (Some(found), Some(named)) = (&exchange, named)
        && !named.exchanges.contains(found)
    {
        let hint = hint(found, named.exchanges.iter().map(String::as_str));
        let found = shown(found);
        faults.problem(at("exchange"), Problem::ExchangeUnknown { found, hint });
    }
    Remote {
        server,
        recently_active: on_outage == Some(RawOnOutage::RecentlyActive),
        exchange,
    }
}

/// Warns of exchanges that no route uses.
pub(in crate::config) fn warn_unused(named: Option<&Named>, routes: &[Route], faults: &mut Faults) {
    let used: BTreeSet<&str> = routes
        .iter()
        .filter_map(|route| route.remote.exchange.as_deref())
        .collect();
    let exchanges = named.iter().flat_map(|named| &named.exchanges);
    for (index, name) in exchanges.enumerate() {
        if !used.contains(name.as_str()) {
            faults.warning(format!("exchanges[{index}]"), Problem::ListUnused);
        }
    }
}
