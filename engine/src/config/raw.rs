//! The configuration as written: every value optional, nothing checked.

use std::{collections::BTreeMap, sync::Arc};

use doorward_keys::Secret;
use serde::Deserialize;

use super::{
    AnswersConfig, Config, ConfigEnv, HttpApiAnswer, RateLimited, TokensConfig,
    addresses::{AddressLists, RawList},
    caching,
    faults::Faults,
    identity_sources, issuer_header, issuers,
    problems::Problem,
    routes::{self, RawRoute},
    secrets::RawSecret,
    shape,
    tree::{Node, Reading},
    values::{self, Limits},
};
use crate::identity_token::RawIdentityToken;
use crate::key_admin::RawKeyAdmin;
use crate::layers::{
    api_key::{ApiKeysConfig, RawApiKeys},
    block_list::RawBlockList,
    certificate::RawCertificates,
    exchange::{self, RawExchange},
    introspection::{self, RawIntrospection},
    ip_allow::RawAddresses,
    policy::RawPolicy,
    proof::RawDpop,
    rate_limit::{self, RawCharge, RawLimit, RawLimitsStore, RawPlan},
};
use crate::leaks::RawLeaks;
use crate::{
    leaks::LeaksConfig,
    routes::{Kind, Route, RouteTable},
    usage::{RawUsage, UsageConfig},
};

/// The configuration of Doorward.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawConfig {
    /// The address of this schema, for editors. Not read.
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    /// API keys. Without this table no key is accepted.
    api_keys: Option<RawApiKeys>,
    /// Where tokens may stand and how long they may be.
    tokens: Option<RawTokens>,
    /// Client certificates. Without this table none is looked at.
    certificates: Option<RawCertificates>,
    /// Proofs of possession (`DPoP`). Without this table no token that is bound to a key is accepted.
    dpop: Option<RawDpop>,
    /// Rules on addresses for every route, and how the address of the caller is found.
    addresses: Option<RawAddresses>,
    /// Named lists for `allow`, `deny` and `trusted_proxies`: addresses and ranges, or `{ file = "office.txt" }` for a
    /// file beside the configuration with one on each line, where `#` begins a comment.
    address_lists: Option<BTreeMap<String, RawList>>,
    /// Issuers of tokens. Without one no token is accepted.
    issuers: Option<Vec<issuers::RawIssuer>>,
    /// Servers that know opaque tokens (RFC 7662). Without one no opaque token is accepted.
    introspection: Option<Vec<RawIntrospection>>,
    /// Ways to swap the caller's token for one that the backend takes (RFC 8693), for `exchange` of a route.
    exchanges: Option<Vec<RawExchange>>,
    /// Named limits, for `limits` of a route, `default_limits` and `addresses.limit`: how many requests in what time, and whose
    /// requests are counted together.
    limits: Option<BTreeMap<String, RawLimit>>,
    /// What each route spends from that has no `limits` of its own: names of limits, or tables with `name` and `cost`.
    default_limits: Option<Vec<RawCharge>>,
    /// Plans by name: other numbers for the keys that have one. A key with a plan that does not stand here is refused on
    /// routes with limits.
    plans: Option<BTreeMap<String, RawPlan>>,
    /// Where limits are counted.
    limits_store: Option<RawLimitsStore>,
    /// Routes: what a caller needs where. A request that matches none is refused.
    routes: Option<Vec<RawRoute>>,
    /// How policies are written.
    policy: Option<RawPolicy>,
    /// How answers are shaped.
    answers: Option<RawAnswers>,
    /// Tokens that must die before they expire. Without this table none can be blocked.
    block_list: Option<RawBlockList>,
    /// How the use of API keys is counted. Without this table it is, where there is a table of counters.
    usage: Option<RawUsage>,
    /// A signed token for the backend, beside the context. Without this table none is minted.
    identity_token: Option<RawIdentityToken>,
    /// Who may administer keys over the API of key administration. Without this table every principal that IAM lets call it.
    key_admin: Option<RawKeyAdmin>,
    /// What becomes of keys that are reported as leaked. Without this table no report is taken.
    leaks: Option<RawLeaks>,
}

/// Where tokens may stand and how long they may be.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RawTokens {
    /// The longest token that is looked at, in bytes.
    #[cfg_attr(feature = "schema", schemars(range(min = MAX_TOKEN.min, max = MAX_TOKEN.max), extend("default" = MAX_TOKEN.default)))]
    max_bytes: Option<i64>,
    /// A query parameter that may carry a token. Off unless named: query strings end up in logs (RFC 6750 section 5.3).
    query_parameter: Option<String>,
    /// A cookie that may carry a token. Off unless named.
    cookie: Option<String>,
    /// A header by which callers say of which issuer an opaque token is, such as `X-Token-Issuer`: its value is the exact
    /// `issuer` of one of the servers in `introspection`. It only chooses between them; a value that is none of theirs is
    /// refused. Off unless named. It must be among the identity sources of an authorizer that caches.
    issuer_header: Option<String>,
}

