//! Proofs that were seen (RFC 9449 section 11.1).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::digest::{Context, SHA256};
use doorward_keys::Timestamp;
use lru::LruCache;

use super::{config::DpopConfig, dpop::Proof};
use crate::{
    denial::{Denial, Reason},
    layers::rate_limit::Pause,
    waiting::before,
};

/// How long a request waits for the store.
const STORE_BUDGET: Duration = Duration::from_millis(500);

/// How many proofs one sandbox remembers by itself, where the configuration lets it.
const LOCAL_ENTRIES: usize = 65_536;

/// The SHA-256 over the thumbprint of a key and a `jti` of it. No two proofs that are not the same share one.
pub type ReplayDigest = [u8; 32];

/// Whether something was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// It was not, and is remembered now.
    First,
    /// It was.
    Before,
}

/// Why a store could not say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayStoreError {
    /// The store did not answer in time or refused to serve. Whether it remembers is not known.
    #[error("the store of proofs is unavailable: {0}")]
    Unavailable(String),
    /// No store is configured.
    #[error("no store of proofs is configured")]
    Absent,
}

/// What the authorizer may do with proofs that were seen.
#[async_trait]
pub trait ReplayStore: Send + Sync {
    /// Remembers `digest` until `until` and says whether it was remembered before, as one atomic operation: of any number of
    /// concurrent callers with one digest, one is the first. What was remembered until `now` or earlier is forgotten.
    async fn remember(
        &self,
        digest: &ReplayDigest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Remembered, ReplayStoreError>;
}

/// The store, and what to do without it.
pub(super) struct Replays {
    store: Arc<dyn ReplayStore>,
    pause: Pause,
    /// For outages, where the configuration lets each sandbox remember by itself.
    local: Mutex<LruCache<ReplayDigest, Timestamp>>,
}

impl Replays {
    pub(super) fn new(store: Arc<dyn ReplayStore>, pause: Pause) -> Self {
        Self {
            store,
            pause,
            local: Mutex::new(LruCache::unbounded()),
        }
    }

    /// Refuses a proof that was seen before.
    pub(super) async fn first_sight(
        &self,
        proof: &Proof,
        config: &DpopConfig,
        now: Timestamp,
    ) -> Result<(), Denial> {
        // Until the proof is too old for every sandbox, also one whose clock is behind.
        let until = proof
            .issued_at
            .plus(config.max_age)
            .plus(config.leeway.saturating_mul(2))
            .plus(1);
        let digest = digest_of(proof);
        let asking = self.store.remember(&digest, until, now);
        let answer = before((self.pause)(STORE_BUDGET), asking)
            .await
            .unwrap_or_else(|| {
                let why = format!("no answer within {} ms", STORE_BUDGET.as_millis());
                Err(ReplayStoreError::Unavailable(why))
            });
        let seen = match answer {
            Err(error) if config.danger_local_replays => {
                self.remember_here(digest, until, now).ok_or(error)
            }
            answer => answer,
        };
        match seen {
            Ok(Remembered::First) => Ok(()),
            Ok(Remembered::Before) => Err(Denial::new(
                Reason::ProofReplayed,
                "a proof with this key and `jti` was seen before",
            )),
            Err(error) => Err(Denial::new(
                Reason::ReplayStoreUnavailable,
                error.to_string(),
            )),
        }
    }

    /// `None` where there is no room for another: a proof that still counts is never forgotten for one that comes.
    fn remember_here(
        &self,
        digest: ReplayDigest,
        until: Timestamp,
        now: Timestamp,
    ) -> Option<Remembered> {
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        if local.peek(&digest).is_some_and(|until| now < *until) {
            return Some(Remembered::Before);
        }
        while local.len() >= LOCAL_ENTRIES {
            if local.peek_lru().is_some_and(|(_, until)| now < *until) {
                return None;
            }
            local.pop_lru();
        }
        local.put(digest, until);
        Some(Remembered::First)
    }
}

/// The thumbprint has a fixed length, so that what follows it is unambiguous.
fn digest_of(proof: &Proof) -> ReplayDigest {
    let mut context = Context::new(&SHA256);
    context.update(&proof.thumbprint);
    context.update(proof.id.as_bytes());
    let digest = context.finish();
    let mut bytes = [0; 32];
    for (byte, found) in bytes.iter_mut().zip(digest.as_ref()) {
        *byte = *found;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::NOW;

    struct Never;

    #[async_trait]
    impl ReplayStore for Never {
        async fn remember(
            &self,
            _: &ReplayDigest,
            _: Timestamp,
            _: Timestamp,
        ) -> Result<Remembered, ReplayStoreError> {
            Err(ReplayStoreError::Absent)
        }
    }

    #[test]
    fn a_full_memory_forgets_what_is_past_its_time_and_nothing_else() {
        let replays = Replays::new(Arc::new(Never), |_| Box::pin(std::future::pending()));
        let digest = |number: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            digest
        };
        let remember =
            |number, later| replays.remember_here(digest(number), NOW.plus(60), NOW.plus(later));
        for number in 0..LOCAL_ENTRIES {
            assert_eq!(remember(number, 0), Some(Remembered::First));
        }
        assert_eq!(remember(LOCAL_ENTRIES, 59), None);
        assert_eq!(remember(0, 59), Some(Remembered::Before));
        assert_eq!(remember(LOCAL_ENTRIES, 60), Some(Remembered::First));
    }
}
