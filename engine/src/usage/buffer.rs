//! The buffer: counts in memory, and what is written of them when.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doorward_keys::{Hour, KeyId, LastUse, Usage, UsageEntry, UsageSink};

use super::{
    config::{OnUsageOutage, UsageConfig, UsageMode},
    held::Held,
};
use crate::{
    denial::Class,
    limits::{Moment, Span},
};

/// How long an answer waits for its count to be written, in mode `exact`.
const BUDGET: Duration = Duration::from_millis(250);

/// How often the end of the process tries to write what fails.
const ATTEMPTS: u32 = 3;

/// One decision on a known key.
#[derive(Clone, Copy, Debug)]
pub struct UsedKey<'a> {
    /// The key.
    pub key: &'a KeyId,
    /// Why it was refused; absent where it was allowed.
    pub refused: Option<Class>,
    /// When the request was received.
    pub at: Moment,
    /// From where it came, where that is known.
    pub address: Option<IpAddr>,
}

/// Why a call is not counted in the store, in mode `exact`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncounted {
    /// What the store said.
    pub why: String,
    /// What becomes of the call.
    pub then: OnUsageOutage,
}

/// What came of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// How many hours of keys were written.
    pub writes: u64,
    /// How many calls were in them.
    pub calls: u64,
    /// How many calls still wait to be written.
    pub waiting: u64,
    /// How many calls will never be written: there was no space for them, or no place in the store.
    pub lost: u64,
    /// How long the first of the calls had waited.
    pub lag: Span,
    /// What the store said of the first that it did not write.
    pub fault: Option<String>,
}

/// Counts in memory. One for the life of the process, whatever becomes of the configuration.
pub struct UsageBuffer {
    sink: Arc<dyn UsageSink>,
    /// A name that no other call of it brings, of any process.
    name: fn() -> String,
    stopwatch: fn() -> Duration,
    held: Mutex<Held>,
    /// Held by whoever writes; dropped with the future that writes, so that whoever gives up blocks nobody.
    turn: async_lock::Mutex<()>,
}

impl UsageBuffer {
    /// An empty buffer before `sink`. `name` brings another name of letters and digits at each call, in every process;
    /// `stopwatch` is a monotonic clock.
    pub fn new(
        sink: Arc<dyn UsageSink>,
        name: fn() -> String,
        stopwatch: fn() -> Duration,
    ) -> Self {
        Self {
            sink,
            name,
            stopwatch,
            held: Mutex::default(),
            turn: async_lock::Mutex::new(()),
        }
    }

    /// Counts one decision: in memory, or in the store where `config` says so of it. Waits for the store no longer than a
    /// quarter of a second, and no longer than `time_left`.
    ///
    /// # Errors
    /// When the store was to count and did not. Where the call passes all the same, it is counted in memory.
    pub async fn count(
        &self,
        config: &UsageConfig,
        used: &UsedKey<'_>,
        time_left: Option<Duration>,
    ) -> Result<(), Uncounted> {
        let then = match config.mode {
            UsageMode::Off => return Ok(()),
            UsageMode::Exact(then) if used.refused.is_none() => then,
            UsageMode::Batched | UsageMode::Exact(_) => {
                self.hold(used);
                return Ok(());
            }
        };
        if self.held().is_quiet(used.at) {
            if then == OnUsageOutage::Allow {
                self.hold(used);
            }
            let why = "left alone for a moment, because it did not answer before".to_owned();
            return Err(Uncounted { why, then });
        }
        let within = time_left.map_or(BUDGET, |left| left.min(BUDGET));
        let entry = self.entry(config, used);
        let added = self.sink.add(std::slice::from_ref(&entry), within).await;
        let mut held = self.held();
        match added.into_iter().next() {
            Some(Ok(())) => {
                held.answered();
                Ok(())
            }
            failed => {
                held.failed(used.at);
                if then == OnUsageOutage::Allow {
                    held.keep_late(entry, used.at);
                }
                let error = failed.and_then(Result::err);
                let why = error.map_or_else(|| "no answer".to_owned(), |error| error.to_string());
                Err(Uncounted { why, then })
            }
        }
    }

