//! Issuers of tokens: the one place where their part of the configuration is joined to the whole.

use std::sync::Arc;

use serde::Deserialize;

use super::{ConfigEnv, faults::Faults, problems::Problem};
use crate::layers::jwt::IssuerConfig;

/// One issuer of tokens.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawIssuer {
    /// The name in logs.
    name: Option<String>,
    /// `iss`, compared character by character.
    issuer: Option<String>,
}

pub(super) fn check(
    raw: Option<Vec<RawIssuer>>,
    _env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Vec<Arc<IssuerConfig>> {
    let checked = raw
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, raw)| {
            let path = format!("issuers[{index}]");
            let Some(issuer) = raw.issuer else {
                let what = "name the issuer exactly as `iss` of its tokens does";
                faults.problem(format!("{path}.issuer"), Problem::Missing { what });
                return None;
            };
            let name = raw.name.unwrap_or_else(|| issuer.clone());
            Some(Arc::new(IssuerConfig { name, issuer }))
        });
    checked.collect()
}
