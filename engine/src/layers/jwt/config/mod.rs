//! The configuration of issuers: raw, then checked, every fault at once.

mod check;
mod check_claims;
mod check_keys;
mod fields;
mod introspected;
mod raw;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    algorithm::Algorithm, claim_path::ClaimPath, key_set::KeySet, profile::Profile, source::Origin,
};

pub use check::ReadFile;
pub(crate) use check_keys::address as check_address;
pub(crate) use fields::Fields;
pub(crate) use introspected::RawAnswer;
pub use raw::{RawClaims, RawFormat, RawIssuer, RawKeySet, RawPath, RawProfile, RawScalar};

/// One issuer, checked. Made by [`IssuerConfig::check`] only.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// The name in logs.
    pub name: Arc<str>,
    /// `iss`, compared character by character.
    pub issuer: Arc<str>,
    pub(super) keys: KeySource,
    pub(super) key_set: KeySetLimits,
    // INVARIANT: not empty.
    pub(super) algorithms: Vec<Algorithm>,
    // INVARIANT: not empty unless the profile compares clients instead.
    pub(super) audiences: Vec<String>,
    pub(super) client_ids: Vec<String>,
    pub(super) profile: Profile,
    pub(super) leeway: i64,
    pub(super) max_lifetime: Option<i64>,
    pub(super) required_claims: Vec<(ClaimPath, Vec<RawScalar>)>,
    pub(super) claims: ClaimsMap,
    pub(super) context: BTreeMap<String, ClaimPath>,
    /// How long an answer that names no `exp` holds, in seconds; `None` where there must be one.
    pub(super) without_expiry: Option<i64>,
}

impl IssuerConfig {
    /// Whether the keys of this issuer are fetched over the network.
    pub const fn fetches_keys(&self) -> bool {
        matches!(self.keys, KeySource::Remote { .. })
    }

    /// Whether tokens of this issuer name a tenant.
    pub const fn names_tenants(&self) -> bool {
        self.claims.tenant.is_some()
    }

    /// The longest time in seconds that a withdrawn key works on while the issuer can be reached, and while it cannot.
    /// `None` for keys that change with the configuration only.
    pub const fn withdrawal_seconds(&self) -> Option<(i64, i64)> {
        match self.keys {
            KeySource::Fixed(_) => None,
            KeySource::Remote { .. } => Some((
                self.key_set.max_age,
                self.key_set.max_age.saturating_add(self.key_set.stale),
            )),
        }
    }
}

/// Where the keys come from.
#[derive(Clone)]
pub(super) enum KeySource {
    /// Part of the configuration.
    Fixed(Arc<KeySet>),
    /// Fetched.
    Remote { location: Location, origin: Origin },
}

/// What is known of the address of a key set.
#[derive(Clone)]
pub(super) enum Location {
    /// The metadata of the issuer says it (`OpenID` Connect Discovery 1.0 section 4, RFC 8414 section 3).
    Discovery,
    /// The configuration says it.
    Uri(String),
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(set) => write!(f, "{set:?}"),
            Self::Remote {
                location: Location::Discovery,
                ..
            } => f.write_str("discovery"),
            Self::Remote {
                location: Location::Uri(uri),
                ..
            } => f.write_str(uri),
        }
    }
}

/// Limits on fetched keys; times in seconds.
#[derive(Clone, Debug)]
pub(super) struct KeySetLimits {
    // INVARIANT: at least 1, so that a fetch just made always starts a cool-down.
    pub(super) cool_down: i64,
    pub(super) min_age: i64,
    pub(super) max_age: i64,
    pub(super) stale: i64,
    pub(super) max_keys: usize,
}

/// The one form that a claim with several words has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordsFormat {
    Text,
    List,
}

/// Where the facts about a subject stand.
#[derive(Clone, Debug)]
pub(super) struct ClaimsMap {
    pub(super) scopes: Option<(ClaimPath, WordsFormat)>,
    pub(super) roles: Option<(ClaimPath, WordsFormat)>,
    pub(super) tenant: Option<ClaimPath>,
    pub(super) client_id: ClaimPath,
    pub(super) subject: ClaimPath,
}