    /// Whether it is time to write.
    pub fn is_due(&self, config: &UsageConfig, now: Moment) -> bool {
        self.held().is_due(config, now)
    }

    /// Writes when it is time to, in at most `within`; `None` when it is not, or somebody else is at it.
    pub async fn flush(
        &self,
        config: &UsageConfig,
        now: Moment,
        within: Duration,
    ) -> Option<Flushed> {
        if !self.is_due(config, now) {
            return None;
        }
        let _turn = self.turn.try_lock()?;
        let began = (self.stopwatch)();
        let mut flushed = Flushed::default();
        // Once for what was left over, once for what has grown since.
        for _ in 0..2 {
            if !self.is_due(config, now) {
                break;
            }
            self.write(config, now, self.left(began, within), &mut flushed)
                .await;
        }
        Some(self.sum_up(flushed))
    }

    /// Writes everything, in about `within`, whatever the store said before, and tries again a few times. For the end of the
    /// process; waits for whoever is at it. `None` when there is nothing to write.
    pub async fn finish(
        &self,
        config: &UsageConfig,
        now: Moment,
        within: Duration,
    ) -> Option<Flushed> {
        let began = (self.stopwatch)();
        let _turn = self.turn.lock().await;
        let mut flushed = Flushed::default();
        if self.held().is_empty() {
            return None;
        }
        let mut failures = 0_u32;
        while !self.held().is_empty() && failures < ATTEMPTS {
            let left = self.left(began, within);
            self.write(config, now, left, &mut flushed).await;
            if !self.held().has_left() {
                failures = failures.saturating_add(1);
            }
            if left.is_zero() {
                break;
            }
        }
        let flushed = self.sum_up(flushed);
        let is_well = flushed.waiting == 0 && flushed.lost == 0;
        Some(Flushed {
            // What was written in the end did not fail.
            fault: flushed.fault.filter(|_| !is_well),
            ..flushed
        })
    }

    async fn write(
        &self,
        config: &UsageConfig,
        now: Moment,
        within: Duration,
        flushed: &mut Flushed,
    ) {
        let batch = self.held().leave(&(self.name)(), config.retention_days);
        // Given up here, the batch stays as it is and is written again under the same name.
        let results = self.sink.add(&batch, within).await;
        self.held().settle(&batch, results, now, flushed);
    }

    fn sum_up(&self, flushed: Flushed) -> Flushed {
        let mut held = self.held();
        Flushed {
            waiting: held.waiting(),
            lost: held.take_lost(),
            ..flushed
        }
    }

    fn hold(&self, used: &UsedKey<'_>) {
        let hour = Hour::of(used.at.timestamp());
        self.held().add(used.key, hour, used.usage(), used.at);
    }

    fn entry(&self, config: &UsageConfig, used: &UsedKey<'_>) -> UsageEntry {
        let hour = Hour::of(used.at.timestamp());
        let kept = i64::from(config.retention_days).saturating_mul(86_400);
        UsageEntry {
            flush: (self.name)(),
            key: used.key.clone(),
            hour,
            usage: used.usage(),
            expires_at: hour.end().plus(kept),
        }
    }

    fn left(&self, began: Duration, within: Duration) -> Duration {
        within.saturating_sub((self.stopwatch)().saturating_sub(began))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // INVARIANT: what is done under the lock does not panic, and each step leaves counts that hold.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UsedKey<'_> {
    /// One call.
    fn usage(&self) -> Usage {
        let mut usage = Usage {
            last: Some(LastUse {
                at: self.at.timestamp(),
                address: self.address,
            }),
            ..Usage::default()
        };
        let count = match self.refused {
            None => &mut usage.allowed,
            Some(Class::Unauthenticated) => &mut usage.unauthenticated,
            Some(Class::Forbidden) => &mut usage.forbidden,
            Some(Class::Throttled) => &mut usage.throttled,
            Some(Class::Unavailable) => &mut usage.unavailable,
        };
        *count = 1;
        usage
    }
}
