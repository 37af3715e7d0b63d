mod discovery;
mod model;
mod patience;

use std::{future::Future, pin::pin, task::Poll};

use super::*;
use crate::layers::jwt::test_support::{KEYS, P256, RSA, Shelf, at_uri, issuer, key_set};

const START: i64 = 1_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(START + seconds)
}

fn named(id: &str) -> String {
    format!(r#"{P256},"kid":"{id}""#)
}

fn set_of(ids: &[&str]) -> String {
    key_set(&ids.iter().map(|id| named(id)).collect::<Vec<_>>())
}

struct Bench {
    shelf: Arc<Shelf>,
    keys: IssuerKeys,
}

impl Bench {
    fn new(config: Arc<IssuerConfig>) -> Self {
        let shelf = Arc::new(Shelf::default());
        let keys = IssuerKeys::new(
            config,
            Arc::clone(&shelf) as Arc<dyn KeySetSource>,
            |time| Box::pin(tokio::time::sleep(time)),
        );
        Self { shelf, keys }
    }

    /// With keys published, and defaults: cool-down 30, fresh for 60 to 3600, stale for 14400 seconds.
    fn with(ids: &[&str], more: &str) -> Self {
        let bench = Self::new(at_uri(more));
        bench.shelf.put(KEYS, &set_of(ids));
        bench
    }

    async fn look(&self, id: &str, seconds: i64) -> Result<(), Reason> {
        let wanted = Wanted {
            id: Some(id),
            algorithm: Algorithm::Es256,
        };
        let key = self.keys.key(wanted, at(seconds), || Ok(())).await;
        key.map(|key| assert_eq!(key.id.as_deref(), Some(id)))
            .map_err(|denial| denial.reason())
    }

    #[track_caller]
    fn fetched(&self, times: usize) {
        assert_eq!(self.shelf.count(), times, "fetches");
    }
}

const UNKNOWN: Result<(), Reason> = Err(Reason::TokenKeyUnknown);
const UNAVAILABLE: Result<(), Reason> = Err(Reason::KeySetUnavailable);

/// Polls a future once.
async fn poll_once<F: Future>(future: &mut std::pin::Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

#[tokio::test]
async fn fetches_once_and_then_serves_from_memory() {
    let bench = Bench::with(&["a"], "");
    for seconds in [0, 1, 100, 3599] {
        assert_eq!(bench.look("a", seconds).await, Ok(()));
    }
    bench.fetched(1);
}

#[tokio::test]
async fn sees_a_key_that_is_rotated_in() {
    let bench = Bench::with(&["a"], "");
    assert_eq!(bench.look("a", 0).await, Ok(()));
    bench.shelf.put(KEYS, &set_of(&["a", "b"]));
    assert_eq!(bench.look("b", 29).await, UNKNOWN);
    assert_eq!(bench.look("b", 30).await, Ok(()));
    bench.fetched(2);
}

#[tokio::test]
async fn fetches_once_per_cool_down_for_any_number_of_unknown_names() {
    let bench = Bench::with(&["a"], "");
    for seconds in 0..90 {
        for name in 0..10 {
            assert_eq!(
                bench.look(&format!("x{seconds}-{name}"), seconds).await,
                UNKNOWN
            );
        }
        assert_eq!(bench.look("a", seconds).await, Ok(()), "known keys go on");
    }
    bench.fetched(3);
}

#[tokio::test]
async fn keeps_the_cool_down_when_fetches_fail() {
    let bench = Bench::new(at_uri(""));
    for seconds in 0..60 {
        assert_eq!(bench.look("a", seconds).await, UNAVAILABLE);
    }
    bench.fetched(2);
    bench.shelf.put(KEYS, &set_of(&["a"]));
    assert_eq!(bench.look("a", 60).await, Ok(()));
    bench.fetched(3);
}

#[tokio::test]
async fn keeps_the_cool_down_when_the_set_has_no_key() {
    let bench = Bench::with(&[], "");
    bench.shelf.put(KEYS, r#"{"keys":[]}"#);
    for seconds in 0..60 {
        assert_eq!(bench.look("a", seconds).await, UNKNOWN);
    }
    bench.fetched(2);
}

#[tokio::test]
async fn tells_why_keys_cannot_be_had() {
    let bench = Bench::new(at_uri(""));
    for document in [None, Some("garbage")] {
        if let Some(document) = document {
            bench.shelf.put(KEYS, document);
        }
        let wanted = Wanted {
            id: None,
            algorithm: Algorithm::Es256,
        };
        let now = at(if document.is_some() { 100 } else { 0 });
        let denial = bench.keys.key(wanted, now, || Ok(())).await.unwrap_err();
        assert!(denial.detail().contains("issuer `acme`"), "{denial:?}");
        assert!(denial.detail().contains(KEYS), "{denial:?}");
    }
}

#[tokio::test]
async fn shares_one_fetch_between_concurrent_misses() {
    let bench = Bench::with(&["a"], "");
    let closed = bench.shelf.gate.lock().await;
    let mut looks: Vec<_> = (0..50).map(|_| Box::pin(bench.look("a", 0))).collect();
    let mut outcomes = Vec::new();
    for look in &mut looks {
        assert!(poll_once(&mut look.as_mut()).await.is_pending());
    }
    drop(closed);
    for look in looks {
        outcomes.push(look.await);
    }
    assert_eq!(outcomes, vec![Ok(()); 50]);
    bench.fetched(1);
}

#[tokio::test]
async fn serves_known_keys_while_somebody_else_fetches() {
    let bench = Bench::with(&["a"], "");
    assert_eq!(bench.look("a", 0).await, Ok(()));
    let closed = bench.shelf.gate.lock().await;
    // For an unknown name in a fresh set, and for a set that is no longer fresh.
    for seconds in [100, 3700] {
        let mut fetching = pin!(bench.look("unknown", seconds));
        assert!(poll_once(&mut fetching).await.is_pending());
        assert_eq!(bench.look("a", seconds).await, Ok(()));
    }
    drop(closed);
}

#[tokio::test]
async fn an_abandoned_fetch_blocks_nobody_and_is_the_only_one_in_its_cool_down() {
    let bench = Bench::with(&["a"], "");
    {
        let closed = bench.shelf.gate.lock().await;
        let mut abandoned = pin!(bench.look("a", 0));
        assert!(poll_once(&mut abandoned).await.is_pending());
        drop(closed);
    }
    // Whoever comes next takes what it has brought.
    assert_eq!(bench.look("a", 1).await, Ok(()));
    bench.fetched(1);
}

#[tokio::test]
async fn an_abandoned_fetch_that_is_old_is_begun_again() {
    let bench = Bench::with(&["a"], "");
    let closed = bench.shelf.gate.lock().await;
    {
        let mut abandoned = pin!(bench.look("a", 0));
        assert!(poll_once(&mut abandoned).await.is_pending());
    }
    drop(closed);
    assert_eq!(bench.look("a", 30).await, Ok(()));
    bench.fetched(2);
}

#[tokio::test]
async fn waiting_requests_survive_a_leader_that_is_dropped() {
    let bench = Bench::with(&["a"], "");
    assert_eq!(bench.look("a", 0).await, Ok(()));
    let closed = bench.shelf.gate.lock().await;
    let mut waiting = Box::pin(bench.look("new", 100));
    {
        let mut leader = pin!(bench.look("new", 100));
        assert!(poll_once(&mut leader).await.is_pending());
        assert!(poll_once(&mut waiting.as_mut()).await.is_pending());
    }
    drop(closed);
    assert_eq!(waiting.await, UNKNOWN);
    assert_eq!(bench.look("a", 100).await, Ok(()));
}

#[tokio::test]
async fn spends_no_fetch_on_a_token_that_is_not_worth_it() {
    let bench = Bench::with(&["a"], "");
    let wanted = Wanted {
        id: Some("a"),
        algorithm: Algorithm::Es256,
    };
    let expired = || Err(Denial::new(Reason::TokenExpired, ""));
    let denial = bench.keys.key(wanted, at(0), expired).await.unwrap_err();
    assert_eq!(denial.reason(), Reason::TokenExpired);
    bench.fetched(0);
    assert_eq!(bench.look("a", 0).await, Ok(()), "and no cool-down either");
}

#[tokio::test]
async fn clamps_what_the_issuer_says_about_freshness() {
    for (said, fresh_for) in [
        (Some(0), 60),
        (Some(10), 60),
        (Some(300), 300),
        (Some(1_000_000), 3600),
        (Some(u64::MAX), 3600),
        (None, 3600),
    ] {
        let bench = Bench::new(at_uri(""));
        bench.shelf.put_for(KEYS, &set_of(&["a"]), said);
        assert_eq!(bench.look("a", 0).await, Ok(()));
        assert_eq!(bench.look("a", fresh_for - 1).await, Ok(()));
        bench.fetched(1);
        assert_eq!(bench.look("a", fresh_for).await, Ok(()));
        bench.fetched(2);
    }
}

#[tokio::test]
async fn a_withdrawn_key_stops_within_the_maximum_age() {
    let bench = Bench::with(&["a", "b"], "");
    assert_eq!(bench.look("a", 0).await, Ok(()));
    bench.shelf.put(KEYS, &set_of(&["b"]));
    assert_eq!(bench.look("a", 3599).await, Ok(()));
    assert_eq!(bench.look("a", 3600).await, UNKNOWN);
    assert_eq!(bench.look("b", 3600).await, Ok(()));
}

#[tokio::test]
async fn all_keys_stop_when_all_are_withdrawn() {
    let bench = Bench::with(&["a"], "");
    assert_eq!(bench.look("a", 0).await, Ok(()));
    bench.shelf.put(KEYS, r#"{"keys":[]}"#);
    assert_eq!(bench.look("a", 3600).await, UNKNOWN);
}

#[tokio::test]
async fn serves_the_last_good_set_on_errors_until_the_staleness_bound() {
    for broken in [None, Some("garbage"), Some("{}")] {
        let bench = Bench::with(&["a"], "");
        assert_eq!(bench.look("a", 0).await, Ok(()));
        match broken {
            None => bench.shelf.remove(KEYS),
            Some(document) => bench.shelf.put(KEYS, document),
        }
        assert_eq!(bench.look("a", 3600).await, Ok(()));
        assert_eq!(bench.look("a", 3600 + 14_399).await, Ok(()));
        assert_eq!(bench.look("a", 3600 + 14_400).await, UNAVAILABLE);
        bench.shelf.put(KEYS, &set_of(&["a"]));
        assert_eq!(bench.look("a", 3600 + 14_430).await, Ok(()));
    }
}

#[tokio::test]
async fn tells_the_age_of_a_set_only_where_a_fresh_one_could_not_be_had() {
    let bench = Bench::with(&["a"], "");
    assert_eq!(bench.keys.stale_age(at(0)), None);
    assert_eq!(bench.look("a", 0).await, Ok(()));
    assert_eq!(bench.keys.stale_age(at(100)), None);
    // Nobody asked for a key in the meantime: nothing is wrong.
    assert_eq!(bench.keys.stale_age(at(3700)), None);
    bench.shelf.remove(KEYS);
    assert_eq!(bench.look("a", 3700).await, Ok(()));
    assert_eq!(bench.keys.stale_age(at(3710)), Some(3710));
    bench.shelf.put(KEYS, &set_of(&["a"]));
    assert_eq!(bench.look("a", 3800).await, Ok(()));
    assert_eq!(bench.keys.stale_age(at(3800)), None);
}

#[tokio::test]
async fn retries_a_stale_set_once_per_cool_down() {
    let bench = Bench::with(&["a"], "");
    assert_eq!(bench.look("a", 0).await, Ok(()));
    bench.shelf.remove(KEYS);
    for seconds in 3600..3690 {
        assert_eq!(bench.look("a", seconds).await, Ok(()));
    }
    bench.fetched(1 + 3);
}

#[tokio::test]
async fn finds_the_set_old_after_a_freeze() {
    let bench = Bench::with(&["a"], "");
    assert_eq!(bench.look("a", 0).await, Ok(()));
    bench.shelf.remove(KEYS);
    assert_eq!(bench.look("a", 10 * 86_400).await, UNAVAILABLE);
}

#[tokio::test]
async fn a_clock_set_back_makes_nothing_younger() {
    let bench = Bench::with(&["a"], "");
    assert_eq!(bench.look("a", 0).await, Ok(()));
    bench.shelf.remove(KEYS);
    // The clock is set back by a day. From there on the set lives as long as it would have lived.
    let back = -86_400;
    assert_eq!(bench.look("a", back).await, Ok(()));
    bench.fetched(1);
    assert_eq!(bench.look("a", back + 3600).await, Ok(()));
    bench.fetched(2);
    assert_eq!(bench.look("a", back + 3600 + 14_400).await, UNAVAILABLE);
    // Nor does it keep the cool-down for ever.
    bench.shelf.put(KEYS, &set_of(&["a"]));
    assert_eq!(bench.look("a", back + 3600 + 14_430).await, Ok(()));
}

#[tokio::test]
async fn survives_times_at_the_ends_of_the_range() {
    let bench = Bench::with(&["a"], "");
    for now in [i64::MAX, i64::MIN, 0, -1, i64::MAX - 1] {
        let wanted = Wanted {
            id: Some("a"),
            algorithm: Algorithm::Es256,
        };
        let _ = bench
            .keys
            .key(wanted, Timestamp::from_unix(now), || Ok(()))
            .await;
    }
}

#[tokio::test]
async fn an_unsuitable_key_causes_no_fetch_while_the_set_is_fresh() {
    let bench = Bench::new(at_uri(""));
    bench
        .shelf
        .put(KEYS, &key_set(&[format!(r#"{RSA},"kid":"r""#), named("a")]));
    assert_eq!(bench.look("a", 0).await, Ok(()));
    assert_eq!(bench.look("r", 100).await, Err(Reason::TokenKeyUnsuitable));
    bench.fetched(1);
}

#[tokio::test]
async fn prefetching_fills_the_memory_and_leaves_a_fresh_set_alone() {
    let bench = Bench::with(&["a"], "");
    assert!(bench.keys.prefetch(at(0)).await.is_ok());
    assert!(bench.keys.prefetch(at(1)).await.is_ok());
    assert_eq!(bench.look("a", 1).await, Ok(()));
    bench.fetched(1);
}

#[tokio::test]
async fn the_first_request_tries_again_after_a_failed_prefetch() {
    let bench = Bench::new(at_uri(""));
    assert!(bench.keys.prefetch(at(0)).await.is_err());
    bench.shelf.put(KEYS, &set_of(&["a"]));
    assert_eq!(bench.look("a", 1).await, Ok(()));
    bench.fetched(2);
}

#[tokio::test]
async fn keys_of_the_configuration_are_never_fetched() {
    let bench = Bench::new(issuer(&format!(
        "issuer = \"acme\"\nalgorithms = [\"ES256\"]\naudiences = [\"api\"]\n\
         [jwks]\nkeys = [{{ kid = \"a\", {} }}]",
        P256.replace("\":\"", "=\"")
            .replace(",\"", ", ")
            .replace("\"kty", "kty")
    )));
    assert_eq!(bench.look("a", 0).await, Ok(()));
    assert_eq!(bench.look("b", 0).await, UNKNOWN);
    assert!(bench.keys.prefetch(at(0)).await.is_ok());
    bench.fetched(0);
}

#[tokio::test]
async fn refuses_a_set_with_too_many_keys() {
    let bench = Bench::with(&["a", "b", "c"], "key_set = { max_keys = 2 }");
    assert_eq!(bench.look("a", 0).await, UNAVAILABLE);
}