/// How answers are shaped.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RawAnswers {
    /// What HTTP APIs with payload format 2.0 expect. Must agree with `EnableSimpleResponses` of the authorizer.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "policy")))]
    http_api: Option<RawHttpApi>,
    /// What becomes of a request over a limit.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "deny")))]
    rate_limited: Option<RawRateLimited>,
    /// The value of a usage-plan key without any allowance, for `rate_limited = "penalty_key"`: `env:NAME`, `ssm:/name` or
    /// `secretsmanager:name`. 20 to 128 characters, as the gateway demands.
    penalty_key: Option<RawSecret>,
    /// The value of the usage-plan key of callers who have none of their own, for REST APIs that require keys, as with
    /// `rate_limited = "penalty_key"`: `env:NAME`, `ssm:/name` or `secretsmanager:name`. Default: they get none.
    usage_plan_key: Option<RawSecret>,
    /// The longest policy document, in bytes. A longer one is narrowed to fewer routes, never cut.
    #[cfg_attr(feature = "schema", schemars(range(min = MAX_POLICY.min, max = MAX_POLICY.max), extend("default" = MAX_POLICY.default)))]
    max_policy_bytes: Option<i64>,
    /// The longest context for the backend, in bytes.
    #[cfg_attr(feature = "schema", schemars(range(min = MAX_CONTEXT.min, max = MAX_CONTEXT.max), extend("default" = MAX_CONTEXT.default)))]
    max_context_bytes: Option<i64>,
}

/// What an HTTP API expects as answer.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawHttpApi {
    /// An IAM policy.
    Policy,
    /// `isAuthorized`: one yes or no. The gateway's cache applies it to every route of the authorizer, and past expiry and
    /// address lists: put `$context.routeKey`, and `$context.identity.sourceIp` where there are lists, among the identity
    /// sources, or set the time to live to 0.
    Simple,
}

/// What becomes of a request over a limit.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawRateLimited {
    /// It is refused by a policy: 403, or the one status that the API gives to `ACCESS_DENIED`.
    Deny,
    /// It is allowed under `penalty_key`, so that the gateway answers 429. For REST APIs with `ApiKeySourceType: AUTHORIZER`
    /// and `ApiKeyRequired: true` only: on any other the call would pass.
    PenaltyKey,
    /// It is allowed with `rateLimited` in the context, and the backend answers 429.
    Backend,
}

const MAX_TOKEN: Limits = Limits {
    min: 256,
    max: 16384,
    default: 8192,
};
const MAX_POLICY: Limits = Limits {
    min: 512,
    max: 8192,
    default: 8192,
};
const MAX_CONTEXT: Limits = Limits {
    min: 256,
    max: 8192,
    default: 4096,
};

/// The tree as raw structures. What does not fit is reported and left out.
pub(super) fn read(tree: &mut Node, reading: Reading, faults: &mut Faults) -> Option<RawConfig> {
    let parse = |tree: &Node| serde_json::from_value(tree.to_json()?).ok();
    if reading == Reading::Whole
        && let Some(raw) = parse(tree)
    {
        return Some(raw);
    }
    let before = faults.len();
    shape::prune(tree, faults);
    if reading == Reading::Partial {
        return None;
    }
    let raw = parse(tree);
    if raw.is_none() && faults.len() == before {
        faults.add("", "the text does not fit the schema; check it in an editor with `docs/doorward.schema.json`");
    }
    raw
}

impl RawConfig {
    /// The kinds of credentials that are configured. What was taken out because of its faults counts.
    fn kinds(&self, faults: &Faults) -> routes::Configured {
        let is_there = |name: &str, is_there: bool| is_there || faults.is_replaced(name);
        let issuers = self.issuers.as_ref().is_some_and(|list| !list.is_empty());
        let servers = self.introspection.as_ref();
        let servers = servers.is_some_and(|list| !list.is_empty());
        let found = [
            (Kind::ApiKey, "api_keys", self.api_keys.is_some()),
            (Kind::Jwt, "issuers", issuers),
            (
                Kind::Certificate,
                "certificates",
                self.certificates.is_some(),
            ),
            (Kind::Opaque, "introspection", servers),
        ];
        let found = found
            .into_iter()
            .filter(|(_, name, is_set)| is_there(name, *is_set));
        found.map(|(kind, ..)| kind).collect()
    }

