//! What happens to keys by itself, a bit in each run: the minute's job delivers events and does flushes whose time has come.
//!
//! Runs may overlap, be missed, be repeated, and end in the middle: whatever a run does is either done once however often it is
//! tried, or tried again by the next one. A fault of one part is a line of the log and keeps no other part from its work.

mod delivery;
mod flushes;
mod log_bus;

use std::{sync::Arc, time::Duration};

use doorward_keys::{EventBus, KeyStore, StageCache, Timestamp};
use serde::{Deserialize, Serialize};

use self::flushes::Flushes;
pub use self::{
    delivery::{Delivered, Delivery},
    log_bus::LogBus,
};
use crate::{admin::KeyAdmin, log};

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
        if job == Job::Day {
            // Nothing yet.
        }
        let first = u32::try_from(now.unix().rem_euclid(3600) / 60).unwrap_or(0);
        let delivered = self.delivery.sweep(first, &has_time).await;
        report.delivered = delivered.events;
        report.stuck = delivered.stuck;
        report.complete = delivered.complete;
        (self.log)(&log::run(job, &report));
        report
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
