//! Breakers in memory: shared by nobody but this process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use doorward_engine::{
    authority::{BreakerStore, BreakerStoreError},
    limits::Moment,
};

/// Until when breakers are open, by the address of the endpoint. As many as there are endpoints in configurations.
#[derive(Debug, Default)]
pub struct MemoryBreakers(Mutex<HashMap<String, Moment>>);

impl MemoryBreakers {
    /// Knows of none.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lock is held for one map operation only, which leaves a whole map behind; so a poisoned lock is used on.
    fn held(&self) -> MutexGuard<'_, HashMap<String, Moment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BreakerStore for MemoryBreakers {
    async fn open_until(&self, url: &str) -> Result<Option<Moment>, BreakerStoreError> {
        Ok(self.held().get(url).copied())
    }

    async fn opened(&self, url: &str, until: Moment) -> Result<(), BreakerStoreError> {
        let mut held = self.held();
        let known = held.entry(url.to_owned()).or_insert(until);
        *known = until.max(*known);
        Ok(())
    }

    async fn closed(&self, url: &str, since: Moment) -> Result<(), BreakerStoreError> {
        let mut held = self.held();
        if held.get(url).is_some_and(|until| *until <= since) {
            held.remove(url);
        }
        Ok(())
    }
}
