//! The configuration of exchanges: as written, and checked.

use std::{collections::BTreeSet, sync::Arc};

use serde::Deserialize;

use crate::{
    authority::{BreakerConfig, Endpoint, EndpointAt, RawBreaker, RawClient, RawEndpoint},
    config::{
        ConfigEnv, Faults, Problem,
        values::{Limits, distinct, shown},
    },
};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

const MARGIN: Limits = Limits {
    min: 5,
    max: 600,
    default: 30,
};

/// One way to swap the caller's token for one that the backend takes (RFC 8693). Which is in the context of the answer as
/// `downstreamToken`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawExchange {
    /// The name, for `exchange` of a route and for logs. Required.
    name: Option<String>,
    /// The https address of the token endpoint. Required.
    token_endpoint: Option<String>,
    /// Who this gate is at the server. Required.
    client: Option<RawClient>,
    /// The services that the new token is for, by their names at the server (`audience`, RFC 8693 section 2.1). This or
    /// `resources` is required.
    audiences: Option<Vec<String>>,
    /// The services that the new token is for, by their addresses (`resource`, RFC 8707).
    resources: Option<Vec<String>>,
    /// The scopes that are asked for. Default: what the server gives.
    scopes: Option<Vec<String>>,
    /// What the caller's token is called in the request.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "access_token")))]
    subject_token_type: Option<RawTokenType>,
    /// What is asked for. Default: what the server gives; it must be a JWT in the end.
    requested_token_type: Option<RawTokenType>,
    /// How long before its expiry a token is handed out no more, in seconds. An answer of this gate ends so long before the
    /// token in it, in the gateway's cache too.
    #[cfg_attr(feature = "schema", schemars(range(min = MARGIN.min, max = MARGIN.max), extend("default" = MARGIN.default)))]
    margin_seconds: Option<i64>,
    /// How long the server may take in all, in milliseconds, 100 to 5000. Default: 2000.
    timeout_ms: Option<i64>,
    /// When a server that fails is left alone, and for how long.
    breaker: Option<RawBreaker>,
    /// A file of the bundle with the certificates of the authorities that are trusted for this server, in place of the
    /// public ones, as PEM.
    ca_file: Option<String>,
    /// Ask over http and at private addresses too. For development, and for servers inside a VPC whose network you trust as
    /// much as the secret and the tokens themselves.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    danger_allow_http: Option<bool>,
}

/// A type of tokens (RFC 8693 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum RawTokenType {
    /// An access token of the server, whatever its form.
    AccessToken,
    /// A JWT.
    Jwt,
}

impl RawTokenType {
    const fn urn(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }
}

/// One exchange, checked.
#[derive(Clone, Debug)]
pub struct ExchangeConfig {
    /// The name.
    pub name: String,
    /// Where it is made, and who asks.
    pub endpoint: Endpoint,
    pub(super) audiences: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) scope: Option<String>,
    pub(super) subject_token_type: &'static str,
    pub(super) requested_token_type: Option<&'static str>,
    pub(super) margin: i64,
    pub(super) breaker: BreakerConfig,
}

impl ExchangeConfig {
    /// Whether sandboxes tell each other of its breaker.
    pub const fn shares_breaker(&self) -> bool {
        self.breaker.shared
    }
}

/// Checks all exchanges.
pub(crate) fn check(
    raw: Option<Vec<RawExchange>>,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Vec<Arc<ExchangeConfig>> {
    let mut names = BTreeSet::new();
    let mut exchanges = vec![];
    for (index, raw) in raw.unwrap_or_default().into_iter().enumerate() {
        let path = format!("exchanges[{index}]");
        if let Some(name) = &raw.name
            && !names.insert(name.clone())
        {
            let value = shown(name);
            faults.problem(format!("{path}.name"), Problem::Repeated { value });
        }
        exchanges.extend(raw.check(&path, env, faults).map(Arc::new));
    }
    exchanges
}

impl RawExchange {
    fn check(self, path: &str, env: &ConfigEnv<'_>, faults: &mut Faults) -> Option<ExchangeConfig> {
        let at = |field: &str| format!("{path}.{field}");
        let name = self.name(&at("name"), faults);
        let http = self.danger_allow_http.unwrap_or(false);
        if http {
            faults.warn(
                at("danger_allow_http"),
                "tokens and the secret travel over http and to private addresses: whoever controls that network can read them",
            );
        }
        if self.audiences.is_none() && self.resources.is_none() {
            let what = "name the service that the new token is for, here or in `resources`";
            faults.problem(at("audiences"), Problem::Missing { what });
        }
        let texts = |list: Option<Vec<String>>, setting: &str, faults: &mut Faults| {
            let Some(list) = list else { return vec![] };
            let path = at(setting);
            if list.is_empty() {
                let (what, otherwise) = ("service", "");
                faults.problem(&path, Problem::Empty { what, otherwise });
            }
            distinct(&list, &path, faults);
            list
        };
        let audiences = texts(self.audiences, "audiences", faults);
        let resources = texts(self.resources, "resources", faults);
        for (index, resource) in resources.iter().enumerate() {
            // RFC 8707 section 2.
            if !resource.contains(':') || resource.contains('#') || resource.contains(' ') {
                let found = shown(resource);
                let message = format!(
                    "must be an absolute address without a fragment (RFC 8707 section 2), found `{found}`"
                );
                faults.add(format!("{path}.resources[{index}]"), message);
            }
        }
        for (index, scope) in self.scopes.iter().flatten().enumerate() {
            if let Some(problem) = crate::config::scope_problem(scope) {
                faults.problem(format!("{path}.scopes[{index}]"), problem);
            }
        }
        let margin = MARGIN.check(self.margin_seconds, &at("margin_seconds"), faults);
        let breaker = self
            .breaker
            .unwrap_or_default()
            .check(&at("breaker"), faults);
        let place = EndpointAt {
            path,
            setting: "token_endpoint",
            audience: "",
            max_bytes: MAX_ANSWER,
        };
        let endpoint = place.check(
            RawEndpoint {
                url: self.token_endpoint,
                client: self.client,
                timeout_ms: self.timeout_ms,
                ca_file: self.ca_file,
                http,
            },
            env,
            faults,
        );
        Some(ExchangeConfig {
            name: name?,
            endpoint: endpoint?,
            audiences,
            resources,
            scope: self.scopes.map(|scopes| scopes.join(" ")),
            subject_token_type: self
                .subject_token_type
                .unwrap_or(RawTokenType::AccessToken)
                .urn(),
            requested_token_type: self.requested_token_type.map(RawTokenType::urn),
            margin: margin.into(),
            breaker,
        })
    }

    fn name(&self, path: &str, faults: &mut Faults) -> Option<String> {
        let Some(name) = &self.name else {
            if !faults.is_replaced(path) {
                let what = "a short name for `exchange` of a route";
                faults.problem(path, Problem::Missing { what });
            }
            return None;
        };
        let fits = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        if fits {
            return Some(name.clone());
        }
        let found = shown(name);
        faults.problem(path, Problem::RouteName { found });
        None
    }
}