    /// The checked configuration. It holds defaults wherever a fault was found, and must not be used then.
    pub(super) fn check(self, env: &ConfigEnv<'_>, faults: &mut Faults) -> Config {
        let danger_anywhere = self
            .addresses
            .as_ref()
            .is_some_and(RawAddresses::allows_anywhere);
        let kinds = self.kinds(faults);
        let mut lists = AddressLists::read(self.address_lists, danger_anywhere, env, faults);
        let certificates = self.certificates.and_then(|raw| raw.check(env, faults));
        let certificates = certificates.map(Arc::new);
        let dpop = self.dpop.map(|raw| Arc::new(raw.check(env, faults)));
        let named_headers = self
            .api_keys
            .as_ref()
            .is_some_and(RawApiKeys::names_headers);
        let api_keys = self.api_keys.and_then(|raw| raw.check(env, faults));
        let issuers = issuers::check(self.issuers, env, faults);
        let before = faults.len();
        let servers = introspection::check(self.introspection, env, faults);
        let exchanges = exchange::check(self.exchanges, env, faults);
        // A server with a fault of its own is not there to be named; that it is missing follows from that.
        let named = (faults.len() == before
            && !faults.is_replaced("introspection")
            && !faults.is_replaced("exchanges"))
        .then(|| routes::Named::of(&servers, &exchanges));
        let identity_token = self.identity_token.and_then(|raw| {
            let accepted = issuers.iter().map(|issuer| &*issuer.issuer);
            raw.check(accepted, env, faults).map(Arc::new)
        });
        let tokens = self.tokens.unwrap_or_default().check(faults);
        let (mut limits, mut uses) =
            rate_limit::check(self.limits, self.plans, self.limits_store, env, faults);
        let mut addresses = self.addresses.unwrap_or_default();
        limits.before_credentials = uses.before_credentials(addresses.limit.take(), faults);
        let addresses = addresses.check(&mut lists, faults);
        let answers = self.answers.unwrap_or_default().check(env, faults);
        let policy = self.policy.unwrap_or_default().check();
        let usage = match self.usage {
            None => UsageConfig::default(),
            Some(raw) => raw.check(kinds.has(Kind::ApiKey), faults),
        };
        check_unused(api_keys.as_ref(), &usage, faults);
        let key_admin = self.key_admin.unwrap_or_default().check(faults);
        let has_keys = kinds.has(Kind::ApiKey);
        let leaks = check_leaks(self.leaks, has_keys, api_keys.as_ref(), faults);
        let has_tokens = kinds.has(Kind::Jwt) || kinds.has(Kind::Opaque);
        let block_list = self.block_list.map(|raw| raw.check(has_tokens, faults));
        uses.default(self.default_limits, faults);
        let context = routes::Surroundings {
            configured: &kinds,
            answers: &answers,
            named: named.as_ref(),
            lists: &mut lists,
            uses: &mut uses,
        };
        let routes = routes::check(self.routes, context, faults);
        uses.finish(&routes, &limits, faults);
        let rests = caching::Rests {
            on_certificates: routes.iter().any(Route::names_certificate),
            on_proofs: dpop.is_some(),
        };
        caching::check(&answers, &policy, rests, faults);
        if faults.is_empty() {
            lists.warn_unused(faults);
            let naming = issuers.iter().filter(|issuer| issuer.names_tenants());
            if naming.count() > 1 {
                uses.warn_of_tenants(faults);
            }
            routes::warn_unused(&routes, &kinds, faults);
            caching::warn_kept(&policy, rests, faults);
            routes::warn_unused_remote(named.as_ref(), &routes, faults);
            caching::warn(&answers, &addresses, &policy, &routes, faults);
            let places = identity_sources::Places {
                api_keys: api_keys.as_ref(),
                named_headers,
                tokens: &tokens,
            };
            identity_sources::warn(&places, &routes, faults);
        }
        check_parameters(api_keys.as_ref(), &tokens, faults);
        issuer_header::check(&tokens, api_keys.as_ref(), &kinds, &servers, faults);
        Config {
            api_keys,
            issuers,
            introspection: servers,
            exchanges,
            tokens,
            certificates,
            dpop,
            addresses,
            limits,
            routes: table(routes, faults),
            policy,
            answers,
            block_list,
            usage,
            identity_token,
            key_admin,
            leaks,
        }
    }
}

/// The checks before found every conflict in words of the configuration; whatever is left is told as it is.
fn table(routes: Vec<Route>, faults: &mut Faults) -> RouteTable {
    RouteTable::new(routes).unwrap_or_else(|conflict| {
        if faults.is_empty() {
            faults.add("routes", conflict.to_string());
        }
        RouteTable::default()
    })
}

