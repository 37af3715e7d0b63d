//! An issuer as it stands in the configuration. The doc comments are the text of the JSON Schema and of the settings
//! reference.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::config::values::Limits;

pub(super) const LEEWAY: Limits = Limits {
    min: 0,
    max: 300,
    default: 60,
};
/// The default is never used: absent means that nothing is limited.
pub(super) const MAX_LIFETIME: Limits = Limits {
    min: 1,
    max: 31_536_000,
    default: 31_536_000,
};
pub(super) const COOL_DOWN: Limits = Limits {
    min: 1,
    max: 3600,
    default: 30,
};
pub(super) const MIN_AGE: Limits = Limits {
    min: 1,
    max: 86_400,
    default: 60,
};
pub(super) const MAX_AGE: Limits = Limits {
    min: 1,
    max: 86_400,
    default: 3600,
};
pub(super) const STALE: Limits = Limits {
    min: 0,
    max: 604_800,
    default: 14_400,
};
pub(super) const MAX_KEYS: Limits = Limits {
    min: 1,
    max: 1000,
    default: 100,
};

/// One issuer of tokens: where its keys come from, which tokens are accepted, and what its claims mean.
///
/// Keys come from exactly one place: `jwks_uri`, `jwks_file`, `jwks`, or, when none of them is set, discovery at
/// `{issuer}/.well-known/openid-configuration` and then `/.well-known/oauth-authorization-server` (RFC 8414).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RawIssuer {
    /// The name of the issuer in logs and metrics: letters, digits, `-`, `_`, `.`. Default: the value of `issuer`.
    pub name: Option<String>,
    /// The exact text of the claim `iss`. It is compared character by character, a slash at the end included. Required.
    pub issuer: Option<String>,
    /// The https address of the key set, for issuers without discovery.
    pub jwks_uri: Option<String>,
    /// A file of the bundle with the key set (RFC 7517 section 5). Nothing is fetched; keys change with a deployment.
    pub jwks_file: Option<String>,
    /// The key set itself, written into the configuration. Public keys only.
    pub jwks: Option<serde_json::Map<String, serde_json::Value>>,
    /// The signature algorithms this issuer uses, at least one of: `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`,
    /// `ES256`, `ES384`, `ES512`, `EdDSA` (also written `Ed25519`). `none` and `HS256` and its kin do not exist here.
    /// Required.
    #[cfg_attr(feature = "schema", schemars(schema_with = "algorithms_schema"))]
    pub algorithms: Option<Vec<String>>,
    /// The values of `aud` that name this API; a token needs one of them, exactly. Required, except for the profiles
    /// `cognito_access` (optional there) and `cognito_id` (where `client_ids` is used in its place).
    pub audiences: Option<Vec<String>>,
    /// What kind of token is accepted.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "at+jwt")))]
    pub profile: Option<RawProfile>,
    /// The OAuth clients whose tokens are accepted. Required for the Cognito profiles; optional for the others, where a
    /// token must then name one of them in the claim that `claims.client_id` says.
    pub client_ids: Option<Vec<String>>,
    /// How far the clocks of issuer and gateway may differ, in seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = LEEWAY.min, max = LEEWAY.max), extend("default" = LEEWAY.default)))]
    pub leeway_seconds: Option<i64>,
    /// The longest accepted life of a token (`exp` minus `iat`), in seconds. Not limited where nothing is said.
    #[cfg_attr(feature = "schema", schemars(range(min = MAX_LIFETIME.min, max = MAX_LIFETIME.max)))]
    pub max_lifetime_seconds: Option<i64>,
    /// Claims that must have one of the listed values, by claim path: `{ "email_verified" = [true], "typ" = ["Bearer"] }`.
    /// A claim that is a list needs one element with a listed value.
    pub required_claims: Option<BTreeMap<String, Vec<RawScalar>>>,
    /// Which claims carry scopes, roles, tenant, client and subject.
    pub claims: Option<RawClaims>,
    /// The form of the scopes claim: `text` (words with single spaces between them) or `list`. Default: `text` for
    /// claims called `scope` or `scp`, `list` for any other.
    pub scope_format: Option<RawFormat>,
    /// The form of the roles claim.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "list")))]
    pub role_format: Option<RawFormat>,
    /// Claims to hand to the backend: context name to claim path, such as `{ email = "email" }`. Only text, numbers and
    /// booleans are handed on.
    pub context: Option<BTreeMap<String, RawPath>>,
    /// How long fetched keys are kept, and how often they may be fetched.
    pub key_set: Option<RawKeySet>,
    /// Fetch keys over http and from private addresses too. For development, and for issuers inside a VPC whose network
    /// you trust as much as the keys themselves.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    pub danger_allow_http: Option<bool>,
}

