//! What is counted, and with how many writes.

use doorward_keys::KeyStatus;

use crate::sandbox::{House, is_allowed, now};

#[tokio::test]
async fn a_thousand_calls_are_ten_writes() {
    let house = House::open().await;
    let (id, key) = house.key(1, KeyStatus::Active).await;
    let batches = "[usage]\nflush_calls = 100\nflush_seconds = 3600";
    let mut sandbox = house.sandbox(batches, &[]).await;
    for _ in 0..1000 {
        sandbox.allowed(&key).await;
    }
    sandbox.until_idle().await;
    assert_eq!(sandbox.terminate().await, Some(0));
    let counted = house.counted(&id).await;
    assert_eq!((counted.allowed, counted.total()), (1000, 1000));
    let last = counted.last.unwrap();
    assert_eq!(last.address.unwrap().to_string(), "192.0.2.7");
    assert!(now().since(last.at) < 60);
    let flushes = sandbox.lines_of("usage_flushed");
    let writes: u64 = flushes
        .iter()
        .map(|line| line["UsageWrites"].as_u64().unwrap())
        .sum();
    // One for each batch, or two where the hour ended within it. A busy machine may be too slow for one, which is written
    // later then.
    let late = sandbox.lines_of("usage_not_flushed").len() as u64;
    assert!((10 - late..=11 + late).contains(&writes), "{flushes:?}");
    assert!(flushes[0]["calls"].as_u64() >= Some(100));
    assert_eq!(flushes[0]["UsageWaiting"], 0);
    assert_eq!(flushes[0]["UsageLost"], 0);
    assert!(flushes[0]["UsageFlushLag"].is_u64());
}

#[tokio::test]
async fn known_keys_that_are_refused_count_too_and_unknown_ones_nowhere() {
    let house = House::open().await;
    let (good, of_good) = house.key(1, KeyStatus::Active).await;
    let (dead, of_dead) = house.key(2, KeyStatus::Revoked).await;
    let more = r#"
        [usage]
        flush_calls = 1

        [limits_store]
        kind = "memory"

        [limits.calls]
        algorithm = "fixed_window"
        limit = 2
        window_seconds = 86400
        by = ["key"]

        [[routes]]
        route = "GET /few"
        credentials = ["api_key"]
        limits = ["calls"]

        [[routes]]
        route = "GET /secret"
        credentials = ["api_key"]
        scopes = ["nobody:has"]
        "#;
    let sandbox = house.sandbox(more, &[]).await;
    let lambda = sandbox.lambda();
    let ask = |path: &'static str, key: &str| lambda.invoke(crate::sandbox::event(path, key, 9));
    for (path, key, expected) in [
        ("/orders", &of_good, Some(true)),
        ("/secret", &of_good, Some(true)), // a policy for all else
        ("/few", &of_good, Some(true)),
        ("/few", &of_good, Some(true)),
        ("/few", &of_good, Some(true)), // used up, and all else is allowed
        ("/orders", &of_dead, None),
        ("/orders", &of_dead, None),
        ("/nowhere", &of_good, Some(true)), // no route, and a policy for all else
    ] {
        let answer = ask(path, key).await.unwrap();
        let allowed = answer.as_ref().ok().map(is_allowed);
        assert_eq!(allowed, expected, "{path} {answer:?}");
    }
    let unknown = of_good.replace("ck_live_", "ck_live_x");
    assert!(ask("/orders", &unknown).await.unwrap().is_err());
    sandbox.until_idle().await;
    let counted = house.counted(&good).await;
    assert_eq!((counted.allowed, counted.forbidden), (3, 2));
    assert_eq!((counted.throttled, counted.total()), (1, 6));
    let counted = house.counted(&dead).await;
    assert_eq!((counted.unauthenticated, counted.total()), (2, 2));
    assert_eq!(
        counted.last.unwrap().address.unwrap().to_string(),
        "192.0.2.9"
    );
}

#[tokio::test]
async fn age_makes_a_batch_too() {
    let house = House::open().await;
    let (id, key) = house.key(1, KeyStatus::Active).await;
    let sandbox = house.sandbox("[usage]\nflush_seconds = 1", &[]).await;
    sandbox.allowed(&key).await;
    sandbox.until_idle().await;
    assert_eq!(house.counted(&id).await.total(), 0);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    sandbox.allowed(&key).await;
    sandbox.until_idle().await;
    assert_eq!(house.counted(&id).await.allowed, 2);
    let line = sandbox.line_of("usage_flushed").await;
    let lag = &line["UsageFlushLag"];
    assert!(lag.as_u64().unwrap() >= 1000, "{lag}");
}

#[tokio::test]
async fn exact_has_written_when_the_answer_comes() {
    let house = House::open().await;
    let (id, key) = house.key(1, KeyStatus::Active).await;
    let sandbox = house.sandbox("[usage]\nmode = \"exact\"", &[]).await;
    for calls in 1..=20 {
        sandbox.allowed(&key).await;
        assert_eq!(house.counted(&id).await.allowed, calls);
    }
}

#[tokio::test]
async fn switched_off_nothing_is_counted() {
    let house = House::open().await;
    let (id, key) = house.key(1, KeyStatus::Active).await;
    let mut sandbox = house.sandbox("[usage]\nmode = \"off\"", &[]).await;
    sandbox.allowed(&key).await;
    assert_eq!(sandbox.terminate().await, Some(0));
    assert_eq!(house.counted(&id).await.total(), 0);
}

#[tokio::test]
async fn without_a_table_usage_that_was_asked_for_refuses_everything_and_says_why() {
    let house = House::open().await;
    let (_, key) = house.key(1, KeyStatus::Active).await;
    let no_table = [("DOORWARD_COUNTERS_TABLE", "")];
    let sandbox = house.sandbox("[usage]\nmode = \"exact\"", &no_table).await;
    assert!(sandbox.call(&key, 1).await.unwrap().is_err());
    let line = &sandbox.lines_of("config_invalid")[0];
    assert_eq!(line["faults"][0]["path"], "DOORWARD_COUNTERS_TABLE");
    // What nobody asked for is left out without a word.
    let sandbox = house.sandbox("", &no_table).await;
    sandbox.allowed(&key).await;
}
