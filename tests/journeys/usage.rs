//! The access log of the local gateway: every request with a key is counted, also where the cache answered it.

use std::time::Duration;

use doorward::local::gateway::Asked;
use doorward_key_admin::reply::UsageStep;

use crate::house::{APIS, House, Setup};

/// The counts of a key once `requests` are counted; what came by then where they are not counted in time.
async fn counted(house: &House, id: &str, requests: u64) -> UsageStep {
    let mut total = house.usage(id).await.total;
    for _ in 0..100 {
        if total
            .requests
            .is_some_and(|counted| counted.total >= requests)
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        total = house.usage(id).await.total;
    }
    total
}

#[tokio::test]
async fn requests_that_the_cache_answers_are_counted_beside_the_decisions() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let (key, other) = (
            house.key(&["orders:read"]).await,
            house.key(&["orders:read"]).await,
        );
        assert_eq!(
            house.bearer("GET /orders/42", &key.printed).await,
            (200, Asked::Yes)
        );
        for _ in 0..4 {
            assert_eq!(
                house.bearer("GET /orders/43", &key.printed).await,
                (200, Asked::Cached)
            );
        }
        // Refused by the cached answer, which says whose request it is.
        assert_eq!(
            house.bearer("POST /orders", &key.printed).await,
            (403, Asked::Cached)
        );
        // Refused by the authorizer, in an answer that says so too.
        assert_eq!(
            house.bearer("POST /orders", &other.printed).await,
            (403, Asked::Yes)
        );
        // Nobody's.
        house
            .bearer("GET /orders/42", &house.token(&["orders:read"]))
            .await;
        house.bearer("GET /orders/42", "ck_test_x").await;
        house.call("GET /health", &[]).await;

        let total = counted(&house, &key.id, 6).await;
        let requests = total.requests.unwrap();
        assert_eq!(
            (requests.total, requests.throttled, requests.failed),
            (6, 0, 0),
            "{payload:?}"
        );
        assert_eq!(total.cached, Some(6 - total.decisions.total), "{payload:?}");
        let total = counted(&house, &other.id, 1).await;
        assert_eq!(total.requests.unwrap().total, 1, "{payload:?}");
        // What comes late would be counted by now.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(counted(&house, &key.id, 6).await.requests.unwrap().total, 6);
        house.stop().await;
    }
}

#[tokio::test]
async fn a_key_that_was_not_used_has_no_requests() {
    let house = House::start(Setup::default()).await;
    let key = house.key(&["orders:read"]).await;
    let usage = house.usage(&key.id).await;
    assert_eq!((usage.total.requests, usage.total.cached), (None, None));
    assert_eq!(usage.total.decisions.total, 0);
    assert_eq!(usage.last_used_at, None);
    house.stop().await;
}
