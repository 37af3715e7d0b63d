//! Configuration: text to checked values, every fault at once with its place.
//!
//! 1. `tree`: the text, TOML or JSON, becomes a tree whose every value knows its place.
//! 2. `raw`: the tree becomes structures of optional values. Only when that fails, `shape` compares the tree with the
//!    schema, reports every unknown setting, wrong type and wrong word, and takes them out so that step 3 still runs.
//! 3. The checks, each beside what it checks: `addresses`, `routes`, `issuers` here, the others in their layers.
//!
//! Nothing is reported twice, and nothing that only follows from another fault.

mod addresses;
mod caching;
pub(crate) mod context_names;
mod faults;
mod identity_sources;
mod issuer_header;
mod issuers;
pub(crate) mod pem;
mod problems;
mod ranges;
mod raw;
mod routes;
#[cfg(feature = "schema")]
mod schema;
mod secrets;
mod shape;
#[cfg(test)]
mod tests;
mod tree;
pub(crate) mod values;

use std::{sync::Arc, time::Duration};

use doorward_keys::Secret;

use crate::{
    identity_token::{self, IdentityTokenConfig},
    key_admin::KeyAdminConfig,
    layers::{
        api_key::ApiKeysConfig, block_list::BlockListConfig, certificate::CertificatesConfig,
        exchange::ExchangeConfig, introspection::ServerConfig, ip_allow::AddressesConfig,
        jwt::IssuerConfig, policy::PolicyConfig, proof::DpopConfig, rate_limit::LimitsConfig,
    },
    leaks::LeaksConfig,
    routes::RouteTable,
    usage::UsageConfig,
};

pub(crate) use addresses::{AddressLists, RawRanges};
pub use context_names::GATEWAY_CONTEXT_NAMES;
pub use faults::{ConfigFaults, Fault, Faults};
pub use problems::CODES as FAULT_CODES;
pub(crate) use problems::Problem;
pub(crate) use routes::{check_scopes, check_tenant, scope_problem};
#[cfg(feature = "schema")]
pub use schema::schema;
pub(crate) use secrets::RawSecret;
pub use secrets::{SECRET_SETTINGS, SecretReference, secret_references};
pub(crate) use tree::join;

/// The whole configuration, checked. What it cannot express cannot be configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// API keys; absent means none are accepted.
    pub api_keys: Option<ApiKeysConfig>,
    /// Issuers of tokens.
    pub issuers: Vec<Arc<IssuerConfig>>,
    /// Introspection servers.
    pub introspection: Vec<Arc<ServerConfig>>,
    /// Exchanges of tokens.
    pub exchanges: Vec<Arc<ExchangeConfig>>,
    /// Where tokens may stand and how long they may be.
    pub tokens: TokensConfig,
    /// Client certificates; absent means none are accepted.
    pub certificates: Option<Arc<CertificatesConfig>>,
    /// Proofs of possession; absent means that no token that is bound to a key is accepted.
    pub dpop: Option<Arc<DpopConfig>>,
    /// Addresses.
    pub addresses: AddressesConfig,
    /// Limits.
    pub limits: LimitsConfig,
    /// Routes; what matches none is refused.
    pub routes: RouteTable,
    /// How policies are written.
    pub policy: PolicyConfig,
    /// How answers are shaped.
    pub answers: AnswersConfig,
    /// How the list of blocked tokens is kept; absent means that none can be blocked.
    pub block_list: Option<BlockListConfig>,
    /// How the use of API keys is counted.
    pub usage: UsageConfig,
    /// How identity tokens are minted; absent means none are.
    pub identity_token: Option<Arc<IdentityTokenConfig>>,
    /// Who may administer keys over the API of key administration.
    pub key_admin: KeyAdminConfig,
    /// What becomes of keys that are reported as leaked; `None` where no report is taken.
    pub leaks: Option<LeaksConfig>,
}

/// Where tokens may stand and how long they may be.
#[derive(Clone, Debug)]
pub struct TokensConfig {
    /// The longest token that is looked at, in bytes.
    pub max_bytes: usize,
    /// A query parameter that may carry a token (RFC 6750 section 2.3: off unless named).
    pub query_parameter: Option<String>,
    /// A cookie that may carry a token (off unless named).
    pub cookie: Option<String>,
    /// A header that says of which issuer an opaque token is (off unless named).
    pub issuer_header: Option<String>,
}

/// What an HTTP API expects as answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpApiAnswer {
    /// An IAM policy.
    Policy,
    /// `isAuthorized`, where the authorizer has `EnableSimpleResponses`.
    Simple,
}

