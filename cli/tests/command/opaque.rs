//! Opaque tokens with a server that knows them: `doorward local` in front of it, and `doorward explain`.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Form, Json, Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::run::{Ended, Folder};

const SECRET: &str = "the-secret-of-the-gate";
const TOKEN: &str = "opaque-token-of-ann";
const OTHER: &str = "opaque-token-of-nobody";
const SWAPPED: &str = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl";

/// Knows one token (RFC 7662), and swaps it (RFC 8693); only for the gate.
#[derive(Clone, Default)]
struct Server {
    asked: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> (String, Self) {
        let server = Self::default();
        let router = Router::new()
            .route("/introspect", post(introspected))
            .route("/token", post(swapped))
            .with_state(server.clone());
        (served(router).await, server)
    }
}

async fn served(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

type Fields = Form<HashMap<String, String>>;

async fn introspected(
    State(server): State<Server>,
    headers: HeaderMap,
    Form(fields): Fields,
) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    if !is_gate(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let active = fields.get("token").is_some_and(|token| token == TOKEN);
    let exp = doorward::clock::wall().unix() + 600;
    let answer = json!({"active": true, "sub": "ann", "aud": "api", "exp": exp, "scope": "read"});
    Json(if active {
        answer
    } else {
        json!({"active": false})
    })
    .into_response()
}

async fn swapped(headers: HeaderMap, Form(fields): Fields) -> Response {
    let known = fields
        .get("subject_token")
        .is_some_and(|token| token == TOKEN);
    if !is_gate(&headers) || !known {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({"error": "invalid_grant"})),
        )
            .into_response();
    }
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    Json(json!({
        "access_token": SWAPPED, "issued_token_type": kind, "token_type": "Bearer", "expires_in": 300,
    }))
    .into_response()
}

fn is_gate(headers: &HeaderMap) -> bool {
    let basic = format!("Basic {}", STANDARD.encode(format!("gate:{SECRET}")));
    headers
        .get("authorization")
        .is_some_and(|value| value.as_bytes() == basic.as_bytes())
}

fn config(url: &str) -> String {
    format!(
        r#"
        [[introspection]]
        name = "servers"
        issuer = "https://login.example"
        endpoint = "{url}/introspect"
        audiences = ["api"]
        client = {{ id = "gate", secret = "env:DOORWARD_SECRET_CLIENT" }}
        danger_allow_http = true

        [[exchanges]]
        name = "backend"
        token_endpoint = "{url}/token"
        audiences = ["backend"]
        client = {{ id = "gate", secret = "env:DOORWARD_SECRET_CLIENT" }}
        danger_allow_http = true

        [[routes]]
        route = "GET /orders"
        credentials = ["opaque"]
        scopes = ["read"]

        [[routes]]
        route = "POST /orders"
        credentials = ["opaque"]
        scopes = ["write"]

        [[routes]]
        route = "GET /swapped"
        credentials = ["opaque"]
        exchange = "backend"
        "#
    )
}

const VARIABLES: [(&str, &str); 1] = [("DOORWARD_SECRET_CLIENT", SECRET)];

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_what_its_server_says_and_is_swapped_for_the_backend() {
    let (url, server) = Server::start().await;
    let backend = served(Router::new().fallback(|request: Request<Body>| async move {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        Json(json!({
            "subject": header("x-doorward-subject"),
            "credential": header("x-doorward-credential"),
            "token": header("x-doorward-downstream-token"),
        }))
    }))
    .await;
    let folder = Folder::new();
    folder.write("doorward.toml", &config(&url));
    let args = ["local", "--port", "0", "--ttl", "0", "--backend", &backend];
    let (local, said) = folder.local_with(&args, &VARIABLES);
    let base = said[0].split(' ').next().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let call = async |method: &str, path: &str, token: &str| {
        let request = client.request(method.parse().unwrap(), format!("{base}{path}"));
        let answer = request.bearer_auth(token).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    };
    let (status, seen) = call("GET", "/orders", TOKEN).await;
    assert_eq!(status, 200, "{seen}");
    assert_eq!(
        (&seen["subject"], &seen["credential"]),
        (&json!("ann"), &json!("opaque")),
        "{seen}"
    );
    assert_eq!(call("POST", "/orders", TOKEN).await.0, 403);
    assert_eq!(call("GET", "/orders", OTHER).await.0, 401);
    // What the server said is remembered, for better or worse.
    assert_eq!(call("GET", "/orders", TOKEN).await.0, 200);
    assert_eq!(call("GET", "/orders", OTHER).await.0, 401);
    assert_eq!(server.asked.load(Ordering::SeqCst), 2);
    let (status, seen) = call("GET", "/swapped", TOKEN).await;
    assert_eq!((status, &seen["token"]), (200, &json!(SWAPPED)), "{seen}");
    assert!(!said.join("\n").contains(SECRET), "{said:?}");
    drop(local);

    // The echo says what the token says, and no more.
    let (local, said) = folder.local_with(&args[..5], &VARIABLES);
    let base = said[0].split(' ').next().unwrap();
    let request = client.get(format!("{base}/swapped")).bearer_auth(TOKEN);
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("eyJhbGciOiJFUzI1NiJ9.e30.(hidden)"), "{text}");
    for secret in [SWAPPED, TOKEN] {
        assert!(!text.contains(secret), "{text}");
    }
    drop(local);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_neither_the_token_nor_the_one_it_is_swapped_for() {
    let (url, _server) = Server::start().await;
    let folder = Folder::new();
    folder.write("doorward.toml", &config(&url));
    let explain = |verb: &str, path: &str, token: &str, more: &[&str]| -> Ended {
        let event = json!({
            "type": "REQUEST",
            "methodArn": format!("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/{verb}{path}"),
            "resource": path, "path": path, "httpMethod": verb,
            "headers": {"Authorization": format!("Bearer {token}")},
            "multiValueHeaders": {"Authorization": [format!("Bearer {token}")]},
            "queryStringParameters": {"access": token},
            "requestContext": {
                "apiId": "a1b2c3", "stage": "prod", "httpMethod": verb, "resourcePath": path,
                "path": format!("/prod{path}"), "identity": {"sourceIp": "203.0.113.7"},
            },
        });
        folder.write("event.json", &event.to_string());
        let args = [&["explain", "event.json"], more].concat();
        folder.run_on_aws(&VARIABLES, &args)
    };
    for (verb, path, token, code, says) in [
        ("GET", "/orders", TOKEN, 0, "servers"),
        ("GET", "/swapped", TOKEN, 0, "exchange"),
        ("POST", "/orders", TOKEN, 1, "scope_missing"),
        ("GET", "/orders", OTHER, 1, "token_inactive"),
        ("GET", "/nowhere", TOKEN, 1, "route_unknown"),
    ] {
        for more in [&[][..], &["--json"]] {
            let ended = explain(verb, path, token, more);
            assert_eq!(ended.code, code, "{ended:?}");
            assert!(ended.out.contains(says), "{says}: {ended:?}");
            for secret in [TOKEN, OTHER, SWAPPED, SECRET, "c2lnbmF0dXJl"] {
                let told = ended.out.contains(secret) || ended.err.contains(secret);
                assert!(!told, "{secret}: {ended:?}");
            }
        }
    }
}
