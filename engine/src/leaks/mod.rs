//! What becomes of keys that are reported as leaked.
//!
//! Key administration goes by this; the authorizer has no use for it.

mod config;

use std::collections::BTreeMap;

pub(crate) use config::RawLeaks;

use crate::layers::jwt::Origin;

/// What becomes of a leaked key. Its owner is told in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeakAction {
    /// It is ended for good.
    Revoke,
    /// It gets a successor, into the secret of its scheduled rotation, and ends soon; without such a secret it is ended for good.
    Rotate,
    /// It is switched off.
    Disable,
    /// Nothing.
    Notify,
}

/// Reports of leaked keys by the secret scanning of GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaksConfig {
    /// Where the public keys are with which reports are signed.
    pub public_keys: String,
    /// What may be fetched from there.
    pub origin: Origin,
    /// For how long a leaked key works beside its successor, in seconds.
    pub overlap_seconds: u32,
    /// What becomes of a leaked key.
    action: LeakAction,
    /// The same for the environments that differ.
    actions: BTreeMap<String, LeakAction>,
}

impl LeaksConfig {
    /// What becomes of a leaked key of `environment`.
    pub fn action(&self, environment: &str) -> LeakAction {
        let own = self.actions.get(environment);
        own.copied().unwrap_or(self.action)
    }
}
