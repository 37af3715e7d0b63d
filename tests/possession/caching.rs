//! What the gateway keeps: an Allow that rests on a certificate or a proof lets nobody else pass, and nobody without it.
//!
//! The gateway is that of `doorward local`, with its cache and its evaluator of policies. Certificates reach it as the TLS layer
//! would hand them on: the test says which one the client shows, and `x-shown` stands for it among the identity sources.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{body::Body, http::Request};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward::local::gateway::{
    AuthorizerFunction, Backend, Clocks, Gateway, IdentitySource, Invocation, Payload, Routes,
    Settings,
};
use doorward_authorizer::{Authorizer, Call, Event};
use doorward_engine::layers::{ip_allow::AddressRules, jwt::Algorithm};
use doorward_keys::Timestamp;
use doorward_tests::{
    certificates::{Authority, Client},
    proofs::{proof, signed, thumbprint},
    tokens::{SigningKey, encode},
};
use serde_json::{Value, json};

use crate::gate::{Gate, NOW, config, token};

const AT: Timestamp = Timestamp::from_unix(NOW);

tokio::task_local! {
    /// The clock of one test.
    static CLOCK: Arc<AtomicI64>;
}

fn wall() -> Timestamp {
    Timestamp::from_unix(CLOCK.with(|clock| clock.load(Ordering::SeqCst)))
}

fn stopwatch() -> Duration {
    Duration::from_secs(u64::try_from(wall().unix()).unwrap())
}

/// The authorizer, with the certificate that was shown put where the gateway puts it.
struct Function {
    authorizer: Arc<Authorizer>,
    shown: Mutex<HashMap<String, String>>,
    calls: AtomicI64,
    now: Arc<AtomicI64>,
}

#[async_trait::async_trait]
impl AuthorizerFunction for Function {
    async fn invoke(&self, mut event: Value) -> Invocation {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let name = event["headers"]["x-shown"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if let Some(pem) = self.shown.lock().unwrap().get(&name) {
            let certificate = json!({"clientCertPem": pem});
            let place = if event["version"] == "2.0" {
                "/requestContext/authentication"
            } else {
                "/requestContext/identity"
            };
            let held = event.pointer_mut(place).unwrap();
            if held.is_null() {
                *held = json!({});
            }
            held["clientCert"] = certificate;
        }
        let text = event.to_string();
        let event = Event::parse(text.as_bytes());
        let call = Call {
            request_id: String::new(),
            trace_id: None,
            received_at: Timestamp::from_unix(self.now.load(Ordering::SeqCst)).into(),
            time_left: None,
        };
        let answer = self.authorizer.handle(&event, &call).await;
        Invocation {
            answer: answer
                .map(|answer| answer.to_value())
                .map_err(|refusal| refusal.message().to_owned()),
            note: None,
        }
    }
}

struct World {
    gateway: Gateway,
    function: Arc<Function>,
    now: Arc<AtomicI64>,
}

impl World {
    /// A gateway that keeps answers for five minutes by these identity sources.
    fn new(
        more: &Value,
        payload: Payload,
        sources: &[&str],
        certificates: &[(&str, &str)],
    ) -> Self {
        let now = Arc::new(AtomicI64::new(NOW));
        let gate = Gate::new(more);
        let shown = certificates.iter();
        let shown = shown.map(|(name, pem)| ((*name).to_owned(), (*pem).to_owned()));
        let function = Arc::new(Function {
            authorizer: gate.authorizer,
            shown: Mutex::new(shown.collect()),
            calls: AtomicI64::new(0),
            now: Arc::clone(&now),
        });
        let stage = if payload == Payload::RestRequest {
            "prod"
        } else {
            "$default"
        };
        let sources = sources
            .iter()
            .map(|source| IdentitySource::parse(source).unwrap());
        let ttl = Duration::from_mins(5);
        let settings = Settings::new(payload, stage, sources.collect(), ttl).unwrap();
        let routes = config(more).routes.routes().to_vec();
        let gateway = Gateway::new(
            settings,
            Routes::new(&routes, &AddressRules::default()),
            Arc::clone(&function) as Arc<dyn AuthorizerFunction>,
            Backend::Echo,
            Clocks { wall, stopwatch },
            Arc::new(|_| {}),
        );
        Self {
            gateway,
            function,
            now,
        }
    }

    /// The status of `line`, so many seconds after the first.
    async fn call(&self, later: i64, line: &str, headers: &[(&str, &str)]) -> u16 {
        self.now.store(NOW + later, Ordering::SeqCst);
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:3000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let peer: SocketAddr = "203.0.113.7:4000".parse().unwrap();
        let answer = self.gateway.answer(request, peer);
        CLOCK
            .scope(Arc::clone(&self.now), answer)
            .await
            .status()
            .as_u16()
    }

