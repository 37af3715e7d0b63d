//! Clients and breakers as written.

use serde::Deserialize;

use crate::config::{RawSecret, values::Limits};

pub(super) const TIMEOUT: Limits = Limits {
    min: 100,
    max: 5000,
    default: 2000,
};
pub(super) const FAILURES: Limits = Limits {
    min: 1,
    max: 100,
    default: 5,
};
pub(super) const OPEN: Limits = Limits {
    min: 1,
    max: 600,
    default: 15,
};

/// Who this gate is at the authorization server, and how it proves that. What goes with which `auth`: `secret` with the two
/// of `client_secret_…`; `private_key` and `algorithm` with `private_key_jwt`; `private_key` and `certificate_file` with
/// `tls_client_auth`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawClient {
    /// The client id that the server knows this gate by. Required.
    pub(super) id: Option<String>,
    /// How the client proves who it is; the words of the IANA registry *OAuth Token Endpoint Authentication Methods*.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "client_secret_basic")))]
    pub(super) auth: Option<RawClientAuth>,
    /// The client secret: `env:NAME`, `ssm:/name` or `secretsmanager:name`.
    pub(super) secret: Option<RawSecret>,
    /// The other secret while one is being replaced. A server that refuses the one is asked once more with the other, so
    /// that it does not matter when exactly the server changes.
    pub(super) previous_secret: Option<RawSecret>,
    /// The private key as PEM (PKCS#8): `env:NAME`, `ssm:/name` or `secretsmanager:name`.
    pub(super) private_key: Option<RawSecret>,
    /// The name of the key (`kid`), where the server knows several.
    pub(super) key_id: Option<String>,
    /// The algorithm of the assertion: one of those that `issuers` may have.
    pub(super) algorithm: Option<String>,
    /// The audience of the assertion. Default: `issuer` of the server; for an exchange its `token_endpoint`.
    pub(super) audience: Option<String>,
    /// A file of the bundle with the certificate, and those between it and its authority, as PEM.
    pub(super) certificate_file: Option<String>,
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum RawClientAuth {
    /// Id and secret in the `Authorization` header.
    ClientSecretBasic,
    /// Id and secret in the form.
    ClientSecretPost,
    /// A signed assertion in the form.
    PrivateKeyJwt,
    /// A client certificate.
    TlsClientAuth,
}

impl RawClientAuth {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
        }
    }
}

/// When a server that fails is left alone, and for how long.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawBreaker {
    /// After so many failures one after the other nothing is sent for a while: no answer in time, a status of 401, 403, 429 or
    /// 500 and above, an answer that cannot be read.
    #[cfg_attr(feature = "schema", schemars(range(min = FAILURES.min, max = FAILURES.max), extend("default" = FAILURES.default)))]
    pub(super) failures: Option<i64>,
    /// For how long, in seconds. After that one call is sent as a probe, and its outcome decides.
    #[cfg_attr(feature = "schema", schemars(range(min = OPEN.min, max = OPEN.max), extend("default" = OPEN.default)))]
    pub(super) open_seconds: Option<i64>,
    /// Whether sandboxes tell each other through the table of counters, so that a fresh one need not find an outage by
    /// itself. Costs a read when a sandbox starts, and reads and writes when something changes.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    pub(super) shared: Option<bool>,
}

/// What every section with an endpoint has.
pub(crate) struct RawEndpoint {
    pub(crate) url: Option<String>,
    pub(crate) client: Option<RawClient>,
    pub(crate) timeout_ms: Option<i64>,
    pub(crate) ca_file: Option<String>,
    pub(crate) http: bool,
}
