//! Revocation lists in memory, and when they are fetched.
//!
//! A list is fetched at the start, and again after an answer has left when that is due. A request waits for a fetch only when
//! there is no list that could be used. A list that cannot be fetched or read leaves the one before in force, until that is
//! past its time. An older list never takes the place of a newer one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use doorward_keys::Timestamp;

use super::{
    authority::Authority,
    config::{CertificatesConfig, CrlPlace},
    crl::Crl,
    parse::Parsed,
    revoked,
};
use crate::denial::{Denial, Reason};

/// How long after a failed fetch nothing is fetched for a request, in seconds.
const COOL_DOWN: i64 = 30;

/// Fetches revocation lists. Implementations bound time and size.
#[async_trait]
pub trait CrlSource: Send + Sync {
    /// The bytes at `place`; the error says why there are none.
    async fn fetch(&self, place: &CrlPlace) -> Result<Vec<u8>, String>;
}

/// The lists of all authorities.
pub(super) struct Revocation {
    config: Arc<CertificatesConfig>,
    lists: Vec<List>,
    source: Arc<dyn CrlSource>,
}

#[derive(Default)]
struct List {
    held: Mutex<Held>,
    /// Held by the one who fetches.
    fetching: async_lock::Mutex<()>,
}

#[derive(Clone, Default)]
struct Held {
    crl: Option<Arc<Crl>>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    why_not: String,
}

impl Revocation {
    pub(super) fn new(config: &Arc<CertificatesConfig>, source: Arc<dyn CrlSource>) -> Self {
        let lists = config.authorities.iter().map(|_| List::default());
        Self {
            config: Arc::clone(config),
            lists: lists.collect(),
            source,
        }
    }

    /// Whether `parsed`, of the authority at `index`, is on no list.
    pub(super) async fn check(
        &self,
        index: usize,
        parsed: &Parsed,
        now: Timestamp,
    ) -> Result<(), Denial> {
        let (Some(authority), Some(list)) =
            (self.config.authorities.get(index), self.lists.get(index))
        else {
            return Err(Denial::new(
                Reason::Internal,
                "an authority without a place",
            ));
        };
        let Some(place) = &authority.crl else {
            return Ok(());
        };
        let mut held = list.held().clone();
        // Where nobody reads a list again after an answer, such as in a process that is no function, a request does.
        let is_left_alone = held
            .fetched_at
            .is_some_and(|at| now.since(at) >= self.config.crl_refresh.saturating_mul(2));
        if !self.is_usable(&held, now) || is_left_alone {
            let urgency = if is_left_alone {
                Urgency::Refresh
            } else {
                Urgency::Request
            };
            self.fetch(authority, place, list, now, urgency).await;
            held = list.held().clone();
        }
        let unavailable = |why: &str| {
            let detail = format!("the revocation list of `{}`: {why}", authority.name);
            Err(Denial::new(Reason::CrlUnavailable, detail))
        };
        let Some(crl) = held.crl.as_ref().filter(|_| self.is_usable(&held, now)) else {
            return unavailable(if held.crl.is_some() && held.why_not.is_empty() {
                "it is past its time"
            } else {
                &held.why_not
            });
        };
        if !crl.covers(&parsed.crl_points) {
            return unavailable("it speaks of other certificates of the authority");
        }
        if crl.revoked.contains(&parsed.serial) {
            return Err(revoked(
                parsed,
                &format!("the revocation list of `{}`", authority.name),
            ));
        }
        Ok(())
    }

    /// Fetches every list that is due.
    pub(super) async fn refresh(&self, now: Timestamp) -> Vec<(String, Result<(), String>)> {
        let mut outcomes = Vec::new();
        for (authority, list) in self.config.authorities.iter().zip(&self.lists) {
            let Some(place) = &authority.crl else {
                continue;
            };
            let held = list.held().clone();
            // What is due and cannot be had is tried again after the cool-down, by whoever comes first.
            let rests = held
                .tried_at
                .is_some_and(|at| (0..COOL_DOWN).contains(&now.since(at)));
            if self.is_due(&held, now) && !rests {
                self.fetch(authority, place, list, now, Urgency::Refresh)
                    .await;
                let held = list.held();
                let outcome = if held.why_not.is_empty() {
                    Ok(())
                } else {
                    Err(held.why_not.clone())
                };
                outcomes.push((authority.name.clone(), outcome));
            }
        }
        outcomes
    }

    fn is_due(&self, held: &Held, now: Timestamp) -> bool {
        held.fetched_at
            .is_none_or(|at| now.since(at) >= self.config.crl_refresh || now < at)
    }

    fn is_usable(&self, held: &Held, now: Timestamp) -> bool {
        let Some(crl) = &held.crl else { return false };
        let ends = crl.next_update.or_else(|| {
            let read = held.fetched_at?;
            Some(read.plus(self.config.crl_refresh))
        });
        ends.is_some_and(|ends| now < ends.plus(self.config.crl_stale))
    }

    async fn fetch(
        &self,
        authority: &Authority,
        place: &CrlPlace,
        list: &List,
        now: Timestamp,
        urgency: Urgency,
    ) {
        let _one_at_a_time = list.fetching.lock().await;
        let before = list.held().clone();
        let rests = before
            .tried_at
            .is_some_and(|at| (0..COOL_DOWN).contains(&now.since(at)));
        // Whoever waited for another's fetch takes what that brought.
        let is_done = match urgency {
            Urgency::Request => self.is_usable(&before, now),
            Urgency::Refresh => !self.is_due(&before, now),
        };
        if rests || is_done {
            return;
        }
        // Noted before the fetch, which may be given up in the middle.
        {
            let mut held = list.held();
            held.tried_at = Some(now);
            "it was not there in time".clone_into(&mut held.why_not);
        }
        let fetched = self.source.fetch(place).await;
        let read =
            fetched.and_then(|bytes| Crl::read(&bytes, authority, now).map_err(str::to_owned));
        let mut held = list.held();
        match read {
            Ok(crl) => {
                held.fetched_at = Some(now);
                held.tried_at = None;
                held.why_not.clear();
                let is_older = |old: &Arc<Crl>| old.this_update > crl.this_update;
                if !held.crl.as_ref().is_some_and(is_older) {
                    held.crl = Some(Arc::new(crl));
                }
                if !self.is_usable(&held, now) {
                    held.tried_at = Some(now);
                    "it is past its time".clone_into(&mut held.why_not);
                }
            }
            Err(why) => held.why_not = why,
        }
    }
}

/// For whom a list is fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Urgency {
    /// A request waits for it.
    Request,
    /// Nobody does.
    Refresh,
}

impl List {
    /// The lock is held for an assignment only, so a poisoned one is used on.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
