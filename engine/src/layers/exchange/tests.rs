use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use super::*;
use crate::{
    authority::{Call, TokenEndpoints},
    config::{Config, ConfigEnv},
    test_support::{NOW, still},
};

/// Gives the same answer to every call, and keeps the last form.
struct Server {
    answer: Mutex<(u16, Json)>,
    form: Mutex<Vec<(String, String)>>,
    calls: AtomicUsize,
}

#[async_trait]
impl TokenEndpoints for Server {
    async fn post(&self, call: &Call<'_>) -> Result<Answered, CallError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        *self.form.lock().unwrap() = call.form.iter().map(own).collect();
        let (status, body) = self.answer.lock().unwrap().clone();
        Ok(Answered {
            status,
            media_type: "application/json".to_owned(),
            body: match body {
                Json::String(text) => text.into_bytes(),
                other => other.to_string().into_bytes(),
            },
        })
    }
}

fn jwt(claims: &Json) -> String {
    let part = |value: &Json| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({"alg": "ES256"})), part(claims))
}

fn issued_answer(more: &Json) -> Json {
    let mut answer = json!({
        "access_token": jwt(&json!({})), "token_type": "Bearer", "expires_in": 300,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    });
    answer
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    answer
}

fn world(more: &str, answer: (u16, Json)) -> (Exchanges, Arc<Server>) {
    let text = format!(
        r#"
        issuers = [{{ issuer = "https://i.example", algorithms = ["ES256"], audiences = ["a"] }}]
        [[exchanges]]
        name = "backend"
        token_endpoint = "https://a.example/token"
        client = {{ id = "gate", secret = "env:S" }}
        audiences = ["orders"]
        {more}
        [[routes]]
        route = "GET /"
        credentials = ["jwt"]
        exchange = "backend"
        "#
    );
    let env = ConfigEnv {
        read_file: &|_| Err("no files".to_owned()),
        secret: &|_| Ok(Secret::new("secret".to_owned())),
    };
    let config = match Config::read(&text, "t", &env) {
        Ok(checked) => checked.config,
        Err(faults) => panic!("{faults}"),
    };
    let server = Arc::new(Server {
        answer: Mutex::new(answer),
        form: Mutex::default(),
        calls: AtomicUsize::new(0),
    });
    let authorities = Authorities {
        endpoints: Arc::clone(&server) as _,
        ..Authorities::none()
    };
    let held = Exchanges::new(&config.exchanges, 4096, &authorities, still());
    (held, server)
}

async fn swap(held: &Exchanges, token: &str, later: i64) -> Result<Exchanged, Denial> {
    held.swap("backend", token, NOW.plus(later).into(), None)
        .await
}

#[tokio::test]
async fn a_token_is_swapped_and_kept_until_the_margin() {
    let (held, server) = world("", (200, issued_answer(&json!({}))));
    for (later, calls) in [(0, 1), (269, 1), (270, 2)] {
        let got = swap(&held, "t", later).await.unwrap();
        let asked_at = if calls == 1 { 0 } else { later };
        assert_eq!(got.valid_until, NOW.plus(asked_at + 270));
        assert_eq!(server.calls.load(Ordering::SeqCst), calls, "{later}");
    }
    swap(&held, "u", 270).await.unwrap();
    assert_eq!(server.calls.load(Ordering::SeqCst), 3, "another caller");
}

#[tokio::test]
async fn the_request_says_what_is_configured() {
    let more = "resources = [\"https://orders.example/\"]\nscopes = [\"a\", \"b\"]\n\
        subject_token_type = \"jwt\"\nrequested_token_type = \"jwt\"";
    let (held, server) = world(more, (200, issued_answer(&json!({}))));
    swap(&held, "t", 0).await.unwrap();
    let form = server.form.lock().unwrap().clone();
    let form: Vec<String> = form.iter().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(
        form,
        [
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token=t",
            "subject_token_type=urn:ietf:params:oauth:token-type:jwt",
            "requested_token_type=urn:ietf:params:oauth:token-type:jwt",
            "audience=orders",
            "resource=https://orders.example/",
            "scope=a b",
        ]
    );
}

#[tokio::test]
async fn the_end_is_the_earlier_of_what_the_answer_and_the_token_say() {
    let inside = jwt(&json!({"exp": NOW.unix() + 100}));
    #[expect(
        clippy::cast_precision_loss,
        reason = "a time of this century is exact"
    )]
    let fraction = jwt(&json!({"exp": NOW.unix() as f64 + 100.5}));
    for (more, seconds) in [
        (json!({"access_token": inside}), 100),
        (json!({"access_token": inside, "expires_in": 50}), 50),
        (json!({"access_token": inside, "expires_in": 50.9}), 50),
        (json!({"access_token": fraction}), 100),
    ] {
        let (held, _) = world("", (200, issued_answer(&more)));
        let got = swap(&held, "t", 0).await.unwrap();
        assert_eq!(got.valid_until, NOW.plus(seconds - 30), "{more}");
    }
}

