//! What the gateway says when it does not pass a request on: the gateway responses of a REST API, the fixed answers of an
//! HTTP API.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};

use super::{
    context::Context,
    responses::{DeniedStatus, ResponseType},
    settings::ApiKind,
};

/// Why a request was not passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The default address of the API is shut.
    EndpointShut,
    /// No route.
    RouteUnknown,
    /// An identity source is missing or empty.
    IdentityMissing,
    /// The authorizer failed with exactly `Unauthorized`.
    Unauthorized,
    /// No statement of the policy matches.
    ImplicitDeny,
    /// A Deny matches.
    ExplicitDeny,
    /// The authorizer named no key of a usage plan.
    ApiKeyInvalid,
    /// Faster than the usage plan of the key.
    Throttled,
    /// The quota of the usage plan is used up.
    QuotaExceeded,
    /// The authorizer failed otherwise; why, for the operator.
    AuthorizerFailure(String),
    /// The authorizer answered something that is no answer; why, for the operator.
    AuthorizerAnswer(String),
    /// The method ARN is longer than 1,600 bytes.
    UriTooLong,
    /// The body is longer than 10 MB.
    BodyTooLong,
    /// The backend cannot be reached, or its answer is too long; why, for the operator.
    Backend(String),
    /// The backend did not answer in time.
    BackendTimeout,
}

/// A refusal, and the context of the answer that led to it, if there is one.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) context: Context,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            context: Context::default(),
        }
    }
}

/// Status, body and error type.
type Form = (StatusCode, &'static str, &'static str);

impl Refusal {
    /// What the operator reads in the line of the request.
    pub(super) fn note(&self) -> String {
        match self {
            Self::EndpointShut => {
                "the default endpoint is closed; call the one with mutual TLS".to_owned()
            }
            Self::RouteUnknown => "no such route".to_owned(),
            Self::IdentityMissing => "identity source missing, authorizer not asked".to_owned(),
            Self::Unauthorized => "unauthorized".to_owned(),
            Self::ImplicitDeny => "denied, no statement allows it".to_owned(),
            Self::ExplicitDeny => "denied explicitly".to_owned(),
            Self::ApiKeyInvalid => "no key of a usage plan was named".to_owned(),
            Self::Throttled => "throttled by the usage plan".to_owned(),
            Self::QuotaExceeded => "quota of the usage plan used up".to_owned(),
            Self::AuthorizerFailure(why) => format!("authorizer failed: {why}"),
            Self::AuthorizerAnswer(why) => format!("authorizer answered nonsense: {why}"),
            Self::UriTooLong => "path too long".to_owned(),
            Self::BodyTooLong => "body too long".to_owned(),
            Self::Backend(why) => format!("backend failed: {why}"),
            Self::BackendTimeout => "backend did not answer in time".to_owned(),
        }
    }

    /// The response type of a REST API.
    const fn response_type(&self) -> ResponseType {
        match self {
            Self::IdentityMissing | Self::Unauthorized => ResponseType::Unauthorized,
            Self::ImplicitDeny | Self::ExplicitDeny => ResponseType::AccessDenied,
            Self::ApiKeyInvalid => ResponseType::InvalidApiKey,
            Self::Throttled => ResponseType::Throttled,
            Self::QuotaExceeded => ResponseType::QuotaExceeded,
            Self::EndpointShut
            | Self::RouteUnknown
            | Self::AuthorizerFailure(_)
            | Self::AuthorizerAnswer(_)
            | Self::UriTooLong
            | Self::BodyTooLong
            | Self::Backend(_)
            | Self::BackendTimeout => ResponseType::Other,
        }
    }

