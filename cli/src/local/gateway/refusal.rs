//! What the gateway says when it does not pass a request on: the gateway responses of a REST API, the fixed answers of an
//! HTTP API.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};

use super::settings::ApiKind;

/// Why a request was not passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
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

/// Status, body and error type.
type Form = (StatusCode, &'static str, &'static str);

impl Refusal {
    /// What the operator reads in the line of the request.
    pub(super) fn note(&self) -> String {
        match self {
            Self::RouteUnknown => "no such route".to_owned(),
            Self::IdentityMissing => "identity source missing, authorizer not asked".to_owned(),
            Self::Unauthorized => "unauthorized".to_owned(),
            Self::ImplicitDeny => "denied, no statement allows it".to_owned(),
            Self::ExplicitDeny => "denied explicitly".to_owned(),
            Self::AuthorizerFailure(why) => format!("authorizer failed: {why}"),
            Self::AuthorizerAnswer(why) => format!("authorizer answered nonsense: {why}"),
            Self::UriTooLong => "path too long".to_owned(),
            Self::BodyTooLong => "body too long".to_owned(),
            Self::Backend(why) => format!("backend failed: {why}"),
            Self::BackendTimeout => "backend did not answer in time".to_owned(),
        }
    }

    /// The answer to the client. REST: API Gateway Developer Guide, *Gateway response types*, with the headers that a
    /// deployed API should set by its gateway responses. HTTP: the answers cannot be changed.
    pub(super) fn response(&self, api: ApiKind, request_id: &str) -> Response<Body> {
        let (status, body, error_type) = match api {
            ApiKind::Rest => self.rest(),
            ApiKind::Http => self.http(),
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
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_ORIGIN,
                HeaderValue::from_static("*"),
            );
            // What a page may read and what nobody may keep, as the gateway responses of the template say.
            if status == StatusCode::UNAUTHORIZED {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                headers.insert(
                    header::ACCESS_CONTROL_EXPOSE_HEADERS,
                    HeaderValue::from_static("WWW-Authenticate"),
                );
            }
            if error_type == ACCESS_DENIED || status == StatusCode::UNAUTHORIZED {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
        }
        response
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
                ACCESS_DENIED,
            ),
            Self::ExplicitDeny => (
                StatusCode::FORBIDDEN,
                r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#,
                ACCESS_DENIED,
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
            Self::RouteUnknown => (StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#, ""),
            Self::IdentityMissing | Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, UNAUTHORIZED, "")
            }
            Self::ImplicitDeny | Self::ExplicitDeny => {
                (StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#, "")
            }
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

const ACCESS_DENIED: &str = "AccessDeniedException";
const UNAUTHORIZED: &str = r#"{"message":"Unauthorized"}"#;
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
