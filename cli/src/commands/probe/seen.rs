//! What came back, and who said it.
//!
//! A REST API names its own refusals in `x-amzn-ErrorType`, whatever its gateway responses make of status and body; an HTTP API
//! has fixed bodies (API Gateway Developer Guide, *Gateway response types*). What fits neither came from the backend.

use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::Value;

/// An answer, without what is nobody's business.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) by: By,
    headers: HeaderMap,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The backend: the request was let in.
    Backend,
    /// The policy of the authorizer, fresh or kept.
    Policy,
    /// The gateway, because nobody proved who they are: an identity source is missing, or the authorizer said `Unauthorized`.
    Credential,
    /// The gateway, because it has no such route: nobody was asked.
    NoRoute,
    /// The gateway, for the reason of this name.
    Gateway(String),
    /// 403 or 429 in words that may be the gateway's or the backend's.
    Unclear,
}

/// The error types of a route that a REST API does not have. With a header `Authorization` that is no signature of AWS it
/// complains of that, and not of the route.
const NO_ROUTE: [&str; 3] = [
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
];

impl By {
    /// Reads it from status, headers and body.
    pub(super) fn of(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let error_type = headers.get("x-amzn-errortype");
        let error_type = error_type.and_then(|value| value.to_str().ok());
        // Some services put a colon and an address behind the name.
        let error_type = error_type.and_then(|text| text.split(':').next());
        // A REST API never says 404 of a route.
        let is_rest = is_of_rest(headers);
        let message = message(body);
        match (status, error_type, message.as_deref()) {
            (..=399, _, _) => Self::Backend,
            (401, _, _) => Self::Credential,
            (_, Some(name), _) if NO_ROUTE.contains(&name) => Self::NoRoute,
            (403, None, Some("Missing Authentication Token")) => Self::NoRoute,
            (404, None, Some("Not Found")) if !is_rest => Self::NoRoute,
            (403 | 429, Some("AccessDeniedException"), _) => Self::Policy,
            (403 | 429, None, Some(text)) if is_of_policy(text) => Self::Policy,
            (_, Some(name), _) => Self::Gateway(shortened(name)),
            (403 | 429, None, _) => Self::Unclear,
            (500.., None, Some("Internal Server Error")) => {
                Self::Gateway("Internal Server Error".to_owned())
            }
            _ => Self::Backend,
        }
    }
}

impl Seen {
    /// What is told by status, headers and body.
    pub(super) fn new(status: u16, headers: HeaderMap, body: &[u8]) -> Self {
        Self {
            status,
            by: By::of(status, &headers, body),
            headers,
        }
    }

    /// Whether a REST API answered.
    pub(super) fn is_of_rest(&self) -> bool {
        is_of_rest(&self.headers)
    }

    /// Whether a page may read the answer.
    pub(super) fn allows_origin(&self) -> bool {
        self.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
    }

    /// Whether it says what to send (RFC 9110 section 11.6.1).
    pub(super) fn challenges(&self) -> bool {
        let challenge = self.headers.get(WWW_AUTHENTICATE);
        challenge.is_some_and(|value| !value.is_empty())
    }

    /// Whether it says for how many seconds to wait (RFC 9110 section 10.2.3). A header without a number comes of a gateway
    /// response whose fact was not there.
    pub(super) fn retries_after(&self) -> bool {
        let wait = self.headers.get(RETRY_AFTER);
        let wait = wait.and_then(|value| value.to_str().ok());
        wait.is_some_and(|value| value.parse::<u32>().is_ok())
    }

    /// Whether the request reached a backend that is well.
    pub(super) fn is_in(&self) -> bool {
        self.by == By::Backend && self.status < 500
    }

    /// Whether the authorizer, or what is kept of it, refused.
    pub(super) const fn is_refused(&self) -> bool {
        matches!(self.by, By::Policy | By::Credential)
    }

    /// In a few words.
    pub(super) fn shown(&self) -> String {
        let status = self.status;
        match &self.by {
            By::Backend | By::Credential => status.to_string(),
            By::Policy => format!("{status} by the policy"),
            By::NoRoute => format!("{status}: no such route"),
            By::Gateway(name) => format!("{status} `{name}`"),
            By::Unclear => format!("{status}, and nothing says by whom"),
        }
    }
}

