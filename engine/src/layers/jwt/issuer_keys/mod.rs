//! The key set of one issuer in memory: when it is served, when it is fetched, and when it is too old.
//!
//! - A fetch holds the `flight` lock, so there is one at a time; whoever needs a key that is known goes on without it, and the
//!   one that began the fetch waits for [`PATIENCE`] only. A fetch that takes longer is kept and goes on: a little with each
//!   request, and to its end after an answer ([`IssuerKeys::finish`]).
//! - After any fetch made for a request, whatever came of it, the next one waits for the cool-down. Time alone counts,
//!   so no token can cause more.
//! - A set is fresh for the clamped `max-age`. After that it is fetched again; while that fails it serves on until the
//!   staleness bound, and then everything is refused.
//! - Nothing is remembered about names that are unknown, so they cannot push anything out.

#[cfg(test)]
mod tests;

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

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
use crate::{
    denial::{Denial, Reason},
    layers::rate_limit::Pause,
    waiting::before,
};

/// How long a request whose key is known waits for a fresh set.
const PATIENCE: Duration = Duration::from_millis(300);

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
    pause: Pause,
    state: Mutex<State>,
    /// Held while fetching; let go when a request is given up, so that it blocks nobody.
    flight: async_lock::Mutex<Flight>,
}

/// The fetch under way, and what discovery has found before.
#[derive(Default)]
struct Flight {
    pending: Option<Pending>,
    metadata: Option<Metadata>,
}

type Pending = Pin<Box<dyn Future<Output = Loaded> + Send>>;

/// What came of a fetch that was begun at `at`.
struct Loaded {
    outcome: Result<(KeySet, Option<u64>), FetchError>,
    metadata: Option<Metadata>,
    at: Timestamp,
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
    loaded_at: Timestamp,
    fresh_until: Timestamp,
    usable_until: Timestamp,
}

/// What discovery has found.
#[derive(Clone)]
struct Metadata {
    address: String,
    read_at: Timestamp,
}

/// What the memory says about a key.
enum Answer {
    /// This, without a fetch.
    Settled(Result<Arc<Key>, Denial>),
    /// This, from a set that is no longer fresh; the cool-down allows no fetch, but one may be under way.
    Stale(Arc<Key>),
    /// A fetch is due; the key is known from a set that is no longer fresh, or not known at all.
    Due(Option<Arc<Key>>),
    /// The key is not known, and the cool-down allows no fetch; one may be under way.
    Cooling(Denial),
}

impl Answer {
    /// What holds if nothing is fetched; absent where that is nothing.
    fn at_hand(self) -> Option<Result<Arc<Key>, Denial>> {
        match self {
            Self::Settled(result) => Some(result),
            Self::Stale(key) | Self::Due(Some(key)) => Some(Ok(key)),
            Self::Cooling(denial) => Some(Err(denial)),
            Self::Due(None) => None,
        }
    }
}

impl IssuerKeys {
    pub(super) fn new(
        config: Arc<IssuerConfig>,
        source: Arc<dyn KeySetSource>,
        pause: Pause,
    ) -> Self {
        let state = State {
            clock: Clock::new(),
            held: None,
            last_attempt: None,
            last_error: None,
        };
        Self {
            config,
            source,
            pause,
            state: Mutex::new(state),
            flight: async_lock::Mutex::default(),
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
        match self.answer(wanted, now) {
            Answer::Settled(result) => result,
            // Boxed, because it is rare and larger than all the rest of a decision.
            unsettled => Box::pin(self.settled(unsettled, wanted, now, worth_it)).await,
        }
    }

    /// The key, where the memory alone does not settle it.
    async fn settled(
        &self,
        answer: Answer,
        wanted: Wanted<'_>,
        now: Timestamp,
        worth_it: impl FnOnce() -> Result<(), Denial>,
    ) -> Result<Arc<Key>, Denial> {
        let mut flight = match answer {
            Answer::Settled(result) => return result,
            Answer::Stale(key) => {
                self.go_on().await;
                return Ok(key);
            }
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
                if self.go_on().await {
                    return self.answer(wanted, now).at_hand().unwrap_or(Err(denial));
                }
                self.flight.lock().await
            }
        };
        // Whoever had the lock before may have brought the key, or started the cool-down.
        let is_known = match self.answer(wanted, now) {
            Answer::Due(known) => known.is_some(),
            Answer::Settled(result) => return result,
            Answer::Stale(key) => return Ok(key),
            Answer::Cooling(denial) => return Err(denial),
        };
        // What is still under way is older than the cool-down, and given up.
        flight.pending = Some(self.load(&flight, self.attempt(now)));
        let fetching = self.fetch(&mut flight);
        if is_known {
            before((self.pause)(PATIENCE), pin!(fetching)).await;
        } else {
            fetching.await;
        }
        let unknown = || Err(self.denial(Reason::TokenKeyUnknown, "not in the key set"));
        self.answer(wanted, now).at_hand().unwrap_or_else(unknown)
    }

