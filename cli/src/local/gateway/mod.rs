//! The gateway: treats a request as API Gateway would and asks the authorizer as API Gateway would.
//!
//! The journey of a request stands in [`Gateway::answer`]: route, identity sources, cache or authorizer, policy, backend. Facts
//! that AWS does not document are decided in one place each and said so there.

mod answer;
mod backend;
mod cache;
mod context;
mod event;
mod exchange;
mod function;
mod identity;
mod incoming;
mod preflight;
mod refusal;
mod routing;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header},
};
use doorward_keys::Timestamp;

use self::{
    answer::Answer, backend::MAX_BODY, cache::Cache, context::Context, incoming::Incoming,
    refusal::Refusal,
};
use super::iam::{Effect, Facts};

pub use self::{
    backend::{Backend, Upstream, UpstreamError},
    exchange::{Asked, Exchange, Observer},
    function::{AuthorizerFunction, Invocation},
    identity::IdentitySource,
    routing::Routes,
    settings::{ApiKind, Payload, Settings, SettingsError},
};

/// The longest ARN of a method that asks for authorization (API Gateway Developer Guide, *Output from an API Gateway Lambda
/// authorizer*).
const MAX_ARN: usize = 1600;

/// Where the gateway reads the time.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// The time of day, for conditions and events.
    pub wall: fn() -> Timestamp,
    /// Time since some fixed moment, for the cache and the line of the request.
    pub stopwatch: fn() -> Duration,
}

/// One API on this machine.
pub struct Gateway {
    settings: Settings,
    routes: Routes,
    function: Arc<dyn AuthorizerFunction>,
    backend: Backend,
    cache: Cache,
    clocks: Clocks,
    observer: Observer,
}

/// What the authorizer's part came to: how it was asked, its note, and the context for the backend or the refusal.
struct Authorized {
    asked: Asked,
    note: Option<String>,
    outcome: Result<Context, Refusal>,
}

impl Gateway {
    /// An API with these routes and this authorizer in front of this backend.
    pub fn new(
        settings: Settings,
        routes: Routes,
        function: Arc<dyn AuthorizerFunction>,
        backend: Backend,
        clocks: Clocks,
        observer: Observer,
    ) -> Self {
        Self {
            cache: Cache::new(settings.ttl),
            routes,
            settings,
            function,
            backend,
            clocks,
            observer,
        }
    }

    /// Answers one request that came from `peer`.
    pub async fn answer(&self, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let started = (self.clocks.stopwatch)();
        let api = self.settings.payload.api();
        let request_id = request_id();
        let method = request.method().as_str().to_owned();
        let path = request.uri().path().to_owned();
        let mut exchange = Exchange {
            at: (self.clocks.wall)(),
            method,
            path,
            status: 0,
            asked: Asked::No,
            note: String::new(),
            took: Duration::ZERO,
        };
        let outcome = self
            .pass(
                request,
                peer.ip().to_canonical(),
                &request_id,
                &mut exchange,
            )
            .await;
        let response = match outcome {
            Ok(mut response) => {
                refusal::stamp(response.headers_mut(), api, &request_id);
                response
            }
            Err(refusal) => {
                exchange.note = match std::mem::take(&mut exchange.note) {
                    note if note.is_empty() => refusal.note(),
                    note => format!("{}: {note}", refusal.note()),
                };
                refusal.response(api, &request_id)
            }
        };
        exchange.status = response.status().as_u16();
        exchange.took = (self.clocks.stopwatch)().saturating_sub(started);
        (self.observer)(&exchange);
        response
    }

