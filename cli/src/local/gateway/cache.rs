//! Answers of the authorizer, kept under the caller's identity for the time to live.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use lru::LruCache;

use super::answer::Answer;

/// How many answers are kept at most.
const ENTRIES: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// A digest of all identity sources and the stage, so that no credential stays in memory.
pub(super) type CacheKey = [u8; SHA256_OUTPUT_LEN];

/// The cache of one API.
#[derive(Debug)]
pub(super) struct Cache {
    ttl: Duration,
    entries: Mutex<LruCache<CacheKey, (Arc<Answer>, Duration)>>,
}

/// The key for `identity` on `stage`. Each part is preceded by its length, so that no two lists read the same.
pub(super) fn key(stage: &str, identity: &[String]) -> CacheKey {
    let mut digest = Context::new(&SHA256);
    for part in std::iter::once(stage).chain(identity.iter().map(String::as_str)) {
        digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let mut key = [0; SHA256_OUTPUT_LEN];
    key.copy_from_slice(digest.finish().as_ref());
    key
}

impl Cache {
    pub(super) fn new(ttl: Duration) -> Self {
        let entries = Mutex::new(LruCache::new(ENTRIES));
        Self { ttl, entries }
    }

    /// The answer under `key`, if it is still fresh at `now` of a monotonic clock.
    pub(super) fn find(&self, key: &CacheKey, now: Duration) -> Option<Arc<Answer>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, until) = entries.get(key)?;
        (now < *until).then(|| Arc::clone(answer))
    }

    /// Forgets all answers.
    pub(super) fn clear(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clear();
    }

    /// Keeps an answer, unless nothing is to be cached.
    pub(super) fn keep(&self, key: CacheKey, answer: Arc<Answer>, now: Duration) {
        if self.ttl.is_zero() {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.put(key, (answer, now.saturating_add(self.ttl)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::settings::Payload, *};

    #[test]
    fn keeps_an_answer_for_the_time_to_live_and_no_longer() {
        let answer = Answer::read(Payload::Http2Simple, json!({"isAuthorized": true})).unwrap();
        let (cache, none) = (
            Cache::new(Duration::from_secs(5)),
            Cache::new(Duration::ZERO),
        );
        let key = key("prod", &["a".to_owned()]);
        let at = Duration::from_secs;
        for cache in [&cache, &none] {
            cache.keep(key, Arc::new(answer.clone()), at(10));
        }
        assert!(cache.find(&key, at(14)).is_some());
        assert!(cache.find(&key, at(15)).is_none());
        assert!(none.find(&key, at(10)).is_none());
    }

    #[test]
    fn a_flush_forgets_everything() {
        let answer = Answer::read(Payload::Http2Simple, json!({"isAuthorized": true})).unwrap();
        let cache = Cache::new(Duration::from_secs(5));
        let key = key("prod", &["a".to_owned()]);
        cache.keep(key, Arc::new(answer), Duration::ZERO);
        cache.clear();
        assert!(cache.find(&key, Duration::ZERO).is_none());
    }

    #[test]
    fn no_two_identities_share_a_key() {
        let of = |stage: &str, parts: &[&str]| {
            key(
                stage,
                &parts
                    .iter()
                    .map(|part| (*part).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let keys = [
            of("prod", &["ab", "c"]),
            of("prod", &["a", "bc"]),
            of("prod", &["abc"]),
            of("prod", &["abc", ""]),
            of("test", &["abc"]),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