    /// Brings a fetch that is under way to its end. For the time after an answer.
    pub(super) async fn finish(&self) {
        self.fetch(&mut *self.flight.lock().await).await;
    }

    /// Lets a fetch that is under way take what has come in meanwhile, without waiting; says whether nobody else is at it.
    async fn go_on(&self) -> bool {
        let Some(mut flight) = self.flight.try_lock() else {
            return false;
        };
        let at_once = poll_fn(|_| Poll::Ready(()));
        before(at_once, pin!(self.fetch(&mut flight))).await;
        true
    }

    /// The key for a token, if it is in memory and may be served.
    pub(super) fn known(&self, wanted: Wanted<'_>, now: Timestamp) -> Option<Arc<Key>> {
        self.answer(wanted, now).at_hand()?.ok()
    }

    /// How old the set is, in seconds, where it is past its freshness and the last fetch failed.
    pub(super) fn stale_age(&self, now: Timestamp) -> Option<u64> {
        let mut state = self.state();
        let at = state.clock.read(now);
        let held = state.held.as_ref().filter(|held| at >= held.fresh_until)?;
        state.last_error.as_ref()?;
        u64::try_from(at.since(held.loaded_at)).ok()
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
        flight.pending = Some(self.load(&flight, at));
        self.fetch(&mut flight).await;
        match &self.state().last_error {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
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
            Found::Key(key) if is_fresh => Answer::Settled(Ok(Arc::clone(key))),
            Found::Key(key) if may_fetch => Answer::Due(Some(Arc::clone(key))),
            Found::Key(key) => Answer::Stale(Arc::clone(key)),
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

    /// Brings the fetch that is under way to its end and takes in what came of it. Given up midway it stays under way.
    async fn fetch(&self, flight: &mut Flight) {
        let Some(pending) = &mut flight.pending else {
            return;
        };
        let loaded = pending.await;
        flight.pending = None;
        flight.metadata = loaded.metadata;
        let mut state = self.state();
        match loaded.outcome {
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
                    loaded_at: loaded.at,
                    fresh_until: loaded.at.plus(fresh),
                    usable_until: loaded.at.plus(fresh).plus(limits.stale),
                });
            }
            Err(error) => {
                // What the metadata said may be what is wrong.
                flight.metadata = None;
                state.last_error = Some(error);
            }
        }
    }

    /// A fetch that begins at `at` when it is first polled.
    fn load(&self, flight: &Flight, at: Timestamp) -> Pending {
        let (config, source) = (Arc::clone(&self.config), Arc::clone(&self.source));
        let mut metadata = flight.metadata.clone();
        Box::pin(async move {
            let outcome = load(&config, &*source, &mut metadata, at).await;
            Loaded {
                outcome,
                metadata,
                at,
            }
        })
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

async fn load(
    config: &IssuerConfig,
    source: &dyn KeySetSource,
    metadata: &mut Option<Metadata>,
    at: Timestamp,
) -> Result<(KeySet, Option<u64>), FetchError> {
    let (location, origin) = match &config.keys {
        KeySource::Remote { location, origin } => (location, *origin),
        KeySource::Fixed(_) => return Ok((KeySet::default(), None)),
    };
    let address = match location {
        Location::Uri(uri) => uri.clone(),
        Location::Discovery => discovered(config, source, metadata, at, origin).await?,
    };
    let fetched = source.fetch(&address, origin).await?;
    let set = KeySet::parse(&fetched.body, &config.algorithms, config.key_set.max_keys)
        .map_err(|why| FetchError::Failed(address, why))?;
    Ok((set, fetched.max_age))
}

async fn discovered(
    config: &IssuerConfig,
    source: &dyn KeySetSource,
    metadata: &mut Option<Metadata>,
    at: Timestamp,
    origin: Origin,
) -> Result<String, FetchError> {
    if let Some(known) = metadata
        && at.since(known.read_at) < METADATA_SECONDS
    {
        return Ok(known.address.clone());
    }
    let address = discover(source, &config.issuer, origin).await?;
    *metadata = Some(Metadata {
        address: address.clone(),
        read_at: at,
    });
    Ok(address)
}
