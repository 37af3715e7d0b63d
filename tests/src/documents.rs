//! Key sets and metadata in memory, as a source that can be changed, emptied and counted while a test runs.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use doorward_engine::layers::jwt::{FetchError, Fetched, KeySetSource, Origin};

/// Documents under their addresses. What is not there answers as status 404 would.
#[derive(Debug, Default)]
pub struct Documents {
    held: Mutex<HashMap<String, Fetched>>,
    fetches: AtomicUsize,
}

impl Documents {
    /// Publishes `body` at `url`, without a word on how long it is fresh.
    pub fn publish(&self, url: &str, body: impl Into<Vec<u8>>) {
        let fetched = Fetched {
            body: body.into(),
            max_age: None,
        };
        if let Ok(mut held) = self.held.lock() {
            held.insert(url.to_owned(), fetched);
        }
    }

    /// Takes the document at `url` away.
    pub fn withdraw(&self, url: &str) {
        if let Ok(mut held) = self.held.lock() {
            held.remove(url);
        }
    }

    /// How many documents were asked for.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl KeySetSource for Documents {
    async fn fetch(&self, url: &str, _: Origin) -> Result<Fetched, FetchError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let held = self.held.lock().ok();
        held.and_then(|held| held.get(url).cloned())
            .ok_or_else(|| FetchError::Failed(url.to_owned(), "status 404".to_owned()))
    }
}
