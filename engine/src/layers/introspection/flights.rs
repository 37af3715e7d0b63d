//! One call at a time for each token: whoever comes while one is under way waits for its outcome and shares it.
//!
//! Whoever makes the call holds the lock of the flight. One that is given up midway leaves no outcome, and the next in line
//! makes the call.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::memory::Digest;

/// From so many entries on, those that nobody waits for are swept.
const SWEEP: usize = 256;

/// The calls under way, with outcomes of the type `O`.
pub(crate) struct Flights<O>(Mutex<HashMap<Digest, Weak<Flight<O>>>>);

type Flight<O> = async_lock::Mutex<Option<O>>;

impl<O: Clone> Flights<O> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// The outcome of `work`, or of the call for the same digest that is under way already.
    pub(crate) async fn share(&self, digest: Digest, work: impl Future<Output = O>) -> O {
        let flight = self.join(digest);
        let mut outcome = flight.lock().await;
        if let Some(outcome) = &*outcome {
            return outcome.clone();
        }
        let made = work.await;
        *outcome = Some(made.clone());
        // Those who wait have the flight; whoever comes later finds the memory filled, or makes a call of their own.
        self.flights().remove(&digest);
        made
    }

    fn join(&self, digest: Digest) -> Arc<Flight<O>> {
        let mut flights = self.flights();
        if let Some(flight) = flights.get(&digest).and_then(Weak::upgrade) {
            return flight;
        }
        if flights.len() >= SWEEP {
            flights.retain(|_, flight| flight.strong_count() > 0);
        }
        let flight = Arc::new(Flight::new(None));
        flights.insert(digest, Arc::downgrade(&flight));
        flight
    }

    /// The lock is held for one map operation only, which leaves a whole map behind; so a poisoned lock is used on.
    fn flights(&self) -> MutexGuard<'_, HashMap<Digest, Weak<Flight<O>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
