mod imported;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use doorward_keys::{ForeignForms, KeyId, format::KeyFormat};

use super::*;
use crate::test_support::NOW;

/// A store of one key that counts reads and can be changed between them.
struct OneKey {
    answer: Mutex<Result<Option<KeyRecord>, StoreError>>,
    reads: AtomicUsize,
}

#[async_trait]
impl KeyLookup for OneKey {
    async fn lookup(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().unwrap().clone()?;
        Ok(answer.filter(|record| record.digest == *digest || record.name == "another"))
    }
}

struct Bench {
    store: Arc<OneKey>,
    keys: ApiKeys,
    printed: String,
    record: KeyRecord,
}

fn bench() -> Bench {
    let format = KeyFormat {
        prefix: "ck".to_owned(),
        environments: vec!["live".to_owned()],
        pepper: None,
        previous_pepper: None,
    };
    let minted = format.mint("live", [9; 32]).unwrap();
    let record = KeyRecord {
        digest: minted.digest.clone(),
        id: KeyId::parse("key_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap(),
        tenant: "t1".to_owned(),
        name: "partner".to_owned(),
        environment: "live".to_owned(),
        scopes: Vec::new(),
        routes: None,
        addresses: None,
        created_at: NOW,
        expires_at: Some(NOW.plus(1000)),
        status: KeyStatus::Active,
        changed_at: NOW,
        rotated_from: None,
        rotated_to: None,
        rotates_at: None,
        usage_plan_key: None,
        plan: None,
        decoy: false,
        metadata: BTreeMap::new(),
        version: 1,
    };
    let store = Arc::new(OneKey {
        answer: Mutex::new(Ok(Some(record.clone()))),
        reads: AtomicUsize::new(0),
    });
    let config = ApiKeysConfig {
        format,
        imported: ForeignForms::default(),
        headers: vec!["x-api-key".to_owned()],
        query_parameter: None,
        cache_seconds: 60,
        negative_cache_seconds: 10,
        cache_entries: 2,
        default_lifetime_days: 90,
        max_lifetime_days: 365,
        retention_days: 30,
        expiry_notice_days: vec![],
        unused_after_days: None,
    };
    let keys = ApiKeys::new(config, Arc::clone(&store) as Arc<dyn KeyLookup>);
    Bench {
        store,
        keys,
        printed: minted.printed.expose().clone(),
        record,
    }
}

impl Bench {
    fn holds(&self, answer: Result<Option<KeyRecord>, StoreError>) {
        *self.store.answer.lock().unwrap() = answer;
    }

    /// The word for what the layer says `after` seconds, and how many reads there were so far.
    async fn verify(&self, printed: &str, after: i64) -> (&'static str, usize) {
        let address = Some("192.0.2.1".parse().unwrap());
        let mut whose = None;
        let now = NOW.plus(after);
        let found = self.keys.verify(printed, address, now, &mut whose).await;
        let word = found.map_or_else(|denial| denial.reason().as_str(), |_| "verified");
        // Whose key it is, is known as soon as the store has it, whatever comes of it then.
        let is_known = match word {
            "verified"
            | "key_expired"
            | "key_disabled"
            | "key_revoked"
            | "decoy_key"
            | "key_address_refused" => true,
            // Said of the printed key before the read as well as of the record after it.
            "key_environment" => whose.is_some(),
            _ => false,
        };
        let expected = is_known.then_some(&self.record.id);
        assert_eq!(whose.as_ref(), expected, "{word}");
        (word, self.store.reads.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn remembers_a_found_key_for_its_time_only() {
    let bench = bench();
    assert_eq!(bench.verify(&bench.printed, 0).await, ("verified", 1));
    assert_eq!(bench.verify(&bench.printed, 59).await, ("verified", 1));
    bench.holds(Ok(Some(KeyRecord {
        status: KeyStatus::Revoked,
        ..bench.record.clone()
    })));
    assert_eq!(bench.verify(&bench.printed, 59).await, ("verified", 1));
    assert_eq!(bench.verify(&bench.printed, 60).await, ("key_revoked", 2));
}

#[tokio::test]
async fn refuses_an_unknown_key_and_remembers_it_briefly() {
    let bench = bench();
    bench.holds(Ok(None));
    assert_eq!(bench.verify(&bench.printed, 0).await, ("key_unknown", 1));
    assert_eq!(bench.verify(&bench.printed, 9).await, ("key_unknown", 1));
    bench.holds(Ok(Some(bench.record.clone())));
    assert_eq!(bench.verify(&bench.printed, 10).await, ("verified", 2));
}

#[tokio::test]
async fn a_clock_set_back_does_not_stretch_the_memory() {
    let bench = bench();
    assert_eq!(bench.verify(&bench.printed, 100).await, ("verified", 1));
    assert_eq!(bench.verify(&bench.printed, 0).await, ("verified", 2));
}

#[tokio::test]
async fn refuses_garbage_without_a_read() {
    let bench = bench();
    let mut mistyped = bench.printed.clone();
    let last = mistyped.pop().unwrap();
    mistyped.push(if last == '0' { '1' } else { '0' });
    let other_environment = KeyFormat {
        prefix: "ck".to_owned(),
        environments: vec!["test".to_owned()],
        pepper: None,
        previous_pepper: None,
    };
    let other = other_environment
        .mint("test", [9; 32])
        .unwrap()
        .printed
        .expose()
        .clone();
    for (text, expected) in [
        (mistyped.as_str(), "key_checksum"),
        (&other, "key_environment"),
        (bench.printed.trim_start_matches('c'), "key_malformed"),
        (&format!(" {}", bench.printed), "key_malformed"),
        (&bench.printed.to_uppercase(), "key_malformed"),
        ("", "key_malformed"),
    ] {
        assert_eq!(bench.verify(text, 0).await, (expected, 0), "{expected}");
    }
}

#[tokio::test]
async fn refuses_dead_keys_on_every_use() {
    let bench = bench();
    assert_eq!(bench.verify(&bench.printed, 0).await.0, "verified");
    bench.holds(Ok(Some(KeyRecord {
        expires_at: Some(NOW.plus(30)),
        ..bench.record.clone()
    })));
    assert_eq!(bench.verify(&bench.printed, 61).await.0, "key_expired");
    let bench = self::bench();
    bench.holds(Ok(Some(KeyRecord {
        expires_at: Some(NOW.plus(30)),
        ..bench.record.clone()
    })));
    assert_eq!(bench.verify(&bench.printed, 29).await, ("verified", 1));
    assert_eq!(bench.verify(&bench.printed, 30).await, ("key_expired", 1));
    let bench = self::bench();
    bench.holds(Ok(Some(KeyRecord {
        status: KeyStatus::Disabled,
        ..bench.record.clone()
    })));
    assert_eq!(bench.verify(&bench.printed, 0).await.0, "key_disabled");
    bench.holds(Ok(Some(KeyRecord {
        environment: "test".to_owned(),
        ..bench.record.clone()
    })));
    assert_eq!(bench.verify(&bench.printed, 60).await.0, "key_environment");
}

#[tokio::test]
async fn refuses_a_decoy_also_when_its_time_is_over() {
    let bench = bench();
    let mut record = KeyRecord {
        decoy: true,
        addresses: Some(Vec::new()),
        ..bench.record.clone()
    };
    bench.holds(Ok(Some(record.clone())));
    assert_eq!(bench.verify(&bench.printed, 0).await.0, "decoy_key");
    assert!(bench.keys.recall(&bench.printed, NOW).is_none());
    record.expires_at = Some(NOW);
    bench.holds(Ok(Some(record.clone())));
    assert_eq!(bench.verify(&bench.printed, 60).await.0, "decoy_key");
    record.status = KeyStatus::Disabled;
    bench.holds(Ok(Some(record)));
    assert_eq!(bench.verify(&bench.printed, 120).await.0, "key_disabled");
}

#[tokio::test]
async fn refuses_addresses_that_the_key_does_not_list() {
    for (ranges, expected) in [
        (vec!["192.0.2.0/24"], "verified"),
        (vec!["198.51.100.0/24"], "key_address_refused"),
        (vec![], "key_address_refused"),
    ] {
        let bench = bench();
        let addresses = ranges.iter().map(|range| range.parse().unwrap()).collect();
        bench.holds(Ok(Some(KeyRecord {
            addresses: Some(addresses),
            ..bench.record.clone()
        })));
        assert_eq!(bench.verify(&bench.printed, 0).await.0, expected);
    }
}

#[tokio::test]
async fn refuses_when_the_store_fails_and_forgets_the_failure() {
    let bench = bench();
    bench.holds(Err(StoreError::Unavailable("timed out".to_owned())));
    assert_eq!(
        bench.verify(&bench.printed, 0).await,
        ("key_store_unavailable", 1)
    );
    bench.holds(Err(StoreError::Corrupt("no status".to_owned())));
    assert_eq!(
        bench.verify(&bench.printed, 0).await,
        ("key_store_corrupt", 2)
    );
    bench.holds(Ok(Some(KeyRecord {
        digest: Digest::from_bytes([1; 32]),
        name: "another".to_owned(),
        ..bench.record.clone()
    })));
    assert_eq!(
        bench.verify(&bench.printed, 0).await,
        ("key_store_corrupt", 3)
    );
    bench.holds(Ok(Some(bench.record.clone())));
    assert_eq!(bench.verify(&bench.printed, 0).await, ("verified", 4));
}

#[tokio::test]
async fn unknown_keys_never_push_out_good_ones() {
    let bench = bench();
    assert_eq!(bench.verify(&bench.printed, 0).await, ("verified", 1));
    for n in 0..10 {
        let made_up = bench.keys.config.format.mint("live", [n + 20; 32]).unwrap();
        assert_eq!(
            bench.verify(made_up.printed.expose(), 0).await.0,
            "key_unknown"
        );
    }
    assert_eq!(bench.verify(&bench.printed, 1).await, ("verified", 11));
}

#[tokio::test]
async fn refuses_for_the_first_fault_of_a_record() {
    let bench = bench();
    let mut record = KeyRecord {
        environment: "test".to_owned(),
        status: KeyStatus::Revoked,
        expires_at: Some(NOW),
        addresses: Some(Vec::new()),
        ..bench.record.clone()
    };
    bench.holds(Ok(Some(record.clone())));
    assert_eq!(bench.verify(&bench.printed, 0).await.0, "key_environment");
    "live".clone_into(&mut record.environment);
    bench.holds(Ok(Some(record.clone())));
    assert_eq!(bench.verify(&bench.printed, 60).await.0, "key_revoked");
    record.status = KeyStatus::Active;
    bench.holds(Ok(Some(record.clone())));
    assert_eq!(bench.verify(&bench.printed, 120).await.0, "key_expired");
    record.expires_at = None;
    bench.holds(Ok(Some(record)));
    assert_eq!(
        bench.verify(&bench.printed, 180).await.0,
        "key_address_refused"
    );
}

#[test]
fn remembers_no_more_than_its_bound() {
    let bench = bench();
    let cache = KeyCache::new(&bench.keys.config);
    let digest = |n: u8| Digest::from_bytes([n; 32]);
    let record = Arc::new(bench.record.clone().into());
    let remembered = |n: u8| cache.find(&digest(n), NOW).is_some();
    for n in 0..10 {
        cache.keep(&digest(n), Some(Arc::clone(&record)), NOW);
    }
    assert_eq!((0..10).filter(|n| remembered(*n)).count(), 2);
    for n in 10..30 {
        cache.keep(&digest(n), None, NOW);
    }
    assert_eq!((10..30).filter(|n| remembered(*n)).count(), 2);
    assert!(remembered(8) && remembered(9), "found keys stay");
}

#[tokio::test]
async fn recalls_only_what_it_remembers_and_reads_nothing() {
    let bench = bench();
    let recalled = |after| bench.keys.recall(&bench.printed, NOW.plus(after)).is_some();
    assert!(!recalled(0), "never seen");
    assert_eq!(bench.verify(&bench.printed, 0).await, ("verified", 1));
    assert!(recalled(1));
    assert!(!recalled(10_000), "too old, and expired");
    assert!(bench.keys.recall("ck_live_garbage", NOW).is_none());
    assert_eq!(bench.store.reads.load(Ordering::SeqCst), 1);
}
