//! Proofs that were seen, in memory.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use doorward_engine::layers::proof::{Remembered, ReplayDigest, ReplayStore, ReplayStoreError};
use doorward_keys::Timestamp;

/// How many proofs are remembered before those that are past their time are looked for.
const SWEEP_AT: usize = 10_000;

/// Proofs of one process.
#[derive(Debug, Default)]
pub struct MemoryReplays {
    seen: Mutex<HashMap<ReplayDigest, Timestamp>>,
}

impl MemoryReplays {
    /// No proofs.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl ReplayStore for MemoryReplays {
    async fn remember(
        &self,
        digest: &ReplayDigest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Remembered, ReplayStoreError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(digest).is_some_and(|until| now < *until) {
            return Ok(Remembered::Before);
        }
        if seen.len() >= SWEEP_AT {
            seen.retain(|_, until| now < *until);
        }
        seen.insert(*digest, until);
        Ok(Remembered::First)
    }
}