#[tokio::test]
async fn answers_that_are_no_token_for_the_backend_are_refused_and_not_kept() {
    for more in [
        json!({"access_token": "opaque"}),
        json!({"access_token": 1}),
        json!({"access_token": "a.b.c d"}),
        json!({"access_token": "a.b.c"}),
        json!({"token_type": "DPoP"}),
        json!({"token_type": null}),
        json!({"issued_token_type": null}),
        json!({"expires_in": "300"}),
        json!({"expires_in": -1}),
        json!({"expires_in": 30}),
        json!({"access_token": jwt(&json!({"exp": "soon"}))}),
        json!({"access_token": jwt(&json!({"exp": NOW.unix()}))}),
    ] {
        let (held, server) = world("", (200, issued_answer(&more)));
        for _ in 0..2 {
            let denial = swap(&held, "t", 0).await.unwrap_err();
            assert_eq!(denial.reason(), Reason::ExchangeUnavailable, "{more}");
        }
        assert_eq!(server.calls.load(Ordering::SeqCst), 2, "{more}");
    }
    let mut endless = issued_answer(&json!({}));
    endless.as_object_mut().unwrap().remove("expires_in");
    for answer in [endless, json!("<html>"), json!({}), json!([])] {
        let (held, _) = world("", (200, answer.clone()));
        let denial = swap(&held, "t", 0).await.unwrap_err();
        assert_eq!(denial.reason(), Reason::ExchangeUnavailable, "{answer}");
    }
}

#[tokio::test]
async fn a_server_that_says_no_refuses_the_caller_and_one_that_fails_does_not() {
    for (status, error, reason) in [
        (400, "invalid_grant", Reason::ExchangeRefused),
        (400, "invalid_target", Reason::ExchangeRefused),
        (400, "invalid_request", Reason::ExchangeRefused),
        (400, "invalid_client", Reason::ExchangeUnavailable),
        (400, "unauthorized_client", Reason::ExchangeUnavailable),
        (401, "invalid_client", Reason::ExchangeUnavailable),
        (403, "access_denied", Reason::ExchangeUnavailable),
        (429, "slow_down", Reason::ExchangeUnavailable),
        (500, "server_error", Reason::ExchangeUnavailable),
        (302, "moved", Reason::ExchangeUnavailable),
    ] {
        let (held, _) = world("", (status, json!({"error": error})));
        let denial = swap(&held, "t", 0).await.unwrap_err();
        assert_eq!(denial.reason(), reason, "{status} {error}");
        assert!(denial.detail().contains(error), "{denial:?}");
    }
    // What a server writes is shown only where it is a word.
    let (held, _) = world("", (400, json!({"error": "t is no grant\n"})));
    let denial = swap(&held, "t", 0).await.unwrap_err();
    assert!(denial.detail().ends_with("no `error`"), "{denial:?}");
}

#[tokio::test]
async fn a_token_that_does_not_fit_into_the_context_is_refused_and_never_cut() {
    let padded = |bytes: usize| json!({"access_token": jwt(&json!({"p": "p".repeat(bytes)}))});
    let (held, _) = world("", (200, issued_answer(&padded(2900))));
    swap(&held, "t", 0).await.unwrap();
    let (held, server) = world("", (200, issued_answer(&padded(3100))));
    // That it is too large is remembered for as long as the token would have been, and the token is not.
    for (later, calls) in [(0, 1), (269, 1), (270, 2)] {
        let denial = swap(&held, "t", later).await.unwrap_err();
        assert_eq!(denial.reason(), Reason::ExchangeTooLarge);
        assert_eq!(server.calls.load(Ordering::SeqCst), calls, "{later}");
    }
    let kept = held.all[0].kept.lock().unwrap();
    assert!(
        kept.iter()
            .all(|(_, kept)| matches!(kept, Kept::TooLarge(..)))
    );
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone() {
    let (held, server) = world("breaker = { failures = 2 }", (500, json!({})));
    for _ in 0..5 {
        let denial = swap(&held, "t", 0).await.unwrap_err();
        assert_eq!(denial.reason(), Reason::ExchangeUnavailable);
    }
    assert_eq!(server.calls.load(Ordering::SeqCst), 2);
}
