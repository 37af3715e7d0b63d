//! Answers that are used again, and what still holds for them.

use std::time::Duration;

use doorward::local::gateway::{Asked, Payload};

use crate::house::{APIS, House, Setup};

#[tokio::test]
async fn a_second_call_is_answered_from_the_cache_whatever_the_route() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let token = house.token(&["orders:read", "files:read"]);
        assert_eq!(
            house.bearer("GET /orders/42", &token).await,
            (200, Asked::Yes),
            "{payload:?}"
        );
        for line in ["GET /orders/42", "GET /orders/43", "GET /files/a/b"] {
            assert_eq!(
                house.bearer(line, &token).await,
                (200, Asked::Cached),
                "{payload:?} {line}"
            );
        }
        assert_eq!(house.asked(), 1);
        house.stop().await;
    }
}

#[tokio::test]
async fn a_cached_answer_refuses_what_the_caller_may_not_do() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let token = house.token(&["orders:read"]);
        assert_eq!(
            house.bearer("GET /orders/42", &token).await,
            (200, Asked::Yes)
        );
        assert_eq!(
            house.bearer("POST /orders", &token).await,
            (403, Asked::Cached),
            "{payload:?}"
        );
        assert_eq!(
            house.bearer("GET /files/a", &token).await,
            (403, Asked::Cached),
            "{payload:?}"
        );
        house.stop().await;
    }
}

#[tokio::test]
async fn a_refusal_does_not_shut_out_what_the_caller_may_do() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let token = house.token(&["orders:read"]);
        assert_eq!(
            house.bearer("POST /orders", &token).await,
            (403, Asked::Yes)
        );
        assert_eq!(
            house.bearer("POST /orders", &token).await,
            (403, Asked::Cached),
            "{payload:?}"
        );
        let bearer = format!("Bearer {token}");
        let seen = house
            .call("GET /orders/42", &[("authorization", &bearer)])
            .await;
        assert_eq!(
            (seen.status, house.last().asked),
            (200, Asked::Cached),
            "{payload:?}"
        );
        // The context of the refusal says who is calling, as that of an Allow would.
        let echo = seen.json();
        assert_eq!(echo["headers"]["x-doorward-subject"], "alice", "{echo:#}");
        house.stop().await;
    }
}

#[tokio::test]
async fn a_stricter_deeper_route_stays_shut_in_a_cached_answer() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let token = house.token(&["files:read"]);
        assert_eq!(
            house.bearer("GET /files/public/a", &token).await,
            (200, Asked::Yes)
        );
        for line in [
            "GET /files/private/a",
            "GET /files/private/a/b",
            "GET /files/public/../private/a",
            "GET /files/public/%2e%2e/private/a",
            "GET /files/./private/a",
            "GET /files//private/a",
            "GET /files/%70rivate/a",
            "GET /files/public/..%2Fprivate/a",
        ] {
            assert_eq!(house.raw(line, &token).await.0, 403, "{payload:?} {line}");
        }
        assert_eq!(house.asked(), 1);
        let admin = house.token_with(&["files:read"], |request| {
            request.roles = vec!["admin".to_owned()];
        });
        assert_eq!(
            house.bearer("GET /files/public/a", &admin).await,
            (200, Asked::Yes)
        );
        assert_eq!(
            house.bearer("GET /files/private/a", &admin).await,
            (200, Asked::Cached),
            "{payload:?}"
        );
        house.stop().await;
    }
}

#[tokio::test]
async fn a_cached_answer_ends_when_the_token_does() {
    for payload in [Payload::RestRequest, Payload::Http2] {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let token = house.token_with(&["orders:read"], |request| request.lifetime = 3);
        assert_eq!(
            house.bearer("GET /orders/42", &token).await,
            (200, Asked::Yes)
        );
        assert_eq!(
            house.bearer("GET /orders/42", &token).await,
            (200, Asked::Cached)
        );
        tokio::time::sleep(Duration::from_millis(3200)).await;
        assert_eq!(
            house.bearer("GET /orders/42", &token).await,
            (403, Asked::Cached),
            "{payload:?}"
        );
        house.stop().await;
    }
}

#[tokio::test]
async fn answers_are_kept_for_the_time_to_live() {
    let house = House::start(Setup {
        ttl: 1,
        ..Setup::default()
    })
    .await;
    let token = house.token(&["orders:read"]);
    assert_eq!(
        house.bearer("GET /orders/42", &token).await,
        (200, Asked::Yes)
    );
    assert_eq!(
        house.bearer("GET /orders/42", &token).await,
        (200, Asked::Cached)
    );
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(
        house.bearer("GET /orders/42", &token).await,
        (200, Asked::Yes)
    );
    house.stop().await;
}

#[tokio::test]
async fn nothing_is_kept_without_a_time_to_live() {
    let house = House::start(Setup {
        ttl: 0,
        ..Setup::default()
    })
    .await;
    let token = house.token(&["orders:read"]);
    for _ in 0..3 {
        assert_eq!(
            house.bearer("GET /orders/42", &token).await,
            (200, Asked::Yes)
        );
    }
    house.stop().await;
}

#[tokio::test]
async fn callers_do_not_share_answers() {
    let house = House::start(Setup::default()).await;
    let (reader, writer) = (
        house.token(&["orders:read"]),
        house.token(&["orders:write"]),
    );
    assert_eq!(
        house.bearer("GET /orders/42", &reader).await,
        (200, Asked::Yes)
    );
    assert_eq!(
        house.bearer("GET /orders/42", &writer).await,
        (403, Asked::Yes)
    );
    assert_eq!(
        house.bearer("POST /orders", &writer).await,
        (200, Asked::Cached)
    );
    house.stop().await;
}

#[tokio::test]
async fn a_cached_context_never_reaches_a_route_with_another_one() {
    let house = House::start(Setup::default()).await;
    let token = house.token(&["orders:read"]);
    assert_eq!(
        house.bearer("GET /orders/42", &token).await,
        (200, Asked::Yes)
    );
    assert_eq!(
        house.bearer("GET /reports", &token).await,
        (403, Asked::Cached)
    );
    house.stop().await;
}