/// Which claims carry what. A path is text with dots between nested names (`realm_access.roles`; a name with dots of its
/// own goes in double quotes, and text with `://` is one name) or a list of names (`["https://acme.example/roles"]`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RawClaims {
    /// Scopes. Default: `scope`; none for `cognito_id`. Auth0 with RBAC: `permissions`. Entra and Okta: `scp`.
    pub scopes: Option<RawPath>,
    /// Roles. Default: `cognito:groups` for the Cognito profiles, else none. Entra: `roles`. Keycloak:
    /// `realm_access.roles`.
    pub roles: Option<RawPath>,
    /// The tenant. Default: none. Entra: `tid`. Auth0 organizations: `org_id`.
    pub tenant: Option<RawPath>,
    /// The OAuth client. Default: `client_id`; `aud` for `cognito_id`. Auth0, Keycloak and Entra v2: `azp`. Entra v1:
    /// `appid`.
    pub client_id: Option<RawPath>,
    /// The subject. Default: `sub`. Entra, across applications: `oid`.
    pub subject: Option<RawPath>,
}

/// How long fetched keys are kept, and how often they may be fetched. A withdrawn key stops working after at most
/// `max_age_seconds`, or, while the issuer cannot be reached, `max_age_seconds` + `stale_seconds`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RawKeySet {
    /// The least time between two fetches, in seconds, whatever tokens ask for and whether the last one
    /// succeeded.
    #[cfg_attr(feature = "schema", schemars(range(min = COOL_DOWN.min, max = COOL_DOWN.max), extend("default" = COOL_DOWN.default)))]
    pub cool_down_seconds: Option<i64>,
    /// How long keys are fresh at least, in seconds, whatever the issuer's Cache-Control says; at most `max_age_seconds`.
    #[cfg_attr(feature = "schema", schemars(range(min = MIN_AGE.min, max = MIN_AGE.max), extend("default" = MIN_AGE.default)))]
    pub min_age_seconds: Option<i64>,
    /// How long keys are fresh at most, in seconds, and when the issuer says nothing.
    #[cfg_attr(feature = "schema", schemars(range(min = MAX_AGE.min, max = MAX_AGE.max), extend("default" = MAX_AGE.default)))]
    pub max_age_seconds: Option<i64>,
    /// How long the last good keys serve on when a newer set cannot be had, in seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = STALE.min, max = STALE.max), extend("default" = STALE.default)))]
    pub stale_seconds: Option<i64>,
    /// The most keys a set may have.
    #[cfg_attr(feature = "schema", schemars(range(min = MAX_KEYS.min, max = MAX_KEYS.max), extend("default" = MAX_KEYS.default)))]
    pub max_keys: Option<i64>,
}

/// What kind of token an issuer gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RawProfile {
    /// Access tokens of RFC 9068: `typ` is `at+jwt`, and `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and
    /// `jti` are there.
    #[default]
    #[serde(rename = "at+jwt")]
    AccessToken,
    /// JWTs whose `typ` is `JWT` or missing, with iss, exp and aud: Auth0, Entra, Keycloak, Okta as they come.
    #[serde(rename = "legacy")]
    Legacy,
    /// Cognito access tokens: `token_use` is `access`, and `client_id` stands for the audience.
    #[serde(rename = "cognito_access")]
    CognitoAccess,
    /// Cognito id tokens: `token_use` is `id`, and `aud` is the client.
    #[serde(rename = "cognito_id")]
    CognitoId,
}

/// A claim path: text, or a list of names.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a claim path: text such as `realm_access.roles`, or a list of names"
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RawPath {
    /// Names with dots between them.
    Text(String),
    /// The names one by one.
    Names(Vec<String>),
}

/// The form of a claim with several words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RawFormat {
    /// Words with single spaces between them (RFC 6749 section 3.3).
    Text,
    /// A list of texts.
    List,
}

/// A value that a claim may have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected text, a whole number or a boolean")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RawScalar {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
}

#[cfg(feature = "schema")]
fn algorithms_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut names: Vec<&str> = super::super::algorithm::Algorithm::ALL
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    names.push("Ed25519");
    schemars::json_schema!({
        "type": ["array", "null"],
        "minItems": 1,
        "items": { "type": "string", "enum": names },
    })
}
