//! What was read lately, bounded by count and age.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use doorward_keys::{Digest, KeyRecord, Timestamp};
use lru::LruCache;

use super::ApiKeysConfig;
use crate::identity::Known;
use crate::memory::bounded;

/// What is remembered of a digest.
pub(super) enum Remembered {
    /// The record that was read.
    Known(Arc<Known<KeyRecord>>),
    /// No such key.
    Unknown,
}

impl Remembered {
    pub(super) fn record(self) -> Option<Arc<Known<KeyRecord>>> {
        match self {
            Self::Known(record) => Some(record),
            Self::Unknown => None,
        }
    }
}

type Found = (Timestamp, Arc<Known<KeyRecord>>);

/// Found keys and unknown ones, apart: made-up keys never push out good ones.
pub(super) struct KeyCache {
    found: Mutex<LruCache<[u8; 32], Found>>,
    unknown: Mutex<LruCache<[u8; 32], Timestamp>>,
    found_seconds: i64,
    unknown_seconds: i64,
}

impl KeyCache {
    pub(super) fn new(config: &ApiKeysConfig) -> Self {
        let entries = NonZeroUsize::new(config.cache_entries).unwrap_or(NonZeroUsize::MIN);
        Self {
            found: Mutex::new(bounded(entries)),
            unknown: Mutex::new(bounded(entries)),
            found_seconds: i64::from(config.cache_seconds),
            unknown_seconds: i64::from(config.negative_cache_seconds),
        }
    }

    /// The remembered answer, if it is young enough: a record, or "no such key".
    pub(super) fn find(&self, digest: &Digest, now: Timestamp) -> Option<Remembered> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read_at, record)) = found.get(digest.as_bytes()) {
            return fresh(*read_at, now, self.found_seconds).then(|| {
                record.shown_again();
                Remembered::Known(Arc::clone(record))
            });
        }
        drop(found);
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let read_at = unknown.get(digest.as_bytes())?;
        fresh(*read_at, now, self.unknown_seconds).then_some(Remembered::Unknown)
    }

    /// Remembers what was read at `now`, in place of what was known before.
    pub(super) fn keep(
        &self,
        digest: &Digest,
        record: Option<Arc<Known<KeyRecord>>>,
        now: Timestamp,
    ) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = record {
            unknown.pop(digest.as_bytes());
            found.put(*digest.as_bytes(), (now, record));
        } else {
            found.pop(digest.as_bytes());
            unknown.put(*digest.as_bytes(), now);
        }
    }
}

/// Young enough, by a clock that may have been set back: an entry from the future is not fresh.
fn fresh(read_at: Timestamp, now: Timestamp, seconds: i64) -> bool {
    (0..seconds).contains(&now.since(read_at))
}
