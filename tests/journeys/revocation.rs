//! A revoked key is refused after the stated delay.

use std::time::Duration;

use doorward::local::gateway::{Asked, Payload};

use crate::house::{House, Setup};

#[tokio::test]
async fn a_revoked_key_is_refused_after_the_stated_delay() {
    for payload in [Payload::RestRequest, Payload::Http2] {
        let house = House::start(Setup {
            payload,
            ttl: 1,
            ..Setup::default()
        })
        .await;
        let key = house.key(&["orders:read"]).await;
        assert_eq!(
            house.bearer("GET /orders/42", &key.printed).await,
            (200, Asked::Yes)
        );
        // A second in the memory of the authorizer and a second in the cache of the gateway.
        let delay = house.revoke(&key.id).await;
        assert_eq!(delay, 2);
        assert_eq!(
            house.bearer("GET /orders/42", &key.printed).await,
            (200, Asked::Cached)
        );
        tokio::time::sleep(Duration::from_millis(u64::from(delay) * 1000 + 200)).await;
        assert_eq!(
            house.bearer("GET /orders/42", &key.printed).await,
            (401, Asked::Yes),
            "{payload:?}"
        );
        assert!(
            house.last().note.contains("key_revoked"),
            "{}",
            house.last().note
        );
        house.stop().await;
    }
}

#[tokio::test]
async fn a_key_that_was_just_made_is_accepted_at_once() {
    let house = House::start(Setup {
        ttl: 0,
        ..Setup::default()
    })
    .await;
    for _ in 0..3 {
        let key = house.key(&["orders:read"]).await;
        assert_eq!(
            house.bearer("GET /orders/42", &key.printed).await,
            (200, Asked::Yes)
        );
    }
    house.stop().await;
}

#[tokio::test]
async fn with_a_flush_a_revoked_key_is_refused_long_before_the_gateway_forgets() {
    for payload in [Payload::RestRequest, Payload::Http2] {
        let house = House::start(Setup {
            payload,
            ttl: 3600,
            ..Setup::default()
        })
        .await;
        let key = house.key(&["orders:read"]).await;
        assert_eq!(
            house.bearer("GET /orders/42", &key.printed).await,
            (200, Asked::Yes)
        );
        let (delay, flush) = house.revoke_with_flush(&key.id).await;
        assert_eq!((delay, flush.as_str()), (9, "scheduled"));
        // Whoever goes on calling keeps the memory of the authorizer and the cache of the gateway as full as can be.
        let end = tokio::time::Instant::now() + Duration::from_secs(delay.into());
        while tokio::time::Instant::now() < end {
            house.bearer("GET /orders/42", &key.printed).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (status, _) = house.bearer("GET /orders/42", &key.printed).await;
        assert_eq!(status, 401, "{payload:?}");
        house.stop().await;
    }
}
