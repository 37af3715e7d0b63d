//! What is noted on the way of a request, and how much of its time is left.

use std::{sync::Arc, time::Duration};

use doorward_keys::Timestamp;

use crate::{
    attempt::Attempt,
    decision::{Outcome, Trail, Visit},
    denial::{Denial, Reason},
    identity::Authenticated,
    layers::{policy::Elapsed, proof::Proven},
};

/// What of the time of a request is kept back from an authorization server, to say what came of it.
const SPARE: Duration = Duration::from_millis(50);

/// Room for every layer that an ordinary request visits.
const MOST_VISITS: usize = 12;

/// Fills the trail: every layer is visited through here.
pub(super) struct Walk {
    pub(super) trail: Trail,
    stopwatch: fn() -> Duration,
    started: Duration,
    /// When the layer before was done. Between two layers there is nothing that takes time, so the next began then.
    reached: Duration,
    /// When the earliest of the credentials stops working, once they were verified.
    pub(super) valid_until: Option<Timestamp>,
}

impl Walk {
    /// The walk of a request that begins now.
    pub(super) fn new(stopwatch: fn() -> Duration) -> Self {
        let started = stopwatch();
        Self {
            trail: Trail {
                visits: Vec::with_capacity(MOST_VISITS),
                ..Trail::default()
            },
            stopwatch,
            started,
            reached: started,
            valid_until: None,
        }
    }

    /// What is left of the time that the request had.
    pub(super) fn left_of(&self, time_left: Option<Duration>) -> Option<Duration> {
        time_left.map(|left| left.saturating_sub(self.elapsed()))
    }

    /// What the layers took so far.
    pub(super) const fn elapsed(&self) -> Duration {
        self.reached.saturating_sub(self.started)
    }

    pub(super) const fn watch(&self) -> Elapsed {
        Elapsed {
            stopwatch: self.stopwatch,
            started: self.started,
        }
    }

    /// What is left for an authorization server, so that there is time to say what came of it.
    pub(super) fn left_for_servers(&self, time_left: Option<Duration>) -> Option<Duration> {
        let left = self.left_of(time_left)?;
        Some(left.saturating_sub(SPARE))
    }

    /// Notes who is calling.
    pub(super) fn know(&mut self, caller: &Authenticated) {
        if let Some(client) = &caller.client {
            self.trail.key_id = Some(client.record().id.clone());
        }
        let subject = caller.subject.as_ref();
        self.trail.issuer = subject.map(|subject| Arc::clone(&subject.issuer_name));
        self.trail.principal = Some(caller.principal());
        self.valid_until = caller.valid_until();
    }

    /// Notes until when what the token is bound to works.
    pub(super) fn bound(&mut self, proven: &Proven) {
        self.valid_until = self.valid_until.into_iter().chain(proven.until).min();
    }

    /// The refusal of a request whose time ran out. What keeps a request waiting is outside, so the layer that was not
    /// done is the one that asked for it.
    pub(super) fn late(&self) -> Denial {
        let done = self.trail.visits.last().map_or("nothing", |v| v.layer);
        Denial::new(
            Reason::TimeExhausted,
            format!("the time of the function ran out; the last step done was `{done}`"),
        )
    }

    /// Notes what came of a layer. One that found nothing to do is taken to have done it in no time, which saves a look at the clock;
    /// should it have taken any, the next one has it.
    pub(super) fn note(&mut self, layer: &'static str, outcome: Outcome) {
        let is_absent = matches!(outcome, Outcome::Absent);
        let now = if is_absent {
            self.reached
        } else {
            (self.stopwatch)()
        };
        let took = now.saturating_sub(self.reached);
        self.reached = now;
        self.trail.visits.push(Visit {
            layer,
            outcome,
            took,
        });
    }

    pub(super) fn visit<T>(
        &mut self,
        layer: &'static str,
        result: Result<T, Denial>,
    ) -> Result<T, Denial> {
        let outcome = result.as_ref().map_or_else(
            |denial| Outcome::Refused(denial.reason()),
            |_| Outcome::Passed,
        );
        self.note(layer, outcome);
        result
    }

    pub(super) fn attempt<T>(
        &mut self,
        layer: &'static str,
        attempt: Attempt<T>,
    ) -> Result<Option<T>, Denial> {
        let outcome = match &attempt {
            Attempt::Absent => Outcome::Absent,
            Attempt::Verified(_) => Outcome::Passed,
            Attempt::Rejected(denial) => Outcome::Refused(denial.reason()),
        };
        self.note(layer, outcome);
        attempt.into_result()
    }
}
