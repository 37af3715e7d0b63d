//! Blocks of tokens in memory, with the very semantics of the table.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use doorward_keys::{
    Block, BlockChange, BlockId, BlockLedger, BlockReader, Cursor, Event, Page, StoreError,
};

use super::MemoryKeys;

/// Blocks in memory. Each call takes one short lock, so each call is a transaction.
#[derive(Default)]
pub struct MemoryBlocks {
    state: Mutex<State>,
    /// Where events wait.
    keys: Arc<MemoryKeys>,
}

#[derive(Debug, Default)]
struct State {
    version: u64,
    blocks: BTreeMap<BlockId, Block>,
    changes: BTreeMap<String, BlockChange>,
}

impl MemoryBlocks {
    /// No blocks, and nobody who would be told of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// No blocks; their events wait where those of `keys` do.
    pub fn beside(keys: Arc<MemoryKeys>) -> Self {
        Self {
            keys,
            ..Self::default()
        }
    }

    /// Notes what was done and tells of it, while nobody else can see the blocks.
    fn note(&self, state: &mut State, change: &BlockChange) {
        state.version = state.version.saturating_add(1);
        state.changes.insert(change.id.clone(), change.clone());
        self.keys.tell(Event::Block(change.clone()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // INVARIANT: a change is checked first and then made by inserts that do not fail.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A change whose entry cannot be written does not happen.
    fn check(&self, change: &BlockChange, is_there: bool) -> Result<(), StoreError> {
        let id = &change.block.id;
        if self.blocks.contains_key(id) != is_there || self.changes.contains_key(&change.id) {
            let message = format!("`{id}` was written by somebody else");
            return Err(StoreError::Conflict(message));
        }
        Ok(())
    }
}

#[async_trait]
impl BlockReader for MemoryBlocks {
    async fn version(&self) -> Result<u64, StoreError> {
        Ok(self.state().version)
    }

    async fn all(&self) -> Result<Vec<Block>, StoreError> {
        Ok(self.state().blocks.values().cloned().collect())
    }
}

#[async_trait]
impl BlockLedger for MemoryBlocks {
    async fn fetch(&self, id: &BlockId) -> Result<Option<Block>, StoreError> {
        Ok(self.state().blocks.get(id).cloned())
    }

    async fn add(&self, change: &BlockChange) -> Result<(), StoreError> {
        let mut state = self.state();
        state.check(change, false)?;
        let block = change.block.clone();
        state.blocks.insert(block.id.clone(), block);
        self.note(&mut state, change);
        Ok(())
    }

    async fn remove(&self, change: &BlockChange) -> Result<(), StoreError> {
        let mut state = self.state();
        state.check(change, true)?;
        state.blocks.remove(&change.block.id);
        self.note(&mut state, change);
        Ok(())
    }

    async fn list(&self, limit: usize, after: Option<&Cursor>) -> Result<Page<Block>, StoreError> {
        let state = self.state();
        let blocks = state.blocks.values();
        Ok(page(blocks, limit, after, |block| block.id.as_str()))
    }

    async fn changes(
        &self,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<BlockChange>, StoreError> {
        let state = self.state();
        let changes = state.changes.values();
        Ok(page(changes, limit, after, |change| &change.id))
    }
}

fn page<'a, T: Clone + 'a>(
    all: impl Iterator<Item = &'a T>,
    limit: usize,
    after: Option<&Cursor>,
    position: impl Fn(&T) -> &str,
) -> Page<T> {
    let limit = limit.max(1);
    let behind = |item: &&T| after.is_none_or(|after| position(item) > after.position());
    let mut items: Vec<T> = all
        .filter(behind)
        .take(limit.saturating_add(1))
        .cloned()
        .collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().map(|item| position(item).to_owned());
    Page {
        next: last.filter(|_| more).map(Cursor::behind),
        items,
    }
}
