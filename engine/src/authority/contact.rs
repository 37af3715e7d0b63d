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
    breaker::{Outcome, Pass, Rule, State},
};
use crate::{
    layers::{
        jwt::{Object, Value},
        rate_limit::Pause,
    },
    limits::{Moment, Span},
    waiting::before,
};

/// How long a request waits for what sandboxes tell each other, each time.
const STORE_BUDGET: Duration = Duration::from_millis(500);

/// What an answer says of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It works, whatever it said of the token.
    Well,
    /// It does not, for this reason.
    Ill(String),
}

/// How time is told and spent.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) stopwatch: fn() -> Duration,
    pub(crate) pause: Pause,
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
    timing: Timing,
}

struct Breaker {
    name: String,
    /// Its name between sandboxes: two servers at one address may be asked by different clients, and one of them refused.
    key: String,
    rule: Rule,
    state: Mutex<State>,
    shared: Option<Arc<dyn BreakerStore>>,
    watch: Watch,
    pause: Pause,
}

impl Contact {
    /// The contact called `name` in logs.
    pub(crate) fn new(
        name: &str,
        endpoint: Endpoint,
        breaker: BreakerConfig,
        authorities: Authorities,
        timing: Timing,
    ) -> Self {
        let shared = authorities.breakers.clone().filter(|_| breaker.shared);
        let probe = Span::from_micros(micros(endpoint.timeout)).plus(Span::SECOND);
        Self {
            name: name.to_owned(),
            breaker: Breaker {
                name: name.to_owned(),
                key: format!("{name} {}", endpoint.url),
                rule: Rule {
                    failures: breaker.failures,
                    open: Span::from_seconds(breaker.open_seconds.into()),
                    probe,
                },
                state: Mutex::new(State::CLOSED),
                shared,
                watch: Arc::clone(&authorities.watch),
                pause: timing.pause,
            },
            endpoint,
            authorities,
            takes_previous: AtomicBool::new(false),
            timing,
        }
    }

    /// The name in logs.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes over what other sandboxes know of the server. For the start.
    pub(crate) async fn recall(&self, now: Moment) {
        let cause = "another sandbox found it so";
        self.breaker.adopt(now, STORE_BUDGET, cause).await;
    }

    /// Sends `form` and says what `judge` makes of the answer; nothing is sent while the breaker is open. A call that is
    /// given up midway counts as a failure. One for which less than half of the endpoint's time was left and that came to no
    /// end in it says nothing of the server.
    pub(crate) async fn post<T, J: Future<Output = (Health, T)>>(
        &self,
        form: &[(&str, &str)],
        accept: &'static str,
        now: Moment,
        within: Option<Duration>,
        judge: impl FnOnce(Result<Answered, CallError>) -> J,
    ) -> Result<T, Stopped> {
        let clock = Clock {
            stopwatch: self.timing.stopwatch,
            began: (self.timing.stopwatch)(),
            within,
        };
        let pass = self.breaker.ask(now, clock.left(STORE_BUDGET)).await?;
        let unfinished = Unfinished {
            breaker: &self.breaker,
            pass,
            began: now,
        };
        let granted = clock.left(self.endpoint.timeout);
        let answered = self.send(form, accept, now, granted).await;
        let is_cut_short =
            granted < self.endpoint.timeout / 2 && matches!(answered, Err(CallError::Late(..)));
        let (health, told) = judge(answered).await;
        std::mem::forget(unfinished);
        let ended = now.plus(Span::from_micros(micros(clock.passed())));
        let (outcome, cause) = match health {
            _ if is_cut_short => (
                Outcome::Unknown,
                "the request had no time left for it".to_owned(),
            ),
            Health::Well => (Outcome::Well, "it answered".to_owned()),
            Health::Ill(why) => (Outcome::Ill, why),
        };
        let left = clock.left(STORE_BUDGET);
        self.breaker.ended(pass, outcome, &cause, ended, left).await;
        Ok(told)
    }

    /// Sends the form, a second time with the other secret where the first was refused and there is one.
    async fn send(
        &self,
        form: &[(&str, &str)],
        accept: &'static str,
        now: Moment,
        within: Duration,
    ) -> Result<Answered, CallError> {
        if within.is_zero() {
            return Err(CallError::Late(self.endpoint.url.clone(), 0));
        }
        let began = (self.timing.stopwatch)();
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
        let spent = (self.timing.stopwatch)().saturating_sub(began);
        call.within = within.saturating_sub(spent);
        let second = self.authorities.endpoints.post(&call).await?;
        if !refuses_client(&second) {
            self.takes_previous.store(!previous, Ordering::Relaxed);
        }
        Ok(second)
    }
}