/// What becomes of a request over a limit. A Deny cannot choose its status (AWS: API Gateway, gateway response types).
#[derive(Clone, Debug)]
pub enum RateLimited {
    /// A Deny with the facts in its context: 403, or what the API makes of `ACCESS_DENIED`.
    Deny,
    /// An Allow under this usage-plan key, whose plan has no allowance, so that the gateway itself answers 429. Only REST
    /// APIs that require keys from the authorizer do; anything else would let the request pass, and gets a Deny.
    PenaltyKey(Secret<String>),
    /// An Allow with `rateLimited` in the context; the backend answers 429.
    Backend,
}

/// How answers are shaped.
#[derive(Clone, Debug)]
pub struct AnswersConfig {
    /// What HTTP APIs with payload 2.0 expect.
    pub http_api: HttpApiAnswer,
    /// What becomes of a request over a limit.
    pub rate_limited: RateLimited,
    /// The usage-plan key of callers who have none of their own, where REST APIs require keys.
    pub usage_plan_key: Option<Secret<String>>,
    /// The longest policy document, in bytes.
    pub max_policy_bytes: usize,
    /// The longest context, in bytes.
    pub max_context_bytes: usize,
}

/// What reading a configuration needs from outside. The engine does no I/O.
#[derive(Clone, Copy)]
pub struct ConfigEnv<'a> {
    /// The text of a file that the configuration names, by its path as written. The error says why, without the path.
    pub read_file: &'a dyn Fn(&str) -> Result<String, String>,
    /// A secret, fetched before by [`secret_references`]. The error says why; it must not hold the secret.
    pub secret: &'a dyn Fn(&SecretReference) -> Result<Secret<String>, String>,
}

/// A configuration that can be used, and what should be known of it.
#[derive(Debug)]
pub struct Checked {
    /// The configuration.
    pub config: Config,
    /// What works but weakens or does nothing, in the order of the text.
    pub warnings: Vec<Fault>,
}

impl Config {
    /// Whether any route spends from a limit, so that buckets have to be kept somewhere.
    pub fn needs_limit_store(&self) -> bool {
        let mut routes = self.routes.routes().iter();
        routes.any(|route| !route.limits.is_empty())
    }

    /// `iss` of all tokens that may be accepted, in the order of the text.
    pub fn token_issuers(&self) -> impl Iterator<Item = &str> {
        let of_jwts = self.issuers.iter().map(|issuer| &*issuer.issuer);
        of_jwts.chain(self.introspection.iter().map(|server| server.issuer()))
    }

    /// Whether proofs are accepted, so that those that were seen have to be kept somewhere.
    pub const fn needs_replay_store(&self) -> bool {
        self.dpop.is_some()
    }

    /// Whether sandboxes tell each other of breakers, so that there has to be a place for it.
    pub fn needs_breaker_store(&self) -> bool {
        self.introspection.iter().any(|one| one.shares_breaker())
            || self.exchanges.iter().any(|one| one.shares_breaker())
    }

    /// Warns of identity tokens that expire while the gateway keeps the answers that carry them, which it does for
    /// `gateway_ttl`.
    pub fn shorter_than(&self, gateway_ttl: Duration) -> Option<Fault> {
        let lifetime = self.identity_token.as_ref()?.lifetime_seconds;
        let kept = gateway_ttl.as_secs();
        let needed = kept.saturating_add(u64::from(identity_token::MARGIN_SECONDS));
        let problem = Problem::IdentityTokenShort { kept, needed };
        (u64::from(lifetime) < needed).then(|| Fault {
            path: "identity_token.lifetime_seconds".to_owned(),
            place: None,
            message: problem.to_string(),
            code: problem.code(),
        })
    }

    /// Reads and checks `text`, which is TOML, or JSON when it begins with `{`. `name` names it in messages.
    ///
    /// # Errors
    /// All faults at once, each with its place, what was found and what would be right.
    pub fn read(text: &str, name: &str, env: &ConfigEnv<'_>) -> Result<Checked, ConfigFaults> {
        let mut faults = Faults::default();
        if text.len() > tree::MAX_BYTES {
            let max = tree::MAX_BYTES;
            faults.problem("", Problem::TextTooLong { max });
            let (faults, warnings) = faults.into_parts();
            let name = name.to_owned();
            return Err(ConfigFaults {
                name,
                faults,
                warnings,
            });
        }
        let (mut tree, reading) = tree::read(text, &mut faults);
        let raw = raw::read(&mut tree, reading, &mut faults);
        let config = raw.map(|raw| raw.check(env, &mut faults));
        let is_faulty = !faults.is_empty();
        // The places of thousands of routes are noted only when there is something to say of one.
        let (faults, warnings) = if is_faulty || faults.has_warnings() {
            faults.placed(&tree::Places::of(text, &tree))
        } else {
            (vec![], vec![])
        };
        match config {
            Some(config) if !is_faulty => Ok(Checked { config, warnings }),
            _ => {
                let name = name.to_owned();
                Err(ConfigFaults {
                    name,
                    faults,
                    warnings,
                })
            }
        }
    }
}
