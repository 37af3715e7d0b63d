//! What is counted and not yet written, behind the lock of the buffer.

use std::{collections::HashMap, sync::Arc};

use doorward_keys::{Hour, KeyId, StoreError, Usage, UsageEntry};

use super::{
    buffer::Flushed,
    config::{UsageConfig, UsageMode},
};
use crate::limits::{Moment, Span};

/// How many hours of keys are held in each of the two places: at most about two megabytes.
pub(super) const CAPACITY: usize = 4096;
/// With so many of them it is time to write, whatever the age and the calls.
const DUE: usize = CAPACITY / 4;
/// The longest time for which a store that fails is left alone, in seconds.
const LONGEST_PAUSE: u64 = 60;

/// Counts in two places: those that still grow, and those that are on their way and do not change any more.
#[derive(Default)]
pub(super) struct Held {
    growing: HashMap<KeyId, Vec<(Hour, Usage)>>,
    /// How many hours of keys are growing.
    hours: usize,
    /// How many calls are counted there.
    calls: u64,
    /// When the first of them was counted.
    since: Option<Moment>,
    /// Calls that were to be written at once and perhaps were; they keep their names.
    late: Vec<UsageEntry>,
    leaving: Arc<[UsageEntry]>,
    leaving_since: Option<Moment>,
    /// Calls for which there was no space, or no place in the store, and of which nobody heard yet.
    lost: u64,
    /// How often the store failed, one after the other.
    failures: u32,
    failed_at: Moment,
}

impl Held {
    /// Counts `usage`, which began at `now`.
    pub(super) fn add(&mut self, key: &KeyId, hour: Hour, usage: Usage, now: Moment) {
        let calls = usage.total();
        let known = self.growing.get_mut(key);
        // The hour that grows is the last one.
        let place = known.and_then(|hours| hours.iter_mut().rev().find(|(of, _)| *of == hour));
        if let Some((_, counted)) = place {
            *counted = counted.plus(usage);
        } else if self.hours < CAPACITY {
            let hours = self.growing.entry(key.clone()).or_default();
            hours.push((hour, usage));
            self.hours = self.hours.saturating_add(1);
        } else {
            self.lost = self.lost.saturating_add(calls);
            return;
        }
        self.calls = self.calls.saturating_add(calls);
        self.since.get_or_insert(now);
    }

    /// Keeps an entry that may be written already.
    pub(super) fn keep_late(&mut self, entry: UsageEntry, now: Moment) {
        let calls = entry.usage.total();
        if self.late.len() < CAPACITY {
            self.late.push(entry);
            self.calls = self.calls.saturating_add(calls);
            self.since.get_or_insert(now);
        } else {
            self.lost = self.lost.saturating_add(calls);
        }
    }

    /// Whether it is time to write. A clock that was set back makes it so.
    pub(super) fn is_due(&self, config: &UsageConfig, now: Moment) -> bool {
        if self.is_quiet(now) {
            return false;
        }
        let is_old = |since: Moment| now < since || now.since(since) >= config.flush_after;
        let is_held = self.since.is_some() || self.lost > 0;
        !self.leaving.is_empty()
            || (is_held && config.mode == UsageMode::Off)
            || self.calls >= config.flush_calls.into()
            || self.hours >= DUE
            || self.late.len() >= DUE
            || self.since.is_some_and(is_old)
    }

    /// Whether the store is left alone, because it failed.
    pub(super) fn is_quiet(&self, now: Moment) -> bool {
        let Some(doublings) = self.failures.checked_sub(1) else {
            return false;
        };
        let seconds = 1_u64.checked_shl(doublings).unwrap_or(LONGEST_PAUSE);
        let pause = Span::from_seconds(seconds.min(LONGEST_PAUSE));
        now >= self.failed_at && now.since(self.failed_at) < pause
    }

    /// What is to be written next, under `name` where it was not to be written before.
    pub(super) fn leave(&mut self, name: &str, retention_days: u32) -> Arc<[UsageEntry]> {
        if self.leaving.is_empty() {
            let kept = i64::from(retention_days).saturating_mul(86_400);
            let growing = std::mem::take(&mut self.growing).into_iter();
            let growing = growing.flat_map(|(key, hours)| {
                hours.into_iter().map(move |(hour, usage)| UsageEntry {
                    flush: name.to_owned(),
                    key: key.clone(),
                    hour,
                    usage,
                    expires_at: hour.end().plus(kept),
                })
            });
            let late = std::mem::take(&mut self.late);
            self.leaving = late.into_iter().chain(growing).collect();
            self.leaving_since = self.since.take();
            (self.hours, self.calls) = (0, 0);
        }
        Arc::clone(&self.leaving)
    }

    /// Lets go of what is written and keeps the rest; says so in `flushed`.
    pub(super) fn settle(
        &mut self,
        batch: &[UsageEntry],
        results: Vec<Result<(), StoreError>>,
        now: Moment,
        flushed: &mut Flushed,
    ) {
        let unanswered = || Err(StoreError::Unavailable("no answer".to_owned()));
        let results = results.into_iter().map(Some).chain(std::iter::repeat(None));
        let mut kept = Vec::new();
        for (entry, result) in batch.iter().zip(results) {
            let calls = entry.usage.total();
            match result.unwrap_or_else(unanswered) {
                Ok(()) => {
                    flushed.writes = flushed.writes.saturating_add(1);
                    flushed.calls = flushed.calls.saturating_add(calls);
                }
                // It will not be written later either.
                Err(error @ StoreError::Corrupt(_)) => {
                    self.lost = self.lost.saturating_add(calls);
                    flushed.fault.get_or_insert_with(|| error.to_string());
                }
                Err(error) => {
                    flushed.fault.get_or_insert_with(|| error.to_string());
                    kept.push(entry.clone());
                }
            }
        }
        let waited = self.leaving_since.map(|since| now.since(since));
        flushed.lag = flushed.lag.max(waited.unwrap_or_default());
        if kept.is_empty() {
            self.failures = 0;
            self.leaving_since = None;
        } else {
            self.failed(now);
        }
        self.leaving = kept.into();
    }

    /// Notes that the store failed.
    pub(super) fn failed(&mut self, now: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = now;
    }

    /// Notes that the store answered.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.leaving.is_empty() && self.since.is_none()
    }

    /// Whether what is on its way is written.
    pub(super) fn has_left(&self) -> bool {
        self.leaving.is_empty()
    }

    /// How many calls wait to be written.
    pub(super) fn waiting(&self) -> u64 {
        let leaving = self.leaving.iter().map(|entry| entry.usage.total());
        leaving.fold(self.calls, u64::saturating_add)
    }

    /// How many calls were lost since this was asked last.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}
