//! Events that wait for their delivery, and the calendar of expiries.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use doorward_keys::{
    Calendar, Cursor, Day, KeyEvent, KeyRecord, Outbox, Page, StoreError, Timestamp,
};

use super::{
    DynamoKeys,
    ledger::{page, position_of},
    query::Query,
    transaction::{Refused, Transaction},
};
use crate::dynamodb::{
    errors::unavailable,
    item::{self, Reader},
    schema,
};

#[async_trait]
impl Outbox for DynamoKeys {
    async fn waiting(&self, limit: usize) -> Result<Vec<KeyEvent>, StoreError> {
        let parts = usize::try_from(schema::OUTBOX_PARTS).unwrap_or(1);
        let mut events = Vec::new();
        for part in 0..schema::OUTBOX_PARTS {
            let query = Query::of_table(schema::outbox_pk(part));
            let (items, _) = self.query(query, limit.div_ceil(parts)).await?;
            for item in &items {
                events.push(Reader::of(item)?.event()?);
            }
        }
        events.truncate(limit.max(1));
        Ok(events)
    }

    async fn delivered(&self, event: &KeyEvent) -> Result<(), StoreError> {
        let part = schema::outbox_part(event.key_id.as_str());
        let key = HashMap::from([
            (
                schema::PK.to_owned(),
                AttributeValue::S(schema::outbox_pk(part)),
            ),
            (schema::SK.to_owned(), AttributeValue::S(event.id.clone())),
        ]);
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| unavailable("DeleteItem", &self.table, &error))
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