fn check_leaks(
    raw: Option<RawLeaks>,
    has_keys: bool,
    api_keys: Option<&ApiKeysConfig>,
    faults: &mut Faults,
) -> Option<LeaksConfig> {
    let environments = api_keys.map(|keys| keys.format.environments.as_slice());
    raw.map(|raw| raw.check(has_keys, environments, faults))
}

/// What is not counted any more is not known.
fn check_unused(api_keys: Option<&ApiKeysConfig>, usage: &UsageConfig, faults: &mut Faults) {
    let path = "api_keys.unused_after_days";
    let (max, other) = (usage.retention_days, "usage.retention_days");
    if let Some(found) = api_keys.and_then(|keys| keys.unused_after_days)
        && found > max
        && !faults.is_replaced(other)
    {
        faults.problem(path, Problem::AboveOther { other, max, found });
    }
}

/// A query parameter carries a key or a token.
fn check_parameters(api_keys: Option<&ApiKeysConfig>, tokens: &TokensConfig, faults: &mut Faults) {
    let of_key = api_keys.and_then(|keys| keys.query_parameter.as_ref());
    let of_token = tokens.query_parameter.as_ref();
    if let Some(found) = of_token.filter(|_| of_key == of_token) {
        let other = "api_keys.query_parameter";
        let found = found.clone();
        faults.problem(
            "tokens.query_parameter",
            Problem::ParameterTaken { other, found },
        );
    }
}

impl RawTokens {
    fn check(self, faults: &mut Faults) -> TokensConfig {
        TokensConfig {
            max_bytes: MAX_TOKEN.check(self.max_bytes, "tokens.max_bytes", faults) as usize,
            query_parameter: values::query_parameter(
                self.query_parameter,
                "tokens.query_parameter",
                faults,
            ),
            cookie: values::cookie(self.cookie, "tokens.cookie", faults),
            issuer_header: self
                .issuer_header
                .and_then(|name| values::header(&name, "tokens.issuer_header", faults)),
        }
    }
}

impl RawAnswers {
    fn check(self, env: &ConfigEnv<'_>, faults: &mut Faults) -> AnswersConfig {
        AnswersConfig {
            rate_limited: self.rate_limited(env, faults),
            usage_plan_key: self.usage_plan_key(env, faults),
            http_api: match self.http_api {
                None | Some(RawHttpApi::Policy) => HttpApiAnswer::Policy,
                Some(RawHttpApi::Simple) => HttpApiAnswer::Simple,
            },
            max_policy_bytes: MAX_POLICY.check(
                self.max_policy_bytes,
                "answers.max_policy_bytes",
                faults,
            ) as usize,
            max_context_bytes: MAX_CONTEXT.check(
                self.max_context_bytes,
                "answers.max_context_bytes",
                faults,
            ) as usize,
        }
    }

    fn rate_limited(&self, env: &ConfigEnv<'_>, faults: &mut Faults) -> RateLimited {
        let path = "answers.penalty_key";
        let wanted = self.rate_limited.unwrap_or(RawRateLimited::Deny);
        match (wanted, &self.penalty_key) {
            (RawRateLimited::PenaltyKey, None) => {
                if !faults.is_replaced(path) {
                    let what = "the value of a usage-plan key without any allowance";
                    faults.problem(path, Problem::Missing { what });
                }
                RateLimited::Deny
            }
            (RawRateLimited::PenaltyKey, Some(key)) => {
                match key.fetch_plan_key(path, env, faults) {
                    Some(key) => RateLimited::PenaltyKey(key),
                    None => RateLimited::Deny,
                }
            }
            (wanted, key) => {
                if key.is_some() && !faults.is_replaced("answers.rate_limited") {
                    faults.problem(path, Problem::PenaltyKeyAlone);
                }
                match wanted {
                    RawRateLimited::Backend => RateLimited::Backend,
                    RawRateLimited::Deny | RawRateLimited::PenaltyKey => RateLimited::Deny,
                }
            }
        }
    }
    fn usage_plan_key(&self, env: &ConfigEnv<'_>, faults: &mut Faults) -> Option<Secret<String>> {
        let path = "answers.usage_plan_key";
        if let Some(key) = &self.usage_plan_key {
            return key.fetch_plan_key(path, env, faults);
        }
        if self.rate_limited == Some(RawRateLimited::PenaltyKey) && !faults.is_replaced(path) {
            faults.warning(path, Problem::PlanKeyMissing);
        }
        None
    }
}
