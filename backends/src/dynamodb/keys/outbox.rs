//! Events that wait for their delivery, and the calendar of expiries.

use async_trait::async_trait;
use doorward_keys::{
    Calendar, Cursor, Day, Event, KeyEvent, KeyRecord, Outbox, Page, StoreError, Timestamp,
};

use super::{
    DynamoKeys,
    ledger::{page, position_of},
    query::Query,
    transaction::{Refused, Transaction},
};
use crate::dynamodb::{
    blocks,
    item::{self, Item, Reader},
    schema,
};

#[async_trait]
impl Outbox for DynamoKeys {
    fn parts(&self) -> u32 {
        schema::OUTBOX_PARTS
    }

    fn part_of(&self, id: &str) -> u32 {
        schema::outbox_part(id)
    }

    async fn waiting(
        &self,
        part: u32,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Result<Event, StoreError>>, StoreError> {
        let query = Query::of_table(schema::outbox_pk(part)).behind(position_of(after));
        let (items, more) = self.query(query, limit.max(1)).await?;
        // The place of an item that cannot be read is its key all the same.
        let last = items.last().map(|item| Reader::text_of(item, schema::SK));
        let next = last.transpose()?.filter(|_| more).map(Cursor::behind);
        Ok(Page {
            items: items.iter().map(event).collect(),
            next,
        })
    }

    async fn delivered(&self, event: &Event) -> Result<(), StoreError> {
        let part = self.part_of(event.about());
        self.remove(schema::outbox_pk(part), event.id()).await
    }

    async fn announce(
        &self,
        event: &KeyEvent,
        once: &str,
        forgotten_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let transaction = Transaction::on(self).announce(event, once, forgotten_at);
        match transaction.commit().await {
            Ok(()) => Ok(true),
            Err(Refused::At(_)) => Ok(false),
            Err(Refused::Contended) => Err(StoreError::Conflict(format!(
                "somebody else writes of `{}`",
                event.key_id
            ))),
            Err(Refused::Failed(error)) => Err(error),
        }
    }
}

fn event(item: &Item) -> Result<Event, StoreError> {
    match blocks::item::event(item)? {
        Some(change) => Ok(Event::Block(change)),
        None => Reader::of(item)?.event().map(Event::Key),
    }
}

#[async_trait]
impl Calendar for DynamoKeys {
    async fn expiring(
        &self,
        day: Day,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyRecord>, StoreError> {
        let keys = (schema::DAY_PK, schema::DAY_SK);
        let query = Query::of_index(schema::BY_DAY, keys, schema::expiry_pk(day))
            .behind(position_of(after));
        let (items, more) = self.query(query, limit.max(1).saturating_add(1)).await?;
        let position = |record: &KeyRecord| {
            let found = record.calendar_position();
            found.map_or_else(String::new, |(_, position)| position)
        };
        page(items, more, limit, item::record, position)
    }
}
