//! Events from the outbox to the bus. Each is delivered once at least: it is forgotten only after the bus accepted it.

use std::{sync::Arc, time::Duration};

use doorward_keys::{BusError, Event, EventBus, KeyStore, StoreError};
use futures_util::future::join_all;

use crate::log;

/// How many events are handed over at once.
const AT_ONCE: usize = 10;

/// The longest time that a command waits for the delivery of its own events.
const AFTER_COMMAND: Duration = Duration::from_secs(1);

/// Brings events from the outbox to the bus.
#[derive(Clone)]
pub struct Delivery {
    store: Arc<dyn KeyStore>,
    bus: Arc<dyn EventBus>,
    log: fn(&str),
}

/// What a delivery came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Events that the bus accepted.
    pub events: usize,
    /// Events and items that wait on because of a fault of theirs.
    pub stuck: usize,
    /// Whether everything that waited was looked at.
    pub complete: bool,
}

impl Delivery {
    /// From `store` to `bus`; `log` takes a line for each fault.
    pub fn new(store: Arc<dyn KeyStore>, bus: Arc<dyn EventBus>, log: fn(&str)) -> Self {
        Self { store, bus, log }
    }

    /// Delivers what waits, as long as `has_time`. `first` chooses where it begins, so that no part waits behind another for ever.
    pub async fn sweep(&self, first: u32, has_time: &(dyn Fn() -> bool + Sync)) -> Delivered {
        let parts = self.store.parts().max(1);
        let in_turn = (0..parts).map(|step| (first.wrapping_add(step)) % parts);
        self.deliver(in_turn, has_time).await
    }

    /// Delivers what waits about the keys and blocks of these ids, within a second. What is not delivered then is delivered by the next sweep.
    pub async fn after_command<Id: AsRef<str>>(&self, ids: &[Id]) {
        let mut parts: Vec<u32> = ids
            .iter()
            .map(|id| self.store.part_of(id.as_ref()))
            .collect();
        parts.sort_unstable();
        parts.dedup();
        let delivery = self.deliver(parts.into_iter(), &|| true);
        // An event that was accepted and not forgotten is delivered again.
        let _ = tokio::time::timeout(AFTER_COMMAND, delivery).await;
    }

    async fn deliver(
        &self,
        parts: impl Iterator<Item = u32> + Send,
        has_time: &(dyn Fn() -> bool + Sync),
    ) -> Delivered {
        let mut delivered = Delivered::default();
        for part in parts {
            let mut after = None;
            loop {
                if !has_time() {
                    return delivered;
                }
                let page = match self.store.waiting(part, AT_ONCE, after.as_ref()).await {
                    Ok(page) => page,
                    Err(error) => return self.stopped(delivered, &error.to_string()),
                };
                let mut events = Vec::with_capacity(page.items.len());
                for item in page.items {
                    match item {
                        Ok(event) => events.push(event),
                        Err(error) => self.unreadable(&mut delivered, &error),
                    }
                }
                if let Err(why) = self.hand_over(&events, &mut delivered).await {
                    return self.stopped(delivered, &why);
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        delivered.complete = true;
        delivered
    }

    /// The error says why no other event would fare better now.
    async fn hand_over(&self, events: &[Event], delivered: &mut Delivered) -> Result<(), String> {
        if events.is_empty() {
            return Ok(());
        }
        let outcomes = self.bus.publish(events).await;
        let mut unavailable = None;
        let mut accepted = Vec::with_capacity(events.len());
        for (event, outcome) in events.iter().zip(outcomes) {
            match outcome {
                Ok(()) => accepted.push(self.store.delivered(event)),
                Err(BusError::Unavailable(why)) => unavailable = Some(why),
                Err(error @ BusError::Refused(_)) => {
                    delivered.stuck += 1;
                    let why = format!("`{}`: {error}", event.id());
                    (self.log)(&log::life("error", "event_refused", &why));
                }
            }
        }
        delivered.events += accepted.len();
        let forgotten: Result<Vec<()>, StoreError> = join_all(accepted).await.into_iter().collect();
        match (unavailable, forgotten) {
            (Some(why), _) => Err(why),
            (None, Err(error)) => Err(error.to_string()),
            (None, Ok(_)) => Ok(()),
        }
    }

    fn unreadable(&self, delivered: &mut Delivered, error: &StoreError) {
        delivered.stuck += 1;
        (self.log)(&log::life("error", "event_unreadable", &error.to_string()));
    }

    fn stopped(&self, delivered: Delivered, why: &str) -> Delivered {
        (self.log)(&log::life("error", "events_undelivered", why));
        delivered
    }
}
