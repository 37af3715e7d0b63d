//! Key sets that serve past their freshness: said now and then, not with every request.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use doorward_engine::Engine;

use crate::{clock, log};

/// How long nothing more is said.
const EVERY: Duration = Duration::from_mins(1);

/// When it was said last, by the monotonic clock.
#[derive(Default)]
pub(super) struct StaleKeySets {
    said: Mutex<Option<Duration>>,
}

impl StaleKeySets {
    /// Writes a line, with its metric, for each issuer whose keys are stale.
    pub(super) fn tell(&self, engine: &Engine, sink: &log::Sink) {
        let at = clock::stopwatch();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_some_and(|said| at.saturating_sub(said) < EVERY) {
            return;
        }
        for (issuer, age) in engine.stale_key_sets(clock::wall()) {
            *said = Some(at);
            log::key_set_stale(sink, &issuer, age, clock::wall());
        }
    }
}