/// What a REST API says of a Deny where nobody changed it, or an HTTP API; and what `template.yaml` makes a REST API say.
fn is_of_policy(message: &str) -> bool {
    message == "Forbidden" || message.starts_with("User is not authorized to access this resource")
}

/// Whether a REST API wrote the headers: an HTTP API tells the id of a request in another one.
fn is_of_rest(headers: &HeaderMap) -> bool {
    headers.contains_key("x-amzn-requestid")
}

/// `message` or `Message` of a body in JSON.
fn message(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let message = body.get("message").or_else(|| body.get("Message"))?;
    Some(message.as_str()?.to_owned())
}

/// A name that may be shown.
fn shortened(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answered_is_told_by_type_and_words() {
        let gateway = |name: &str| By::Gateway(name.to_owned());
        for (status, error_type, body, by) in [
            (200, None, "{}", By::Backend),
            (404, None, r#"{"error":"no such order"}"#, By::Backend),
            (404, None, r#"{"message":"Not Found"}"#, By::NoRoute),
            (401, Some("UnauthorizedException"), "{}", By::Credential),
            (401, None, r#"{"message":"Unauthorized"}"#, By::Credential),
            // A Deny of a REST API: as AWS has it, as `template.yaml` has it, with another status and any other body.
            (
                403,
                Some("AccessDeniedException"),
                r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#,
                By::Policy,
            ),
            (
                403,
                Some("AccessDeniedException"),
                r#"{"message":"Forbidden"}"#,
                By::Policy,
            ),
            (429, Some("AccessDeniedException"), "whatever", By::Policy),
            (
                403,
                None,
                r#"{"Message":"User is not authorized to access this resource"}"#,
                By::Policy,
            ),
            // A Deny of an HTTP API.
            (403, None, r#"{"message":"Forbidden"}"#, By::Policy),
            (
                403,
                Some("ForbiddenException"),
                r#"{"message":"Forbidden"}"#,
                gateway("ForbiddenException"),
            ),
            (
                403,
                Some("MissingAuthenticationTokenException"),
                "{}",
                By::NoRoute,
            ),
            (
                403,
                Some("IncompleteSignatureException:https://internal.amazon.com/"),
                "{}",
                By::NoRoute,
            ),
            (
                403,
                None,
                r#"{"message":"Missing Authentication Token"}"#,
                By::NoRoute,
            ),
            (403, None, "<html>", By::Unclear),
            (429, None, "slow down", By::Unclear),
            (
                429,
                Some("LimitExceededException"),
                "{}",
                gateway("LimitExceededException"),
            ),
            (
                500,
                Some("AuthorizerConfigurationException"),
                r#"{"message":null}"#,
                gateway("AuthorizerConfigurationException"),
            ),
            (
                500,
                None,
                r#"{"message":"Internal Server Error"}"#,
                gateway("Internal Server Error"),
            ),
            (502, None, "", By::Backend),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(name) = error_type {
                headers.insert("x-amzn-errortype", name.parse().unwrap());
            }
            let seen = By::of(status, &headers, body.as_bytes());
            assert_eq!(seen, by, "{status} {error_type:?} {body}");
        }
        // The backend of a REST API says so too.
        let headers =
            HeaderMap::from_iter([("x-amzn-requestid".parse().unwrap(), "r-1".parse().unwrap())]);
        let body = br#"{"message":"Not Found"}"#;
        assert_eq!(By::of(404, &headers, body), By::Backend);
    }

    #[test]
    fn a_wait_is_a_number_and_a_challenge_is_not_empty() {
        for (value, is_wait, is_challenge) in [
            (Some("30"), true, true),
            (Some(""), false, false),
            (Some("soon"), false, true),
            (None, false, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(RETRY_AFTER, value.parse().unwrap());
                headers.insert(WWW_AUTHENTICATE, value.parse().unwrap());
            }
            let seen = Seen::new(429, headers, b"");
            assert_eq!(seen.retries_after(), is_wait, "{value:?}");
            assert_eq!(seen.challenges(), is_challenge, "{value:?}");
        }
    }
}
