//! Issuers that hang or are slow, while the key is at hand.

use std::time::{Duration, Instant};

use super::*;

/// A set that is no longer fresh, and an issuer that does not answer.
async fn hanging() -> (Bench, i64) {
    let bench = Bench::with(&["a"], "");
    assert_eq!(bench.look("a", 0).await, Ok(()));
    bench.shelf.put(KEYS, &set_of(&["a", "b"]));
    (bench, 3600)
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured is how long a request waits"
)]
#[tokio::test]
async fn a_known_key_is_not_delayed_by_an_issuer_that_hangs() {
    let (bench, stale) = hanging().await;
    let closed = bench.shelf.gate.lock().await;
    let began = Instant::now();
    assert_eq!(bench.look("a", stale).await, Ok(()));
    assert!(began.elapsed() >= PATIENCE, "the first waits a moment");
    assert!(began.elapsed() < PATIENCE + Duration::from_secs(2));
    let began = Instant::now();
    for seconds in 1..30 {
        assert_eq!(bench.look("a", stale + seconds).await, Ok(()));
    }
    assert!(began.elapsed() < PATIENCE, "the others do not");
    bench.fetched(2);
    drop(closed);
}

#[tokio::test]
async fn a_slow_issuer_is_heard_by_the_next_request() {
    let (bench, stale) = hanging().await;
    let closed = bench.shelf.gate.lock().await;
    assert_eq!(bench.look("a", stale).await, Ok(()));
    drop(closed);
    assert_eq!(bench.look("a", stale + 1).await, Ok(()));
    assert_eq!(bench.look("b", stale + 2).await, Ok(()), "the set is new");
    bench.fetched(2);
}

#[tokio::test]
async fn a_slow_issuer_is_heard_after_an_answer() {
    let (bench, stale) = hanging().await;
    let closed = bench.shelf.gate.lock().await;
    assert_eq!(bench.look("a", stale).await, Ok(()));
    let mut finishing = Box::pin(bench.keys.finish());
    assert!(poll_once(&mut finishing.as_mut()).await.is_pending());
    // Meanwhile nobody waits and nobody begins another fetch.
    assert_eq!(bench.look("a", stale + 1).await, Ok(()));
    drop(closed);
    finishing.await;
    assert_eq!(bench.look("b", stale + 2).await, Ok(()));
    bench.fetched(2);
    bench.keys.finish().await;
    bench.fetched(2);
}

#[tokio::test]
async fn a_new_key_is_refused_until_a_slow_issuer_has_brought_it() {
    let (bench, stale) = hanging().await;
    let closed = bench.shelf.gate.lock().await;
    assert_eq!(bench.look("a", stale).await, Ok(()));
    assert_eq!(bench.look("b", stale + 1).await, UNKNOWN);
    drop(closed);
    assert_eq!(bench.look("b", stale + 2).await, Ok(()));
    bench.fetched(2);
}

#[tokio::test]
async fn an_issuer_that_hangs_for_longer_than_the_staleness_bound_is_out() {
    let (bench, stale) = hanging().await;
    bench.shelf.remove(KEYS);
    let closed = bench.shelf.gate.lock().await;
    assert_eq!(bench.look("a", stale).await, Ok(()));
    drop(closed);
    assert_eq!(bench.look("a", stale + 14_400).await, UNAVAILABLE);
}
