//! Events that wait for their delivery, and the calendar of expiries.

use async_trait::async_trait;
use doorward_keys::{
    Calendar, Cursor, Day, Event, KeyEvent, KeyRecord, Outbox, Page, StoreError, Timestamp,
};

use super::{MemoryKeys, conflict, page};

impl MemoryKeys {
    /// Puts the event of a change that was made beside the keys where those of keys wait.
    pub(in crate::memory) fn tell(&self, event: Event) {
        self.state().events.insert(event.id(), event);
    }
}

#[async_trait]
impl Outbox for MemoryKeys {
    fn parts(&self) -> u32 {
        1
    }

    fn part_of(&self, _: &str) -> u32 {
        0
    }

    async fn waiting(
        &self,
        _: u32,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Result<Event, StoreError>>, StoreError> {
        let state = self.state();
        let events = state.events.iter();
        let events = events.map(|(id, event)| (id.clone(), Ok(event.clone())));
        Ok(page(events.collect(), limit, after))
    }

    async fn delivered(&self, event: &Event) -> Result<(), StoreError> {
        self.state().events.remove(&event.id());
        Ok(())
    }

    async fn announce(
        &self,
        event: &KeyEvent,
        once: &str,
        forgotten_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let name = (event.key_id.clone(), once.to_owned());
        if state.notices.get(&name).is_some_and(|end| event.at < *end) {
            return Ok(false);
        }
        if state.events.contains_key(&event.id) {
            return Err(conflict(&event.key_id));
        }
        state.notices.insert(name, forgotten_at);
        let told = event.clone().into();
        state.events.insert(event.id.clone(), told);
        Ok(true)
    }
}

#[async_trait]
impl Calendar for MemoryKeys {
    async fn expiring(
        &self,
        day: Day,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyRecord>, StoreError> {
        let mut records: Vec<(String, KeyRecord)> = self
            .state()
            .records
            .values()
            .filter_map(|record| {
                let (of, position) = record.calendar_position()?;
                (of == day).then(|| (position, record.clone()))
            })
            .collect();
        records.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(page(records, limit, after))
    }
}
