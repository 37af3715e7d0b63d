//! Configuration: text to checked values, every fault at once with its place.

mod faults;

use std::sync::Arc;

use crate::{
    layers::{
        api_key::ApiKeysConfig, ip_allow::AddressesConfig, jwt::IssuerConfig, policy::PolicyConfig,
    },
    routes::Route,
};

pub use faults::{Fault, Faults};

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
    /// Routes; what matches none is refused.
    pub routes: Vec<Route>,
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

/// How answers are shaped.
#[derive(Clone, Debug)]
pub struct AnswersConfig {
    /// What HTTP APIs with payload 2.0 expect.
    pub http_api: HttpApiAnswer,
    /// The longest policy document, in bytes.
    pub max_policy_bytes: usize,
    /// The longest context, in bytes.
    pub max_context_bytes: usize,
}
