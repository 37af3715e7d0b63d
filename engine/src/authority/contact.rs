//! One endpoint of one server: its breaker, and which of two secrets it takes.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    Answered, Authorities, BreakerChange, BreakerConfig, BreakerStore, Call, CallError, Endpoint,
    Watch,
    breaker::{Pass, Rule, State},
};
use crate::{
    layers::jwt::{Object, Value},
    limits::{Moment, Span},
};

/// What an answer says of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It works, whatever it said of the token.
    Well,
    /// It does not, for this reason.
    Ill(String),
}

/// The breaker lets nothing pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed again and again, so it is not asked for a while")
    }
}

/// An endpoint with its breaker.
pub(crate) struct Contact {
    name: String,
    endpoint: Endpoint,
    authorities: Authorities,
    breaker: Breaker,
    /// Whether the server took the secret before the present one when it was last asked.
    takes_previous: AtomicBool,
    stopwatch: fn() -> Duration,
}

struct Breaker {
    name: String,
    url: String,
    rule: Rule,
    state: Mutex<State>,
    shared: Option<Arc<dyn BreakerStore>>,
    watch: Watch,
}

impl Contact {
    /// The contact called `name` in logs.
    pub(crate) fn new(
        name: &str,
        endpoint: Endpoint,
        breaker: BreakerConfig,
        authorities: Authorities,
        stopwatch: fn() -> Duration,
    ) -> Self {
        let shared = authorities.breakers.clone().filter(|_| breaker.shared);
        let probe = Span::from_micros(micros(endpoint.timeout)).plus(Span::SECOND);
        Self {
            name: name.to_owned(),
            breaker: Breaker {
                name: name.to_owned(),
                url: endpoint.url.clone(),
                rule: Rule {
                    failures: breaker.failures,
                    open: Span::from_seconds(breaker.open_seconds.into()),
                    probe,
                },
                state: Mutex::new(State::CLOSED),
                shared,
                watch: Arc::clone(&authorities.watch),
            },
            endpoint,
            authorities,
            takes_previous: AtomicBool::new(false),
            stopwatch,
        }
    }

    /// The name in logs.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes over what other sandboxes know of the server. For the start.
    pub(crate) async fn recall(&self, now: Moment) {
        self.breaker.adopt(now, "another sandbox found it so").await;
    }

    /// Sends `form` and says what `judge` makes of the answer; nothing is sent while the breaker is open. A call that is
    /// given up midway counts as a failure.
    pub(crate) async fn post<T>(
        &self,
        form: &[(&str, &str)],
        accept: &'static str,
        now: Moment,
        within: Option<Duration>,
        judge: impl FnOnce(Result<Answered, CallError>) -> (Health, T),
    ) -> Result<T, Stopped> {
        let pass = self.breaker.ask(now).await?;
        let began = (self.stopwatch)();
        let unfinished = Unfinished {
            breaker: &self.breaker,
            pass,
            began: now,
        };
        let within = within.map_or(self.endpoint.timeout, |left| {
            left.min(self.endpoint.timeout)
        });
        let answered = self.send(form, accept, now, within, began).await;
        let (health, told) = judge(answered);
        std::mem::forget(unfinished);
        let passed = (self.stopwatch)().saturating_sub(began);
        let ended = now.plus(Span::from_micros(micros(passed)));
        self.breaker.ended(pass, health, ended).await;
        Ok(told)
    }

    /// Sends the form, a second time with the other secret where the first was refused and there is one.
    async fn send(
        &self,
        form: &[(&str, &str)],
        accept: &'static str,
        now: Moment,
        within: Duration,
        began: Duration,
    ) -> Result<Answered, CallError> {
        let previous = self.takes_previous.load(Ordering::Relaxed);
        let mut call = Call {
            endpoint: &self.endpoint,
            previous_secret: previous,
            form,
            accept,
            now: now.timestamp(),
            within,
        };
        let first = self.authorities.endpoints.post(&call).await?;
        if !refuses_client(&first) || !self.endpoint.client.has_two_secrets() {
            return Ok(first);
        }
        call.previous_secret = !previous;
        let spent = (self.stopwatch)().saturating_sub(began);
        call.within = within.saturating_sub(spent);
        let second = self.authorities.endpoints.post(&call).await?;
        if !refuses_client(&second) {
            self.takes_previous.store(!previous, Ordering::Relaxed);
        }
        Ok(second)
    }
}

