//! Callers over a limit: who answers 429, when they may come back, and that they may then.
//!
//! The gateway reads the real clock, so these journeys wait. Of the bucket one token comes back in three seconds.

use std::time::Duration;

use doorward::local::gateway::{Asked, DeniedStatus, Payload};
use serde_json::json;

use crate::house::{House, Seen, Setup};

/// Two calls of one subject at once, and one more every three seconds. `/reports` has a limit of its own.
macro_rules! limited {
    ($answers:literal) => {
        concat!(
            "
[limits.pair]
limit = 2
window_seconds = 6

[[routes]]
route = \"GET /limited/{id}\"
credentials = [\"jwt\"]
scopes = [\"orders:read\"]
limits = [\"pair\"]
context = { area = \"orders\" }

[[routes]]
route = \"GET /free/{id}\"
credentials = [\"jwt\"]
scopes = [\"orders:read\"]
context = { area = \"orders\" }

[answers]
",
            $answers
        )
    };
}

const DENY: &str = limited!("rate_limited = \"deny\"");
const BACKEND: &str = limited!("rate_limited = \"backend\"");
const BACKEND_SIMPLE: &str = limited!("rate_limited = \"backend\"\nhttp_api = \"simple\"");

async fn house(payload: Payload, more: &'static str, ttl: u64) -> House {
    House::start(Setup {
        payload,
        ttl,
        more,
        ..Setup::default()
    })
    .await
}

async fn call(house: &House, token: &str, line: &str) -> Seen {
    let bearer = format!("Bearer {token}");
    house.call(line, &[("authorization", &bearer)]).await
}

/// Spends what there is; each token is a caller of its own to the cache, and the same to the limit.
async fn spend(house: &House) {
    for _ in 0..2 {
        let seen = call(house, &house.token(&["orders:read"]), "GET /limited/1").await;
        assert_eq!(seen.status, 200, "{}", seen.text);
    }
}

fn header<'a>(seen: &'a Seen, name: &str) -> &'a str {
    let value = seen.headers.get(name);
    value
        .unwrap_or_else(|| panic!("no {name}: {seen:?}"))
        .to_str()
        .unwrap()
}

/// The seconds of a refusal, which says everything there is to say.
#[track_caller]
fn refused(seen: &Seen) -> u64 {
    assert_eq!(seen.status, 429, "{seen:?}");
    let seconds: u64 = header(seen, "retry-after").parse().unwrap();
    assert!((1..=4).contains(&seconds), "{seconds}");
    assert_eq!(header(seen, "x-ratelimit-limit"), "2");
    assert_eq!(header(seen, "x-ratelimit-remaining"), "0");
    assert!(header(seen, "ratelimit").starts_with("\"pair\";r=0;t="));
    assert_eq!(header(seen, "ratelimit-policy"), "\"pair\";q=2;w=6");
    assert_eq!(header(seen, "cache-control"), "no-store");
    seconds
}

async fn wait(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// Without a cache every call is counted.
async fn passes_after_retry_after(payload: Payload, more: &'static str) {
    let house = house(payload, more, 0).await;
    let token = house.token(&["orders:read"]);
    spend(&house).await;
    let seconds = refused(&call(&house, &token, "GET /limited/1").await);
    assert!(
        house.last().note.contains("rate_limited"),
        "{:?}",
        house.last()
    );
    assert_eq!(call(&house, &token, "GET /free/1").await.status, 200);
    wait(seconds).await;
    let seen = call(&house, &token, "GET /limited/1").await;
    assert_eq!(seen.status, 200, "{payload:?} {seen:?}");
    refused(&call(&house, &token, "GET /limited/2").await);
    house.stop().await;
}

/// A refusal that the gateway keeps ends on time too.
async fn passes_after_retry_after_from_the_cache(payload: Payload, more: &'static str) {
    let house = house(payload, more, 60).await;
    let token = house.token(&["orders:read"]);
    spend(&house).await;
    let seconds = refused(&call(&house, &token, "GET /limited/1").await);
    assert_eq!(house.last().asked, Asked::Yes);
    refused(&call(&house, &token, "GET /limited/2").await);
    assert_eq!(house.last().asked, Asked::Cached);
    wait(seconds).await;
    let seen = call(&house, &token, "GET /limited/1").await;
    assert_eq!(
        (seen.status, house.last().asked),
        (200, Asked::Cached),
        "{payload:?} {seen:?}"
    );
    house.stop().await;
}

#[tokio::test]
async fn a_policy_refuses_until_there_is_room() {
    for payload in [Payload::RestRequest, Payload::RestToken] {
        passes_after_retry_after(payload, DENY).await;
    }
}

#[tokio::test]
async fn a_policy_that_is_kept_refuses_until_there_is_room() {
    passes_after_retry_after_from_the_cache(Payload::RestRequest, DENY).await;
}

#[tokio::test]
async fn a_refusal_that_is_kept_concerns_the_limited_routes_only() {
    let house = house(Payload::RestRequest, DENY, 60).await;
    let token = house.token(&["orders:read"]);
    spend(&house).await;
    refused(&call(&house, &token, "GET /limited/1").await);
    for line in ["GET /free/1", "GET /orders/1"] {
        let seen = call(&house, &token, line).await;
        assert_eq!(
            (seen.status, house.last().asked),
            (200, Asked::Cached),
            "{line}"
        );
        let authorizer = &seen.json()["requestContext"]["authorizer"];
        assert_eq!(authorizer["subject"], "alice", "{authorizer}");
    }
    house.stop().await;
}

#[tokio::test]
async fn a_backend_refuses_until_there_is_room_behind_either_api() {
    passes_after_retry_after(Payload::RestRequest, BACKEND).await;
    passes_after_retry_after(Payload::Http2, BACKEND).await;
}

#[tokio::test]
async fn a_backend_refuses_until_there_is_room_with_other_answers_of_an_http_api() {
    passes_after_retry_after(Payload::Http1, BACKEND).await;
    passes_after_retry_after(Payload::Http2, BACKEND_SIMPLE).await;
}

#[tokio::test]
async fn a_backend_goes_by_the_end_and_not_by_the_age_of_a_kept_answer() {
    for (payload, more) in [
        (Payload::RestRequest, BACKEND),
        (Payload::Http2, BACKEND),
        (Payload::Http2, BACKEND_SIMPLE),
    ] {
        passes_after_retry_after_from_the_cache(payload, more).await;
    }
}

#[tokio::test]
async fn whoever_is_within_the_limit_learns_what_is_left() {
    for payload in [Payload::RestRequest, Payload::Http2] {
        let house = house(payload, BACKEND, 0).await;
        let token = house.token(&["orders:read"]);
        let seen = call(&house, &token, "GET /limited/1").await;
        assert_eq!(seen.status, 200);
        assert_eq!(header(&seen, "x-ratelimit-remaining"), "1");
        assert_eq!(seen.headers.get("retry-after"), None);
        house.stop().await;
    }
}

#[tokio::test]
async fn an_http_api_cannot_say_more_than_403() {
    for payload in [Payload::Http2, Payload::Http1] {
        let house = house(payload, DENY, 0).await;
        spend(&house).await;
        let seen = call(&house, &house.token(&["orders:read"]), "GET /limited/1").await;
        assert_eq!(
            (seen.status, seen.json()),
            (403, json!({"message": "Forbidden"}))
        );
        assert_eq!(seen.headers.get("retry-after"), None);
        house.stop().await;
    }
}

#[tokio::test]
async fn every_deny_of_a_rest_api_has_the_same_status() {
    for (denied, expected) in [(None, 429), (Some(DeniedStatus::Forbidden), 403)] {
        let house = House::start(Setup {
            ttl: 0,
            more: DENY,
            denied,
            ..Setup::default()
        })
        .await;
        let token = house.token(&["orders:read"]);
        let without_scope = call(&house, &token, "POST /orders").await;
        assert_eq!(without_scope.status, expected);
        assert_eq!(without_scope.headers.get("retry-after"), None);
        spend(&house).await;
        let limited = call(&house, &token, "GET /limited/1").await;
        assert_eq!(limited.status, expected);
        assert!(limited.headers.contains_key("retry-after"));
        house.stop().await;
    }
}
