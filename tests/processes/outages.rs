//! The table is away: answers come all the same, within the stated time, and counts arrive when it is back.

use std::time::Duration;

use doorward_keys::KeyStatus;
use doorward_tests::line::Mode;
use serde_json::Value;
use tokio::time::Instant;

use crate::sandbox::{House, is_allowed};

/// Beyond a stated time, what a busy machine may take.
const SLACK: Duration = Duration::from_millis(250);

/// The metric of a line, where its directive names it.
fn metric(line: &Value, name: &str) -> Option<u64> {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array()?;
    let mut metrics = directives
        .iter()
        .filter_map(|one| one["Metrics"].as_array());
    let named = metrics.any(|all| all.iter().any(|metric| metric["Name"] == name));
    named.then(|| line[name].as_u64())?
}

#[tokio::test]
async fn batched_nobody_waits_and_the_counts_arrive_later() {
    for mode in [Mode::Cut, Mode::Dumb] {
        let house = House::open().await;
        let (id, key) = house.key(1, KeyStatus::Active).await;
        let sandbox = house
            .sandbox("[usage]\nflush_calls = 10\nflush_seconds = 1", &[])
            .await;
        for _ in 0..10 {
            sandbox.allowed(&key).await;
        }
        sandbox.until_idle().await;
        assert_eq!(house.counted(&id).await.allowed, 10);
        house.line(mode);
        let mut slowest = Duration::ZERO;
        for _ in 0..30 {
            // A sandbox gets its next event when it asks for it.
            sandbox.until_idle().await;
            let began = Instant::now();
            sandbox.allowed(&key).await;
            slowest = slowest.max(began.elapsed());
        }
        assert!(slowest < SLACK, "{mode:?}: {slowest:?}");
        sandbox.until_idle().await;
        let faults = sandbox.lines_of("usage_not_flushed");
        assert!(!faults.is_empty());
        for fault in &faults {
            assert_eq!(fault["level"], "ERROR");
            assert_eq!(metric(fault, "UsageFlushFaults"), Some(1));
            assert!(metric(fault, "UsageWaiting").unwrap() >= 10, "{fault}");
            assert_eq!(metric(fault, "UsageLost"), Some(0));
            assert!(
                fault["detail"]
                    .as_str()
                    .unwrap()
                    .contains("doorward-counters")
            );
        }
        // It is left alone for longer and longer, so that few answers are followed by a wait.
        assert!(faults.len() <= 4, "{faults:?}");
        house.line(Mode::Whole);
        let mut calls = 40;
        while house.counted(&id).await.allowed < calls {
            tokio::time::sleep(Duration::from_millis(300)).await;
            sandbox.allowed(&key).await;
            calls += 1;
            sandbox.until_idle().await;
            assert!(calls < 140, "{:?}", sandbox.lines_of("usage_not_flushed"));
            if house.counted(&id).await.allowed >= 40 {
                break;
            }
        }
        // And none is counted twice.
        assert!(house.counted(&id).await.allowed <= calls);
    }
}

#[tokio::test]
async fn exact_refuses_within_its_time_and_says_why() {
    for mode in [Mode::Cut, Mode::Dumb] {
        let house = House::open().await;
        let (id, key) = house.key(1, KeyStatus::Active).await;
        let mut sandbox = house.sandbox("[usage]\nmode = \"exact\"", &[]).await;
        sandbox.allowed(&key).await;
        house.line(mode);
        let began = Instant::now();
        assert!(sandbox.call(&key, 1).await.unwrap().is_err());
        assert!(began.elapsed() < Duration::from_millis(250) + SLACK);
        // Then it is left alone for a moment.
        let began = Instant::now();
        assert!(sandbox.call(&key, 1).await.unwrap().is_err());
        assert!(began.elapsed() < SLACK);
        let refused = sandbox.lines_of("decision");
        let refused: Vec<_> = refused
            .iter()
            .filter(|line| line["reason"] == "usage_store_unavailable")
            .collect();
        assert_eq!(refused.len(), 2, "{:?}", sandbox.lines());
        for line in refused {
            assert_eq!(line["Class"], "unavailable");
            assert_eq!(metric(line, "UsageStoreFaults"), Some(1));
        }
        house.line(Mode::Whole);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        sandbox.allowed(&key).await;
        assert_eq!(sandbox.terminate().await, Some(0));
        let counted = house.counted(&id).await;
        assert_eq!((counted.allowed, counted.unavailable), (2, 2), "{mode:?}");
    }
}

#[tokio::test]
async fn exact_with_allow_passes_and_counts_later() {
    let house = House::open().await;
    let (id, key) = house.key(1, KeyStatus::Active).await;
    let more = "[usage]\nmode = \"exact\"\non_outage = \"allow\"";
    let mut sandbox = house.sandbox(more, &[]).await;
    sandbox.allowed(&key).await;
    house.line(Mode::Dumb);
    for _ in 0..5 {
        let answer = sandbox.call(&key, 1).await.unwrap().unwrap();
        assert!(is_allowed(&answer));
    }
    let lines = sandbox.lines_of("decision");
    let faults = lines
        .iter()
        .filter_map(|line| metric(line, "UsageStoreFaults"));
    assert_eq!(faults.sum::<u64>(), 5);
    house.line(Mode::Whole);
    assert_eq!(sandbox.terminate().await, Some(0));
    assert_eq!(house.counted(&id).await.allowed, 6);
}