    fn calls(&self) -> i64 {
        self.function.calls.load(Ordering::SeqCst)
    }
}

const PAYLOADS: [Payload; 3] = [Payload::RestRequest, Payload::Http1, Payload::Http2];

struct Certificates {
    authority: Authority,
    own: String,
    other: String,
    stranger: String,
}

fn certificates() -> Certificates {
    let authority = Authority::new("known", AT);
    Certificates {
        own: authority.issue(&Client::new("own", AT)),
        other: authority.issue(&Client::new("other", AT)),
        stranger: Authority::new("strange", AT).issue(&Client::new("own", AT)),
        authority,
    }
}

impl Certificates {
    fn configuration(&self, cache: &str) -> Value {
        json!({
            "certificates": {
                "authorities": {"known": {"certificate": self.authority.pem}},
                "clients": [{"identity": "cn:own"}],
            },
            "policy": {"gateway_cache": cache},
            "routes": [
                {"route": "GET /alone", "credentials": ["certificate"]},
                {"route": "GET /both", "credentials": ["certificate + jwt"]},
                {"route": "GET /token", "credentials": ["jwt"]},
            ],
        })
    }

    fn shown(&self) -> [(&str, &str); 3] {
        [
            ("own", &self.own),
            ("other", &self.other),
            ("stranger", &self.stranger),
        ]
    }
}

#[tokio::test]
async fn an_allow_that_rests_on_a_certificate_ends_with_the_moment_where_the_cache_does_not_tell_certificates_apart()
 {
    let certificates = certificates();
    let bearer = format!("Bearer {}", token(None));
    for payload in PAYLOADS {
        let world = World::new(
            &certificates.configuration("unknown"),
            payload,
            &["header:authorization"],
            &certificates.shown(),
        );
        let with = |name| [("authorization", bearer.as_str()), ("x-shown", name)];
        assert_eq!(world.call(0, "GET /both", &with("own")).await, 200);
        for later in [2, 3, 60, 299] {
            for name in ["other", "stranger", "nobody", "own"] {
                let found = world.call(later, "GET /both", &with(name)).await;
                assert_eq!(found, 403, "{payload:?} {name} {later}");
            }
        }
        assert_eq!(world.calls(), 1, "all of them were answered from the cache");
    }
}

#[tokio::test]
async fn an_allow_that_rests_on_a_certificate_serves_its_holder_where_the_cache_tells_certificates_apart()
 {
    let certificates = certificates();
    let bearer = format!("Bearer {}", token(None));
    for payload in PAYLOADS {
        let world = World::new(
            &certificates.configuration("by_certificate"),
            payload,
            &["header:authorization", "header:x-shown"],
            &certificates.shown(),
        );
        let with = |name| [("authorization", bearer.as_str()), ("x-shown", name)];
        // The answer to one route covers the others, whichever was asked first.
        assert_eq!(world.call(0, "GET /token", &with("own")).await, 200);
        assert_eq!(world.call(200, "GET /both", &with("own")).await, 200);
        assert_eq!(world.calls(), 1);
        for (name, expected) in [("other", 401), ("stranger", 401), ("unheard", 401)] {
            assert_eq!(
                world.call(200, "GET /both", &with(name)).await,
                expected,
                "{name}"
            );
        }
        // Whoever shows another certificate may still do what needs none.
        assert_eq!(world.call(200, "GET /token", &with("stranger")).await, 200);
        assert_eq!(world.call(201, "GET /both", &with("stranger")).await, 403);
        // Without a certificate there is no identity to look for.
        assert_eq!(
            world
                .call(200, "GET /both", &[("authorization", &bearer)])
                .await,
            401
        );
    }
}

#[tokio::test]
async fn a_bound_token_is_kept_for_no_other_certificate() {
    let certificates = certificates();
    let inner: String = certificates
        .own
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let thumbprint = encode(digest(&SHA256, &STANDARD.decode(inner).unwrap()));
    let bearer = format!("Bearer {}", token(Some(json!({"x5t#S256": thumbprint}))));
    let with = |name| [("authorization", bearer.as_str()), ("x-shown", name)];
    // No `certificates` are configured: the token alone demands its own.
    let plain = |cache| {
        json!({
            "policy": {"gateway_cache": cache},
            "routes": [{"route": "GET /token", "credentials": ["jwt"]}],
        })
    };
    for payload in PAYLOADS {
        let sources = &["header:authorization"];
        let world = World::new(&plain("unknown"), payload, sources, &certificates.shown());
        assert_eq!(world.call(0, "GET /token", &with("own")).await, 200);
        for name in ["other", "nobody"] {
            assert_eq!(
                world.call(2, "GET /token", &with(name)).await,
                403,
                "{name}"
            );
        }
        let sources = &["header:authorization", "header:x-shown"];
        let world = World::new(
            &plain("by_certificate"),
            payload,
            sources,
            &certificates.shown(),
        );
        assert_eq!(world.call(0, "GET /token", &with("own")).await, 200);
        assert_eq!(world.call(200, "GET /token", &with("own")).await, 200);
        assert_eq!(world.calls(), 1);
        assert_eq!(world.call(200, "GET /token", &with("other")).await, 401);
    }
}

fn dpop(cache: &str) -> Value {
    json!({
        "dpop": {},
        "policy": {"gateway_cache": cache},
        "routes": [
            {"route": "GET /token", "credentials": ["jwt"]},
            {"route": "GET /other/{id}", "credentials": ["jwt"]},
        ],
    })
}

struct Bound {
    key: Arc<SigningKey>,
    token: String,
}

impl Bound {
    fn new() -> Self {
        let key = SigningKey::shared(Algorithm::Es256, "client");
        let token = token(Some(json!({"jkt": thumbprint(&key)})));
        Self { key, token }
    }