    async fn pass(
        &self,
        request: Request<Body>,
        peer: IpAddr,
        request_id: &str,
        exchange: &mut Exchange,
    ) -> Result<Response<Body>, Refusal> {
        let api = self.settings.payload.api();
        let (parts, body) = request.into_parts();
        let (method, path) = (&exchange.method, &exchange.path);
        if let Some(answer) = preflight::answer(api, &self.routes, method, path, &parts.headers) {
            "preflight, authorizer not asked".clone_into(&mut exchange.note);
            return Ok(answer);
        }
        let route = self
            .routes
            .find(api, &exchange.method, &exchange.path)
            .ok_or(Refusal::RouteUnknown)?;
        let mut headers = parts.headers;
        forwarded(&mut headers, peer);
        let incoming = Incoming {
            api,
            stage: self.settings.stage.clone(),
            method: exchange.method.clone(),
            path: exchange.path.clone(),
            raw_query: parts.uri.query().unwrap_or_default().to_owned(),
            query: incoming::query(&parts.uri),
            headers,
            peer,
            request_id: request_id.to_owned(),
            received_at: exchange.at,
            route,
        };
        let authorized = self.authorize(&incoming).await;
        exchange.asked = authorized.asked;
        exchange.note = authorized.note.unwrap_or_default();
        let context = authorized.outcome?;
        let body = to_bytes(body, MAX_BODY)
            .await
            .map_err(|_| Refusal::BodyTooLong)?;
        let mut response = self
            .backend
            .answer(&incoming, &context, body.into())
            .await?;
        if api == ApiKind::Http && incoming.headers.contains_key(header::ORIGIN) {
            preflight::open(response.headers_mut());
        }
        Ok(response)
    }

    async fn authorize(&self, incoming: &Incoming) -> Authorized {
        let not_asked = |outcome| Authorized {
            asked: Asked::No,
            note: None,
            outcome,
        };
        if incoming.route.is_public {
            return not_asked(Ok(Context::default()));
        }
        let arn = self.settings.arn(&incoming.method, &incoming.path);
        if arn.len() > MAX_ARN {
            return not_asked(Err(Refusal::UriTooLong));
        }
        let Some(identity) = identity::identity(&self.settings.identity_sources, incoming) else {
            return not_asked(Err(Refusal::IdentityMissing));
        };
        let key = cache::key(&self.settings.stage, &identity);
        if let Some(answer) = self.cache.find(&key, (self.clocks.stopwatch)()) {
            let outcome = self.enforce(&answer, &arn, incoming);
            return Authorized {
                asked: Asked::Cached,
                note: None,
                outcome,
            };
        }
        let event = event::for_authorizer(&self.settings, incoming, &identity);
        let invocation = function::invoke(&self.function, event).await;
        let outcome = match invocation.answer {
            // Any other text makes a 500 of it, and so does a space too many.
            Err(message) if message == "Unauthorized" => Err(Refusal::Unauthorized),
            Err(message) => Err(Refusal::AuthorizerFailure(message)),
            Ok(answer) => match Answer::read(self.settings.payload, answer) {
                Err(why) => Err(Refusal::AuthorizerAnswer(why)),
                Ok(answer) => {
                    let answer = Arc::new(answer);
                    self.cache
                        .keep(key, Arc::clone(&answer), (self.clocks.stopwatch)());
                    self.enforce(&answer, &arn, incoming)
                }
            },
        };
        Authorized {
            asked: Asked::Yes,
            note: invocation.note,
            outcome,
        }
    }

    /// Holds the answer against this request. Done on every request, cached answer or not.
    fn enforce(&self, answer: &Answer, arn: &str, incoming: &Incoming) -> Result<Context, Refusal> {
        let facts = Facts {
            now: (self.clocks.wall)(),
            source_ip: Some(incoming.peer),
            // A deployed API speaks TLS only; conditions on it must come out as they would there.
            secure_transport: true,
            user_agent: incoming.header("user-agent"),
            referer: incoming.header("referer"),
        };
        match answer
            .effect(arn, &facts)
            .map_err(Refusal::AuthorizerAnswer)?
        {
            Effect::Allow => Ok(answer.context.clone()),
            Effect::ExplicitDeny => Err(Refusal::ExplicitDeny),
            Effect::ImplicitDeny => Err(Refusal::ImplicitDeny),
        }
    }
}

/// Adds the peer at the right end of `X-Forwarded-For`, as the gateway does.
fn forwarded(headers: &mut HeaderMap, peer: IpAddr) {
    const NAME: HeaderName = HeaderName::from_static("x-forwarded-for");
    let before: Vec<_> = headers
        .get_all(&NAME)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let line = match before.join(", ") {
        empty if empty.is_empty() => peer.to_string(),
        before => format!("{before}, {peer}"),
    };
    if let Ok(value) = HeaderValue::from_str(&line) {
        headers.insert(NAME, value);
    }
}

/// A random id; all zeros should the system have no randomness, for nothing depends on it.
fn request_id() -> String {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}