impl Breaker {
    /// A pass for one call.
    async fn ask(&self, now: Moment) -> Result<Pass, Stopped> {
        let pass = self.change(now, "the time to try again has come", |state| {
            state.ask(&self.rule, now)
        });
        let pass = pass.ok_or(Stopped)?;
        if let (Pass::Probe(_), Some(shared)) = (pass, &self.shared) {
            // A store that fails leaves each sandbox with a probe of its own.
            let claimed = shared
                .claim(&self.url, now, now.plus(self.rule.probe))
                .await;
            if let Ok(Some(until)) = claimed
                && self.open(now, until, "another sandbox tries, or tried in vain")
            {
                return Err(Stopped);
            }
        }
        Ok(pass)
    }

    /// Notes how a call ended, and tells other sandboxes where that changed something.
    async fn ended(&self, pass: Pass, health: Health, now: Moment) {
        let (is_well, cause) = match health {
            Health::Well => (true, "it answered".to_owned()),
            Health::Ill(why) => (false, why),
        };
        let (before, after) = self.change(now, &cause, |state| {
            let after = state.ended(&self.rule, pass, is_well, now);
            (after, (state, after))
        });
        let Some(shared) = &self.shared else { return };
        // What the store says of itself changes nothing here: it is a hint to others.
        match (before, after) {
            (State::Closed { .. } | State::HalfOpen { .. }, State::Open { until }) => {
                let _ = shared.opened(&self.url, until).await;
            }
            (State::HalfOpen { probe }, State::Closed { .. }) => {
                let _ = shared.closed(&self.url, probe).await;
            }
            // The first failure: others may have seen more.
            (State::Closed { failures: 0 }, State::Closed { failures: 1 }) => {
                self.adopt(now, "another sandbox found it so").await;
            }
            _ => {}
        }
    }

    /// Opens where another sandbox says that it is open.
    async fn adopt(&self, now: Moment, cause: &str) {
        let Some(shared) = &self.shared else { return };
        if let Ok(Some(until)) = shared.open_until(&self.url).await {
            self.open(now, until, cause);
        }
    }

    /// Opens until then, as another sandbox says, but for no longer than the rule has it; says whether it does.
    fn open(&self, now: Moment, until: Moment, cause: &str) -> bool {
        if until <= now {
            return false;
        }
        let until = until.min(now.plus(self.rule.open));
        self.change(now, cause, |_| (State::Open { until }, ()));
        true
    }

    /// Changes the state in one piece and tells whoever watches. The lock is held for the arithmetic only; what it guards is
    /// whole at all times, so a poisoned lock is used on.
    fn change<T>(&self, now: Moment, cause: &str, step: impl FnOnce(State) -> (State, T)) -> T {
        let (before, after, told) = {
            let mut state: MutexGuard<'_, State> =
                self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let before = *state;
            let (after, told) = step(before);
            *state = after;
            (before, after, told)
        };
        if before.as_str() != after.as_str() {
            (self.watch)(&BreakerChange {
                server: self.name.clone(),
                from: before.as_str(),
                to: after.as_str(),
                cause: cause.to_owned(),
                at: now.timestamp(),
            });
        }
        told
    }
}

/// Whether the server refuses this client, whatever it was asked. Status 401 is demanded only where the client used the header
/// `Authorization`; else it may be 400 with the error by name (RFC 6749 section 5.2).
pub(crate) fn refuses_client(answered: &Answered) -> bool {
    match answered.status {
        401 => true,
        400 => Object::document(&answered.body).is_ok_and(|answer| {
            let error = answer.get("error").and_then(Value::as_text);
            matches!(error, Some("invalid_client" | "unauthorized_client"))
        }),
        _ => false,
    }
}

/// Counts a call that was given up midway as a failure.
struct Unfinished<'b> {
    breaker: &'b Breaker,
    pass: Pass,
    began: Moment,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let cause = "a call was given up when the time of the function ran out";
        self.breaker.change(self.began, cause, |state| {
            let after = state.ended(&self.breaker.rule, self.pass, false, self.began);
            (after, ())
        });
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
