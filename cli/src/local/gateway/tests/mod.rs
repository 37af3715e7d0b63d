//! The gateway with authorizers made up for one purpose each: whatever they answer, it must be treated as AWS treats it.

mod answers;
mod caching;
mod events;
mod preflight;
mod throttling;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::http::StatusCode;
use doorward_engine::{
    layers::ip_allow::AddressRules,
    routes::{Demand, Kind, Methods, Place, Route, Template},
};
use serde_json::{Value, json};

use super::*;

/// An authorizer that answers by the token it is sent, and remembers the events.
#[derive(Default)]
struct Made {
    events: Mutex<Vec<Value>>,
    answers: Vec<(&'static str, Result<Value, String>)>,
}

#[async_trait]
impl AuthorizerFunction for Made {
    async fn invoke(&self, event: Value) -> Invocation {
        let text = event.to_string();
        self.events.lock().unwrap().push(event);
        let found = self.answers.iter().find(|(token, _)| text.contains(token));
        let answer = found.map_or(Err("no answer made".to_owned()), |(_, answer)| {
            answer.clone()
        });
        assert_ne!(answer, Err("panic".to_owned()), "as the test demands");
        Invocation { answer, note: None }
    }
}

fn route(methods: Methods, template: &str) -> Route {
    Route {
        key: template.to_owned(),
        name: template.to_owned(),
        place: Place::Http(methods, Template::parse(template).unwrap()),
        credentials: vec![vec![Kind::Jwt]],
        anonymous: false,
        scopes: Demand::default(),
        roles: Demand::default(),
        tenants: None,
        addresses: None::<AddressRules>,
        context: std::collections::BTreeMap::default(),
        limits: Vec::new(),
        remote: doorward_engine::routes::Remote::default(),
    }
}

static WALL: AtomicI64 = AtomicI64::new(1_795_428_000);
static STOPWATCH: AtomicU64 = AtomicU64::new(0);

struct Bench {
    gateway: Gateway,
    function: Arc<Made>,
    seen: Arc<Mutex<Vec<Exchange>>>,
}

fn bench(
    payload: Payload,
    sources: &[&str],
    ttl: u64,
    answers: Vec<(&'static str, Result<Value, String>)>,
) -> Bench {
    bench_with(payload, sources, ttl, answers, |settings| settings)
}

fn bench_with(
    payload: Payload,
    sources: &[&str],
    ttl: u64,
    answers: Vec<(&'static str, Result<Value, String>)>,
    change: impl FnOnce(Settings) -> Settings,
) -> Bench {
    let stage = if payload.api() == ApiKind::Rest {
        "prod"
    } else {
        "$default"
    };
    let sources = sources
        .iter()
        .map(|source| IdentitySource::parse(source).unwrap())
        .collect();
    let settings = Settings::new(payload, stage, sources, Duration::from_secs(ttl)).unwrap();
    let settings = change(settings);
    let function = Arc::new(Made {
        events: Mutex::default(),
        answers,
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let gateway = Gateway::new(
        settings,
        Routes::new(
            &[
                route(Methods::One("GET"), "/orders/{id}"),
                route(Methods::One("POST"), "/orders"),
                route(Methods::Any, "/files/{path+}"),
                Route {
                    anonymous: true,
                    credentials: vec![],
                    ..route(Methods::One("GET"), "/health")
                },
            ],
            &AddressRules::default(),
        ),
        Arc::clone(&function) as Arc<dyn AuthorizerFunction>,
        Backend::Echo,
        Clocks {
            wall: || Timestamp::from_unix(WALL.load(Ordering::SeqCst)),
            stopwatch: || Duration::from_secs(STOPWATCH.load(Ordering::SeqCst)),
        },
        Arc::new(move |exchange: &Exchange| record.lock().unwrap().push(exchange.clone())),
    );
    Bench {
        gateway,
        function,
        seen,
    }
}

impl Bench {
    async fn call(&self, line: &str, headers: &[(&str, &str)]) -> (StatusCode, Value, HeaderMap) {
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from("{\"n\":1}")).unwrap();
        let peer: std::net::SocketAddr = "203.0.113.7:4000".parse().unwrap();
        let response = self.gateway.answer(request, peer).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, MAX_BODY).await.unwrap();
        (
            parts.status,
            serde_json::from_slice(&body).unwrap_or_default(),
            parts.headers,
        )
    }

    fn calls(&self) -> usize {
        self.function.events.lock().unwrap().len()
    }

    fn last_event(&self) -> Value {
        self.function.events.lock().unwrap().last().unwrap().clone()
    }

    fn last_asked(&self) -> Asked {
        self.seen.lock().unwrap().last().unwrap().asked
    }
}

fn policy(statements: &Value) -> Value {
    json!({
        "principalId": "p",
        "policyDocument": {"Version": "2012-10-17", "Statement": statements},
        "context": {"tenant": "acme", "level": 3},
    })
}

fn statement(effect: &str, rest: &str) -> Value {
    let resource = format!("arn:aws:execute-api:us-east-1:123456789012:doorward00/{rest}");
    json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
}

const AUTHORIZATION: &[&str] = &["header:Authorization"];
const REST: Payload = Payload::RestRequest;

#[tokio::test]
async fn answers_what_reaches_no_route_without_asking() {
    for (payload, status, body) in [
        (
            REST,
            403,
            json!({"message": "Missing Authentication Token"}),
        ),
        (Payload::Http2, 404, json!({"message": "Not Found"})),
    ] {
        let bench = bench(payload, AUTHORIZATION, 60, vec![]);
        for line in ["GET /nowhere", "DELETE /orders/1", "GET /"] {
            let (found, text, _) = bench.call(line, &[("authorization", "x")]).await;
            assert_eq!((found.as_u16(), text), (status, body.clone()), "{line}");
        }
        assert_eq!((bench.calls(), bench.last_asked()), (0, Asked::No));
    }
}

#[tokio::test]
async fn answers_a_missing_identity_source_without_asking() {
    for payload in [REST, Payload::RestToken, Payload::Http1, Payload::Http2] {
        let bench = bench(payload, AUTHORIZATION, 60, vec![]);
        for headers in [
            vec![],
            vec![("authorization", "")],
            vec![("x-api-key", "k")],
        ] {
            let (status, body, headers) = bench.call("GET /orders/1", &headers).await;
            assert_eq!(
                (status.as_u16(), body),
                (401, json!({"message": "Unauthorized"}))
            );
            let challenge = headers
                .get("www-authenticate")
                .map(|value| value.to_str().unwrap());
            assert_eq!(
                challenge,
                (payload.api() == ApiKind::Rest).then_some("Bearer")
            );
            let is_rest = payload.api() == ApiKind::Rest;
            for name in ["access-control-expose-headers", "cache-control"] {
                assert_eq!(headers.contains_key(name), is_rest, "{name}");
            }
        }
        assert_eq!(bench.calls(), 0);
    }
}

#[tokio::test]
async fn asks_every_time_without_identity_sources() {
    let bench = bench(
        REST,
        &[],
        0,
        vec![("k1", Ok(policy(&json!([statement("Allow", "*")]))))],
    );
    for _ in 0..2 {
        let (status, _, _) = bench.call("GET /orders/1", &[("x-api-key", "k1")]).await;
        assert_eq!((status.as_u16(), bench.last_asked()), (200, Asked::Yes));
    }
    assert_eq!(bench.calls(), 2);
}

#[tokio::test]
async fn refuses_an_arn_longer_than_the_gateway_takes() {
    let bench = bench(REST, AUTHORIZATION, 0, vec![]);
    let line = format!("GET /orders/{}", "a".repeat(1600));
    let (status, _, _) = bench.call(&line, &[("authorization", "t")]).await;
    assert_eq!((status.as_u16(), bench.calls()), (414, 0));
}

#[tokio::test]
async fn lines_name_no_query_and_no_credential() {
    let bench = bench(
        REST,
        AUTHORIZATION,
        0,
        vec![("t", Err("broken".to_owned()))],
    );
    bench
        .call(
            "GET /orders/1?token=hidden-1",
            &[("authorization", "hidden-2")],
        )
        .await;
    let line = format!("{:?}", bench.seen.lock().unwrap());
    assert!(!line.contains("hidden"), "{line}");
}

#[tokio::test]
async fn a_public_route_has_no_authorizer() {
    let bench = bench(REST, AUTHORIZATION, 0, vec![]);
    let (status, echo, _) = bench.call("GET /health", &[]).await;
    assert_eq!((status.as_u16(), bench.calls()), (200, 0));
    assert_eq!(echo["requestContext"]["authorizer"], Value::Null);
    let restricted = AddressRules {
        allow: Some([].into_iter().collect()),
        ..AddressRules::default()
    };
    let public = Route {
        anonymous: true,
        credentials: vec![],
        ..route(Methods::Any, "/health")
    };
    let found = Routes::new(&[public], &restricted).find(ApiKind::Rest, "GET", "/health");
    assert!(!found.unwrap().is_public, "the addresses must be looked at");
}
