//! The header by which callers say of which issuer an opaque token is: one of its own, and one that can choose.

use std::{collections::BTreeMap, sync::Arc};

use super::{TokensConfig, faults::Faults, problems::Problem, routes::Configured, values::shown};
use crate::{
    layers::{api_key::ApiKeysConfig, introspection::ServerConfig},
    routes::Kind,
};

/// Checks the header, where one is named, against what else headers carry and against the servers. Servers with a fault are
/// left out of `servers`, so these are compared only where nothing else is wrong.
pub(super) fn check(
    tokens: &TokensConfig,
    api_keys: Option<&ApiKeysConfig>,
    configured: &Configured,
    servers: &[Arc<ServerConfig>],
    faults: &mut Faults,
) {
    let Some(name) = &tokens.issuer_header else {
        return;
    };
    let servers = if faults.is_empty() { servers } else { &[] };
    let path = "tokens.issuer_header";
    let of_keys = api_keys.is_some_and(|keys| keys.headers.contains(name));
    if of_keys || name == "dpop" {
        let found = shown(name);
        faults.problem(path, Problem::HeaderTaken { found });
    }
    if !configured.has(Kind::Opaque) {
        faults.problem(path, Problem::IssuerHeaderAlone);
    }
    let mut issuers = BTreeMap::new();
    for (index, server) in servers.iter().enumerate() {
        let other = issuers.insert(server.issuer(), index);
        if let Some(other) = other {
            let other = format!("`introspection[{other}]`");
            let place = format!("introspection[{index}].issuer");
            faults.problem(place, Problem::IssuerShared { other });
        }
    }
}
