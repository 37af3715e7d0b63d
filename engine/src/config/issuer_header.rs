//! The header by which callers say of which issuer an opaque token is: one of its own, and one that can choose.

use std::{collections::BTreeMap, sync::Arc};

use super::{faults::Faults, problems::Problem, routes::Configured, values::shown};
use crate::{
    layers::{api_key::ApiKeysConfig, introspection::ServerConfig},
    routes::Kind,
};

/// Checks the header `name` against what else headers carry, and against the servers, where they are without a fault.
pub(super) fn check(
    name: &str,
    api_keys: Option<&ApiKeysConfig>,
    configured: &Configured,
    servers: Option<&[Arc<ServerConfig>]>,
    faults: &mut Faults,
) {
    let path = "tokens.issuer_header";
    let of_keys = api_keys.is_some_and(|keys| keys.headers.iter().any(|held| held == name));
    if of_keys || name == "dpop" {
        let found = shown(name);
        faults.problem(path, Problem::HeaderTaken { found });
    }
    if !configured.has(Kind::Opaque) {
        faults.problem(path, Problem::IssuerHeaderAlone);
    }
    let mut issuers = BTreeMap::new();
    for (index, server) in servers.unwrap_or_default().iter().enumerate() {
        let other = issuers.insert(server.issuer(), index);
        if let Some(other) = other {
            let other = format!("`introspection[{other}]`");
            let place = format!("introspection[{index}].issuer");
            faults.problem(place, Problem::IssuerShared { other });
        }
    }
}
