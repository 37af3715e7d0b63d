//! When counts are written, and that none is lost or made twice whatever the store does.

mod model;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use doorward_keys::{Hour, KeyId, StoreError, Timestamp, Usage, UsageEntry, UsageSink};

use super::{Flushed, OnUsageOutage, UsageBuffer, UsageConfig, UsageMode, UsedKey, held::CAPACITY};
use crate::{
    denial::Class,
    limits::{Moment, Span},
};

const NOW: Moment = Moment::from_micros(1_795_757_600_000_000);
const LONG: Duration = Duration::from_secs(5);

/// How the store treats one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Writes,
    /// It fails, and has not written.
    Fails,
    /// It fails, and has written all the same.
    Hides,
    /// It holds something else in that place.
    Corrupt,
    /// It never answers.
    Silent,
}

/// A store that remembers every name, so that what is added twice can be told.
pub(super) struct Store {
    pub(super) moods: Mutex<Vec<Mood>>,
    pub(super) written: Mutex<BTreeMap<(String, KeyId, Hour), Usage>>,
    calls: AtomicU64,
}

impl Store {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            moods: Mutex::default(),
            written: Mutex::default(),
            calls: AtomicU64::new(0),
        })
    }

    /// Treats the next entries so, the last first; all others are written.
    pub(super) fn will(&self, moods: &[Mood]) {
        *self.moods.lock().unwrap() = moods.to_vec();
    }

    pub(super) fn sum(&self) -> BTreeMap<KeyId, Usage> {
        let mut sums: BTreeMap<KeyId, Usage> = BTreeMap::new();
        for ((_, key, _), usage) in &*self.written.lock().unwrap() {
            let sum = sums.entry(key.clone()).or_default();
            *sum = sum.plus(*usage);
        }
        sums
    }

    fn add_one(&self, entry: &UsageEntry, mood: Mood) -> Result<(), StoreError> {
        let away = || Err(StoreError::Unavailable("away".to_owned()));
        let write = || {
            let place = (entry.flush.clone(), entry.key.clone(), entry.hour);
            let before = self.written.lock().unwrap().insert(place, entry.usage);
            // What comes again comes unchanged.
            assert!(before.is_none_or(|before| before == entry.usage));
        };
        match mood {
            Mood::Writes => {
                write();
                Ok(())
            }
            Mood::Fails | Mood::Silent => away(),
            Mood::Hides => {
                write();
                away()
            }
            Mood::Corrupt => Err(StoreError::Corrupt("of another".to_owned())),
        }
    }
}

#[async_trait]
impl UsageSink for Store {
    async fn add(&self, entries: &[UsageEntry], _: Duration) -> Vec<Result<(), StoreError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mut results = Vec::new();
        for entry in entries {
            let mood = self.moods.lock().unwrap().pop().unwrap_or(Mood::Writes);
            if mood == Mood::Silent {
                std::future::pending::<()>().await;
            }
            // Others may come in between.
            tokio::task::yield_now().await;
            results.push(self.add_one(entry, mood));
        }
        results
    }
}

/// Another name at each call.
pub(super) fn name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed).to_string()
}

pub(super) fn still() -> Duration {
    Duration::ZERO
}

pub(super) fn buffer(store: &Arc<Store>) -> UsageBuffer {
    UsageBuffer::new(Arc::clone(store) as _, name, still)
}

pub(super) fn batched(seconds: u64, calls: u32) -> UsageConfig {
    UsageConfig {
        flush_after: Span::from_seconds(seconds),
        flush_calls: calls,
        ..UsageConfig::default()
    }
}

fn exact(then: OnUsageOutage) -> UsageConfig {
    UsageConfig {
        mode: UsageMode::Exact(then),
        ..UsageConfig::default()
    }
}

pub(super) fn key(number: u64) -> KeyId {
    KeyId::new(Timestamp::from_unix(1), number.into())
}

pub(super) fn after(seconds: u64) -> Moment {
    NOW.plus(Span::from_seconds(seconds))
}

async fn allowed(buffer: &UsageBuffer, config: &UsageConfig, number: u64, at: Moment) {
    called(buffer, config, number, None, at).await.unwrap();
}

async fn called(
    buffer: &UsageBuffer,
    config: &UsageConfig,
    number: u64,
    refused: Option<Class>,
    at: Moment,
) -> Result<(), super::Uncounted> {
    let key = key(number);
    let used = UsedKey {
        key: &key,
        refused,
        at,
        address: Some("192.0.2.1".parse().unwrap()),
    };
    buffer.count(config, &used, None).await
}

#[tokio::test]
async fn a_thousand_calls_are_one_write() {
    let (store, config) = (Store::new(), batched(60, 1000));
    let buffer = buffer(&store);
    for call in 1..=1000 {
        assert!(!buffer.is_due(&config, NOW), "{call}");
        assert_eq!(buffer.flush(&config, NOW, LONG).await, None);
        allowed(&buffer, &config, 1, NOW).await;
    }
    let flushed = buffer.flush(&config, after(7), LONG).await.unwrap();
    let expected = Flushed {
        writes: 1,
        calls: 1000,
        lag: Span::from_seconds(7),
        ..Flushed::default()
    };
    assert_eq!(flushed, expected);
    assert_eq!(store.sum()[&key(1)].allowed, 1000);
    assert_eq!(buffer.flush(&config, after(1000), LONG).await, None);
    assert_eq!(buffer.finish(&config, after(1000), LONG).await, None);
}

