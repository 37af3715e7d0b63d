//! The configuration of introspection servers: as written, and checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;

use crate::{
    authority::{BreakerConfig, Endpoint, EndpointAt, RawBreaker, RawClient, RawEndpoint},
    config::{ConfigEnv, Faults, Problem, values::Limits, values::shown},
    layers::jwt::{IssuerConfig, RawAnswer, RawClaims, RawFormat, RawPath, RawScalar},
};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

const CACHE: Limits = Limits {
    min: 0,
    max: 300,
    default: 30,
};
const NEGATIVE: Limits = Limits {
    min: 0,
    max: 60,
    default: 10,
};
const WITHOUT_EXPIRY: Limits = Limits {
    min: 1,
    max: 60,
    default: 10,
};
const RECENT: Limits = Limits {
    min: 1,
    max: 3600,
    default: 300,
};

/// One server that knows opaque tokens (RFC 7662): where it is asked, who asks, and what its answers mean.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawIntrospection {
    /// The name of the server in logs, and for `introspection` of a route. Default: the value of `issuer`.
    name: Option<String>,
    /// The https address of the introspection endpoint. Required.
    endpoint: Option<String>,
    /// Who this gate is at the server. Required.
    client: Option<RawClient>,
    /// The exact text of `iss`. Subjects are told apart by it; an answer may leave it out, but not name another. Required.
    issuer: Option<String>,
    /// How the opaque tokens of this server begin, such as `ory_at_`. A token goes to the server with the longest prefix
    /// that fits.
    token_prefixes: Option<Vec<String>>,
    /// Whether tokens with no prefix that is configured go here. At most one server may say so. Default: `true` where it is
    /// the only server and has no `token_prefixes`.
    default: Option<bool>,
    /// The values of `aud` that name this API; an answer needs one of them, exactly. Required, unless `client_ids` is set.
    audiences: Option<Vec<String>>,
    /// The OAuth clients whose tokens are accepted; an answer must then name one of them in the claim that
    /// `claims.client_id` says.
    client_ids: Option<Vec<String>>,
    /// How far the clocks of server and gateway may differ, in seconds, 0 to 300. Default: 60.
    leeway_seconds: Option<i64>,
    /// Members of the answer that must have one of the listed values, by claim path, such as `{ token_type = ["Bearer"] }`.
    required_claims: Option<BTreeMap<String, Vec<RawScalar>>>,
    /// Which members of the answer carry scopes, roles, tenant, client and subject.
    claims: Option<RawClaims>,
    /// The form of the scopes: `text` (words with single spaces between them) or `list`. Default: `text` for members called
    /// `scope` or `scp`, `list` for any other.
    scope_format: Option<RawFormat>,
    /// The form of the roles.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "list")))]
    role_format: Option<RawFormat>,
    /// Members of the answer to hand to the backend: context name to claim path.
    context: Option<BTreeMap<String, RawPath>>,
    /// Whether the server signs its answers (RFC 9701). Then an answer that is not signed is refused. The keys are found as
    /// for `issuers`: at `jwks_uri`, else by discovery.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    signed: Option<bool>,
    /// The algorithms of signed answers; those that `issuers` may have.
    algorithms: Option<Vec<String>>,
    /// The https address of the keys of signed answers.
    jwks_uri: Option<String>,
    /// How long an active token is remembered, in seconds, and never beyond its `exp`. A revoked token works for so long, and
    /// then for as long as the cache of the gateway says.
    #[cfg_attr(feature = "schema", schemars(range(min = CACHE.min, max = CACHE.max), extend("default" = CACHE.default)))]
    cache_seconds: Option<i64>,
    /// How long a token that is not active is remembered, in seconds; at most `cache_seconds`.
    #[cfg_attr(feature = "schema", schemars(range(min = NEGATIVE.min, max = NEGATIVE.max), extend("default" = NEGATIVE.default)))]
    negative_cache_seconds: Option<i64>,
    /// How long an answer without `exp` is good, in seconds, in every cache.
    #[cfg_attr(feature = "schema", schemars(range(min = WITHOUT_EXPIRY.min, max = WITHOUT_EXPIRY.max), extend("default" = WITHOUT_EXPIRY.default)))]
    without_expiry_seconds: Option<i64>,
    /// How long after an answer a token counts as recently active, in seconds, for routes with
    /// `on_outage = "recently_active"`; never beyond its `exp`.
    #[cfg_attr(feature = "schema", schemars(range(min = RECENT.min, max = RECENT.max), extend("default" = RECENT.default)))]
    recently_active_seconds: Option<i64>,
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

/// One introspection server, checked.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The name.
    pub name: String,
    /// Where it is asked, and who asks.
    pub endpoint: Endpoint,
    pub(super) answers: Arc<IssuerConfig>,
    pub(super) signed: bool,
    pub(super) prefixes: Vec<String>,
    pub(super) is_default: bool,
    pub(super) cache: i64,
    pub(super) negative: i64,
    pub(super) recent: i64,
    pub(super) breaker: BreakerConfig,
}

impl ServerConfig {
    /// The exact text of `iss`.
    pub fn issuer(&self) -> &str {
        &self.answers.issuer
    }

