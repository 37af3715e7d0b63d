//! The key set of one issuer in memory: when it is served, when it is fetched, and when it is too old.
//!
//! - A fetch holds the `flight` lock, so there is one at a time; whoever needs a key that is known goes on without it.
//! - After any fetch made for a request, whatever came of it, the next one waits for the cool-down. Time alone counts,
//!   so no token can cause more.
//! - A set is fresh for the clamped `max-age`. After that it is fetched again; while that fails it serves on until the
//!   staleness bound, and then everything is refused.
//! - Nothing is remembered about names that are unknown, so they cannot push anything out.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorward_keys::Timestamp;

use super::{
    algorithm::Algorithm,
    clock::Clock,
    config::{IssuerConfig, KeySource, Location},
    discovery::discover,
    jwk::Key,
    key_set::{Found, KeySet},
    source::{FetchError, KeySetSource, Origin},
};
use crate::denial::{Denial, Reason};

/// How long the address found by discovery is used before the metadata is read again, in seconds.
const METADATA_SECONDS: i64 = 86_400;

/// The key that a token asks for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'w> {
    pub(super) id: Option<&'w str>,
    pub(super) algorithm: Algorithm,
}

/// The keys of one issuer.
pub(super) struct IssuerKeys {
    config: Arc<IssuerConfig>,
    source: Arc<dyn KeySetSource>,
    state: Mutex<State>,
    /// Held while fetching; dropped with the future that fetches, so an abandoned fetch blocks nobody.
    flight: async_lock::Mutex<Option<Metadata>>,
}

struct State {
    clock: Clock,
    held: Option<Held>,
    last_attempt: Option<Timestamp>,
    last_error: Option<FetchError>,
}

/// A set and how long it is good; times by [`Clock`].
struct Held {
    set: Arc<KeySet>,
    fresh_until: Timestamp,
    usable_until: Timestamp,
}

/// What discovery has found.
struct Metadata {
    address: String,
    read_at: Timestamp,
}

/// What the memory says about a key.
enum Answer {
    /// This, without a fetch.
    Settled(Result<Arc<Key>, Denial>),
    /// A fetch is due; the key is known from a set that is no longer fresh, or not known at all.
    Due(Option<Arc<Key>>),
    /// The key is not known, and the cool-down allows no fetch; one may be under way.
    Cooling(Denial),
}

impl IssuerKeys {
    pub(super) fn new(config: Arc<IssuerConfig>, source: Arc<dyn KeySetSource>) -> Self {
        let state = State {
            clock: Clock::new(),
            held: None,
            last_attempt: None,
            last_error: None,
        };
        Self {
            config,
            source,
            state: Mutex::new(state),
            flight: async_lock::Mutex::new(None),
        }
    }

    /// The key for a token, fetched if need be. `worth_it` is asked when the key is not known, before anything is done
    /// for this token alone; its refusal saves the fetch.
    pub(super) async fn key(
        &self,
        wanted: Wanted<'_>,
        now: Timestamp,
        worth_it: impl FnOnce() -> Result<(), Denial>,
    ) -> Result<Arc<Key>, Denial> {
        let mut flight = match self.answer(wanted, now) {
            Answer::Settled(result) => return result,
            Answer::Due(Some(key)) => match self.flight.try_lock() {
                Some(flight) => flight,
                None => return Ok(key),
            },
            Answer::Due(None) => {
                worth_it()?;
                self.flight.lock().await
            }
            Answer::Cooling(denial) => {
                worth_it()?;
                let nobody_fetches = self.flight.try_lock().is_some();
                if nobody_fetches {
                    return Err(denial);
                }
                self.flight.lock().await
            }
        };
        // Whoever had the lock before may have brought the key, or started the cool-down.
        match self.answer(wanted, now) {
            Answer::Settled(result) => return result,
            Answer::Cooling(denial) => return Err(denial),
            Answer::Due(_) => {}
        }
        let at = self.attempt(now);
        let _ = self.fetch(&mut flight, at).await;
        match self.answer(wanted, now) {
            Answer::Settled(result) => result,
            Answer::Cooling(denial) => Err(denial),
            Answer::Due(Some(key)) => Ok(key),
            Answer::Due(None) => Err(self.denial(Reason::TokenKeyUnknown, "not in the key set")),
        }
    }

    /// Fetches the set unless it is there already. Starts no cool-down when it fails, so that the first request may try
    /// once more.
    pub(super) async fn prefetch(&self, now: Timestamp) -> Result<(), FetchError> {
        if matches!(self.config.keys, KeySource::Fixed(_)) {
            return Ok(());
        }
        let mut flight = self.flight.lock().await;
        let at = {
            let mut state = self.state();
            let at = state.clock.read(now);
            if state
                .held
                .as_ref()
                .is_some_and(|held| at < held.fresh_until)
            {
                return Ok(());
            }
            at
        };
        self.fetch(&mut flight, at).await
    }

