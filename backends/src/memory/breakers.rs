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

/// Breakers by the address of the endpoint. As many as there are endpoints in configurations.
#[derive(Debug, Default)]
pub struct MemoryBreakers(Mutex<HashMap<String, Held>>);

/// What is noted of one breaker.
#[derive(Debug, Default)]
struct Held {
    open_until: Option<Moment>,
    probe_until: Option<Moment>,
}

impl MemoryBreakers {
    /// Knows of none.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lock is held for one map operation only, which leaves a whole map behind; so a poisoned lock is used on.
    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BreakerStore for MemoryBreakers {
    async fn open_until(&self, url: &str) -> Result<Option<Moment>, BreakerStoreError> {
        Ok(self.held().get(url).and_then(|held| held.open_until))
    }

    async fn claim(
        &self,
        url: &str,
        now: Moment,
        until: Moment,
    ) -> Result<Option<Moment>, BreakerStoreError> {
        let mut held = self.held();
        let known = held.entry(url.to_owned()).or_insert(Held {
            open_until: Some(now),
            probe_until: None,
        });
        if let Some(open_until) = known.open_until {
            // What lies further ahead was noted by a clock that has been set back since.
            let beyond = until.plus(until.since(now));
            let probe_until = known.probe_until.filter(|end| *end <= beyond);
            let ends = probe_until.map_or(open_until, |end| end.max(open_until));
            if ends > now {
                return Ok(Some(ends));
            }
        }
        known.probe_until = Some(until);
        Ok(None)
    }

    async fn opened(&self, url: &str, until: Moment) -> Result<(), BreakerStoreError> {
        let mut held = self.held();
        let known = held.entry(url.to_owned()).or_default();
        if known.open_until.is_none_or(|noted| noted < until) {
            *known = Held {
                open_until: Some(until),
                probe_until: None,
            };
        }
        Ok(())
    }

    async fn closed(&self, url: &str, since: Moment) -> Result<(), BreakerStoreError> {
        let mut held = self.held();
        if let Some(known) = held.get_mut(url)
            && known.open_until.is_some_and(|until| until <= since)
        {
            *known = Held::default();
        }
        Ok(())
    }
}
