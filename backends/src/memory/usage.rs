//! Usage in memory, with the very semantics of the table.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use doorward_keys::{
    Hour, Hours, KeyId, LastUse, LogPiece, Pieced, RequestSink, Requests, StoreError, Usage,
    UsageEntry, UsageHour, UsageReader, UsageSink,
};

/// Usage in memory. Each addition takes one short lock. Nothing is forgotten: for tests and for trying things out.
#[derive(Default)]
pub struct MemoryUsage {
    hours: Mutex<BTreeMap<(KeyId, Hour), Counted>>,
    /// The names of the pieces of the access log that are counted.
    pieces: Mutex<BTreeSet<String>>,
}

#[derive(Default)]
struct Counted {
    flush: String,
    decisions: Usage,
    requests: Requests,
}

impl MemoryUsage {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn hours(&self) -> MutexGuard<'_, BTreeMap<(KeyId, Hour), Counted>> {
        self.hours.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl UsageSink for MemoryUsage {
    async fn add(&self, entries: &[UsageEntry], _: Duration) -> Vec<Result<(), StoreError>> {
        let add = |entry: &UsageEntry| {
            let mut hours = self.hours();
            let counted = hours.entry((entry.key.clone(), entry.hour)).or_default();
            if counted.flush != entry.flush {
                counted.flush.clone_from(&entry.flush);
                counted.decisions = counted.decisions.plus(entry.usage);
            }
            Ok(())
        };
        entries.iter().map(add).collect()
    }
}

#[async_trait]
impl RequestSink for MemoryUsage {
    async fn count(&self, piece: &LogPiece) -> Result<Pieced, StoreError> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        if !pieces.insert(piece.name.clone()) {
            return Ok(Pieced::Before);
        }
        let mut hours = self.hours();
        for count in &piece.counts {
            let counted = hours.entry((count.key.clone(), count.hour)).or_default();
            counted.requests = counted.requests.plus(count.requests);
        }
        Ok(Pieced::Now)
    }
}

#[async_trait]
impl UsageReader for MemoryUsage {
    async fn usage(&self, key: &KeyId, hours: Hours) -> Result<Vec<UsageHour>, StoreError> {
        let range = (key.clone(), hours.from())..(key.clone(), hours.until());
        let counted = self.hours();
        let found = counted.range(range).map(|((_, hour), counted)| UsageHour {
            hour: *hour,
            decisions: counted.decisions,
            requests: counted.requests,
        });
        Ok(found.collect())
    }

    async fn last_use(&self, key: &KeyId) -> Result<Option<LastUse>, StoreError> {
        let counted = self.hours();
        let of_key = counted.iter().filter(|((id, _), _)| id == key);
        Ok(of_key.filter_map(|(_, hour)| hour.decisions.last).max())
    }
}