#[tokio::test]
async fn every_class_is_counted_apart_with_the_latest_use() {
    let (store, config) = (Store::new(), batched(60, 1000));
    let buffer = buffer(&store);
    let classes = [
        None,
        Some(Class::Unauthenticated),
        Some(Class::Forbidden),
        Some(Class::Throttled),
        Some(Class::Unavailable),
    ];
    for (times, class) in classes.into_iter().enumerate() {
        for _ in 0..=times {
            called(&buffer, &config, 1, class, after(times as u64))
                .await
                .unwrap();
        }
    }
    buffer.finish(&config, NOW, LONG).await.unwrap();
    let sum = store.sum()[&key(1)];
    assert_eq!(sum.allowed, 1);
    assert_eq!(sum.unauthenticated, 2);
    assert_eq!(sum.forbidden, 3);
    assert_eq!(sum.throttled, 4);
    assert_eq!(sum.unavailable, 5);
    assert_eq!(sum.last.unwrap().at, after(4).timestamp());
}

#[tokio::test]
async fn age_keys_and_a_clock_set_back_make_it_time_to_write() {
    let (store, config) = (Store::new(), batched(60, 100_000));
    let by_age = buffer(&store);
    allowed(&by_age, &config, 1, NOW).await;
    assert!(!by_age.is_due(&config, after(59)));
    assert!(by_age.is_due(&config, after(60)));
    assert!(by_age.is_due(&config, Moment::from_micros(NOW.micros() - 1)));
    let by_keys = buffer(&store);
    for number in 0..1024 {
        assert!(!by_keys.is_due(&config, NOW));
        allowed(&by_keys, &config, number, NOW).await;
    }
    assert!(by_keys.is_due(&config, NOW));
}

#[tokio::test]
async fn hours_are_written_apart_and_kept_for_their_days() {
    let (store, config) = (Store::new(), batched(60, 1000));
    let buffer = buffer(&store);
    for seconds in [0, 3600, 1, 3601, 2] {
        allowed(&buffer, &config, 1, after(seconds)).await;
    }
    let flushed = buffer.finish(&config, after(3601), LONG).await.unwrap();
    assert_eq!((flushed.writes, flushed.calls), (2, 5));
    let counts: Vec<u64> = store
        .written
        .lock()
        .unwrap()
        .values()
        .map(|usage| usage.allowed)
        .collect();
    assert_eq!(counts, [3, 2]);
}

#[tokio::test]
async fn a_store_that_fails_is_left_alone_for_longer_and_longer() {
    let (store, config) = (Store::new(), batched(1, 1000));
    let buffer = buffer(&store);
    allowed(&buffer, &config, 1, NOW).await;
    let mut at = 1;
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        store.will(&[Mood::Fails]);
        let flushed = buffer.flush(&config, after(at), LONG).await.unwrap();
        assert_eq!((flushed.calls, flushed.waiting), (0, 1));
        assert!(flushed.fault.unwrap().contains("away"));
        assert!(!buffer.is_due(&config, after(at + pause - 1)), "{pause}");
        at += pause;
        assert!(buffer.is_due(&config, after(at)), "{pause}");
    }
}

#[tokio::test]
async fn the_end_does_not_wait_and_tries_a_few_times() {
    let (store, config) = (Store::new(), batched(1, 1000));
    let buffer = buffer(&store);
    allowed(&buffer, &config, 1, NOW).await;
    store.will(&[Mood::Fails; 4]);
    buffer.flush(&config, after(1), LONG).await.unwrap();
    let flushed = buffer.finish(&config, after(1), LONG).await.unwrap();
    assert_eq!((flushed.calls, flushed.waiting), (0, 1));
    assert!(flushed.fault.unwrap().contains("away"));
    store.will(&[Mood::Hides, Mood::Fails]);
    let flushed = buffer.finish(&config, after(1), LONG).await.unwrap();
    assert_eq!(
        (flushed.calls, flushed.waiting, flushed.fault),
        (1, 0, None)
    );
    assert_eq!(store.sum()[&key(1)].allowed, 1);
}

