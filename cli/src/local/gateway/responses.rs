//! The gateway responses of a REST API, as `template.yaml` declares them: status and headers of what the gateway answers by
//! itself. HTTP APIs have none.
//!
//! A header is a literal or a fact of `$context.authorizer` (API Gateway Developer Guide, *Set up gateway responses*). What the
//! authorizer did not say is left out; whether AWS leaves such a header out or sends it empty is not documented.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::context::Context;

/// A gateway response type, as far as they differ here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseType {
    Unauthorized,
    AccessDenied,
    InvalidApiKey,
    Throttled,
    QuotaExceeded,
    Other,
}

/// What a deployed API says about its own answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DeniedStatus {
    /// 403, as AWS has it.
    #[default]
    Forbidden,
    /// 429 for everything that a policy does not allow: the status of `ACCESS_DENIED` is one for all.
    TooManyRequests,
}

/// Where the value of a header comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Literal(&'static str),
    Authorizer(&'static str),
}

use Source::{Authorizer, Literal};

const ORIGIN: (&str, Source) = ("access-control-allow-origin", Literal("*"));
const NO_STORE: (&str, Source) = ("cache-control", Literal("no-store"));

const UNAUTHORIZED: &[(&str, Source)] = &[
    ORIGIN,
    ("access-control-expose-headers", Literal("WWW-Authenticate")),
    NO_STORE,
    ("www-authenticate", Literal("Bearer")),
];

const LIMITED: &[(&str, Source)] = &[
    ORIGIN,
    (
        "access-control-expose-headers",
        Literal(
            "Retry-After,X-RateLimit-Limit,X-RateLimit-Remaining,X-RateLimit-Reset,RateLimit,RateLimit-Policy",
        ),
    ),
    NO_STORE,
    ("retry-after", Authorizer("retryAfter")),
    ("x-ratelimit-limit", Authorizer("limit")),
    ("x-ratelimit-remaining", Authorizer("remaining")),
    ("x-ratelimit-reset", Authorizer("reset")),
    ("ratelimit", Authorizer("rateLimit")),
    ("ratelimit-policy", Authorizer("rateLimitPolicy")),
];

impl ResponseType {
    const fn headers(self) -> &'static [(&'static str, Source)] {
        match self {
            Self::Unauthorized => UNAUTHORIZED,
            Self::AccessDenied | Self::Throttled | Self::QuotaExceeded => LIMITED,
            Self::InvalidApiKey | Self::Other => &[ORIGIN],
        }
    }

    /// The status, where the API has another than AWS.
    pub(super) const fn status(self, denied: DeniedStatus) -> Option<StatusCode> {
        match (self, denied) {
            (Self::AccessDenied, DeniedStatus::TooManyRequests) => {
                Some(StatusCode::TOO_MANY_REQUESTS)
            }
            _ => None,
        }
    }

    /// Puts the headers into `headers`.
    pub(super) fn write(self, context: &Context, headers: &mut HeaderMap) {
        for (name, source) in self.headers() {
            let value = match source {
                Literal(text) => Some((*text).to_owned()),
                Authorizer(fact) => context.fact(fact),
            };
            if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use saphyr::{LoadableYamlNode as _, Yaml};

    use super::*;

    /// What `template.yaml` declares for `name`: header and source, as `CloudFormation` writes them.
    fn declared(template: &Yaml<'_>, name: &str) -> Vec<(String, String)> {
        let api = &template["Resources"]["RestApi"]["Properties"];
        // What depends on a condition stands in the OpenAPI document, the rest is left to SAM.
        let body = &api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"];
        let headers = match body.as_mapping_get(name) {
            Some(response) => &response["responseParameters"],
            None => &api["GatewayResponses"][name]["ResponseParameters"]["Headers"],
        };
        let text = |value: &Yaml<'_>| match value {
            // `!Sub "'${CorsAllowOrigin}'"`
            Yaml::Tagged(_, inner) => inner.as_str().unwrap().replace("${CorsAllowOrigin}", "*"),
            plain => plain.as_str().unwrap().to_owned(),
        };
        let mut declared: Vec<_> = headers
            .as_mapping()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                let name = name.as_str().unwrap().to_ascii_lowercase();
                let name = name.trim_start_matches("gatewayresponse.header.");
                (name.to_owned(), text(value))
            })
            .collect();
        declared.sort();
        declared
    }

    #[test]
    fn are_those_of_the_template() {
        let text = include_str!("../../../../template.yaml");
        let template = Yaml::load_from_str(text).unwrap().remove(0);
        for (name, kind) in [
            ("UNAUTHORIZED", ResponseType::Unauthorized),
            ("ACCESS_DENIED", ResponseType::AccessDenied),
            ("THROTTLED", ResponseType::Throttled),
            ("QUOTA_EXCEEDED", ResponseType::QuotaExceeded),
            ("DEFAULT_4XX", ResponseType::Other),
            ("DEFAULT_5XX", ResponseType::Other),
        ] {
            let mut ours: Vec<_> = kind
                .headers()
                .iter()
                .map(|(name, source)| match source {
                    Literal(text) => ((*name).to_owned(), format!("'{text}'")),
                    Authorizer(fact) => ((*name).to_owned(), format!("context.authorizer.{fact}")),
                })
                .collect();
            ours.sort();
            assert_eq!(declared(&template, name), ours, "{name}");
        }
    }
}