    /// What is known without a fetch.
    fn answer(&self, wanted: Wanted<'_>, now: Timestamp) -> Answer {
        if let KeySource::Fixed(set) = &self.config.keys {
            return Answer::Settled(match set.find(wanted.id, wanted.algorithm) {
                Found::Key(key) => Ok(Arc::clone(key)),
                Found::Unknown(why) => Err(self.denial(Reason::TokenKeyUnknown, why)),
                Found::Unsuitable(why) => Err(self.denial(Reason::TokenKeyUnsuitable, why)),
            });
        }
        let mut state = self.state();
        let at = state.clock.read(now);
        let may_fetch = state
            .last_attempt
            .is_none_or(|last| at.since(last) >= self.config.key_set.cool_down);
        let usable = state.held.as_ref().filter(|held| at < held.usable_until);
        let Some(held) = usable else {
            if may_fetch {
                return Answer::Due(None);
            }
            let why = match &state.last_error {
                Some(error) => error.to_string(),
                None => "the fetch of its keys was given up".to_owned(),
            };
            return Answer::Cooling(self.denial(Reason::KeySetUnavailable, why));
        };
        let is_fresh = at < held.fresh_until;
        match held.set.find(wanted.id, wanted.algorithm) {
            Found::Key(key) if is_fresh || !may_fetch => Answer::Settled(Ok(Arc::clone(key))),
            Found::Key(key) => Answer::Due(Some(Arc::clone(key))),
            Found::Unknown(_) if may_fetch => Answer::Due(None),
            Found::Unknown(why) => Answer::Cooling(self.denial(Reason::TokenKeyUnknown, why)),
            Found::Unsuitable(_) if may_fetch && !is_fresh => Answer::Due(None),
            Found::Unsuitable(why) => {
                Answer::Settled(Err(self.denial(Reason::TokenKeyUnsuitable, why)))
            }
        }
    }

    /// Starts the cool-down. Before the fetch and not after it, so that one that is given up midway counts too.
    fn attempt(&self, now: Timestamp) -> Timestamp {
        let mut state = self.state();
        let at = state.clock.read(now);
        state.last_attempt = Some(at);
        at
    }

    async fn fetch(
        &self,
        metadata: &mut Option<Metadata>,
        at: Timestamp,
    ) -> Result<(), FetchError> {
        let loaded = self.load(metadata, at).await;
        let mut state = self.state();
        match loaded {
            Ok((set, max_age)) => {
                let limits = &self.config.key_set;
                let fresh = max_age
                    .map_or(limits.max_age, |age| i64::try_from(age).unwrap_or(i64::MAX))
                    .clamp(limits.min_age, limits.max_age);
                let set = match &state.held {
                    Some(held) => set.keeping(&held.set),
                    None => set,
                };
                state.last_error = None;
                state.held = Some(Held {
                    set: Arc::new(set),
                    fresh_until: at.plus(fresh),
                    usable_until: at.plus(fresh).plus(limits.stale),
                });
                Ok(())
            }
            Err(error) => {
                // What the metadata said may be what is wrong.
                *metadata = None;
                state.last_error = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn load(
        &self,
        metadata: &mut Option<Metadata>,
        at: Timestamp,
    ) -> Result<(KeySet, Option<u64>), FetchError> {
        let (location, origin) = match &self.config.keys {
            KeySource::Remote { location, origin } => (location, *origin),
            KeySource::Fixed(_) => return Ok((KeySet::default(), None)),
        };
        let address = match location {
            Location::Uri(uri) => uri.clone(),
            Location::Discovery => self.discovered(metadata, at, origin).await?,
        };
        let fetched = self.source.fetch(&address, origin).await?;
        let config = &self.config;
        let set = KeySet::parse(&fetched.body, &config.algorithms, config.key_set.max_keys)
            .map_err(|why| FetchError::Failed(address, why))?;
        Ok((set, fetched.max_age))
    }

    async fn discovered(
        &self,
        metadata: &mut Option<Metadata>,
        at: Timestamp,
        origin: Origin,
    ) -> Result<String, FetchError> {
        if let Some(known) = metadata
            && at.since(known.read_at) < METADATA_SECONDS
        {
            return Ok(known.address.clone());
        }
        let address = discover(&*self.source, &self.config.issuer, origin).await?;
        *metadata = Some(Metadata {
            address: address.clone(),
            read_at: at,
        });
        Ok(address)
    }

    fn denial(&self, reason: Reason, why: impl AsRef<str>) -> Denial {
        Denial::new(
            reason,
            format!("issuer `{}`: {}", self.config.name, why.as_ref()),
        )
    }

    /// The lock is held for a few comparisons only. A panic while it is held leaves whole values behind, so a poisoned
    /// lock is used on.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
