//! Moves of keys that the authorizer asks for, in memory.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use doorward_keys::{Cursor, KeyId, Page, Rehash, RehashBook, RehashSink, StoreError, Timestamp};

/// Moves that are asked for, in memory and in one part. Nothing is forgotten: for tests and for trying things out.
#[derive(Debug, Default)]
pub struct MemoryRehashes {
    asked: Mutex<BTreeMap<String, Rehash>>,
}

impl MemoryRehashes {
    /// Nothing is asked for.
    pub fn new() -> Self {
        Self::default()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Rehash>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RehashSink for MemoryRehashes {
    async fn ask(&self, rehash: &Rehash, _: Timestamp) -> Result<(), StoreError> {
        self.held()
            .insert(rehash.key_id.to_string(), rehash.clone());
        Ok(())
    }
}

#[async_trait]
impl RehashBook for MemoryRehashes {
    fn parts(&self) -> u32 {
        1
    }

    async fn asked(
        &self,
        _: u32,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Result<Rehash, StoreError>>, StoreError> {
        let held = self.held();
        let behind = after.map_or("", Cursor::position);
        let rest = held.range::<str, _>((Bound::Excluded(behind), Bound::Unbounded));
        let found: Vec<&Rehash> = rest
            .map(|(_, rehash)| rehash)
            .take(limit.max(1) + 1)
            .collect();
        let shown = found.iter().take(limit.max(1));
        let last = shown.clone().next_back();
        let next = last.filter(|_| found.len() > limit.max(1));
        Ok(Page {
            items: shown.map(|rehash| Ok((*rehash).clone())).collect(),
            next: next.map(|last| Cursor::behind(last.key_id.to_string())),
        })
    }

    async fn done(&self, key: &KeyId) -> Result<(), StoreError> {
        self.held().remove(key.as_str());
        Ok(())
    }
}
