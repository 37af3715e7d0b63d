//! The identity token: a backend that refuses whoever did not come through the gate.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, Response},
    middleware,
};
use doorward::local::gateway::{Backend, Payload, Upstream};
use doorward_verify::{Gate, HEADER, Identity, Refused, require_identity};
use serde_json::Value;

use crate::house::{APIS, House, Setup};

/// Put after the configuration of the house, which makes a key for each run.
const TOKENS: &str = r#"
[identity_token]
issuer = "https://gate.invalid"
audience = "https://backend.invalid"
signing_key = "env:DOORWARD_SECRET_DEMO_SIGNING_KEY"
lifetime_seconds = 75
"#;

const ISSUER: &str = "https://gate.invalid";
const AUDIENCE: &str = "https://backend.invalid";

/// A backend behind the middleware of the example, and what reached it. The gate is known once the house stands.
struct Service {
    url: String,
    gate: Arc<Mutex<Option<Arc<Gate>>>>,
    seen: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Service {
    async fn start() -> Self {
        let gate: Arc<Mutex<Option<Arc<Gate>>>> = Arc::default();
        let seen: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
        let (known, record) = (Arc::clone(&gate), Arc::clone(&seen));
        let checked = middleware::from_fn(move |request: Request, next: middleware::Next| {
            record.lock().unwrap().push(request.headers().clone());
            let gate = Arc::clone(known.lock().unwrap().as_ref().unwrap());
            require_identity(axum::extract::State(gate), request, next)
        });
        let answer = |Extension(who): Extension<Identity>| async move {
            let facts = ["sub", "tenant", "scopes", "credential", "keyId", "subject"];
            let said = facts.map(|name| (name.to_owned(), Value::from(who.claim(name))));
            let said = serde_json::Map::from_iter(said);
            Response::new(Body::from(Value::Object(said).to_string()))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app: Router = Router::new().fallback(answer).layer(checked);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, gate, seen }
    }

    fn believes(&self, gate: Gate) {
        *self.gate.lock().unwrap() = Some(Arc::new(gate));
    }

    /// The token that came with the last request.
    fn last_token(&self) -> String {
        let seen = self.seen.lock().unwrap();
        let token = seen.last().unwrap().get(HEADER).unwrap();
        token.to_str().unwrap().to_owned()
    }

    /// A request that did not come through the gate.
    async fn around_the_gate(&self, token: Option<&str>) -> u16 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client
            .get(format!("{}/orders/42", self.url))
            .header("x-doorward-subject", "root")
            .header("x-doorward-tenant", "acme");
        if let Some(token) = token {
            request = request.header(HEADER, token);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

fn gate_of(house: &House) -> Gate {
    Gate::new(house.identity_keys(), ISSUER, AUDIENCE)
}

async fn house(payload: Payload, ttl: u64, service: &Service) -> House {
    House::start(Setup {
        payload,
        ttl,
        backend: Backend::Upstream(Upstream::new(&service.url).unwrap()),
        more: TOKENS,
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn a_backend_believes_who_came_through_the_gate_and_nobody_else() {
    for payload in APIS {
        let service = Service::start().await;
        let house = house(payload, 60, &service).await;
        service.believes(gate_of(&house));
        let bearer = format!("Bearer {}", house.token(&["orders:read"]));
        let seen = house
            .call("GET /orders/42", &[("authorization", &bearer)])
            .await;
        assert_eq!(seen.status, 200, "{payload:?}: {}", seen.text);
        let said = seen.json();
        assert!(
            said["sub"].as_str().unwrap().starts_with("user|http"),
            "{said}"
        );
        assert_eq!(
            (&said["subject"], &said["scopes"]),
            (&"alice".into(), &"orders:read".into())
        );

        let key = house.key(&["orders:read"]).await;
        let of_key = format!("Bearer {}", key.printed);
        let said = house
            .call("GET /orders/42", &[("authorization", &of_key)])
            .await
            .json();
        assert_eq!(
            (&said["credential"], &said["tenant"], &said["keyId"]),
            (&"api_key".into(), &"acme".into(), &key.id.as_str().into())
        );

        // The same facts as headers, and no token or one that was changed: around the gate.
        let token = service.last_token();
        let (signed, _) = token.rsplit_once('.').unwrap();
        assert_eq!(service.around_the_gate(None).await, 401);
        assert_eq!(service.around_the_gate(Some("x")).await, 401);
        let forged = format!("{signed}.{}", "A".repeat(86));
        assert_eq!(service.around_the_gate(Some(&forged)).await, 401);
        // A client cannot bring a token of its own through the gate either.
        let headers = [
            ("authorization", bearer.as_str()),
            (HEADER, forged.as_str()),
        ];
        assert_eq!(house.call("GET /orders/42", &headers).await.status, 200);
        assert_ne!(service.last_token(), forged);
        house.stop().await;
    }
}

#[tokio::test]
async fn a_backend_refuses_a_token_for_another_audience_or_of_another_gate() {
    let service = Service::start().await;
    let house = house(Payload::RestRequest, 60, &service).await;
    let bearer = format!("Bearer {}", house.token(&["orders:read"]));
    for (issuer, audience, refused) in [
        (ISSUER, "https://other.invalid", Refused::Audience),
        ("https://other.invalid", AUDIENCE, Refused::Issuer),
    ] {
        let gate = Gate::new(house.identity_keys(), issuer, audience);
        service.believes(gate);
        let seen = house
            .call("GET /orders/42", &[("authorization", &bearer)])
            .await;
        assert_eq!(
            (seen.status, seen.text.as_str()),
            (401, "not through the gate\n")
        );
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, service.last_token().parse().unwrap());
        let gate = Gate::new(house.identity_keys(), issuer, audience);
        assert_eq!(gate.identity(&headers).await.unwrap_err(), refused);
    }
    // The key set of somebody else: the demo issuer has none of these keys.
    let other = house
        .identity_keys()
        .replace("/.well-known/jwks.json", "/jwks");
    service.believes(Gate::new(&other, ISSUER, AUDIENCE));
    let seen = house
        .call("GET /orders/42", &[("authorization", &bearer)])
        .await;
    assert_eq!(seen.status, 401);
    house.stop().await;
}

#[tokio::test]
async fn a_token_does_not_outlive_the_credential() {
    let service = Service::start().await;
    let house = house(Payload::RestRequest, 0, &service).await;
    service.believes(gate_of(&house));
    // The backend grants five seconds for clocks, and the token of the caller lives for three.
    let token = house.token_with(&["orders:read"], |request| request.lifetime = 3);
    let bearer = format!("Bearer {token}");
    let seen = house
        .call("GET /orders/42", &[("authorization", &bearer)])
        .await;
    assert_eq!(seen.status, 200);
    let kept = service.last_token();
    assert_eq!(
        service.around_the_gate(Some(&kept)).await,
        200,
        "a stolen one works, as long as it lives"
    );
    tokio::time::sleep(Duration::from_millis(8_500)).await;
    assert_eq!(service.around_the_gate(Some(&kept)).await, 401);
    house.stop().await;
}

#[tokio::test]
async fn a_kept_refusal_carries_a_token_to_the_routes_that_it_lets_through() {
    let service = Service::start().await;
    let house = house(Payload::RestRequest, 60, &service).await;
    service.believes(gate_of(&house));
    let bearer = format!("Bearer {}", house.token(&["orders:read"]));
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(house.call("POST /orders", &headers).await.status, 403);
    assert_eq!(house.call("GET /orders/42", &headers).await.status, 200);
    assert_eq!(
        house.asked(),
        1,
        "the second one was answered from the cache"
    );
    house.stop().await;
}

#[tokio::test]
async fn a_kept_answer_never_brings_an_expired_token_and_a_longer_time_to_live_is_warned_of() {
    let service = Service::start().await;
    for (ttl, warned) in [(65, false), (66, true)] {
        let house = house(Payload::RestRequest, ttl, &service).await;
        let warnings = house.warnings().join("\n");
        assert_eq!(
            warnings.contains("identity_token.lifetime_seconds"),
            warned,
            "{warnings}"
        );
        house.stop().await;
    }
}

#[tokio::test]
async fn the_echo_shows_what_a_token_says_and_not_the_token() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            more: TOKENS,
            ..Setup::default()
        })
        .await;
        let bearer = format!("Bearer {}", house.token(&["orders:read"]));
        let echo = house
            .call("GET /orders/42", &[("authorization", &bearer)])
            .await
            .json();
        let shown = echo["headers"][HEADER].as_str().unwrap();
        assert!(
            shown.starts_with("eyJ") && shown.ends_with(".(hidden)"),
            "{shown}"
        );
        let facts = &echo["requestContext"]["authorizer"];
        let facts = facts.get("lambda").unwrap_or(facts);
        assert_eq!(facts["identityToken"], shown);
        house.stop().await;
    }
}
