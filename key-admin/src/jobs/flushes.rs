//! Flushes whose time has come.

use std::sync::Arc;

use doorward_keys::{FlushBook, KeyStore, StageCache, Timestamp};

use crate::{admin::FlushPolicy, log};

/// How many times of one stage are read at once.
const AT_ONCE: usize = 100;

/// Does the flushes of one run.
pub(super) struct Flushes<'a> {
    pub(super) store: &'a Arc<dyn KeyStore>,
    pub(super) stages: &'a Arc<dyn StageCache>,
    pub(super) policy: &'a FlushPolicy,
    pub(super) log: fn(&str),
}

impl Flushes<'_> {
    /// Flushes every stage for which a time has come at `now`; how many were flushed. What fails is tried again in the next run.
    pub(super) async fn run(&self, now: Timestamp) -> usize {
        let mut flushed = 0;
        for stage in &self.policy.stages {
            match self.stage(stage, now).await {
                Ok(true) => flushed += 1,
                Ok(false) => {}
                Err(why) => {
                    let why = format!("`{stage}`: {why}");
                    (self.log)(&log::life("error", "flush_failed", &why));
                }
            }
        }
        flushed
    }

    async fn stage(&self, stage: &str, now: Timestamp) -> Result<bool, String> {
        let book: &dyn FlushBook = self.store.as_ref();
        let due = book
            .due(stage, now, AT_ONCE)
            .await
            .map_err(|error| error.to_string())?;
        let Some(earliest) = due.first() else {
            return Ok(false);
        };
        // INVARIANT: the flush begins here, at `now` or later, so it serves every time that has come at `now`.
        let flushed = self.stages.flush(stage).await;
        let late = now.since(earliest.plus(self.policy.promised_after_due()));
        if late > 0 {
            let what = if flushed.is_ok() {
                "was"
            } else {
                "is still not"
            };
            let why = format!("`{stage}` {what} flushed {late} s after the promised time");
            (self.log)(&log::life("error", "flush_late", &why));
        }
        flushed?;
        let mut served = due;
        while !served.is_empty() {
            for from in &served {
                book.done(stage, *from)
                    .await
                    .map_err(|error| error.to_string())?;
            }
            served = book
                .due(stage, now, AT_ONCE)
                .await
                .map_err(|error| error.to_string())?;
        }
        Ok(true)
    }
}