#[tokio::test]
async fn what_is_written_again_has_its_name_and_what_grew_since_another() {
    let (store, config) = (Store::new(), batched(1, 1000));
    let buffer = buffer(&store);
    allowed(&buffer, &config, 1, NOW).await;
    store.will(&[Mood::Hides]);
    buffer.flush(&config, after(1), LONG).await.unwrap();
    allowed(&buffer, &config, 1, after(1)).await;
    // Both are due by now, and the first goes again as it was.
    let flushed = buffer.flush(&config, after(3), LONG).await.unwrap();
    assert_eq!((flushed.writes, flushed.calls, flushed.waiting), (2, 2, 0));
    assert_eq!(store.sum()[&key(1)].allowed, 2);
    assert_eq!(store.written.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_flush_that_is_given_up_loses_nothing_and_blocks_nobody() {
    let (store, config) = (Store::new(), batched(1, 1000));
    let buffer = buffer(&store);
    allowed(&buffer, &config, 1, NOW).await;
    allowed(&buffer, &config, 2, NOW).await;
    store.will(&[Mood::Silent, Mood::Writes]);
    let flushing = buffer.flush(&config, after(1), LONG);
    let given_up = tokio::time::timeout(Duration::from_millis(10), flushing).await;
    assert!(given_up.is_err());
    let flushed = buffer.finish(&config, after(1), LONG).await.unwrap();
    assert_eq!((flushed.writes, flushed.waiting), (2, 0));
    assert_eq!(store.written.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_finds_no_space_is_lost_and_said_once() {
    let (store, config) = (Store::new(), batched(3600, 100_000));
    let buffer = buffer(&store);
    let capacity = CAPACITY as u64;
    for number in 0..capacity + 3 {
        allowed(&buffer, &config, number, NOW).await;
    }
    // Who has a place already is counted still.
    allowed(&buffer, &config, 1, NOW).await;
    let flushed = buffer.flush(&config, NOW, LONG).await.unwrap();
    assert_eq!((flushed.calls, flushed.lost), (capacity + 1, 3));
    allowed(&buffer, &config, 1, NOW).await;
    let flushed = buffer.finish(&config, NOW, LONG).await.unwrap();
    assert_eq!((flushed.calls, flushed.lost), (1, 0));
}

#[tokio::test]
async fn what_meets_a_foreign_item_is_lost_and_not_tried_again() {
    let (store, config) = (Store::new(), batched(1, 1000));
    let buffer = buffer(&store);
    allowed(&buffer, &config, 1, NOW).await;
    store.will(&[Mood::Corrupt]);
    let flushed = buffer.flush(&config, after(1), LONG).await.unwrap();
    assert_eq!((flushed.lost, flushed.waiting), (1, 0));
    assert!(flushed.fault.unwrap().contains("of another"));
    assert!(!buffer.is_due(&config, after(1000)));
}

#[tokio::test]
async fn switched_off_nothing_counts_and_what_was_counted_is_written() {
    let (store, config) = (Store::new(), batched(60, 1000));
    let buffer = buffer(&store);
    allowed(&buffer, &config, 1, NOW).await;
    let off = UsageConfig {
        mode: UsageMode::Off,
        ..config
    };
    allowed(&buffer, &off, 1, NOW).await;
    let flushed = buffer.flush(&off, NOW, LONG).await.unwrap();
    assert_eq!((flushed.calls, flushed.waiting), (1, 0));
    assert!(!buffer.is_due(&off, after(1000)));
}

#[tokio::test]
async fn exact_writes_what_is_allowed_at_once_and_refusals_later() {
    let store = Store::new();
    let (buffer, config) = (buffer(&store), exact(OnUsageOutage::Deny));
    allowed(&buffer, &config, 1, NOW).await;
    allowed(&buffer, &config, 1, NOW).await;
    called(&buffer, &config, 1, Some(Class::Forbidden), NOW)
        .await
        .unwrap();
    let sum = store.sum()[&key(1)];
    assert_eq!((sum.allowed, sum.forbidden), (2, 0));
    assert_eq!(store.calls.load(Ordering::SeqCst), 2);
    buffer.finish(&config, NOW, LONG).await.unwrap();
    let sum = store.sum()[&key(1)];
    assert_eq!((sum.allowed, sum.forbidden), (2, 1));
}

#[tokio::test]
async fn exact_refuses_or_counts_later_while_the_store_is_away() {
    for then in [OnUsageOutage::Deny, OnUsageOutage::Allow] {
        for mood in [Mood::Fails, Mood::Hides] {
            let store = Store::new();
            let (buffer, config) = (buffer(&store), exact(then));
            store.will(&[mood]);
            let failed = called(&buffer, &config, 1, None, NOW).await.unwrap_err();
            assert_eq!(failed.then, then);
            assert!(failed.why.contains("away"), "{failed:?}");
            // For a moment nobody asks.
            let failed = called(&buffer, &config, 1, None, NOW).await.unwrap_err();
            assert!(failed.why.contains("left alone"), "{failed:?}");
            assert_eq!(store.calls.load(Ordering::SeqCst), 1);
            allowed(&buffer, &config, 1, after(1)).await;
            buffer.finish(&config, after(1), LONG).await;
            let written = store.sum()[&key(1)].allowed;
            let expected = match (then, mood) {
                (OnUsageOutage::Allow, _) => 3,
                (OnUsageOutage::Deny, Mood::Hides) => 2,
                (OnUsageOutage::Deny, _) => 1,
            };
            assert_eq!(written, expected, "{then:?} {mood:?}");
        }
    }
}
