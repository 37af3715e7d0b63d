//! Keys that were found by a former hash and are to be kept as keys of ours are.
//!
//! They are noted when they are read from the store and let in, so that a key in memory costs nothing, and asked for after the
//! answer. What is not asked for, because there are too many or the process ends, is noted again at a later read.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use doorward_keys::{KeyId, Rehash, RehashSink, StoreError, Timestamp};

/// The most that are noted at once.
const MAX_NOTED: usize = 256;

/// For how long it is remembered what was asked for, in seconds: key administration looks every minute.
const REMEMBERED: i64 = 86_400;

/// What is noted, and where it is asked for.
pub(super) struct Rehashes {
    sink: Arc<dyn RehashSink>,
    noted: Mutex<BTreeMap<KeyId, Rehash>>,
}

impl Rehashes {
    pub(super) fn new(sink: Arc<dyn RehashSink>) -> Self {
        Self {
            sink,
            noted: Mutex::default(),
        }
    }

    pub(super) fn note(&self, rehash: Rehash) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < MAX_NOTED {
            noted.insert(rehash.key_id.clone(), rehash);
        }
    }

    /// Asks for all that is noted, until one fails.
    pub(super) async fn ask(&self, now: Timestamp) -> Result<(), StoreError> {
        while let Some(rehash) = self.next() {
            self.sink.ask(&rehash, now.plus(REMEMBERED)).await?;
        }
        Ok(())
    }

    fn next(&self) -> Option<Rehash> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.pop_first().map(|(_, rehash)| rehash)
    }
}
