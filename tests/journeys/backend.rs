//! What reaches the backend.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Response, header},
};
use doorward::local::gateway::{Backend, Payload, Upstream};
use serde_json::{Value, json};

use crate::house::{APIS, House, Setup};

#[tokio::test]
async fn the_backend_sees_who_called_with_a_token() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let token = house.token_with(&["orders:read"], |request| {
            request.claims.insert("tenant".to_owned(), json!("acme"));
        });
        let seen = house
            .call(
                "GET /orders/42?q=1",
                &[("authorization", &format!("Bearer {token}"))],
            )
            .await;
        let echo = seen.json();
        let context = context(&echo, payload);
        for (name, value) in [
            ("credential", "jwt"),
            ("subject", "alice"),
            ("tenant", "acme"),
            ("scopes", "orders:read"),
            ("area", "orders"),
        ] {
            assert_eq!(context[name], value, "{payload:?}: {echo:#}");
            assert_eq!(echo["headers"][format!("x-doorward-{name}")], value);
        }
        assert_eq!(
            (
                &echo["pathParameters"]["id"],
                &echo["queryStringParameters"]["q"]
            ),
            (&json!("42"), &json!("1"))
        );
        assert!(!seen.text.contains(&token), "the echo shows no credential");
        house.stop().await;
    }
}

#[tokio::test]
async fn the_backend_sees_who_called_with_a_key() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let key = house.key(&["orders:read"]).await;
        let seen = house
            .call(
                "GET /orders/42",
                &[("authorization", &format!("Bearer {}", key.printed))],
            )
            .await;
        let echo = seen.json();
        let context = context(&echo, payload);
        for (name, value) in [
            ("credential", "api_key"),
            ("tenant", "acme"),
            ("keyId", key.id.as_str()),
            ("keyName", "journey"),
            ("plan", "gold"),
        ] {
            assert_eq!(context[name], value, "{payload:?}: {echo:#}");
        }
        assert_eq!(echo["headers"]["x-doorward-key-id"], key.id.as_str());
        assert!(!seen.text.contains(&key.printed));
        house.stop().await;
    }
}

#[tokio::test]
async fn headers_that_a_client_forges_do_not_reach_the_backend() {
    let house = House::start(Setup::default()).await;
    let bearer = format!("Bearer {}", house.token(&["orders:read"]));
    let forged = [
        ("authorization", bearer.as_str()),
        ("x-doorward-subject", "root"),
        ("X-Doorward-Roles", "admin"),
        ("x_doorward_key_id", "key_x"),
    ];
    for line in ["GET /orders/42", "GET /health"] {
        let echo = house.call(line, &forged).await.json();
        assert!(
            !echo.to_string().contains("root") && !echo.to_string().contains("key_x"),
            "{echo:#}"
        );
        assert_eq!(echo["headers"].get("x-doorward-roles"), None);
    }
    house.stop().await;
}

#[tokio::test]
async fn a_cached_answer_brings_the_same_context() {
    let house = House::start(Setup::default()).await;
    let bearer = format!("Bearer {}", house.token(&["orders:read"]));
    let first = house
        .call("GET /orders/1", &[("authorization", &bearer)])
        .await
        .json();
    let second = house
        .call("GET /orders/2", &[("authorization", &bearer)])
        .await
        .json();
    assert_eq!(house.asked(), 1);
    assert_eq!(first["requestContext"], second["requestContext"]);
    house.stop().await;
}

#[tokio::test]
async fn an_upstream_gets_the_request_and_its_answer_comes_back() {
    let (url, requests) = upstream().await;
    let house = House::start(Setup {
        backend: Backend::Upstream(Upstream::new(&format!("{url}/base")).unwrap()),
        ..Setup::default()
    })
    .await;
    let bearer = format!("Bearer {}", house.token(&["orders:read"]));
    let headers = [
        ("authorization", bearer.as_str()),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("x-doorward-subject", "root"),
    ];
    let seen = house.call("GET /orders/42?a=b%20c", &headers).await;
    assert_eq!((seen.status, seen.text.as_str()), (418, "short and stout"));
    assert_eq!(seen.headers["x-answer"], "kept");
    assert!(!seen.headers.contains_key("keep-alive"));
    let request = requests.lock().unwrap().pop().unwrap();
    assert_eq!(request["uri"], "/base/orders/42?a=b%20c");
    assert_eq!(request["headers"]["x-doorward-subject"], "alice");
    assert_eq!(request["headers"]["x-forwarded-for"], "127.0.0.1");
    for name in ["x-hop", "te"] {
        assert_eq!(request["headers"].get(name), None, "{name}");
    }
    // What is refused never gets there.
    assert_eq!(house.call("POST /orders", &headers).await.status, 403);
    assert!(requests.lock().unwrap().is_empty());
    house.stop().await;
}

#[tokio::test]
async fn an_upstream_that_is_gone_is_said_as_the_gateway_says_it() {
    for (payload, status) in [(Payload::RestRequest, 504), (Payload::Http2, 503)] {
        let backend = Backend::Upstream(Upstream::new("http://127.0.0.1:1").unwrap());
        let house = House::start(Setup {
            payload,
            backend,
            ..Setup::default()
        })
        .await;
        let seen = house.call("GET /health", &[]).await;
        assert_eq!(seen.status, status, "{}", seen.text);
        assert!(!seen.text.contains("127.0.0.1"));
        house.stop().await;
    }
}

#[tokio::test]
async fn a_body_longer_than_the_gateway_takes_is_413() {
    let house = House::start(Setup::default()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = house.token(&["orders:write"]);
    for (length, status) in [(1024 * 1024, 200), (10 * 1024 * 1024 + 1, 413)] {
        let request = client
            .post(format!("{}/orders", house.url()))
            .bearer_auth(&token)
            .body(vec![b'a'; length]);
        assert_eq!(
            request.send().await.unwrap().status().as_u16(),
            status,
            "{length}"
        );
    }
    house.stop().await;
}

fn context(echo: &Value, payload: Payload) -> Value {
    let pointer = match payload {
        Payload::RestRequest | Payload::RestToken => "/requestContext/authorizer",
        Payload::Http1 | Payload::Http2 | Payload::Http2Simple => {
            "/requestContext/authorizer/lambda"
        }
    };
    echo.pointer(pointer).cloned().unwrap_or_default()
}

/// A server that remembers what it got.
async fn upstream() -> (String, Arc<Mutex<Vec<Value>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&requests);
    let answer = move |request: Request| {
        let headers: serde_json::Map<String, Value> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
            .collect();
        record
            .lock()
            .unwrap()
            .push(json!({"uri": request.uri().to_string(), "headers": headers}));
        async {
            Response::builder()
                .status(418)
                .header("x-answer", "kept")
                .header(header::CONNECTION, "x-gone")
                .header("keep-alive", "timeout=5")
                .body(Body::from("short and stout"))
                .unwrap()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, requests)
}
