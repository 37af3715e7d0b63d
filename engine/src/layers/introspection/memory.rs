//! What servers said a moment ago, by digest of server and token. No token is kept.
//!
//! 1. An active token is fresh for the time of the configuration, and never beyond its `exp`. Behind that it is kept on as
//!    recently active, for outages, as long as the configuration says and it has not expired.
//! 2. A token that is not active, or whose answer was refused, is remembered for a shorter time, in a memory of its own: made-up
//!    tokens push out no real ones.
//! 3. What is newer replaces what is older: a token that turned out inactive is recently active no more.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use doorward_keys::Timestamp;
use lru::LruCache;

use crate::{denial::Denial, identity::Subject};

/// The most active tokens, and the most others.
const MAX_ENTRIES: usize = 4096;
/// The most bytes of answers that the active ones stand for.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How far requests that run side by side may be apart; what lies further ahead was noted by another clock.
const TOLERANCE: i64 = 15;

/// The SHA-256 of a server and a token.
pub(crate) type Digest = [u8; 32];

/// The digest of `token` at the server called `server`. The length of the name goes first, so that no two pairs run
/// together. `None` never, unless the library changes the length of SHA-256.
pub(crate) fn digest(server: &str, token: &str) -> Option<Digest> {
    let mut context = Context::new(&SHA256);
    context.update(
        &u64::try_from(server.len())
            .unwrap_or(u64::MAX)
            .to_be_bytes(),
    );
    context.update(server.as_bytes());
    context.update(token.as_bytes());
    context.finish().as_ref().try_into().ok()
}

/// What is remembered of a token.
#[derive(Clone, Debug)]
pub(super) enum Remembered {
    /// It was active and is fresh.
    Fresh(Box<Subject>),
    /// It was refused.
    Refused(Denial),
    /// It was active a while ago; good until then where its server does not answer.
    Recent(Box<Subject>, Timestamp),
    /// Nothing that could be used.
    Nothing,
}

/// An active token.
#[derive(Clone, Debug)]
pub(super) struct Active {
    pub(super) subject: Subject,
    pub(super) not_before: Timestamp,
    /// When the server said so.
    pub(super) at: Timestamp,
    /// How large the answer was.
    pub(super) bytes: usize,
}

/// How long things are remembered, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spans {
    pub(super) active: i64,
    pub(super) refused: i64,
    pub(super) recent: i64,
}

/// The memory of one server.
pub(super) struct Memory {
    spans: Spans,
    inner: Mutex<Inner>,
}

struct Inner {
    active: LruCache<Digest, Active>,
    bytes: usize,
    refused: LruCache<Digest, (Denial, Timestamp)>,
}

impl Memory {
    pub(super) fn new(spans: Spans) -> Self {
        Self {
            spans,
            inner: Mutex::new(Inner {
                // Grow as needed: most sandboxes see a few tokens only.
                active: LruCache::unbounded(),
                bytes: 0,
                refused: LruCache::unbounded(),
            }),
        }
    }

    /// What is known of a token at `now`.
    pub(super) fn find(&self, digest: &Digest, now: Timestamp) -> Remembered {
        let mut inner = self.inner();
        if let Some((denial, at)) = inner.refused.get(digest) {
            if holds(*at, now, self.spans.refused) {
                return Remembered::Refused(denial.clone());
            }
            inner.refused.pop(digest);
        }
        let Some(active) = inner.active.get(digest) else {
            return Remembered::Nothing;
        };
        let subject = &active.subject;
        if active.not_before <= now && now < subject.valid_until {
            // `exp` itself ends freshness: from then on the server is asked again, whatever the leeway.
            if now < subject.expires_at && holds(active.at, now, self.spans.active) {
                return Remembered::Fresh(Box::new(subject.clone()));
            }
            if holds(active.at, now, self.spans.recent) {
                let until = active.at.plus(self.spans.recent).min(subject.valid_until);
                return Remembered::Recent(Box::new(subject.clone()), until);
            }
        }
        inner.forget(digest);
        Remembered::Nothing
    }

    /// Remembers an active token.
    pub(super) fn active(&self, digest: Digest, active: Active) {
        let mut inner = self.inner();
        inner.refused.pop(&digest);
        inner.forget(&digest);
        inner.bytes = inner.bytes.saturating_add(active.bytes);
        inner.active.put(digest, active);
        while inner.active.len() > MAX_ENTRIES || inner.bytes > MAX_BYTES {
            let Some((_, old)) = inner.active.pop_lru() else {
                break;
            };
            inner.bytes = inner.bytes.saturating_sub(old.bytes);
        }
    }

    /// Remembers a token that was refused at `at`.
    pub(super) fn refused(&self, digest: Digest, denial: Denial, at: Timestamp) {
        let mut inner = self.inner();
        inner.forget(&digest);
        inner.refused.put(digest, (denial, at));
        while inner.refused.len() > MAX_ENTRIES {
            inner.refused.pop_lru();
        }
    }

    /// The lock is held for map operations only. A panic while it is held could only leave `bytes` wrong, which empties the
    /// memory sooner or later; so a poisoned lock is used on.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget(&mut self, digest: &Digest) {
        if let Some(old) = self.active.pop(digest) {
            self.bytes = self.bytes.saturating_sub(old.bytes);
        }
    }
}

/// Whether what was noted at `at` still holds after `seconds`.
const fn holds(at: Timestamp, now: Timestamp, seconds: i64) -> bool {
    let age = now.since(at);
    age < seconds && age >= -TOLERANCE
}

#[cfg(test)]
mod tests;
