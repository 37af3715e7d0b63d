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
mod issuers;
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

use std::sync::Arc;

use doorward_keys::Secret;

use crate::{
    layers::{
        api_key::ApiKeysConfig, ip_allow::AddressesConfig, jwt::IssuerConfig, policy::PolicyConfig,
        rate_limit::LimitsConfig,
    },
    routes::RouteTable,
};

pub(crate) use addresses::{AddressLists, RawRanges};
pub use context_names::GATEWAY_CONTEXT_NAMES;
pub use faults::{ConfigFaults, Fault, Faults};
pub use problems::CODES as FAULT_CODES;
pub(crate) use problems::Problem;
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
    /// Where tokens may stand and how long they may be.
    pub tokens: TokensConfig,
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
