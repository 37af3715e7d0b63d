//! What an API has in the console: its kind, stage, authorizer and cache time.

use std::time::Duration;

use super::{
    identity::IdentitySource, peer::DefaultEndpoint, plans::UsagePlans, responses::DeniedStatus,
};

/// Which kind of API the gateway plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKind {
    /// A REST API (`AWS::ApiGateway`).
    Rest,
    /// An HTTP API (`AWS::ApiGatewayV2`).
    Http,
}

/// What the authorizer is sent, and what is expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// REST API, authorizer type `REQUEST`.
    RestRequest,
    /// REST API, authorizer type `TOKEN`: the value of one header and the method ARN.
    RestToken,
    /// HTTP API, payload format 1.0; a policy is expected.
    Http1,
    /// HTTP API, payload format 2.0; a policy is expected.
    Http2,
    /// HTTP API, payload format 2.0 with simple responses; `isAuthorized` is expected.
    Http2Simple,
}

impl Payload {
    /// The kind of API that has such an authorizer.
    pub const fn api(self) -> ApiKind {
        match self {
            Self::RestRequest | Self::RestToken => ApiKind::Rest,
            Self::Http1 | Self::Http2 | Self::Http2Simple => ApiKind::Http,
        }
    }
}

/// The settings of the API and its authorizer, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) payload: Payload,
    pub(super) stage: String,
    pub(super) identity_sources: Vec<IdentitySource>,
    pub(super) ttl: Duration,
    pub(super) plans: UsagePlans,
    pub(super) denied: DeniedStatus,
    pub(super) default_endpoint: DefaultEndpoint,
}

/// Why API Gateway would not take such settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Caching needs a key to cache under.
    #[error(
        "answers cannot be cached without an identity source; set the ttl to 0 or name an identity source"
    )]
    CacheWithoutKey,
    /// A TOKEN authorizer reads exactly one header.
    #[error("a token authorizer needs exactly one identity source, and it must be a header")]
    TokenSource,
    /// The longest time an answer may be cached is an hour.
    #[error("the ttl is {0} seconds; the gateway takes at most 3600")]
    TtlTooLong(u64),
    /// HTTP APIs have no usage plans.
    #[error(
        "an HTTP API has no usage plans; only `answers.rate_limited = \"backend\"` gives 429 there"
    )]
    PlansOfHttpApi,
    /// Stage names are letters, digits, `-` and `_`, or `$default` on an HTTP API.
    #[error(
        "`{0}` is not a stage name; letters, digits, `-` and `_` are, and `$default` on an HTTP API"
    )]
    Stage(String),
}

impl Settings {
    /// Checks what API Gateway checks when an authorizer is created (API Gateway Developer Guide, *Use API Gateway Lambda
    /// authorizers*; `CreateAuthorizer`).
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn new(
        payload: Payload,
        stage: &str,
        identity_sources: Vec<IdentitySource>,
        ttl: Duration,
    ) -> Result<Self, SettingsError> {
        if identity_sources.is_empty() && !ttl.is_zero() {
            return Err(SettingsError::CacheWithoutKey);
        }
        let is_one_header = matches!(identity_sources.as_slice(), [IdentitySource::Header(_)]);
        if payload == Payload::RestToken && !is_one_header {
            return Err(SettingsError::TokenSource);
        }
        if ttl > Duration::from_hours(1) {
            return Err(SettingsError::TtlTooLong(ttl.as_secs()));
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let is_plain = !stage.is_empty() && stage.chars().all(is_word);
        if !is_plain && (payload.api() == ApiKind::Rest || stage != "$default") {
            return Err(SettingsError::Stage(stage.to_owned()));
        }
        Ok(Self {
            payload,
            stage: stage.to_owned(),
            identity_sources,
            ttl,
            plans: UsagePlans::default(),
            denied: DeniedStatus::default(),
            default_endpoint: DefaultEndpoint::default(),
        })
    }

    /// The same API with usage plans, so that every route with an authorizer requires a key of one of them.
    ///
    /// # Errors
    /// [`SettingsError::PlansOfHttpApi`].
    pub fn with_plans(mut self, plans: UsagePlans) -> Result<Self, SettingsError> {
        if self.payload.api() == ApiKind::Http && !plans.is_empty() {
            return Err(SettingsError::PlansOfHttpApi);
        }
        self.plans = plans;
        Ok(self)
    }

    /// The same API with this status for what a policy does not allow. HTTP APIs always answer 403.
    #[must_use]
    pub const fn with_denied(mut self, denied: DeniedStatus) -> Self {
        self.denied = denied;
        self
    }

    /// The same API with a domain for mutual TLS, and this state of its default address.
    #[must_use]
    pub const fn with_default_endpoint(mut self, default_endpoint: DefaultEndpoint) -> Self {
        self.default_endpoint = default_endpoint;
        self
    }

    /// What the authorizer is sent.
    pub const fn payload(&self) -> Payload {
        self.payload
    }

    /// How long an answer of the authorizer is used again.
    pub const fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Whether answers are kept under `source`, among others.
    pub fn keeps_by(&self, source: &IdentitySource) -> bool {
        self.identity_sources.contains(source)
    }

    /// The status of what a policy does not allow, on a REST API.
    pub const fn denied(&self) -> DeniedStatus {
        self.denied
    }

    /// The ARN of a method and a path (API Gateway Developer Guide, *Amazon Resource Name format reference*). Region,
    /// account and API are made up; nothing may depend on them.
    pub(super) fn arn(&self, method: &str, path: &str) -> String {
        let stage = &self.stage;
        format!("arn:aws:execute-api:us-east-1:{ACCOUNT}:{API}/{stage}/{method}{path}")
    }
}

/// The account of the made-up API: the one in AWS's examples.
pub(super) const ACCOUNT: &str = "123456789012";
/// The id of the made-up API.
pub(super) const API: &str = "doorward00";

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> IdentitySource {
        IdentitySource::parse("header:Authorization").unwrap()
    }

    #[track_caller]
    fn check(payload: Payload, stage: &str, sources: &[IdentitySource], ttl: u64, expected: &str) {
        let found = Settings::new(payload, stage, sources.to_vec(), Duration::from_secs(ttl));
        let found = found.map_or_else(|error| error.to_string(), |_| "fits".to_owned());
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn refuses_what_api_gateway_would_not_take() {
        let query = IdentitySource::parse("query:token").unwrap();
        let rest = Payload::RestRequest;
        check(rest, "prod", &[header()], 300, "fits");
        check(rest, "prod", &[], 0, "fits");
        check(rest, "prod", &[], 1, "cannot be cached");
        check(rest, "prod", &[header()], 3601, "at most 3600");
        check(rest, "$default", &[header()], 0, "stage name");
        check(rest, "", &[header()], 0, "stage name");
        check(rest, "a/b", &[header()], 0, "stage name");
        check(Payload::Http2, "$default", &[header()], 0, "fits");
        check(Payload::RestToken, "prod", &[header()], 0, "fits");
        check(Payload::RestToken, "prod", &[query], 0, "exactly one");
        check(
            Payload::RestToken,
            "prod",
            &[header(), header()],
            0,
            "exactly one",
        );
    }
}
