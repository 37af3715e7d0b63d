//! `doorward probe`: against the gateway on this machine, which does as AWS does, and against stages that do not.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, Method, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::run::{Ended, Folder};

/// A stage that answers as `answer` says; it is given the request and how many came before.
async fn stage<A>(answer: A) -> String
where
    A: Fn(&Request, usize) -> (u16, bool, bool) + Send + Sync + 'static,
{
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    let app = Router::new().fallback(move |request: Request| {
        let (status, allows_origin, retry_after) =
            answer(&request, count.fetch_add(1, Ordering::SeqCst));
        async move {
            let mut headers = HeaderMap::new();
            if allows_origin {
                headers.insert("access-control-allow-origin", "*".parse().unwrap());
            }
            if retry_after {
                headers.insert("retry-after", "1".parse().unwrap());
            }
            (StatusCode::from_u16(status).unwrap(), headers)
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/v1")
}

const ROUTES: [&str; 4] = ["--allowed", "GET /orders/42", "--refused", "GET /admin"];

async fn probe(url: &str, more: &[&str]) -> (Ended, Value) {
    let folder = Folder::new();
    folder.write("credential.txt", "Bearer a.b.c\n");
    let args = [
        &["probe", url, "--credential", "credential.txt", "--json"],
        &ROUTES[..],
        more,
    ]
    .concat();
    let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
    tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ended = folder.run(&args);
        let answer = serde_json::from_str(&ended.out).unwrap_or_default();
        (ended, answer)
    })
    .await
    .unwrap()
}

/// The ids of the rows with this verdict.
fn with(answer: &Value, verdict: &str) -> Vec<String> {
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["verdict"] == verdict)
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_local_gateway_is_as_assumed() {
    // Whether an HTTP API puts CORS headers on its own refusals is not confirmed of AWS; the gateway here does not.
    for (kind, differs) in [
        (&["local", "--api", "rest"][..], &[][..]),
        (&["local", "--api", "http"], &["refusal-with-cors"]),
    ] {
        let folder = Folder::new();
        let ports = ["--port", "0", "--issuer-port", "0", "--admin-port", "0"];
        let (local, said) = folder.local(&[kind, &ports].concat());
        let line = said.iter().find(|line| line.contains("/orders/")).unwrap();
        let url = line
            .split([' ', '\''])
            .find(|word| word.starts_with("http://"))
            .unwrap();
        let (base, _) = url.split_once("/orders").unwrap();
        let token = folder.run(&["token", "--scope", "orders:read"]);
        folder.write("token.txt", &token.out);
        let args = ["probe", base, "--credential", "token.txt", "--json"];
        let ended = folder.run(&[&args, &ROUTES[..]].concat());
        let answer: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(with(&answer, "differs"), differs, "{kind:?} {answer:#}");
        assert!(
            with(&answer, "as_assumed").len() >= 12,
            "{kind:?} {answer:#}"
        );
        assert_eq!(ended.code, i32::from(!differs.is_empty()));
        // The same for people, with nothing of the credential.
        let ended = folder.run(&[&args[..4], &ROUTES[..]].concat());
        assert!(
            ended
                .out
                .contains("as said   without a credential: 401: 401"),
            "{ended:?}"
        );
        assert!(!ended.out.contains(token.out.trim()) && !ended.err.contains(token.out.trim()));
        assert_eq!(local.end("-TERM"), 0);
    }
}

#[tokio::test]
async fn a_stage_that_lets_everybody_in_differs_everywhere() {
    let url = stage(|_, _| (200, false, false)).await;
    let folder = Folder::new();
    let claims = json!({"exp": doorward::clock::wall().unix() + 3});
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    folder.write("ending.txt", &token);
    let ending = folder.path().join("ending.txt").display().to_string();
    let more = ["--default-endpoint", &url, "--ending-token", &ending];
    let (ended, answer) = probe(&url, &more).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(
        with(&answer, "differs"),
        [
            "no-credential",
            "bad-credential",
            "refused",
            "refused-after-allow",
            "trailing-slash",
            "encoded-letter",
            "doubled-slash",
            "unknown-path",
            "two-credentials",
            "preflight",
            "default-endpoint",
            "ends-in-time",
        ]
    );
    assert!(!ended.out.contains(&token));
}

#[tokio::test]
async fn each_of_the_others_is_told_too() {
    // A page may ask, and cannot read its refusal; callers over a limit are not told for how long.
    let url = stage(|request, number| {
        let is_preflight = request.method() == Method::OPTIONS;
        let has_credential = request.headers().contains_key("authorization");
        match (is_preflight, has_credential) {
            (true, _) => (200, true, false),
            (false, false) => (401, false, false),
            (false, true) if number > 17 => (429, false, false),
            (false, true) => (200, false, false),
        }
    })
    .await;
    let (_, answer) = probe(&url, &["--burst", "50"]).await;
    let differs = with(&answer, "differs");
    for id in ["refusal-with-cors", "over-limit"] {
        assert!(differs.iter().any(|one| one == id), "{id}: {answer:#}");
    }
    // A kept answer that shuts the caller out.
    let url = stage(|request, number| match request.uri().path() {
        "/v1/orders/42" if number > 2 => (403, false, false),
        "/v1/orders/42" => (200, false, false),
        _ => (403, false, false),
    })
    .await;
    let (_, answer) = probe(&url, &[]).await;
    let differs = with(&answer, "differs");
    for id in ["kept-allow", "allowed-after-deny"] {
        assert!(differs.iter().any(|one| one == id), "{id}: {answer:#}");
    }
    // A credential that opens nothing ends it.
    let url = stage(|_, _| (403, false, false)).await;
    let (ended, answer) = probe(&url, &[]).await;
    assert_eq!(
        with(&answer, "differs"),
        ["no-credential", "bad-credential", "allowed"]
    );
    assert!(
        ended.err.contains("does not open the allowed route"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_limit_with_its_wait_is_as_assumed() {
    let url = stage(
        |request, number| match request.headers().get("authorization") {
            Some(_) if number > 20 => (429, false, true),
            Some(_) => (200, false, false),
            None => (401, false, false),
        },
    )
    .await;
    let (_, answer) = probe(&url, &["--burst", "50"]).await;
    assert!(
        with(&answer, "as_assumed")
            .iter()
            .any(|id| id == "over-limit"),
        "{answer:#}"
    );
}

#[tokio::test]
async fn what_cannot_be_understood_is_said_before_anything_is_sent() {
    let folder = Folder::new();
    folder.write("credential.txt", "two\nlines");
    folder.write("good.txt", "ck_live_x");
    for (url, file, routes, says) in [
        (
            "http://127.0.0.1:9/v1",
            "credential.txt",
            ROUTES,
            "one credential in one line",
        ),
        (
            "http://api.example.com/v1",
            "good.txt",
            ROUTES,
            "must be https",
        ),
        ("ftp://127.0.0.1/v1", "good.txt", ROUTES, "is no address"),
        (
            "http://127.0.0.1:9/v1",
            "good.txt",
            ["--allowed", "GET /orders/{id}", "--refused", "GET /admin"],
            "without `{…}`",
        ),
    ] {
        let args = [&["probe", url, "--credential", file][..], &routes].concat();
        let ended = folder.run(&args);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(says), "{says}: {ended:?}");
        assert!(!ended.err.contains("ck_live_x"));
    }
    let args = [
        &["probe", "http://127.0.0.1:9/v1", "--credential", "good.txt"][..],
        &ROUTES,
    ]
    .concat();
    let ended = folder.run(&args);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("does not answer"), "{ended:?}");
}
