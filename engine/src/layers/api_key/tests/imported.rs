//! Keys that were made elsewhere.

use doorward_keys::{
    ForeignForm, Pepper,
    foreign::{Alphabet, FormerHash},
};

use super::*;

const FOREIGN: &str = "Zk3tQw8Yb1Nf6Rr0Lm5Vx2Cc7Dd9Ee4A";

/// A bench whose store holds the record of [`FOREIGN`] under what `place` says.
fn imported(former: Option<FormerHash>, place: impl Fn(&KeyFormat) -> Digest) -> Bench {
    let plain = bench();
    let mut config = plain.keys.config.clone();
    config.format.pepper = Pepper::new(vec![1; 32]);
    config.format.previous_pepper = Pepper::new(vec![2; 32]);
    config.cache_entries = 10;
    config.imported = ForeignForms::new(vec![ForeignForm {
        name: "kong".to_owned(),
        prefix: String::new(),
        min_length: 32,
        max_length: 32,
        alphabet: Alphabet::Alphanumeric,
        former,
        until: Some(NOW.plus(500)),
        as_bearer: false,
    }]);
    let record = KeyRecord {
        digest: place(&config.format),
        ..plain.record.clone()
    };
    plain.holds(Ok(Some(record.clone())));
    let lookup = Arc::clone(&plain.store) as Arc<dyn KeyLookup>;
    Bench {
        keys: ApiKeys::new(config, lookup),
        record,
        ..plain
    }
}

#[tokio::test]
async fn a_key_from_elsewhere_is_found_under_either_pepper_and_by_its_former_hash() {
    let own = imported(None, |format| Digest::of(FOREIGN, format.pepper.as_ref()));
    assert_eq!(own.verify(FOREIGN, 0).await, ("verified", 1));
    assert_eq!(own.verify(FOREIGN, 9).await, ("verified", 1));
    let before = imported(None, |format| {
        Digest::of(FOREIGN, format.previous_pepper.as_ref())
    });
    assert_eq!(before.verify(FOREIGN, 0).await, ("verified", 2));
    let former = imported(Some(FormerHash::Sha256), |_| {
        FormerHash::Sha256.digest(FOREIGN)
    });
    assert_eq!(former.verify(FOREIGN, 0).await, ("verified", 3));
    // Remembered: neither what was found nor what was not is read again.
    assert_eq!(former.verify(FOREIGN, 9).await, ("verified", 3));
    assert!(former.keys.recall(FOREIGN, NOW.plus(9)).is_some());
}

#[tokio::test]
async fn a_key_found_by_its_former_hash_is_asked_for_once_it_is_let_in() {
    let bench = imported(Some(FormerHash::Sha256), |_| {
        FormerHash::Sha256.digest(FOREIGN)
    });
    let asked = Arc::new(Asked::default());
    let Bench { keys, record, .. } = bench;
    let pepper = keys.config.format.pepper.clone();
    let bench = Bench {
        keys: keys.with_rehashes(Arc::clone(&asked) as Arc<dyn RehashSink>),
        record,
        ..bench
    };
    let off = KeyRecord {
        status: KeyStatus::Disabled,
        ..bench.record.clone()
    };
    bench.holds(Ok(Some(off)));
    assert_eq!(bench.verify(FOREIGN, 0).await.0, "key_disabled");
    assert_eq!(asked.asked(&bench, 0).await, []);
    bench.holds(Ok(Some(bench.record.clone())));
    // From memory it is not asked for a second time, and a lost one is asked for again with the next read.
    for after in [60, 61, 70] {
        assert_eq!(bench.verify(FOREIGN, after).await.0, "verified");
    }
    asked.lose.store(true, Ordering::SeqCst);
    assert!(bench.keys.ask_rehashes(NOW).await.is_err());
    asked.lose.store(false, Ordering::SeqCst);
    assert_eq!(asked.asked(&bench, 71).await, []);
    assert_eq!(bench.verify(FOREIGN, 130).await.0, "verified");
    let proper = Digest::of(FOREIGN, pepper.as_ref());
    let wanted = Rehash::of(&bench.record, proper.clone(), pepper.as_ref());
    assert_eq!(asked.asked(&bench, 131).await, [wanted.unwrap()]);
    // Moved, it is found by what is read for its former hash until what was not there is looked at again, then at once.
    let moved = KeyRecord {
        digest: proper,
        ..bench.record.clone()
    };
    bench.holds(Ok(Some(moved)));
    assert_eq!(bench.verify(FOREIGN, 200).await.0, "verified");
    assert_eq!(asked.asked(&bench, 201).await, []);
}