/// How much time a call has left of what the request has.
struct Clock {
    stopwatch: fn() -> Duration,
    began: Duration,
    within: Option<Duration>,
}

impl Clock {
    fn passed(&self) -> Duration {
        (self.stopwatch)().saturating_sub(self.began)
    }

    /// At most `most`.
    fn left(&self, most: Duration) -> Duration {
        let left = self.within.map(|all| all.saturating_sub(self.passed()));
        left.map_or(most, |left| left.min(most))
    }
}

impl Breaker {
    /// A pass for one call. Another sandbox's claim on the probe is waited for at most `within`; a store that fails leaves
    /// each sandbox with a probe of its own.
    async fn ask(&self, now: Moment, within: Duration) -> Result<Pass, Stopped> {
        let (change, pass) = self.step(|state| state.ask(&self.rule, now));
        let pass = pass.ok_or(Stopped)?;
        if let (Pass::Probe(_), Some(shared)) = (pass, &self.shared) {
            let claim = shared.claim(&self.key, now, now.plus(self.rule.probe));
            let claimed = before((self.pause)(within), claim).await;
            if let Some(Ok(Some(until))) = claimed
                && until > now
            {
                // Nothing was tried here, so nothing is told: it was open and still is.
                self.step(|_| (self.open_until(now, until), ()));
                return Err(Stopped);
            }
        }
        self.tell(change, now, "the time to try again has come");
        Ok(pass)
    }

    /// Notes how a call ended, and tells other sandboxes where that changed something, in no more time than `within`.
    async fn ended(
        &self,
        pass: Pass,
        outcome: Outcome,
        cause: &str,
        now: Moment,
        within: Duration,
    ) {
        let (change, ()) = self.step(|state| (state.ended(&self.rule, pass, outcome, now), ()));
        self.tell(change, now, cause);
        let Some(shared) = &self.shared else { return };
        // What the store says of itself changes nothing here: it is a hint to others.
        match change {
            (State::Closed { .. } | State::HalfOpen { .. }, State::Open { until })
                if outcome == Outcome::Ill =>
            {
                let noted = shared.opened(&self.key, until);
                let _ = before((self.pause)(within), noted).await;
            }
            (State::HalfOpen { probe }, State::Closed { .. }) => {
                let noted = shared.closed(&self.key, probe);
                let _ = before((self.pause)(within), noted).await;
            }
            // The first failure: others may have seen more.
            (State::Closed { failures: 0 }, State::Closed { failures: 1 }) => {
                self.adopt(now, within, "another sandbox found it so").await;
            }
            _ => {}
        }
    }

    /// Opens where another sandbox says in time that it is open.
    async fn adopt(&self, now: Moment, within: Duration, cause: &str) {
        let Some(shared) = &self.shared else { return };
        let asked = shared.open_until(&self.key);
        if let Some(Ok(Some(until))) = before((self.pause)(within), asked).await
            && until > now
        {
            let (change, ()) = self.step(|_| (self.open_until(now, until), ()));
            self.tell(change, now, cause);
        }
    }

    /// Open until then, as another sandbox says, but for no longer than the rule has it.
    fn open_until(&self, now: Moment, until: Moment) -> State {
        let until = until.min(now.plus(self.rule.open));
        State::Open { until }
    }

    /// Changes the state in one piece; gives what it was and is. The lock is held for the arithmetic only; what it guards is
    /// whole at all times, so a poisoned lock is used on.
    fn step<T>(&self, step: impl FnOnce(State) -> (State, T)) -> ((State, State), T) {
        let mut state: MutexGuard<'_, State> =
            self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *state;
        let (after, told) = step(before);
        *state = after;
        ((before, after), told)
    }

    /// Tells whoever watches of a change that is one.
    fn tell(&self, (before, after): (State, State), now: Moment, cause: &str) {
        if before.as_str() != after.as_str() {
            (self.watch)(&BreakerChange {
                server: self.name.clone(),
                from: before.as_str(),
                to: after.as_str(),
                cause: cause.to_owned(),
                at: now.timestamp(),
            });
        }
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
        let breaker = self.breaker;
        let (change, ()) = breaker.step(|state| {
            let after = state.ended(&breaker.rule, self.pass, Outcome::Ill, self.began);
            (after, ())
        });
        breaker.tell(change, self.began, cause);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