    const fn rest(&self) -> Form {
        match self {
            Self::RouteUnknown => (
                StatusCode::FORBIDDEN,
                r#"{"message":"Missing Authentication Token"}"#,
                "MissingAuthenticationTokenException",
            ),
            Self::IdentityMissing | Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                UNAUTHORIZED,
                "UnauthorizedException",
            ),
            Self::ImplicitDeny => (
                StatusCode::FORBIDDEN,
                r#"{"Message":"User is not authorized to access this resource"}"#,
                "AccessDeniedException",
            ),
            Self::ExplicitDeny => (
                StatusCode::FORBIDDEN,
                r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#,
                "AccessDeniedException",
            ),
            Self::AuthorizerFailure(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                r#"{"message":null}"#,
                "AuthorizerFailureException",
            ),
            Self::AuthorizerAnswer(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                r#"{"message":null}"#,
                "AuthorizerConfigurationException",
            ),
            // The former as the API Gateway Developer Guide says, *Disable the default endpoint for REST APIs*.
            Self::EndpointShut | Self::ApiKeyInvalid => {
                (StatusCode::FORBIDDEN, FORBIDDEN, "ForbiddenException")
            }
            Self::Throttled => (
                StatusCode::TOO_MANY_REQUESTS,
                r#"{"message":"Too Many Requests"}"#,
                "TooManyRequestsException",
            ),
            Self::QuotaExceeded => (
                StatusCode::TOO_MANY_REQUESTS,
                r#"{"message":"Limit Exceeded"}"#,
                "LimitExceededException",
            ),
            Self::UriTooLong => (
                StatusCode::URI_TOO_LONG,
                URI_TOO_LONG,
                "RequestUriTooLongException",
            ),
            Self::BodyTooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                r#"{"message":"Request Too Long"}"#,
                "RequestTooLargeException",
            ),
            Self::Backend(_) => (
                StatusCode::GATEWAY_TIMEOUT,
                r#"{"message":"Network error communicating with endpoint"}"#,
                "IntegrationFailureException",
            ),
            Self::BackendTimeout => (
                StatusCode::GATEWAY_TIMEOUT,
                r#"{"message":"Endpoint request timed out"}"#,
                "IntegrationTimeoutException",
            ),
        }
    }

    const fn http(&self) -> Form {
        match self {
            // What an HTTP API answers at a disabled address is not documented; one that has no API answers this.
            Self::EndpointShut | Self::RouteUnknown => {
                (StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#, "")
            }
            Self::IdentityMissing | Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, UNAUTHORIZED, "")
            }
            // HTTP APIs have no usage plans; the three after the first two do not occur.
            Self::ImplicitDeny
            | Self::ExplicitDeny
            | Self::ApiKeyInvalid
            | Self::Throttled
            | Self::QuotaExceeded => (StatusCode::FORBIDDEN, FORBIDDEN, ""),
            Self::AuthorizerFailure(_) | Self::AuthorizerAnswer(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                r#"{"message":"Internal Server Error"}"#,
                "",
            ),
            Self::UriTooLong => (StatusCode::URI_TOO_LONG, URI_TOO_LONG, ""),
            Self::BodyTooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                r#"{"message":"Request Entity Too Large"}"#,
                "",
            ),
            Self::Backend(_) | Self::BackendTimeout => (
                StatusCode::SERVICE_UNAVAILABLE,
                r#"{"message":"Service Unavailable"}"#,
                "",
            ),
        }
    }
}

impl Refused {
    /// The answer to the client. REST: API Gateway Developer Guide, *Gateway response types*, with status and headers as the
    /// API declares them. HTTP: the answers cannot be changed.
    pub(super) fn response(
        &self,
        api: ApiKind,
        denied: DeniedStatus,
        request_id: &str,
    ) -> Response<Body> {
        let (status, body, error_type) = match api {
            ApiKind::Rest => self.refusal.rest(),
            ApiKind::Http => self.refusal.http(),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        stamp(headers, api, request_id);
        if api == ApiKind::Rest {
            headers.insert(ERROR_TYPE, HeaderValue::from_static(error_type));
            let kind = self.refusal.response_type();
            kind.write(&self.context, headers);
            if let Some(status) = kind.status(denied) {
                *response.status_mut() = status;
            }
        }
        response
    }
}

const UNAUTHORIZED: &str = r#"{"message":"Unauthorized"}"#;
const FORBIDDEN: &str = r#"{"message":"Forbidden"}"#;
const URI_TOO_LONG: &str = r#"{"message":"Request URI too long"}"#;
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The request id in the header in which either kind of API tells it.
pub(super) fn stamp(headers: &mut HeaderMap, api: ApiKind, request_id: &str) {
    let name = match api {
        ApiKind::Rest => HeaderName::from_static("x-amzn-requestid"),
        ApiKind::Http => HeaderName::from_static("apigw-requestid"),
    };
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(name, value);
    }
}