#[tokio::test]
async fn a_key_that_moves_between_two_reads_is_found_where_it_was() {
    let bench = imported(Some(FormerHash::Sha256), |_| {
        FormerHash::Sha256.digest(FOREIGN)
    });
    assert_eq!(bench.verify(FOREIGN, 0).await, ("verified", 3));
    // What is not there is looked at anew each 10 seconds.
    assert_eq!(bench.verify(FOREIGN, 55).await, ("verified", 5));
    let pepper = bench.keys.config.format.pepper.as_ref();
    let moved = KeyRecord {
        digest: Digest::of(FOREIGN, pepper),
        // As the table does, the double leads from the former digest to it.
        name: "another".to_owned(),
        ..bench.record.clone()
    };
    bench.holds(Ok(Some(moved)));
    // The proper digest is remembered as unknown, and the former one is not remembered any more.
    assert_eq!(bench.verify(FOREIGN, 60).await, ("verified", 6));
    assert_eq!(bench.verify(FOREIGN, 61).await, ("verified", 6));
}

/// Where moves are asked for.
#[derive(Default)]
struct Asked {
    all: Mutex<Vec<Rehash>>,
    lose: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl RehashSink for Asked {
    async fn ask(&self, rehash: &Rehash, _: Timestamp) -> Result<(), StoreError> {
        if self.lose.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("lost".to_owned()));
        }
        self.all.lock().unwrap().push(rehash.clone());
        Ok(())
    }
}

impl Asked {
    async fn asked(&self, bench: &Bench, after: i64) -> Vec<Rehash> {
        bench.keys.ask_rehashes(NOW.plus(after)).await.unwrap();
        std::mem::take(&mut *self.all.lock().unwrap())
    }
}

#[tokio::test]
async fn a_former_hash_that_is_not_configured_opens_nothing() {
    let bench = imported(Some(FormerHash::Sha512), |_| {
        FormerHash::Sha256.digest(FOREIGN)
    });
    assert_eq!(bench.verify(FOREIGN, 0).await, ("key_unknown", 3));
    assert_eq!(bench.verify(FOREIGN, 9).await, ("key_unknown", 3));
}

#[tokio::test]
async fn what_fits_no_form_and_what_comes_too_late_is_refused_without_a_read() {
    let bench = imported(None, |format| Digest::of(FOREIGN, format.pepper.as_ref()));
    let short = FOREIGN.replace('Z', "");
    for (text, after) in [(short.as_str(), 0), ("", 0), (FOREIGN, 500)] {
        assert_eq!(
            bench.verify(text, after).await,
            ("key_malformed", 0),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_hash_itself_opens_nothing() {
    // Who has a copy of the former table holds hashes, not keys.
    let hash = Digest::of(FOREIGN, None).to_hex();
    let bench = imported(Some(FormerHash::Sha256), |_| {
        FormerHash::Sha256.digest(FOREIGN)
    });
    let mut config = bench.keys.config.clone();
    let forms = config.imported.iter().cloned().map(|form| ForeignForm {
        max_length: 64,
        ..form
    });
    config.imported = ForeignForms::new(forms.collect());
    let keys = ApiKeys::new(config, Arc::clone(&bench.store) as Arc<dyn KeyLookup>);
    let bench = Bench { keys, ..bench };
    assert_eq!(bench.verify(&hash, 0).await.0, "key_unknown");
}

#[tokio::test]
async fn an_imported_key_that_was_revoked_or_has_expired_is_refused_as_ours_are() {
    let bench = imported(None, |format| Digest::of(FOREIGN, format.pepper.as_ref()));
    bench.holds(Ok(Some(KeyRecord {
        status: KeyStatus::Revoked,
        ..bench.record.clone()
    })));
    assert_eq!(bench.verify(FOREIGN, 0).await, ("key_revoked", 1));
}
