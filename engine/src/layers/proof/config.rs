//! The configuration of `DPoP`: as written, and checked.

use serde::Deserialize;

use super::{nonce::Nonces, target::Address};
use crate::{
    config::{
        ConfigEnv, Faults, Problem, RawSecret,
        values::{Limits, shown},
    },
    layers::jwt::algorithm::Algorithm,
};
use doorward_keys::Secret;

/// Which proofs are accepted.
#[derive(Clone, Debug)]
pub struct DpopConfig {
    // INVARIANT: not empty.
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) public_urls: Vec<Address>,
    pub(super) max_age: i64,
    pub(super) leeway: i64,
    pub(super) nonce: Option<Nonces>,
    pub(super) danger_local_replays: bool,
}

/// Proofs of possession (`DPoP`, RFC 9449). Without this table no token that is bound to a key is accepted.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawDpop {
    /// Algorithms that proofs may be signed with.
    #[cfg_attr(feature = "schema", schemars(extend("default" = ["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512"])))]
    algorithms: Option<Vec<String>>,
    /// Under which addresses clients reach the API, base path included, such as `https://api.example.com/v1`: what `htu` of a
    /// proof begins with. Needed behind a proxy, and for HTTP APIs of payload format 2.0 under a custom domain. Default: what
    /// the event states.
    public_urls: Option<Vec<String>>,
    /// How old a proof may be, in seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = MAX_AGE.min, max = MAX_AGE.max), extend("default" = MAX_AGE.default)))]
    max_age_seconds: Option<i64>,
    /// How far the clock of a client may be ahead of ours, in seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = LEEWAY.min, max = LEEWAY.max), extend("default" = LEEWAY.default)))]
    leeway_seconds: Option<i64>,
    /// A secret of at least 32 bytes from which nonces are made: `env:NAME`, `ssm:/name` or `secretsmanager:name`. With it
    /// every proof needs a nonce of ours. Off unless set, because a client can only learn a nonce where the API hands it on.
    nonce_secret: Option<RawSecret>,
    /// How long a nonce is accepted, in seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = NONCE.min, max = NONCE.max), extend("default" = NONCE.default)))]
    nonce_seconds: Option<i64>,
    /// Whether proofs are accepted while the store that remembers them does not answer. Each sandbox then remembers for
    /// itself, and a proof can be used once in every one of them.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    danger_local_replays: Option<bool>,
}

const MAX_AGE: Limits = Limits {
    min: 5,
    max: 600,
    default: 60,
};
const LEEWAY: Limits = Limits {
    min: 0,
    max: 60,
    default: 5,
};
const NONCE: Limits = Limits {
    min: 30,
    max: 3600,
    default: 300,
};
/// As long as the digest (RFC 2104 section 3).
const MIN_SECRET: usize = 32;

const USUAL: [Algorithm; 7] = [
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Ed25519,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

impl RawDpop {
    /// The checked configuration.
    pub(crate) fn check(self, env: &ConfigEnv<'_>, faults: &mut Faults) -> DpopConfig {
        let nonce_seconds = NONCE.check(self.nonce_seconds, "dpop.nonce_seconds", faults);
        let nonce = self
            .nonce_secret
            .and_then(|secret| nonce_key(&secret, env, faults))
            .map(|key| Nonces::new(key, nonce_seconds.into()));
        let danger_local_replays = self.danger_local_replays.unwrap_or(false);
        if danger_local_replays {
            faults.warning("dpop.danger_local_replays", Problem::LocalReplays);
        }
        DpopConfig {
            algorithms: algorithms(self.algorithms, faults),
            public_urls: public_urls(self.public_urls, faults),
            max_age: MAX_AGE
                .check(self.max_age_seconds, "dpop.max_age_seconds", faults)
                .into(),
            leeway: LEEWAY
                .check(self.leeway_seconds, "dpop.leeway_seconds", faults)
                .into(),
            nonce,
            danger_local_replays,
        }
    }
}

fn nonce_key(
    secret: &RawSecret,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Option<Secret<Vec<u8>>> {
    let path = "dpop.nonce_secret";
    let secret = secret.fetch(path, env, faults)?;
    if secret.expose().len() < MIN_SECRET {
        faults.problem(path, Problem::SecretShort { min: MIN_SECRET });
        return None;
    }
    Some(Secret::new(secret.expose().clone().into_bytes()))
}

fn algorithms(raw: Option<Vec<String>>, faults: &mut Faults) -> Vec<Algorithm> {
    let path = "dpop.algorithms";
    let Some(raw) = raw else {
        return USUAL.to_vec();
    };
    if raw.is_empty() {
        let what = "algorithm";
        let otherwise = "; leave it out to accept the usual ones";
        faults.problem(path, Problem::Empty { what, otherwise });
    }
    let mut algorithms = Vec::new();
    for (index, name) in raw.iter().enumerate() {
        let place = format!("{path}[{index}]");
        match Algorithm::named(name) {
            Some(algorithm) if algorithms.contains(&algorithm) => {
                let value = shown(name);
                faults.problem(place, Problem::Repeated { value });
            }
            Some(algorithm) => algorithms.push(algorithm),
            None => {
                let found = shown(name);
                faults.problem(place, Problem::ProofAlgorithm { found });
            }
        }
    }
    algorithms
}

fn public_urls(raw: Option<Vec<String>>, faults: &mut Faults) -> Vec<Address> {
    let path = "dpop.public_urls";
    let Some(raw) = raw else { return Vec::new() };
    if raw.is_empty() {
        let what = "address";
        let otherwise = "; leave it out to take what the event states";
        faults.problem(path, Problem::Empty { what, otherwise });
    }
    let mut urls = Vec::new();
    for (index, text) in raw.iter().enumerate() {
        let place = format!("{path}[{index}]");
        let read = Address::parse(text).filter(|address| {
            (address.is_https() || address.is_local()) && !text.contains(['?', '#'])
        });
        match read {
            Some(address) if urls.contains(&address) => {
                let value = shown(text);
                faults.problem(place, Problem::Repeated { value });
            }
            Some(address) => urls.push(address),
            None => {
                let found = shown(text);
                faults.problem(place, Problem::PublicUrl { found });
            }
        }
    }
    urls
}
