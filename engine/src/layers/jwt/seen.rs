//! Tokens that were verified a moment ago: no signature is checked twice for them.
//!
//! An entry says only that this very signature of this very text was checked with this very key, and what the claims were. At
//! every hit the times are compared again, and the issuer must still serve the same key, so a withdrawn key stops
//! working here as fast as everywhere.
//!
//! Entries are found by the SHA-256 of what was signed, and tell signatures apart by theirs: nothing is kept that makes a token,
//! and how long a comparison takes tells nothing of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorward_keys::Timestamp;
use lru::LruCache;

use super::{algorithm::Algorithm, issuer_keys::Wanted, jwk::Key, signed::Signed};
use crate::identity::{Known, Subject};

/// The most entries.
const MAX_ENTRIES: usize = 4096;

/// The most bytes of tokens that the entries stand for. What is kept of a token is about as large as the token.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What is remembered of a verified token. A copy costs nothing.
#[derive(Clone)]
pub(super) struct Verified {
    /// The place of its issuer among all issuers.
    pub(super) issuer: usize,
    /// Whether it named its key; that has the name then.
    pub(super) names_key: bool,
    pub(super) algorithm: Algorithm,
    /// The key that verified it.
    pub(super) key: Arc<Key>,
    pub(super) not_before: Timestamp,
    pub(super) subject: Arc<Known<Subject>>,
}

impl Verified {
    /// The key that the token asked for.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            id: self.key.id.as_deref().filter(|_| self.names_key),
            algorithm: self.algorithm,
        }
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.not_before <= now && now < self.subject.valid_until
    }
}

/// The tokens seen, the least recently used of which make room.
pub(super) struct Seen(Mutex<Inner>);

struct Inner {
    /// By the SHA-256 of what was signed.
    entries: LruCache<[u8; 32], Entry>,
    bytes: usize,
}

