//! Where events wait, and where they go.

use async_trait::async_trait;

use super::{Event, KeyEvent};
use crate::{
    store::{Cursor, Page, StoreError},
    time::Timestamp,
};

/// Events that wait for their delivery, in parts: all events of one key, or of one block, are in the same.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// How many parts there are.
    fn parts(&self) -> u32;

    /// The part, from 0, with the events about the key or block of this id.
    fn part_of(&self, id: &str) -> u32;

    /// What waits in a part behind `after`, older before younger, at most `limit` (at least one): events, and for an item that is
    /// none, why it cannot be read. Such an item stands in nobody's way.
    async fn waiting(
        &self,
        part: u32,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Result<Event, StoreError>>, StoreError>;

    /// Forgets an event that was delivered.
    async fn delivered(&self, event: &Event) -> Result<(), StoreError>;

    /// Writes a notice about a key, unless one about the same key was written under the name `once` before; says whether it was written.
    /// The name is forgotten at `forgotten_at`.
    async fn announce(
        &self,
        event: &KeyEvent,
        once: &str,
        forgotten_at: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// Where events are delivered to.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Hands over events, and says of each, in the same order, whether it was accepted. One that was not is handed over again
    /// later; one of which it is not known may have been accepted nevertheless.
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), BusError>>;
}

/// Why an event was not accepted, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus did not answer, or accepts nothing now: the others would fare no better.
    #[error("the event bus is unavailable: {0}")]
    Unavailable(String),
    /// The bus does not take this event.
    #[error("the event bus refused an event: {0}")]
    Refused(String),
}