    /// Whether sandboxes tell each other of its breaker.
    pub const fn shares_breaker(&self) -> bool {
        self.breaker.shared
    }
}

/// Checks all servers, each by itself and against the others.
pub(crate) fn check(
    raw: Option<Vec<RawIntrospection>>,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Vec<Arc<ServerConfig>> {
    let raw = raw.unwrap_or_default();
    let only = raw.len() == 1;
    let (mut names, mut prefixes) = (BTreeSet::new(), BTreeSet::new());
    let mut default = false;
    let mut servers = vec![];
    for (index, raw) in raw.into_iter().enumerate() {
        let path = format!("introspection[{index}]");
        let name = raw.name.clone().or_else(|| raw.issuer.clone());
        if let Some(name) = name
            && !names.insert(name.clone())
        {
            let value = shown(&name);
            faults.problem(format!("{path}.name"), Problem::Repeated { value });
        }
        for (at, prefix) in raw.token_prefixes.iter().flatten().enumerate() {
            if !prefixes.insert(prefix.clone()) {
                let value = shown(prefix);
                let place = format!("{path}.token_prefixes[{at}]");
                faults.problem(place, Problem::Repeated { value });
            }
        }
        if raw.default == Some(true) && std::mem::replace(&mut default, true) {
            faults.add(
                format!("{path}.default"),
                "another server is the default already; tokens without a prefix go to one",
            );
        }
        servers.extend(raw.check(&path, only, env, faults).map(Arc::new));
    }
    servers
}

impl RawIntrospection {
    fn check(
        self,
        path: &str,
        only: bool,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<ServerConfig> {
        let at = |field: &str| format!("{path}.{field}");
        let http = self.danger_allow_http.unwrap_or(false);
        if http {
            faults.warn(
                at("danger_allow_http"),
                "tokens and the secret travel over http and to private addresses: whoever controls that network can read them and say which tokens are active",
            );
        }
        let prefixes = self.token_prefixes;
        check_prefixes(prefixes.as_deref(), &at("token_prefixes"), faults);
        let is_default = self.default.unwrap_or(only && prefixes.is_none());
        let cache = CACHE.check(self.cache_seconds, &at("cache_seconds"), faults);
        let negative = NEGATIVE.check(
            self.negative_cache_seconds,
            &at("negative_cache_seconds"),
            faults,
        );
        if self.negative_cache_seconds.is_some() && negative > cache {
            let (other, max, found) = ("cache_seconds", cache, negative);
            faults.problem(
                at("negative_cache_seconds"),
                Problem::AboveOther { other, max, found },
            );
        }
        let without_expiry = WITHOUT_EXPIRY.check(
            self.without_expiry_seconds,
            &at("without_expiry_seconds"),
            faults,
        );
        let recent = RECENT.check(
            self.recently_active_seconds,
            &at("recently_active_seconds"),
            faults,
        );
        let breaker = self
            .breaker
            .unwrap_or_default()
            .check(&at("breaker"), faults);
        let issuer = self.issuer.clone().unwrap_or_default();
        let place = EndpointAt {
            path,
            setting: "endpoint",
            audience: &issuer,
            max_bytes: MAX_ANSWER,
        };
        let endpoint = place.check(
            RawEndpoint {
                url: self.endpoint,
                client: self.client,
                timeout_ms: self.timeout_ms,
                ca_file: self.ca_file,
                http,
            },
            env,
            faults,
        );
        let signed = self.signed.unwrap_or(false);
        let answers = RawAnswer {
            name: self.name,
            issuer: self.issuer,
            audiences: self.audiences,
            client_ids: self.client_ids,
            leeway_seconds: self.leeway_seconds,
            required_claims: self.required_claims,
            claims: self.claims,
            scope_format: self.scope_format,
            role_format: self.role_format,
            context: self.context,
            signed,
            algorithms: self.algorithms,
            jwks_uri: self.jwks_uri,
            http,
            without_expiry: without_expiry.into(),
        };
        let answers = answers.check(path, env.read_file, faults);
        let answers = answers?;
        Some(ServerConfig {
            name: answers.name.to_string(),
            endpoint: endpoint?,
            answers: Arc::new(answers),
            signed,
            prefixes: prefixes.unwrap_or_default(),
            is_default,
            cache: cache.into(),
            negative: negative.min(cache).into(),
            recent: recent.into(),
            breaker,
        })
    }
}

fn check_prefixes(prefixes: Option<&[String]>, path: &str, faults: &mut Faults) {
    let Some(prefixes) = prefixes else { return };
    if prefixes.is_empty() {
        let otherwise = "; leave it out for tokens of any form";
        let what = "prefix";
        faults.problem(path, Problem::Empty { what, otherwise });
    }
    for (index, prefix) in prefixes.iter().enumerate() {
        let fits = (1..=64).contains(&prefix.len())
            && prefix
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
        if !fits {
            let found = shown(prefix);
            let message =
                format!("must be 1 to 64 characters that a token may have, found `{found}`");
            faults.add(format!("{path}[{index}]"), message);
        }
    }
}
