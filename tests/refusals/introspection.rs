//! A server of opaque tokens that fails in every way: each has its refusal and its line in the log, none takes longer than it
//! may, and after the stated number the server is left alone until one probe finds it well. And what an exchange does to
//! the answer that is cached.

use std::{sync::Arc, time::Duration};

use doorward_authorizer::Refusal;
use doorward_tests::{
    documents::Documents,
    oauth::{Behaviour, OAuthServer},
    tokens::{SigningKey, Token},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::gate::{CLIENT_SECRET, Gate, NOW, rest, sample, store};

/// How long the server may take, in milliseconds.
const TIMEOUT: u64 = 300;
/// What this machine may add to it.
const SLACK: Duration = Duration::from_millis(1200);

fn configuration(url: &str, timeout: u64) -> String {
    format!(
        r#"
        [[introspection]]
        name = "one"
        issuer = "https://one.example"
        endpoint = "{url}/introspect"
        audiences = ["api"]
        timeout_ms = {timeout}
        breaker = {{ failures = 3, open_seconds = 10 }}
        client = {{ id = "gate/1", secret = "env:CLIENT_SECRET" }}
        danger_allow_http = true
        [[exchanges]]
        name = "backend"
        token_endpoint = "{url}/token"
        audiences = ["backend"]
        timeout_ms = {timeout}
        client = {{ id = "gate/1", secret = "env:CLIENT_SECRET", auth = "client_secret_post" }}
        danger_allow_http = true
        [[routes]]
        route = "GET /opaque/{{id}}"
        credentials = ["opaque"]
        [[routes]]
        route = "GET /lenient/{{id}}"
        credentials = ["opaque"]
        on_outage = "recently_active"
        [[routes]]
        route = "GET /swap/{{id}}"
        credentials = ["opaque", "jwt"]
        exchange = "backend"
        [[routes]]
        route = "POST /swap/{{id}}"
        credentials = ["opaque", "jwt"]
        exchange = "backend"
        "#
    )
}

async fn world(behaviour: Behaviour) -> (Gate, OAuthServer) {
    let server = OAuthServer::start(behaviour).await.unwrap();
    (gate(&server.url, TIMEOUT).await, server)
}

async fn gate(url: &str, timeout: u64) -> Gate {
    let (_, record) = sample(1);
    let keys = store(&[record]).await;
    Gate::new(
        &configuration(url, timeout),
        keys,
        Arc::new(Documents::default()),
    )
    .within(Duration::from_secs(5))
}

fn bearer(verb: &str, path: &str, token: &str) -> Value {
    rest(verb, path, &[("Authorization", &format!("Bearer {token}"))])
}

fn opaque(token: &str) -> Value {
    bearer("GET", "/opaque/1", token)
}

fn active() -> String {
    json!({"active": true, "aud": "api", "sub": "ann", "exp": NOW + 3600}).to_string()
}

/// The changes of breakers in the log.
fn changes(gate: &Gate) -> Vec<String> {
    let lines = gate.lines().into_iter();
    lines
        .filter(|line| line["event"] == "breaker")
        .map(|line| format!("{} {} {}", line["level"], line["from"], line["to"]))
        .collect()
}

/// Asks about three tokens; each is refused for `reason` and `cause` and in time, and then nothing is sent any more.
async fn fails(behaviour: Option<Behaviour>, reason: &str, cause: &str) {
    let (gate, server) = if let Some(behaviour) = behaviour {
        world(behaviour).await
    } else {
        let (_, server) = world(Behaviour::Silence).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        (gate(&url, TIMEOUT).await, server)
    };
    for number in 0..3 {
        let began = Instant::now();
        let answer = gate.ask(&opaque(&format!("t{number}"))).await;
        let took = began.elapsed();
        let lines = gate.lines();
        let line = lines.iter().rfind(|line| line["event"] == "decision");
        assert_eq!(answer, Err(Refusal::Failed), "{line:?}");
        let line = line.unwrap();
        assert_eq!(line["reason"], reason, "{line}");
        let detail = line["detail"].as_str().unwrap();
        assert!(detail.contains("server `one`"), "{detail}");
        assert!(detail.contains(cause), "`{cause}` is not in: {detail}");
        assert!(took < Duration::from_millis(TIMEOUT) + SLACK, "{took:?}");
        let last = gate.layers().last().unwrap().clone();
        assert_eq!(last, ("introspection".to_owned(), reason.to_owned()));
    }
    assert_eq!(changes(&gate), [r#""ERROR" "closed" "open""#]);
    let opened = gate
        .lines()
        .into_iter()
        .find(|line| line["event"] == "breaker");
    let opened = opened.unwrap();
    assert_eq!(opened["server"], "one");
    assert_eq!(opened["BreakerOpened"], 1);
    let heard = server.heard();
    let answer = gate.ask(&opaque("t9")).await;
    gate.could_not_find_out(
        &answer,
        "introspection_unavailable",
        &["not asked for a while"],
    );
    assert_eq!(server.heard(), heard);
    for line in gate.lines() {
        let line = line.to_string();
        assert!(
            !line.contains(CLIENT_SECRET) && !line.contains("t9"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_down_refuses_and_is_left_alone() {
    fails(None, "introspection_unavailable", "cannot connect").await;
}

#[tokio::test]
async fn a_server_that_says_nothing_refuses_in_time_and_is_left_alone() {
    let cause = "no whole answer within 300 ms";
    fails(Some(Behaviour::Silence), "introspection_unavailable", cause).await;
}

#[tokio::test]
async fn a_server_that_is_late_refuses_in_time_and_is_left_alone() {
    let late = Behaviour::Late(Duration::from_secs(3), active());
    let cause = "no whole answer within 300 ms";
    fails(Some(late), "introspection_unavailable", cause).await;
}

#[tokio::test]
async fn a_server_that_hangs_up_refuses_and_is_left_alone() {
    let cause = "the connection failed";
    fails(Some(Behaviour::HangUp), "introspection_unavailable", cause).await;
}

#[tokio::test]
async fn a_server_that_answers_500_refuses_and_is_left_alone() {
    let answer = Behaviour::Answer(500, active());
    fails(Some(answer), "introspection_unavailable", "status 500").await;
}

#[tokio::test]
async fn a_server_that_answers_401_to_us_refuses_and_is_left_alone() {
    let answer = Behaviour::Answer(401, r#"{"error":"invalid_client"}"#.to_owned());
    fails(Some(answer), "introspection_refused", "status 401").await;
}

#[tokio::test]
async fn a_server_that_redirects_refuses_and_is_left_alone() {
    let answer = Behaviour::Answer(302, active());
    fails(
        Some(answer),
        "introspection_answer",
        "redirects are not followed",
    )
    .await;
}

#[tokio::test]
async fn a_server_that_answers_garbage_refuses_and_is_left_alone() {
    let answer = Behaviour::Answer(200, "<html>captive portal</html>".to_owned());
    fails(Some(answer), "introspection_answer", "expected value").await;
}

#[tokio::test]
async fn a_body_of_ten_megabytes_refuses_and_the_server_is_left_alone() {
    let long = Behaviour::Long(10 * 1024 * 1024);
    fails(
        Some(long),
        "introspection_unavailable",
        "longer than 65536 bytes",
    )
    .await;
}

#[tokio::test]
async fn a_body_of_one_byte_a_second_refuses_in_time_and_the_server_is_left_alone() {
    let cause = "no whole answer within 300 ms";
    fails(Some(Behaviour::Trickle), "introspection_unavailable", cause).await;
}

#[tokio::test]
async fn a_server_that_outlasts_the_function_refuses_before_its_end() {
    let server = OAuthServer::start(Behaviour::Silence).await.unwrap();
    let gate = gate(&server.url, 5000).await;
    let gate = gate.within(Duration::from_millis(1500));
    let began = Instant::now();
    let answer = gate.ask(&opaque("t")).await;
    // What is kept back of the time: 150 ms to answer, 50 ms to say what came of it.
    gate.could_not_find_out(&answer, "introspection_unavailable", &["within 1300 ms"]);
    assert!(
        began.elapsed() < Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_calls_at_once_one_is_the_probe_and_then_all_pass() {
    let server = OAuthServer::start(Behaviour::Answer(500, String::new()))
        .await
        .unwrap();
    let gate = gate(&server.url, 4000).await;
    for number in 0..3 {
        let _ = gate.ask(&opaque(&format!("t{number}"))).await;
    }
    assert_eq!(server.heard(), 3);
    server.behave(Behaviour::Late(Duration::from_millis(1500), active()));
    let gate = Arc::new(gate);
    let ask = |number: usize| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { gate.ask_at(&opaque(&format!("n{number}")), NOW + 10).await })
    };
    let calls: Vec<_> = (0..50).map(ask).collect();
    let mut passed = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => passed += 1,
            Err(refusal) => assert_eq!(refusal, Refusal::Failed),
        }
    }
    // The probe, and whoever comes when it is back.
    assert_eq!(server.heard(), 3 + passed);
    assert_eq!(passed, 1);
    server.behave(Behaviour::Answer(200, active()));
    let calls: Vec<_> = (50..100).map(ask).collect();
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(
        changes(&gate),
        [
            r#""ERROR" "closed" "open""#,
            r#""INFO" "open" "half_open""#,
            r#""INFO" "half_open" "closed""#
        ]
    );
}

#[tokio::test]
async fn an_outage_is_bridged_and_the_answer_covers_only_routes_that_say_so() {
    let (gate, server) = world(Behaviour::Answer(200, active())).await;
    let lenient = bearer("GET", "/lenient/1", "t");
    let answer = gate.ask(&lenient).await.unwrap();
    assert!(answer.to_string().contains("GET/opaque/"), "{answer}");
    server.behave(Behaviour::HangUp);
    let answer = gate.ask_at(&lenient, NOW + 40).await.unwrap();
    let text = answer.to_string();
    assert!(
        text.contains("GET/lenient/") && !text.contains("GET/opaque/"),
        "{text}"
    );
    assert!(text.contains(&time(NOW + 300)), "{text}");
    let answer = gate.ask_at(&opaque("t"), NOW + 40).await;
    gate.could_not_find_out(&answer, "introspection_unavailable", &["server `one`"]);
}

#[tokio::test]
async fn the_server_is_told_who_asks_and_the_secret_is_encoded() {
    let (gate, server) = world(Behaviour::Answer(200, active())).await;
    gate.ask(&opaque("a~b+c/d=")).await.unwrap();
    let request = server.last();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /introspect http/1.1\r\n"), "{head}");
    assert!(
        head.contains("content-type: application/x-www-form-urlencoded"),
        "{head}"
    );
    assert!(head.contains("accept: application/json"), "{head}");
    // RFC 6749 section 2.3.1: `gate%2F1:s3cr3t%3A+%2B%25%26` in base64.
    let basic = request
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("authorization"));
    assert!(
        basic
            .unwrap()
            .ends_with("Basic Z2F0ZSUyRjE6czNjcjN0JTNBKyUyQiUyNSUyNg=="),
        "{basic:?}"
    );
    assert_eq!(body, "token=a%7Eb%2Bc%2Fd%3D&token_type_hint=access_token");
}

fn downstream(expires_in: i64) -> String {
    let key = SigningKey::shared(doorward_engine::layers::jwt::Algorithm::Es256, "backend");
    let token = Token::access("https://one.example", "backend", NOW).signed_by(&key);
    json!({
        "access_token": token, "token_type": "Bearer", "expires_in": expires_in,
        "issued_token_type": "urn:ietf:params:oauth:token-type:jwt",
    })
    .to_string()
}

#[tokio::test]
async fn an_exchanged_token_reaches_the_backend_and_outlives_the_cached_answer() {
    let (gate, server) = world(Behaviour::Answer(200, downstream(100))).await;
    let event = bearer("GET", "/swap/1", &crate::gate::token());
    let answer = gate.ask(&event).await.unwrap();
    let token = answer["context"]["downstreamToken"].as_str().unwrap();
    assert!(downstream(0).len() > token.len() && token.split('.').count() == 3);
    let body = server.last();
    assert!(
        body.contains("client_id=gate%2F1&client_secret=s3cr3t%3A+%2B%25%26"),
        "{body}"
    );
    // A cached answer ends thirty seconds before the token, and covers routes with the same exchange and no others.
    let policy = answer["policyDocument"].to_string();
    let end = time(NOW + 70);
    assert!(policy.contains(&end), "{end} is not in {policy}");
    assert!(
        policy.contains("POST/swap/") && !policy.contains("/any/"),
        "{policy}"
    );
    for line in gate.lines() {
        assert!(!line.to_string().contains(token), "{line}");
    }
    assert_eq!(gate.layers()[gate.layers().len() - 2].0, "exchange");
}

#[tokio::test]
async fn an_exchanged_token_and_an_identity_token_fit_into_the_context_together_or_nobody_passes() {
    let server = OAuthServer::start(Behaviour::Answer(200, downstream(100)))
        .await
        .unwrap();
    let asked = async |max: usize, path: &str| {
        let settings = format!(
            "answers = {{ max_context_bytes = {max} }}\n\
             identity_token = {{ issuer = 'gate', audience = 'backend', signing_key = 'env:SIGNING_KEY' }}\n"
        );
        let text = format!("{settings}{}", configuration(&server.url, TIMEOUT));
        let gate = Gate::new(&text, store(&[]).await, Arc::new(Documents::default()));
        let answer = gate.ask(&bearer("GET", path, &crate::gate::token())).await;
        (answer.unwrap(), gate.line())
    };
    let (answer, _) = asked(8192, "/swap/1").await;
    let size = |name: &str| {
        let token = answer["context"][name].as_str().unwrap();
        name.len() + token.len()
    };
    let (downstream, identity) = (size("downstreamToken"), size("identityToken"));
    // What is kept for other facts.
    let fits = downstream + identity + 128;
    let (answer, _) = asked(fits, "/swap/1").await;
    let both = ["downstreamToken", "identityToken"].map(|name| answer["context"][name].is_string());
    assert_eq!(both, [true, true], "{answer}");
    let (answer, line) = asked(fits - 1, "/swap/1").await;
    assert_eq!(line["reason"], "identity_token_too_large", "{line}");
    let detail = line["detail"].as_str().unwrap();
    assert!(
        detail.contains(&format!("the token of the exchange {downstream}")),
        "{detail}"
    );
    assert_eq!(answer["context"], json!({"reason": "forbidden"}));
    let (answer, _) = asked(fits - 1, "/token/1").await;
    assert!(answer["context"]["identityToken"].is_string(), "{answer}");
}

#[tokio::test]
async fn appsync_remembers_no_opaque_token_where_a_header_says_of_which_issuer_it_is() {
    let server = OAuthServer::start(Behaviour::Answer(200, active()))
        .await
        .unwrap();
    let by_header = "tokens = { issuer_header = 'x-token-issuer' }\n";
    let issuer = json!({"x-token-issuer": "https://one.example"});
    for (settings, headers, ttl) in [
        ("", json!({}), 300),
        (by_header, issuer, 0),
        (by_header, json!({}), 0),
    ] {
        let text = format!("{settings}{}", configuration(&server.url, TIMEOUT));
        let gate = Gate::of_graphql(&text, "['opaque']", &[]).await;
        let event = json!({
            "authorizationToken": "Bearer held",
            "requestHeaders": headers,
            "requestContext": {"apiId": "graph", "queryString": "{ a }"},
        });
        let answer = gate.ask(&event).await.unwrap();
        assert_eq!(answer["isAuthorized"], json!(true), "{}", gate.line());
        assert_eq!(answer["ttlOverride"], json!(ttl), "{settings}{headers}");
    }
}

#[tokio::test]
async fn a_refused_exchange_keeps_the_other_routes_open_without_a_token() {
    let answer = Behaviour::Answer(400, r#"{"error":"invalid_target"}"#.to_owned());
    let (gate, _server) = world(answer).await;
    let event = bearer("GET", "/swap/1", &crate::gate::token());
    let answer = gate.ask(&event).await.unwrap();
    assert_eq!(answer["context"]["reason"], "forbidden");
    assert_eq!(answer["context"]["downstreamToken"], Value::Null);
    let policy = &answer["policyDocument"]["Statement"];
    let allows: Vec<&Value> = policy
        .as_array()
        .unwrap()
        .iter()
        .filter(|statement| statement["Effect"] == "Allow")
        .collect();
    let text = serde_json::to_string(&allows).unwrap();
    assert!(text.contains("/any/") && !text.contains("/swap/"), "{text}");
    assert_eq!(gate.line()["reason"], "exchange_refused");
    assert_eq!(
        gate.line()["detail"],
        "exchange `backend`: `invalid_target`"
    );
}

#[tokio::test]
async fn an_exchange_that_cannot_be_made_refuses_and_nothing_is_cached() {
    let (gate, _server) = world(Behaviour::Silence).await;
    let event = bearer("GET", "/swap/1", &crate::gate::token());
    let answer = gate.ask(&event).await;
    gate.could_not_find_out(
        &answer,
        "exchange_unavailable",
        &["exchange `backend`", "300 ms"],
    );
}

/// A time as a policy has it.
fn time(unix: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(unix).unwrap();
    let format = time::format_description::well_known::Rfc3339;
    at.format(&format).unwrap()
}
