//! Keys that were found by a former hash: beside the journey, after the answer.

use std::sync::Arc;

use doorward_keys::{RehashSink, StoreError, Timestamp};

use super::Engine;

impl Engine {
    /// The same engine, which asks `sink` that keys that it found by a former hash be kept as keys of ours are.
    #[must_use]
    pub fn with_rehashes(mut self, sink: Arc<dyn RehashSink>) -> Self {
        self.api_keys = self.api_keys.map(|keys| keys.with_rehashes(sink));
        self
    }

    /// Asks for the moves of the keys that were found by a former hash. For the time after an answer.
    ///
    /// # Errors
    /// When there is no place for it now.
    pub async fn ask_rehashes(&self, now: Timestamp) -> Result<(), StoreError> {
        match &self.api_keys {
            Some(keys) => keys.ask_rehashes(now).await,
            None => Ok(()),
        }
    }
}