    fn proof(&self, path: &str, later: i64) -> String {
        let address = format!("http://127.0.0.1:3000{path}");
        signed(proof("GET", &address, &self.token, NOW + later), &self.key)
    }
}

#[tokio::test]
async fn an_allow_that_rests_on_a_proof_is_not_kept_for_a_request_without_one() {
    let bound = Bound::new();
    let authorization = format!("DPoP {}", bound.token);
    for cache in ["unknown", "by_certificate", "off"] {
        for payload in PAYLOADS {
            let sources = &["header:authorization"];
            let world = World::new(&dpop(cache), payload, sources, &[]);
            let proof = bound.proof("/token", 0);
            let first = [("authorization", authorization.as_str()), ("dpop", &proof)];
            assert_eq!(
                world.call(0, "GET /token", &first).await,
                200,
                "{payload:?}"
            );
            let without = [("authorization", authorization.as_str())];
            for later in [2, 60, 299] {
                assert_eq!(world.call(later, "GET /token", &without).await, 403);
                assert_eq!(world.call(later, "GET /token", &first).await, 403);
            }
            // What the proof was not made for is not allowed even within the moment.
            assert_eq!(world.call(0, "GET /other/1", &without).await, 403);
            assert_eq!(world.calls(), 1);
        }
    }
}

#[tokio::test]
async fn with_the_proof_among_the_identity_sources_every_proof_is_looked_at() {
    let bound = Bound::new();
    let authorization = format!("DPoP {}", bound.token);
    for payload in PAYLOADS {
        let sources = &["header:authorization", "header:dpop"];
        let world = World::new(&dpop("unknown"), payload, sources, &[]);
        for later in 0..4 {
            let proof = bound.proof("/token", later);
            let headers = [
                ("authorization", authorization.as_str()),
                ("dpop", proof.as_str()),
            ];
            assert_eq!(world.call(later, "GET /token", &headers).await, 200);
            assert_eq!(
                world.call(later + 2, "GET /token", &headers).await,
                403,
                "a second time"
            );
        }
        assert_eq!(world.calls(), 4);
        let without = [("authorization", authorization.as_str())];
        assert_eq!(world.call(4, "GET /token", &without).await, 401);
        assert_eq!(world.calls(), 4);
    }
}

#[tokio::test]
async fn a_simple_answer_never_rests_on_what_the_gateway_might_keep() {
    let certificates = certificates();
    let inner: String = certificates
        .own
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let thumbprint = encode(digest(&SHA256, &STANDARD.decode(inner).unwrap()));
    let bearer = format!("Bearer {}", token(Some(json!({"x5t#S256": thumbprint}))));
    let simple = |cache| {
        json!({
            "policy": {"gateway_cache": cache}, "answers": {"http_api": "simple"},
            "routes": [{"route": "GET /token", "credentials": ["jwt"]}],
        })
    };
    let with = [("authorization", bearer.as_str()), ("x-shown", "own")];
    for (cache, expected) in [("unknown", 500), ("by_certificate", 200), ("off", 200)] {
        let sources = &["header:authorization", "header:x-shown"];
        let world = World::new(
            &simple(cache),
            Payload::Http2Simple,
            sources,
            &certificates.shown(),
        );
        assert_eq!(
            world.call(0, "GET /token", &with).await,
            expected,
            "{cache}"
        );
    }
}
