//! Tokens that must die before they expire: a token that holds goes in, nothing or a [`Denial`] comes out.
//!
//! 1. **Every use.** The list is asked whenever a token is used, also one that was verified or introspected before and is
//!    remembered. A token that a block ends is [`TokenBlocked`](Reason::TokenBlocked): by its `jti` or `origin_jti`, its subject
//!    (`sub`, and the claim that is configured for it), its client, or its issuer, each by exact text; and where the block says so
//!    only if its `iat` is earlier, or missing.
//! 2. **Memory.** No request reads blocks for itself. The whole list is held, and whether it has changed is asked with one small
//!    read: after an answer has left once the list is half of `refresh_seconds` old, and before an answer once it is older than
//!    that, which happens to the first request after a pause. One asks at a time, and the others take what that brings.
//! 3. **Age** is told by the wall clock, from before the list was read: a frozen sandbox must find its list old when it wakes.
//! 4. **Outage.** A list that cannot be read leaves the one before in force until that is older than `max_stale_seconds`; then
//!    [`BlockListUnavailable`](Reason::BlockListUnavailable) refuses every token, or with `on_outage = "allow"` none for this
//!    reason. What failed is tried again after `refresh_seconds`, or by the next request where there is no list at all.
//! 5. **Bounds.** A list of more than 50,000 blocks is as good as one that cannot be read: to leave some out would let tokens pass
//!    that are dead. Key administration refuses to make so many.

mod config;
mod snapshot;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doorward_keys::BlockReader;

pub(crate) use self::config::RawBlockList;
pub use self::config::{BlockListConfig, OnBlockListOutage};
use self::snapshot::Snapshot;
use crate::{
    denial::{Denial, Reason},
    identity::Subject,
    layers::rate_limit::Pause,
    limits::{Moment, Span},
    waiting::before,
};

/// How long a request waits for the list.
const BUDGET: Duration = Duration::from_secs(1);

/// How far requests that run side by side may be apart; a list that was read later than that was read by another clock.
const TOLERANCE: Span = Span::SECOND;

/// The list of blocks in memory. One for the life of a configuration, shared between concurrent requests.
pub(crate) struct BlockList {
    config: BlockListConfig,
    reader: Arc<dyn BlockReader>,
    pause: Pause,
    held: Mutex<Held>,
    /// Held by the one who reads.
    reading: async_lock::Mutex<()>,
}

#[derive(Clone, Default)]
struct Held {
    list: Option<Arc<Snapshot>>,
    read_at: Option<Moment>,
    tried_at: Option<Moment>,
    why_not: String,
}

impl BlockList {
    pub(crate) fn new(config: BlockListConfig, reader: Arc<dyn BlockReader>, pause: Pause) -> Self {
        Self {
            config,
            reader,
            pause,
            held: Mutex::default(),
            reading: async_lock::Mutex::new(()),
        }
    }

    /// Refuses the token of `subject` if a block ends it. The list is looked at again where it is too old, in at most
    /// `time_left`.
    pub(crate) async fn check(
        &self,
        subject: &Subject,
        now: Moment,
        time_left: Option<Duration>,
    ) -> Result<(), Denial> {
        if self.is_due(self.config.refresh(), now) {
            let within = time_left.map_or(BUDGET, |left| left.min(BUDGET));
            let reading = Box::pin(self.read(self.config.refresh(), now));
            // Given up in the middle, what is held stays in force.
            let _ = before((self.pause)(within), reading).await;
        }
        self.judge(subject, now)
    }

    /// The same from memory alone: refuses also where the list would have to be looked at again.
    pub(crate) fn recall(&self, subject: &Subject, now: Moment) -> Result<(), Denial> {
        if self.held().age(now) >= self.config.refresh() {
            return Err(unavailable("it is too old"));
        }
        self.judge(subject, now)
    }

    /// Looks at the list again where that is due; says what came of it. For the start, and the time after an answer.
    pub(crate) async fn refresh(&self, now: Moment) -> Option<Result<(), String>> {
        let half = Span::from_micros(self.config.refresh().micros() / 2);
        if !self.is_due(half, now) {
            return None;
        }
        self.read(half, now).await;
        let held = self.held();
        Some(match held.why_not.as_str() {
            "" => Ok(()),
            why => Err(why.to_owned()),
        })
    }

    fn judge(&self, subject: &Subject, now: Moment) -> Result<(), Denial> {
        let held = self.held().clone();
        let is_trusted = held.age(now) <= self.config.max_stale()
            || self.config.on_outage == OnBlockListOutage::Allow;
        match held.list {
            Some(list) if is_trusted => match list.find(subject, now.timestamp()) {
                None => Ok(()),
                Some((id, kind)) => {
                    let name = &subject.issuer_name;
                    let detail = format!("issuer `{name}`: `{id}` ends the token, by its {kind}");
                    Err(Denial::new(Reason::TokenBlocked, detail))
                }
            },
            None if self.config.on_outage == OnBlockListOutage::Allow => Ok(()),
            Some(_) | None => Err(unavailable(&held.why_not)),
        }
    }

    /// Whether the list is so old, and did not fail just now.
    fn is_due(&self, age: Span, now: Moment) -> bool {
        let held = self.held();
        let rests = held.list.is_some()
            && held
                .tried_at
                .is_some_and(|at| since(at, now) < self.config.refresh());
        held.age(now) >= age && !rests
    }

    /// Reads the list if it is due when it is this one's turn.
    async fn read(&self, age: Span, now: Moment) {
        let _one_at_a_time = self.reading.lock().await;
        // Whoever waited for another takes what that brought.
        if !self.is_due(age, now) {
            return;
        }
        // Noted before, because this may be given up in the middle.
        {
            let mut held = self.held();
            held.tried_at = Some(now);
            "it was not there in time".clone_into(&mut held.why_not);
        }
        let fetched = self.fetch(now).await;
        let mut held = self.held();
        match fetched {
            Ok(list) => {
                *held = Held {
                    list: Some(list),
                    read_at: Some(now),
                    ..Held::default()
                }
            }
            Err(why) => held.why_not = why,
        }
    }

    async fn fetch(&self, now: Moment) -> Result<Arc<Snapshot>, String> {
        let version = self.reader.version().await;
        let version = version.map_err(|error| error.to_string())?;
        let before = self.held().list.clone();
        if let Some(unchanged) = before.filter(|list| list.version == version) {
            return Ok(unchanged);
        }
        // Read after its version: what changed in between is read once more the next time.
        let blocks = self.reader.all().await;
        let blocks = blocks.map_err(|error| error.to_string())?;
        Snapshot::of(version, blocks, now.timestamp()).map(Arc::new)
    }

    /// The lock is held for an assignment only, so a poisoned one is used on.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn age(&self, now: Moment) -> Span {
        self.read_at.map_or(FOREVER, |at| since(at, now))
    }
}

const FOREVER: Span = Span::from_micros(u64::MAX);

/// How long ago `at` was; for ever where it is still to come, because the clock was set back.
fn since(at: Moment, now: Moment) -> Span {
    if now.plus(TOLERANCE) < at {
        FOREVER
    } else {
        now.since(at)
    }
}

fn unavailable(why: &str) -> Denial {
    let detail = format!("the list of blocks cannot be trusted: {why}");
    Denial::new(Reason::BlockListUnavailable, detail)
}
