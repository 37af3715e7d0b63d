//! What a caller asks, checked and stamped once with the time it was received.
//!
//! The authorizer (or another front) decodes its wire format into a [`Request`]; nothing behind this point sees an
//! event. [`Headers`] answers "exactly one, none, or contradictory"; [`path`] normalises; [`credentials`] finds what the
//! caller presented; the client address is derived in [`crate::layers::ip_allow`] alone.

pub mod credentials;
mod headers;
mod located;
pub mod path;

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Duration};

use doorward_keys::Secret;

use crate::{limits::Moment, routes::METHODS};

pub use headers::{Headers, Lookup};
pub use located::Located;

/// The HTTP method, upper case, as the gateway states it. Method-override headers are never read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verb(Cow<'static, str>);

impl Verb {
    /// Reads a method: an HTTP token of upper-case letters and `-`, at most 32 characters; `None` otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty()
            && text.len() <= 32
            && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        let known = METHODS.into_iter().find(|method| *method == text);
        fits.then(|| Self(known.map_or_else(|| Cow::Owned(text.to_owned()), Cow::Borrowed)))
    }

    /// The method as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A method on a path, as they stand in the method ARN: without stage and base path. The path begins with `/` and
    /// is not normalised yet.
    Http {
        /// The HTTP method.
        verb: Verb,
        /// The path as the gateway states it in the ARN.
        path: String,
    },
    /// Opening a WebSocket connection.
    Connect,
    /// A GraphQL operation.
    GraphQl,
}

/// Which API the request reached: the parts of the method ARN before the verb, taken over unchanged.
/// `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}` (AWS: API Gateway ARN format reference).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiStage {
    arn_prefix: Arc<str>,
}

impl ApiStage {
    /// Takes the ARN up to and including the stage, without a slash at the end.
    pub fn new(arn_prefix: impl Into<Arc<str>>) -> Self {
        Self {
            arn_prefix: arn_prefix.into(),
        }
    }

    /// The ARN up to and including the stage, without a slash at the end.
    pub fn arn_prefix(&self) -> &str {
        &self.arn_prefix
    }

    /// The same, shared.
    pub(crate) const fn shared(&self) -> &Arc<str> {
        &self.arn_prefix
    }
}

/// What the front can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A policy: what the caller may do beyond the request, held against every request that is answered from a cache.
    Policy,
    /// What `answers.http_api` says: a policy, or yes or no to this one request (HTTP APIs, payload format 2.0). A cached
    /// yes holds for all requests with the same identity sources; the route must be one of them, or nothing be cached.
    AsConfigured,
}

/// Where a request came in, as the gateway states it. Nothing of it comes from a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entrance {
    /// The host name under which the API was reached.
    pub domain: Option<String>,
    /// The path as the client wrote it, stage or base path included, where the event states it. Not normalised.
    pub path: Option<String>,
}

impl Entrance {
    /// Whether the call came in by the name that the gateway gives to every API, which asks nobody for a certificate
    /// (AWS: *Disable the default endpoint*): `{api}.execute-api.{region}.amazonaws.com` and its kin.
    pub fn is_default_endpoint(&self) -> bool {
        let second = self.domain.as_deref().and_then(|d| d.split('.').nth(1));
        second.is_some_and(|label| label.eq_ignore_ascii_case("execute-api"))
    }
}

/// A request as the layers see it. Built by the front that decoded the event.
#[derive(Debug)]
pub struct Request {
    /// When the function received it, by the function's own clock. Times in the event are data, not truth.
    pub received_at: Moment,
    /// How long the answer may take from then on; absent where nobody waits.
    pub time_left: Option<Duration>,
    /// The API and stage; policies are written for it.
    pub stage: ApiStage,
    /// What is asked for.
    pub target: Target,
    /// Other spellings of the path in the event (`path`, `rawPath`). Never matched against routes; they are only looked
    /// at for characters that are refused.
    pub raw_paths: Vec<String>,
    /// The headers.
    pub headers: Headers,
    /// The decoded query parameters, in order, repeated names kept.
    pub query: Vec<(String, Secret<String>)>,
    /// The cookies, in order, repeated names kept.
    pub cookies: Vec<(String, Secret<String>)>,
    /// The address of the peer that reached the gateway.
    pub peer: Option<IpAddr>,
    /// The value of a TOKEN or AppSync event's `authorizationToken`: with or without a scheme before it.
    pub token: Option<Secret<String>>,
    /// The certificate that the client showed, in PEM, as the gateway states it in the context of the request.
    pub certificate: Option<String>,
    /// Where the request came in.
    pub entrance: Entrance,
    /// What the front can be told.
    pub form: Form,
    /// Whether a usage plan of the front can stop a call that was allowed (a REST API whose methods require keys).
    pub has_usage_plans: bool,
}
