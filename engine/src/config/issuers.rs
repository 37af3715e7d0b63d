//! Issuers of tokens: the one place where their part of the configuration is joined to the whole.

use std::sync::Arc;

use super::{ConfigEnv, faults::Faults};
use crate::layers::jwt::IssuerConfig;

pub(super) use crate::layers::jwt::RawIssuer;

pub(super) fn check(
    raw: Option<Vec<RawIssuer>>,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Vec<Arc<IssuerConfig>> {
    IssuerConfig::check_all(raw.unwrap_or_default(), env.read_file, faults)
}
