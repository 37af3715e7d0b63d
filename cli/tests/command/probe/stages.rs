//! Against stages that do not do as AWS does: every row can differ.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{extract::Request, http::Method};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{probe, stage, with};
use crate::run::Folder;

#[tokio::test]
async fn a_stage_that_lets_everybody_in_differs_everywhere() {
    let url = stage(|_, _| (200, false, false)).await;
    let folder = Folder::new();
    let claims = json!({"exp": doorward::clock::wall().unix() + 6});
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    folder.write("ending.txt", &token);
    let ending = folder.path().join("ending.txt").display().to_string();
    let ends = ["--ending-token", &ending, "--leeway", "0", "--ttl", "1"];
    // Over plain HTTP nobody asks for a certificate.
    let own = rcgen::generate_simple_self_signed(["probe.invalid".to_owned()]).unwrap();
    folder.write("client.pem", &own.cert.pem());
    folder.write("client-key.pem", &own.signing_key.serialize_pem());
    let [certificate, key] =
        ["client.pem", "client-key.pem"].map(|name| folder.path().join(name).display().to_string());
    let others = [
        "--default-endpoint",
        &url,
        "--elsewhere",
        "GET /office",
        "--certificate",
        &certificate,
        "--private-key",
        &key,
    ];
    let more = [&others[..], &ends].concat();
    let (ended, answer) = probe(&url, &more).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(
        with(&answer, "differs"),
        [
            "no-credential",
            "bad-credential",
            "malformed-credential",
            "foreign-place",
            "refused-after-allow",
            "refused",
            "refused-again",
            "source-address",
            "trailing-slash",
            "encoded-letter",
            "encoded-slash",
            "doubled-slash",
            "other-case",
            "unknown-path",
            "two-credentials",
            "preflight",
            "no-certificate",
            "default-endpoint",
            "ends-in-time",
            "ends-with-ttl",
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
            (false, true) if number > 60 => (429, false, false),
            (false, true) => (200, false, false),
        }
    })
    .await;
    let (_, answer) = probe(&url, &["--burst", "50"]).await;
    let differs = with(&answer, "differs");
    for id in ["refusal-with-cors", "challenge", "over-limit"] {
        assert!(differs.iter().any(|one| one == id), "{id}: {answer:#}");
    }
    // A kept answer that shuts the caller out.
    let asked = AtomicUsize::new(0);
    let url = stage(move |request, _| {
        let credential = request.headers().get("authorization");
        let is_first = credential.is_some_and(|value| value == "Bearer a.b.c")
            && asked.fetch_add(1, Ordering::SeqCst) == 0;
        (if is_first { 200 } else { 403 }, false, false)
    })
    .await;
    let (_, answer) = probe(&url, &[]).await;
    let differs = with(&answer, "differs");
    assert!(differs.contains(&"kept-allow".to_owned()), "{answer:#}");
    // A credential that opens nothing ends it.
    let url = stage(|_, _| (403, false, false)).await;
    let (ended, answer) = probe(&url, &[]).await;
    assert_eq!(
        with(&answer, "differs"),
        [
            "no-credential",
            "bad-credential",
            "malformed-credential",
            "foreign-place",
            "allowed"
        ]
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
            Some(_) if number > 60 => (429, false, true),
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

/// What was asked for first with each credential, which is what a gateway keeps.
type Kept = Mutex<HashMap<String, String>>;

fn first(kept: &Kept, request: &Request) -> Option<String> {
    let credential = request.headers().get("authorization")?.to_str().ok()?;
    let path = request.uri().path().to_owned();
    Some(
        kept.lock()
            .unwrap()
            .entry(credential.to_owned())
            .or_insert(path)
            .clone(),
    )
}

#[tokio::test]
async fn a_plain_deny_that_is_kept_is_told() {
    // Whoever asks for the refused route first is shut out of all; whoever asks for the allowed one first is not.
    let kept = Kept::default();
    let url =
        stage(
            move |request, _| match (first(&kept, request).as_deref(), request.uri().path()) {
                (None, _) => (401, false, false),
                (Some("/v1/orders/42"), "/v1/orders/42") => (200, false, false),
                _ => (403, false, false),
            },
        )
        .await;
    let (_, answer) = probe(&url, &[]).await;
    let differs = with(&answer, "differs");
    assert!(
        differs.contains(&"allowed-after-deny".to_owned()),
        "{answer:#}"
    );
    for id in ["allowed", "refused", "refused-again", "refused-after-allow"] {
        assert!(!differs.iter().any(|one| one == id), "{id}: {answer:#}");
    }
}

#[tokio::test]
async fn a_yes_that_is_kept_for_all_routes_is_told() {
    let kept = Kept::default();
    let url = stage(move |request, _| match first(&kept, request).as_deref() {
        None => (401, false, false),
        Some("/v1/orders/42") => (200, false, false),
        _ => (403, false, false),
    })
    .await;
    let (_, answer) = probe(&url, &[]).await;
    let differs = with(&answer, "differs");
    assert!(
        differs.contains(&"refused-after-allow".to_owned()),
        "{answer:#}"
    );
    assert!(!differs.contains(&"refused".to_owned()), "{answer:#}");
}

#[tokio::test]
async fn a_row_says_in_json_why_it_matters() {
    let url = stage(|_, _| (200, false, false)).await;
    let (_, answer) = probe(&url, &[]).await;
    for row in answer["rows"].as_array().unwrap() {
        assert!(
            !row["why"].as_str().unwrap_or_default().is_empty(),
            "{row:#}"
        );
    }
}

#[tokio::test]
async fn a_stage_that_takes_the_scheme_as_it_is_written_leaves_the_deny_untried() {
    let url = stage(|request, _| {
        let credential = request.headers().get("authorization");
        let is_known = credential.is_some_and(|value| value == "Bearer a.b.c");
        let status = match (is_known, request.uri().path()) {
            (false, _) => 401,
            (true, "/v1/orders/42") => 200,
            (true, _) => 403,
        };
        (status, false, false)
    })
    .await;
    let (_, answer) = probe(&url, &[]).await;
    let untried = with(&answer, "not_tried");
    for id in ["refused", "refused-again", "allowed-after-deny"] {
        assert!(untried.iter().any(|one| one == id), "{id}: {answer:#}");
    }
    assert!(with(&answer, "as_assumed").contains(&"refused-after-allow".to_owned()));
}

/// What is seen of the end of a token at a stage that refuses it, as its credential, where `refuses` says so of whether it has ended
/// and whether the scheme is as it was given.
async fn at_its_end(refuses: fn(bool, bool) -> bool) -> (Value, Value) {
    let end = doorward::clock::wall().unix() + 6;
    let url = stage(move |request, _| {
        let has_ended = doorward::clock::wall().unix() >= end;
        let status = match request.headers().get("authorization") {
            Some(value) if value.len() > 20 => {
                let is_as_given = value.as_bytes().starts_with(b"Bearer");
                if refuses(has_ended, is_as_given) {
                    401
                } else {
                    200
                }
            }
            Some(_) => 200,
            None => 401,
        };
        (status, false, false)
    })
    .await;
    let folder = Folder::new();
    let claims = json!({"exp": end}).to_string();
    folder.write(
        "ending.txt",
        &format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)),
    );
    let ending = folder.path().join("ending.txt").display().to_string();
    let ends = ["--ending-token", &ending, "--leeway", "0", "--ttl", "1"];
    let (_, answer) = probe(&url, &ends).await;
    let row = |id: &str| {
        let mut rows = answer["rows"].as_array().unwrap().iter();
        rows.find(|row| row["id"] == id).unwrap().clone()
    };
    (row("ends-in-time"), row("ends-with-ttl"))
}

#[tokio::test]
async fn what_is_not_kept_cannot_be_seen_to_be_dropped() {
    let (ends, drops) = at_its_end(|has_ended, _| has_ended).await;
    assert_eq!(ends["verdict"], "as_assumed", "{ends:#}");
    assert_eq!(
        drops["seen"], "401 at its end: nothing was kept",
        "{drops:#}"
    );
    assert_eq!(drops["verdict"], "not_tried");
}

#[tokio::test]
async fn a_token_that_ends_early_says_that_the_leeway_is_another() {
    let (ends, _) = at_its_end(|_, is_as_given| is_as_given).await;
    assert_eq!(ends["verdict"], "not_tried", "{ends:#}");
    assert!(
        ends["seen"].as_str().unwrap().contains("compare --leeway"),
        "{ends:#}"
    );
}
