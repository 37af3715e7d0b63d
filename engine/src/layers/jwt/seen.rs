//! Tokens that were verified a moment ago, by digest: no signature is checked twice for them.
//!
//! An entry says only that the signature of this very text was checked with this very key, and what the claims were. At
//! every hit the times are compared again, and the issuer must still serve the same key, so a withdrawn key stops
//! working here as fast as everywhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use doorward_keys::Timestamp;
use lru::LruCache;

use super::{algorithm::Algorithm, jwk::Key};
use crate::identity::{Known, Subject};

/// The most entries.
const MAX_ENTRIES: usize = 4096;

/// The most bytes of tokens that the entries stand for. What is kept of a token is about as large as the token.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The SHA-256 of a token. Tokens themselves are not kept.
pub(super) type TokenDigest = [u8; 32];

/// The digest of `token`; `None` never, unless the library changes the length of SHA-256.
pub(super) fn token_digest(token: &str) -> Option<TokenDigest> {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
}

/// What is remembered of a verified token.
pub(super) struct Entry {
    /// The place of its issuer among all issuers.
    pub(super) issuer: usize,
    /// Whether it named its key; that has the name then.
    pub(super) names_key: bool,
    pub(super) algorithm: Algorithm,
    /// The key that verified it.
    pub(super) key: Arc<Key>,
    pub(super) not_before: Timestamp,
    pub(super) subject: Arc<Known<Subject>>,
    /// The length of the token.
    pub(super) bytes: usize,
}

impl Entry {
    /// The name of the key that the token asked for.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.key.id.as_deref().filter(|_| self.names_key)
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.not_before <= now && now < self.subject.valid_until
    }
}

/// The tokens seen, the least recently used of which make room.
pub(super) struct Seen(Mutex<Inner>);

struct Inner {
    entries: LruCache<TokenDigest, Arc<Entry>>,
    bytes: usize,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Inner {
            // Grows as needed: most sandboxes see a few tokens only.
            entries: LruCache::unbounded(),
            bytes: 0,
        }))
    }

    /// The entry of a token, if its times still hold.
    pub(super) fn find(&self, digest: &TokenDigest, now: Timestamp) -> Option<Arc<Entry>> {
        let mut inner = self.inner();
        let entry = Arc::clone(inner.entries.get(digest)?);
        if entry.holds(now) {
            return Some(entry);
        }
        inner.forget(digest);
        None
    }

    /// Forgets a token whose key is no longer served.
    pub(super) fn forget(&self, digest: &TokenDigest) {
        self.inner().forget(digest);
    }

    /// Remembers a token.
    pub(super) fn insert(&self, digest: TokenDigest, entry: Entry) {
        let mut inner = self.inner();
        inner.bytes = inner.bytes.saturating_add(entry.bytes);
        if let Some(old) = inner.entries.put(digest, Arc::new(entry)) {
            inner.bytes = inner.bytes.saturating_sub(old.bytes);
        }
        while inner.entries.len() > MAX_ENTRIES || inner.bytes > MAX_BYTES {
            match inner.entries.pop_lru() {
                Some((_, old)) => inner.bytes = inner.bytes.saturating_sub(old.bytes),
                None => break,
            }
        }
    }

    /// The lock is held for one map operation only. A panic while it is held could only leave `bytes` wrong, which
    /// empties the memory sooner or later; so a poisoned lock is used on.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget(&mut self, digest: &TokenDigest) {
        if let Some(old) = self.entries.pop(digest) {
            self.bytes = self.bytes.saturating_sub(old.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::jwt::{json::Object, test_support::P256};

    fn entry(not_before: i64, valid_until: i64, bytes: usize) -> Entry {
        let text = format!("{{{P256}}}");
        let json = Object::document(text.as_bytes()).unwrap();
        Entry {
            issuer: 0,
            names_key: false,
            algorithm: Algorithm::Es256,
            key: Arc::new(Key::parse(&json, &[Algorithm::Es256]).unwrap()),
            not_before: Timestamp::from_unix(not_before),
            subject: Arc::new(Known::from(Subject {
                issuer_name: String::new(),
                issuer: String::new(),
                subject: String::new(),
                is_client: false,
                client_id: None,
                tenant: None,
                scopes: [].into(),
                roles: [].into(),
                valid_until: Timestamp::from_unix(valid_until),
                expires_at: Timestamp::from_unix(valid_until),
                confirmation: None,
                context: [].into(),
                token: crate::identity::TokenFacts::default(),
                introspected: None,
            })),
            bytes,
        }
    }

    fn digest_of(number: usize) -> TokenDigest {
        token_digest(&number.to_string()).unwrap()
    }

    #[test]
    fn compares_the_times_at_every_hit() {
        let seen = Seen::new();
        let found = |seconds| {
            seen.find(&digest_of(1), Timestamp::from_unix(seconds))
                .is_some()
        };
        for (seconds, expected) in [(9, false), (10, true), (19, true), (20, false)] {
            seen.insert(digest_of(1), entry(10, 20, 100));
            assert_eq!(found(seconds), expected, "{seconds}");
        }
        assert!(!found(15), "what did not hold is forgotten");
        assert!(seen.find(&digest_of(2), Timestamp::from_unix(15)).is_none());
    }

    #[test]
    fn is_bounded_by_count_and_drops_the_least_recently_used() {
        let seen = Seen::new();
        let now = Timestamp::from_unix(0);
        seen.insert(digest_of(0), entry(0, 10, 1));
        for number in 1..3 * MAX_ENTRIES {
            seen.insert(digest_of(number), entry(0, 10, 1));
            assert!(seen.find(&digest_of(0), now).is_some());
        }
        let inner = seen.inner();
        assert_eq!(
            (inner.entries.len(), inner.bytes),
            (MAX_ENTRIES, MAX_ENTRIES)
        );
    }

    #[test]
    fn is_bounded_by_size() {
        let seen = Seen::new();
        for number in 0..100 {
            seen.insert(digest_of(number), entry(0, 10, MAX_BYTES / 10));
            seen.insert(digest_of(number), entry(0, 10, MAX_BYTES / 10));
        }
        assert_eq!(seen.inner().entries.len(), 10);
        seen.forget(&digest_of(99));
        seen.forget(&digest_of(99));
        assert_eq!(seen.inner().bytes, MAX_BYTES / 10 * 9);
        seen.insert(digest_of(5), entry(0, 10, MAX_BYTES + 1));
        let inner = seen.inner();
        assert_eq!((inner.entries.len(), inner.bytes), (0, 0));
    }
}
