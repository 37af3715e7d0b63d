//! A cached refusal because of a limit: it ends when it says so, and concerns nothing else.

use std::sync::Arc;

use doorward::local::iam::{self, Effect, Facts};
use doorward_authorizer::{Authorizer, Call, Event};
use doorward_backends::memory::{
    MemoryBlocks, MemoryCrls, MemoryKeys, MemoryLimits, MemoryReplays,
};
use doorward_engine::{Config, Engine, Sources, authority::Authorities, config::ConfigEnv};
use doorward_keys::Timestamp;
use doorward_tests::{
    documents::Documents,
    faulty::{Fault, Faulty},
};
use serde_json::{Value, json};

use crate::world::{ADDRESS, NOW, pause, still};

const STAGE: &str = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod";

fn authorizer(more: &str) -> Authorizer {
    let text = format!(
        r#"
        {more}
        [limits.shared]
        algorithm = "fixed_window"
        limit = 1
        per = "minute"
        by = ["address"]

        [limits.apart]
        algorithm = "fixed_window"
        limit = 1
        per = "minute"
        by = ["address", "route"]

        [[routes]]
        route = "GET /a/{{id}}"
        credentials = ["anonymous"]
        limits = ["shared"]

        [[routes]]
        route = "GET /b"
        credentials = ["anonymous"]
        limits = ["shared"]

        [[routes]]
        route = "GET /c"
        credentials = ["anonymous"]
        limits = ["apart"]

        [[routes]]
        route = "GET /d"
        credentials = ["anonymous"]
        limits = ["apart"]

        [limits.dear]
        algorithm = "fixed_window"
        limit = 3
        per = "minute"
        by = ["address"]

        [limits.of_all]
        algorithm = "fixed_window"
        limit = 2
        per = "minute"
        by = ["route"]

        [[routes]]
        route = "GET /dear"
        credentials = ["anonymous"]
        limits = [{{ name = "dear", cost = 2 }}]

        [[routes]]
        route = "GET /cheap"
        credentials = ["anonymous"]
        limits = ["dear"]

        [[routes]]
        route = "GET /office"
        credentials = ["anonymous"]
        addresses = {{ allow = ["203.0.113.0/24"] }}
        limits = ["of_all"]

        [[routes]]
        route = "GET /free"
        credentials = ["anonymous"]
        "#
    );
    let env = ConfigEnv {
        read_file: &|_| Err("there are no files".to_owned()),
        secret: &|_| Err("there are no secrets".to_owned()),
    };
    let config = Config::read(&text, "doorward.toml", &env).unwrap().config;
    let sources = Sources {
        keys: Arc::new(MemoryKeys::new()),
        key_sets: Arc::new(Faulty::new(Arc::new(Documents::default()), Fault::Down)),
        blocks: Arc::new(MemoryBlocks::new()),
        crls: Arc::new(MemoryCrls::new()),
        replays: Arc::new(MemoryReplays::new()),
        authorities: Authorities::none(),
        limits: Arc::new(MemoryLimits::new()),
        pause,
        stopwatch: still,
    };
    Authorizer::new(Engine::new(config, sources), Arc::new(|_| {}), still)
}

/// The answer to the second call for `path`.
async fn second(authorizer: &Authorizer, path: &str) -> Value {
    call(authorizer, path, ADDRESS).await;
    call(authorizer, path, ADDRESS).await
}

/// The answer to a call for `path` from `address`.
async fn call(authorizer: &Authorizer, path: &str, address: &str) -> Value {
    let event = json!({
        "type": "REQUEST", "methodArn": format!("{STAGE}/GET{path}"), "path": path, "httpMethod": "GET",
        "requestContext": {"apiId": "a1b2c3", "stage": "prod", "httpMethod": "GET", "identity": {"sourceIp": address}},
    });
    let text = event.to_string();
    let event = Event::parse(text.as_bytes());
    let call = Call {
        request_id: "req-1".to_owned(),
        trace_id: None,
        received_at: Timestamp::from_unix(NOW).into(),
        time_left: None,
    };
    authorizer.handle(&event, &call).await.unwrap().to_value()
}

fn passes(answer: &Value, path: &str, at: i64) -> bool {
    let facts = Facts {
        now: Timestamp::from_unix(at),
        source_ip: ADDRESS.parse().ok(),
        secure_transport: true,
        user_agent: None,
        referer: None,
    };
    let arn = format!("{STAGE}/GET{path}");
    let effect = iam::evaluate(
        &answer["policyDocument"],
        "execute-api:Invoke",
        &arn,
        &facts,
    );
    effect.unwrap() == Effect::Allow
}

