//! The gateway: treats a request as API Gateway would and asks the authorizer as API Gateway would.
//!
//! The journey of a request stands in [`Gateway::answer`]: route, identity sources, cache or authorizer, policy, backend. Facts
//! that AWS does not document are decided in one place each and said so there.

mod answer;
mod backend;
mod cache;
mod client_certificate;
mod context;
mod event;
mod exchange;
mod function;
mod identity;
mod incoming;
mod peer;
mod plans;
mod preflight;
mod refusal;
mod responses;
mod routing;
mod settings;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header},
};
use doorward_keys::{StageCache, Timestamp};

use self::{
    answer::Answer,
    backend::MAX_BODY,
    cache::Cache,
    context::Context,
    incoming::Incoming,
    plans::{Counted, Meters},
    refusal::{Refusal, Refused},
};
use super::iam::{Effect, Facts};

pub(super) use self::incoming::query as decoded_query;
pub use self::{
    backend::{Backend, Upstream, UpstreamError},
    client_certificate::ClientCertificate,
    exchange::{Asked, Exchange, Observer},
    function::{AuthorizerFunction, Invocation},
    identity::IdentitySource,
    peer::{DefaultEndpoint, Peer},
    plans::{Period, PlanError, Quota, Throttle, UsagePlan, UsagePlans},
    responses::DeniedStatus,
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
    meters: Meters,
    clocks: Clocks,
    observer: Observer,
}

/// What the authorizer's part came to: how it was asked, its note, and the context for the backend or the refusal.
struct Authorized {
    asked: Asked,
    note: Option<String>,
    outcome: Result<Context, Refused>,
}

impl Gateway {
    /// An API with these routes and this authorizer in front of this backend.
    pub fn new(
        mut settings: Settings,
        routes: Routes,
        function: Arc<dyn AuthorizerFunction>,
        backend: Backend,
        clocks: Clocks,
        observer: Observer,
    ) -> Self {
        Self {
            cache: Cache::new(settings.ttl),
            meters: Meters::new(std::mem::take(&mut settings.plans)),
            routes,
            settings,
            function,
            backend,
            clocks,
            observer,
        }
    }

    /// Answers one request that came from `peer`.
    pub async fn answer(&self, request: Request<Body>, peer: impl Into<Peer>) -> Response<Body> {
        let peer = peer.into();
        let started = (self.clocks.stopwatch)();
        let api = self.settings.payload.api();
        let request_id = request_id();
        let method = request.method().as_str().to_owned();
        let path = request.uri().path().to_owned();
        let mut exchange = Exchange {
            request_id: request_id.clone(),
            at: (self.clocks.wall)(),
            method,
            path,
            status: 0,
            asked: Asked::No,
            note: String::new(),
            key_id: None,
            took: Duration::ZERO,
        };
        let outcome = self.pass(request, peer, &request_id, &mut exchange).await;
        let response = match outcome {
            Ok(mut response) => {
                refusal::stamp(response.headers_mut(), api, &request_id);
                response
            }
            Err(refused) => {
                let why = refused.refusal.note();
                exchange.note = match std::mem::take(&mut exchange.note) {
                    note if note.is_empty() => why,
                    note => format!("{why}: {note}"),
                };
                refused.response(api, self.settings.denied, &request_id)
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
        from: Peer,
        request_id: &str,
        exchange: &mut Exchange,
    ) -> Result<Response<Body>, Refused> {
        let api = self.settings.payload.api();
        let peer = from.address.ip().to_canonical();
        let by_default = from.certificate.is_none();
        if by_default && self.settings.default_endpoint == DefaultEndpoint::Shut {
            return Err(Refusal::EndpointShut.into());
        }
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
            certificate: from.certificate,
            is_default_address: by_default
                && self.settings.default_endpoint == DefaultEndpoint::Open,
            request_id: request_id.to_owned(),
            received_at: exchange.at,
            route,
        };
        let authorized = self.authorize(&incoming).await;
        exchange.asked = authorized.asked;
        exchange.note = authorized.note.unwrap_or_default();
        exchange.key_id = match &authorized.outcome {
            Ok(context) | Err(Refused { context, .. }) => context.fact("keyId"),
        };
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
            return not_asked(Err(Refusal::UriTooLong.into()));
        }
        let Some(identity) = identity::identity(&self.settings.identity_sources, incoming) else {
            return not_asked(Err(Refusal::IdentityMissing.into()));
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
            Err(message) if message == "Unauthorized" => Err(Refusal::Unauthorized.into()),
            Err(message) => Err(Refusal::AuthorizerFailure(message).into()),
            Ok(answer) => match Answer::read(self.settings.payload, answer) {
                Err(why) => Err(Refusal::AuthorizerAnswer(why).into()),
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

    /// Holds the answer against this request, and counts it under the key of the answer. Done on every request, cached answer
    /// or not.
    fn enforce(&self, answer: &Answer, arn: &str, incoming: &Incoming) -> Result<Context, Refused> {
        let facts = Facts {
            now: (self.clocks.wall)(),
            source_ip: Some(incoming.peer),
            // A deployed API speaks TLS only; conditions on it must come out as they would there.
            secure_transport: true,
            user_agent: incoming.header("user-agent"),
            referer: incoming.header("referer"),
        };
        let refusal = match answer.effect(arn, &facts) {
            Err(why) => Refusal::AuthorizerAnswer(why),
            Ok(Effect::ExplicitDeny) => Refusal::ExplicitDeny,
            Ok(Effect::ImplicitDeny) => Refusal::ImplicitDeny,
            Ok(Effect::Allow) => {
                let key = answer.usage_key.as_deref();
                let now = (self.clocks.stopwatch)();
                match self.meters.count(key, facts.now, now) {
                    Counted::Passes => return Ok(answer.context.clone()),
                    Counted::KeyInvalid => Refusal::ApiKeyInvalid,
                    Counted::Throttled => Refusal::Throttled,
                    Counted::QuotaExceeded => Refusal::QuotaExceeded,
                }
            }
        };
        Err(Refused {
            refusal,
            context: answer.context.clone(),
        })
    }
}

#[async_trait]
impl StageCache for Gateway {
    async fn flush(&self, _: &str) -> Result<(), String> {
        self.cache.clear();
        Ok(())
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
pub(super) fn request_id() -> String {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}
