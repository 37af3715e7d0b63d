//! What happens to keys by itself, a bit in each run: the minute's job delivers events, does flushes and rotations whose time has
//! come, moves keys for which that was asked, and tells of keys that expired; the day's job begins a tour to keys that expire soon or are not used.
//!
//! Runs may overlap, be missed, be repeated, and end in the middle: whatever a run does is either done once however often it is
//! tried, or tried again by the next one. A fault of one part is a line of the log and keeps no other part from its work.

mod delivery;
mod expired;
mod flushes;
mod log_bus;
mod rehashes;
mod rotations;
#[cfg(test)]
mod tests;
mod tour;

use std::{sync::Arc, time::Duration};

use doorward_keys::{
    EventBus, EventKind, KeyEvent, KeyRecord, KeyStore, RehashBook, StageCache, StoreError,
    SuccessorSecrets, Timestamp,
};
use serde::{Deserialize, Serialize};

use self::flushes::Flushes;
pub use self::{
    delivery::{Delivered, Delivery},
    log_bus::LogBus,
};
use crate::{
    admin::{KeyAdmin, event_ulid},
    entropy::{self, Entropy, SystemEntropy},
    log,
};

/// How many days of due rotations the day's job makes up for.
const MADE_UP_DAYS: i64 = 35;

/// Which job a run is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Job {
    /// What cannot wait.
    Minute,
    /// What is looked at once a day.
    Day,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Events that were delivered.
    pub delivered: usize,
    /// Events that wait on because of a fault of theirs.
    pub stuck: usize,
    /// Stages whose kept answers were thrown away.
    pub flushed: usize,
    /// Rotations that were done, or of which somebody was told.
    pub rotated: usize,
    /// Keys that stand under their proper digest since, and no longer under a former hash.
    pub moved: usize,
    /// Whether nothing was left undone for want of time.
    pub complete: bool,
}

/// Does the jobs.
#[derive(Clone)]
pub struct Jobs {
    admin: KeyAdmin,
    store: Arc<dyn KeyStore>,
    delivery: Delivery,
    stages: Option<Arc<dyn StageCache>>,
    secrets: Option<Arc<dyn SuccessorSecrets>>,
    rehashes: Option<Arc<dyn RehashBook>>,
    entropy: Arc<dyn Entropy>,
    stopwatch: fn() -> Duration,
    budget: Duration,
    log: fn(&str),
}

impl Jobs {
    /// Jobs on the keys in `store`, which `admin` administers; events go to `bus`. A run ends within about `budget` by
    /// `stopwatch`, a monotonic clock.
    pub fn new(
        admin: KeyAdmin,
        store: Arc<dyn KeyStore>,
        bus: Arc<dyn EventBus>,
        (stopwatch, budget): (fn() -> Duration, Duration),
        log: fn(&str),
    ) -> Self {
        Self {
            admin,
            delivery: Delivery::new(Arc::clone(&store), bus, log),
            store,
            stages: None,
            secrets: None,
            rehashes: None,
            entropy: Arc::new(SystemEntropy),
            stopwatch,
            budget,
            log,
        }
    }

    /// The same with the cache that due flushes are of.
    #[must_use]
    pub fn with_stages(self, stages: Option<Arc<dyn StageCache>>) -> Self {
        Self { stages, ..self }
    }

    /// The same with the place for successors of scheduled rotations; without one somebody is told of them.
    #[must_use]
    pub fn with_secrets(self, secrets: Option<Arc<dyn SuccessorSecrets>>) -> Self {
        Self { secrets, ..self }
    }

    /// The keys, and where the successors of scheduled rotations go; `None` where they go nowhere.
    pub(crate) fn rotates_into(&self) -> Option<(&dyn KeyStore, &dyn SuccessorSecrets)> {
        Some((self.store.as_ref(), self.secrets.as_deref()?))
    }

    /// The same with the place where the authorizer asks for moves of keys; without one they stay where they are.
    #[must_use]
    pub fn with_rehashes(self, rehashes: Option<Arc<dyn RehashBook>>) -> Self {
        Self { rehashes, ..self }
    }

    /// Brings events to the bus.
    pub const fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Does one run of a job, begun at `now`.
    pub async fn run(&self, job: Job, now: Timestamp) -> Report {
        let end = (self.stopwatch)().saturating_add(self.budget);
        let has_time = || (self.stopwatch)() < end;
        let mut report = Report {
            // Flushes first: a promise hangs on them.
            flushed: self.flush(now).await,
            ..Report::default()
        };
        let days = match job {
            Job::Minute => 1,
            Job::Day => MADE_UP_DAYS,
        };
        let (rotated, all_rotated) = self.rotate(days, now, &has_time).await;
        report.rotated = rotated;
        let (moved, all_moved) = self.rehash(now, &has_time).await;
        report.moved = moved;
        if job == Job::Day {
            let begun = self.begin_tour(now).await.map(|()| true);
            self.said("tour_not_begun", begun);
        }
        let expired = self.expired(now, &has_time).await;
        let expired = self.said("expired_untold", expired);
        // A tour takes all the time that is left, so what waits goes before it.
        let first = u32::try_from(now.unix().rem_euclid(3600) / 60).unwrap_or(0);
        let mut delivered = self.delivery.sweep(first, &has_time).await;
        report.delivered = delivered.events;
        let tour = self.go_on(now, &has_time).await;
        if !matches!(tour, Ok(None)) {
            // What the tour told does not wait for the next run.
            delivered = self.delivery.sweep(first, &has_time).await;
            report.delivered += delivered.events;
        }
        let tour = tour.map(|is_done| is_done.unwrap_or(true));
        let tour = self.said("tour_interrupted", tour);
        report.stuck = delivered.stuck;
        report.complete = delivered.complete && all_rotated && all_moved && expired && tour;
        let quiet = Report {
            complete: true,
            ..Report::default()
        };
        if report != quiet {
            (self.log)(&log::run(job, &report));
        }
        report
    }

    /// What a part of the run says of itself, with a line where it failed.
    fn said(&self, event: &str, outcome: Result<bool, StoreError>) -> bool {
        outcome.unwrap_or_else(|error| {
            (self.log)(&log::life("error", event, &error.to_string()));
            false
        })
    }

    /// Writes a notice once, and remembers that for so many `days`.
    async fn announce(&self, event: &KeyEvent, once: &str, days: i64) -> Result<(), StoreError> {
        let forgotten_at = event.at.plus(days.saturating_mul(86_400));
        match self.store.announce(event, once, forgotten_at).await {
            // Another run writes the same.
            Ok(_) | Err(StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn flush(&self, now: Timestamp) -> usize {
        let (Some(stages), Some(policy)) = (&self.stages, self.admin.flush_policy()) else {
            return 0;
        };
        let flushes = Flushes {
            store: &self.store,
            stages,
            policy,
            log: self.log,
        };
        flushes.run(now).await
    }
}

/// Something that is to be known of `key`.
fn notice(
    kind: EventKind,
    key: &KeyRecord,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<KeyEvent, StoreError> {
    let random =
        entropy::number(entropy).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(KeyEvent::notice(kind, key, now, event_ulid(now, random)))
}
