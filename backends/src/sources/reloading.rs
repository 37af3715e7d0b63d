//! A value that is made from a remote source, and made again while the process lives.
//!
//! There is no background task: a Lambda sandbox is frozen between requests, and a timer would fire late or during the
//! next request. A request that finds a re-read due takes the turn, and all others go on with what is in force.
//!
//! A bad new version is refused and the old one stays. A bad first one is an error, and whoever asks denies all.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::Secrets;

/// When a source is read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// While something is in force; `None` means never.
    pub every: Option<Duration>,
    /// While nothing is; `None` means never.
    pub retry: Option<Duration>,
}

/// What a text and its secrets were, to see whether they changed. It tells nothing about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(u64);

impl Version {
    /// The version of a text and the secrets it refers to.
    pub fn of(text: &str, secrets: &Secrets) -> Self {
        // Nobody who could choose two texts of one hash gains anything: they choose the configuration as it is.
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        secrets.texts().for_each(|secret| secret.hash(&mut hasher));
        Self(hasher.finish())
    }
}

/// What came of a re-read, for the log and the metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The source says what it said before.
    Unchanged,
    /// A new version is in force.
    Replaced,
    /// The source could not be read, or its new version is bad. What was in force stays.
    Refused(String),
}

/// A value in force, and when it is due to be made again.
#[derive(Debug)]
pub struct Reloading<T> {
    schedule: Schedule,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    current: Result<Arc<T>, Arc<str>>,
    version: Option<Version>,
    read_at: Duration,
    is_taken: bool,
}

/// The right to read the source again; one at a time. Dropped without an end, the next one comes a schedule later.
#[derive(Debug)]
pub struct Turn<'r, T> {
    reloading: &'r Reloading<T>,
}

impl<T> Reloading<T> {
    /// Begins with the outcome of the first read, at `now` on a monotonic clock.
    pub fn new(schedule: Schedule, first: Result<(Version, T), String>, now: Duration) -> Self {
        let (version, current) = match first {
            Ok((version, value)) => (Some(version), Ok(Arc::new(value))),
            Err(why) => (None, Err(why.into())),
        };
        Self {
            schedule,
            state: Mutex::new(State {
                current,
                version,
                read_at: now,
                is_taken: false,
            }),
        }
    }

    /// What is in force.
    ///
    /// # Errors
    /// Why nothing is; everything is to be denied then.
    pub fn current(&self) -> Result<Arc<T>, Arc<str>> {
        self.state().current.clone()
    }

    /// The turn to read the source again, when that is due at `now` and nobody else has it.
    pub fn due(&self, now: Duration) -> Option<Turn<'_, T>> {
        let mut state = self.state();
        let every = match &state.current {
            Ok(_) => self.schedule.every,
            Err(_) => self.schedule.retry,
        }?;
        if state.is_taken || now.saturating_sub(state.read_at) < every {
            return None;
        }
        state.is_taken = true;
        state.read_at = now;
        drop(state);
        Some(Turn { reloading: self })
    }

    // A panic elsewhere leaves the state as it was before or after one assignment; both are right.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Turn<'_, T> {
    /// Ends the turn: the version that was read, and how to make the value of it if it is a new one.
    pub fn finish(
        self,
        version: Result<Version, String>,
        make: impl FnOnce() -> Result<T, String>,
    ) -> Reload {
        let version = match version {
            Ok(version) => version,
            Err(why) => return self.refuse(why),
        };
        if self.reloading.state().version == Some(version) {
            return Reload::Unchanged;
        }
        match make() {
            Ok(value) => {
                let mut state = self.reloading.state();
                state.current = Ok(Arc::new(value));
                state.version = Some(version);
                Reload::Replaced
            }
            Err(why) => self.refuse(why),
        }
    }

    fn refuse(&self, why: String) -> Reload {
        let mut state = self.reloading.state();
        if state.current.is_err() {
            state.current = Err(why.as_str().into());
        }
        Reload::Refused(why)
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        self.reloading.state().is_taken = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Schedule = Schedule {
        every: Some(Duration::from_mins(1)),
        retry: Some(Duration::from_secs(5)),
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn good(text: &'static str) -> Reloading<&'static str> {
        Reloading::new(EVERY, Ok((version(text), text)), at(0))
    }

    fn version(text: &str) -> Version {
        Version::of(text, &Secrets::default())
    }

    #[test]
    fn is_due_after_the_interval_and_for_one_caller_only() {
        let value = Reloading::new(EVERY, Ok((version("a"), "a")), at(100));
        assert!(value.due(at(159)).is_none());
        let turn = value.due(at(160)).unwrap();
        assert!(value.due(at(500)).is_none());
        assert_eq!(
            turn.finish(Ok(version("a")), || panic!("it did not change")),
            Reload::Unchanged
        );
        assert!(value.due(at(219)).is_none());
        assert!(value.due(at(220)).is_some());
    }

    #[test]
    fn is_never_due_without_an_interval_or_after_a_backward_clock() {
        let never = Reloading::new(Schedule::default(), Ok((version("a"), "a")), at(0));
        assert!(never.due(at(1_000_000)).is_none());
        let value = Reloading::new(EVERY, Ok((version("a"), "a")), at(1000));
        assert!(value.due(at(0)).is_none());
    }

    #[test]
    fn a_good_new_version_takes_force() {
        let value = good("a");
        let held = value.current().unwrap();
        let turn = value.due(at(60)).unwrap();
        assert_eq!(turn.finish(Ok(version("b")), || Ok("b")), Reload::Replaced);
        assert_eq!((*held, *value.current().unwrap()), ("a", "b"));
    }

    #[test]
    fn a_bad_new_version_is_refused_and_the_old_one_stays() {
        let value = good("a");
        for (now, read, made, why) in [
            (60, Ok(version("b")), Err("line 1".to_owned()), "line 1"),
            (120, Err("no answer".to_owned()), Ok("never"), "no answer"),
        ] {
            let turn = value.due(at(now)).unwrap();
            assert_eq!(turn.finish(read, || made), Reload::Refused(why.to_owned()));
            assert_eq!(*value.current().unwrap(), "a");
        }
        let turn = value.due(at(180)).unwrap();
        assert_eq!(
            turn.finish(Ok(version("a")), || panic!("it did not change")),
            Reload::Unchanged
        );
    }

    #[test]
    fn a_bad_first_version_denies_all_until_a_good_one_comes() {
        let value = Reloading::new(EVERY, Err("line 1".to_owned()), at(0));
        assert_eq!(&*value.current().unwrap_err(), "line 1");
        assert!(value.due(at(4)).is_none());
        let turn = value.due(at(5)).unwrap();
        assert_eq!(
            turn.finish(Ok(version("b")), || Err("line 2".to_owned())),
            Reload::Refused("line 2".to_owned())
        );
        assert_eq!(&*value.current().unwrap_err(), "line 2");
        let turn = value.due(at(10)).unwrap();
        assert_eq!(turn.finish(Ok(version("c")), || Ok("c")), Reload::Replaced);
        assert_eq!(*value.current().unwrap(), "c");
    }

    #[test]
    fn a_turn_that_is_dropped_gives_the_next_one_a_schedule_later() {
        let value = good("a");
        drop(value.due(at(60)).unwrap());
        assert!(value.due(at(61)).is_none());
        assert!(value.due(at(120)).is_some());
    }
}