struct Entry {
    /// The SHA-256 of the signature.
    signature: [u8; 32],
    /// The length of the token.
    bytes: usize,
    verified: Verified,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Inner {
            // Grows as needed: most sandboxes see a few tokens only.
            entries: LruCache::unbounded(),
            bytes: 0,
        }))
    }

    /// What is remembered of a token, if its times still hold.
    pub(super) fn find(&self, signed: &Signed<'_>, now: Timestamp) -> Option<Verified> {
        let mut inner = self.inner();
        let entry = inner.entries.get(signed.digest())?;
        // Another signature of the same text is another token, which says nothing of this one.
        if entry.signature != signed.signature_digest().as_ref() {
            return None;
        }
        if entry.verified.holds(now) {
            return Some(entry.verified.clone());
        }
        inner.forget(signed);
        None
    }

    /// Forgets a token whose key is no longer served.
    pub(super) fn forget(&self, signed: &Signed<'_>) {
        self.inner().forget(signed);
    }

    /// Remembers a token.
    pub(super) fn insert(&self, signed: &Signed<'_>, verified: Verified) {
        // Those of SHA-256 always are that long.
        let signature = signed.signature_digest();
        let (Ok(digest), Ok(signature)) =
            (signed.digest().try_into(), signature.as_ref().try_into())
        else {
            return;
        };
        let entry = Entry {
            signature,
            bytes: signed.bytes(),
            verified,
        };
        let mut inner = self.inner();
        inner.bytes = inner.bytes.saturating_add(entry.bytes);
        if let Some(old) = inner.entries.put(digest, entry) {
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
    fn forget(&mut self, signed: &Signed<'_>) {
        if let Some(old) = self.entries.pop(signed.digest()) {
            self.bytes = self.bytes.saturating_sub(old.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::jwt::{compact::Compact, json::Object, test_support::P256};

    fn verified(not_before: i64, valid_until: i64) -> Verified {
        let text = format!("{{{P256}}}");
        let json = Object::document(text.as_bytes()).unwrap();
        Verified {
            issuer: 0,
            names_key: false,
            algorithm: Algorithm::Es256,
            key: Arc::new(Key::parse(&json, &[Algorithm::Es256]).unwrap()),
            not_before: Timestamp::from_unix(not_before),
            subject: Arc::new(Known::from(Subject {
                issuer_name: Arc::default(),
                issuer: Arc::default(),
                subject: String::new(),
                is_client: false,
                client_id: None,
                tenant: None,
                scopes: crate::identity::Words::default(),
                roles: crate::identity::Words::default(),
                valid_until: Timestamp::from_unix(valid_until),
                expires_at: Timestamp::from_unix(valid_until),
                confirmation: None,
                context: [].into(),
                token: crate::identity::TokenFacts::default(),
                introspected: None,
            })),
        }
    }

    /// Token `number`, which is so long.
    fn token(number: usize, bytes: usize) -> String {
        let text = format!("h.{number}.");
        let signature = bytes.saturating_sub(text.len());
        text + &"s".repeat(signature)
    }

    fn signed(token: &str) -> Signed<'_> {
        Signed::of(Compact::split(token, usize::MAX).unwrap())
    }

    #[test]
    fn compares_the_times_at_every_hit() {
        let seen = Seen::new();
        let (one, two) = (token(1, 100), token(2, 100));
        let found = |token, seconds| {
            let found = seen.find(&signed(token), Timestamp::from_unix(seconds));
            found.is_some()
        };
        for (seconds, expected) in [(9, false), (10, true), (19, true), (20, false)] {
            seen.insert(&signed(&one), verified(10, 20));
            assert_eq!(found(&one, seconds), expected, "{seconds}");
        }
        assert!(!found(&one, 15), "what did not hold is forgotten");
        assert!(!found(&two, 15));
    }

    #[test]
    fn another_signature_of_the_same_text_is_another_token() {
        let seen = Seen::new();
        let found = |token| {
            let found = seen.find(&signed(token), Timestamp::from_unix(15));
            found.is_some()
        };
        seen.insert(&signed("h.p.abc"), verified(10, 20));
        for other in ["h.p.", "h.p.a", "h.p.abd", "h.p.abcd", "h.q.abc", "g.p.abc"] {
            assert!(!found(other), "{other}");
        }
        assert!(found("h.p.abc"), "strangers make nothing forgotten");
        seen.insert(&signed("h.p.xyz"), verified(10, 20));
        assert!(found("h.p.xyz") && !found("h.p.abc"));
        assert_eq!(seen.inner().bytes, 7);
    }

    #[test]
    fn is_bounded_by_count_and_drops_the_least_recently_used() {
        let seen = Seen::new();
        let now = Timestamp::from_unix(0);
        let first = token(0, 20);
        seen.insert(&signed(&first), verified(0, 10));
        for number in 1..3 * MAX_ENTRIES {
            seen.insert(&signed(&token(number, 20)), verified(0, 10));
            assert!(seen.find(&signed(&first), now).is_some());
        }
        let inner = seen.inner();
        assert_eq!(
            (inner.entries.len(), inner.bytes),
            (MAX_ENTRIES, MAX_ENTRIES * 20)
        );
    }

    #[test]
    fn is_bounded_by_size() {
        let seen = Seen::new();
        let large = |number| token(number, MAX_BYTES / 10);
        for number in 0..100 {
            seen.insert(&signed(&large(number)), verified(0, 10));
            seen.insert(&signed(&large(number)), verified(0, 10));
        }
        assert_eq!(seen.inner().entries.len(), 10);
        seen.forget(&signed(&large(99)));
        seen.forget(&signed(&large(99)));
        assert_eq!(seen.inner().bytes, MAX_BYTES / 10 * 9);
        seen.insert(&signed(&token(5, MAX_BYTES + 1)), verified(0, 10));
        let inner = seen.inner();
        assert_eq!((inner.entries.len(), inner.bytes), (0, 0));
    }
}