fn retry_after(answer: &Value) -> i64 {
    let text = answer["context"]["retryAfter"].as_str().unwrap();
    text.parse().unwrap()
}

#[tokio::test]
async fn a_cached_refusal_ends_when_it_says_and_concerns_only_what_shares_the_limit() {
    let authorizer = authorizer("policy.unlisted_paths = \"unreachable\"");
    let answer = second(&authorizer, "/a/1").await;
    let end = NOW + retry_after(&answer);
    for (path, before) in [
        ("/a/1", false),
        ("/a/2", false),
        ("/b", false),
        ("/c", true),
        ("/d", true),
        ("/free", true),
    ] {
        assert_eq!(passes(&answer, path, end - 1), before, "{path} before");
        assert!(passes(&answer, path, end), "{path} after");
    }
    assert!(!passes(&answer, "/e", end), "what is no route never passes");
}

#[tokio::test]
async fn a_limit_by_route_concerns_no_other_route() {
    let answer = second(&authorizer(""), "/c").await;
    let end = NOW + retry_after(&answer);
    assert!(!passes(&answer, "/c", end - 1));
    assert!(passes(&answer, "/c", end));
    for path in ["/b", "/d", "/free"] {
        assert!(passes(&answer, path, NOW), "{path}");
    }
}

#[tokio::test]
async fn without_conditions_a_cached_refusal_lasts_and_still_concerns_nothing_else() {
    let answer = second(&authorizer("policy.conditions = false"), "/b").await;
    let end = NOW + retry_after(&answer);
    for (path, expected) in [
        ("/a/1", false),
        ("/b", false),
        ("/c", true),
        ("/free", true),
    ] {
        assert_eq!(passes(&answer, path, NOW), expected, "{path}");
        assert_eq!(passes(&answer, path, end), expected, "{path} later");
    }
}

#[tokio::test]
async fn an_allow_of_another_route_does_not_open_one_that_is_used_up() {
    for answers in ["deny", "backend"] {
        let authorizer = authorizer(&format!("answers.rate_limited = \"{answers}\""));
        let refused = second(&authorizer, "/b").await;
        let end = NOW + retry_after(&refused);
        let answer = call(&authorizer, "/free", ADDRESS).await;
        for (path, before) in [
            ("/free", true),
            ("/c", true),
            ("/b", false),
            ("/a/1", false),
        ] {
            assert_eq!(passes(&answer, path, end - 1), before, "{answers} {path}");
            assert!(passes(&answer, path, end), "{answers} {path} after");
        }
    }
}

#[tokio::test]
async fn what_a_backend_is_to_refuse_is_let_pass_to_it() {
    let authorizer = authorizer("answers.rate_limited = \"backend\"");
    let answer = second(&authorizer, "/b").await;
    assert_eq!(answer["context"]["rateLimited"], "true");
    for path in ["/b", "/a/1", "/free"] {
        assert!(passes(&answer, path, NOW), "{path}");
    }
}

#[tokio::test]
async fn without_conditions_an_allow_leaves_out_what_is_used_up() {
    let authorizer = authorizer("policy.conditions = false");
    let refused = second(&authorizer, "/b").await;
    let end = NOW + retry_after(&refused);
    let answer = call(&authorizer, "/free", ADDRESS).await;
    for at in [NOW, end] {
        assert!(passes(&answer, "/free", at) && passes(&answer, "/c", at));
        assert!(!passes(&answer, "/b", at) && !passes(&answer, "/a/1", at));
    }
}

#[tokio::test]
async fn a_refused_dear_call_leaves_cheap_ones_open_and_the_other_way_round() {
    let authorizer = authorizer("");
    let dear = second(&authorizer, "/dear").await;
    assert!(passes(&dear, "/cheap", NOW) && !passes(&dear, "/dear", NOW));
    let _last = call(&authorizer, "/cheap", ADDRESS).await;
    let cheap = call(&authorizer, "/cheap", ADDRESS).await;
    assert!(!passes(&cheap, "/cheap", NOW) && !passes(&cheap, "/dear", NOW));
}

#[tokio::test]
async fn who_may_not_use_a_route_cannot_use_it_up_for_others() {
    let authorizer = authorizer("");
    for _ in 0..5 {
        let refused = call(&authorizer, "/office", ADDRESS).await;
        assert_eq!(refused["context"]["reason"], "forbidden");
    }
    for _ in 0..2 {
        let answer = call(&authorizer, "/office", "203.0.113.9").await;
        assert!(answer["context"]["reason"].is_null(), "{answer}");
    }
    let over = call(&authorizer, "/office", "203.0.113.9").await;
    assert_eq!(over["context"]["reason"], "throttled");
}
