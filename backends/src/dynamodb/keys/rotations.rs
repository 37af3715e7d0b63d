//! Rotations that are to happen by themselves.

use async_trait::async_trait;
use doorward_keys::{
    AuditEntry, Cursor, Day, Idempotency, KeyId, KeyRecord, Page, RotationBook, ScheduledRotation,
    StoreError, Timestamp, Written, lifecycle::Rotation,
};

use super::{
    DynamoKeys,
    ledger::position_of,
    query::Query,
    transaction::{Refused, Transaction},
};
use crate::dynamodb::{
    item::{self, Item, Reader},
    schema,
};

#[async_trait]
impl RotationBook for DynamoKeys {
    async fn scheduled(&self, id: &KeyId) -> Result<Option<ScheduledRotation>, StoreError> {
        let pk = schema::id_pk(id.as_str());
        match self.get(pk, schema::SCHEDULE_SK).await? {
            None => Ok(None),
            Some(found) => item::scheduled(&found),
        }
    }

    async fn schedule(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        rotation: Option<&ScheduledRotation>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let committed = Transaction::on(self)
            .replace(record, expected_version)
            .leave(&record.id, rotation, audit.at)
            .note(record, audit)
            .commit()
            .await;
        self.outcome(committed, &record.id, None).await.map(|_| ())
    }

    async fn due(
        &self,
        day: Day,
        until: Timestamp,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyId>, StoreError> {
        let keys = (schema::DAY_PK, schema::DAY_SK);
        let first = schema::time_sk(Timestamp::from_unix(0));
        // Behind the positions of that second, which go on with the id.
        let query = Query::of_index(schema::BY_DAY, keys, schema::rotation_pk(day))
            .between(first, schema::time_sk(until.plus(1)))
            .behind(position_of(after));
        let (items, more) = self.query(query, limit.max(1)).await?;
        let last = items
            .last()
            .map(|item| Reader::text_of(item, schema::DAY_SK));
        let next = last.transpose()?.filter(|_| more).map(Cursor::behind);
        let id = |item: &Item| Reader::of(item)?.key_id(schema::ID);
        let items = items.iter().map(id).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    async fn rotate_scheduled(
        &self,
        rotation: &Rotation,
        expected_version: u64,
        audit: &[AuditEntry; 2],
        request: Option<&Idempotency>,
        left: Option<&ScheduledRotation>,
        next: Option<&ScheduledRotation>,
    ) -> Result<Written, StoreError> {
        let Rotation { old, new } = rotation;
        let mut transaction = self
            .rotation(rotation, expected_version, audit, request)
            .leave(&old.id, left, old.changed_at);
        if next.is_some() {
            transaction = transaction.leave(&new.id, next, new.created_at);
        }
        let committed = transaction.commit().await;
        self.outcome(committed, &old.id, request).await
    }

    async fn settle(
        &self,
        before: &ScheduledRotation,
        left: Option<&ScheduledRotation>,
    ) -> Result<(), StoreError> {
        let committed = Transaction::on(self).settle(before, left).commit().await;
        let id = &before.key_id;
        match committed {
            Ok(()) => Ok(()),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::At(_) | Refused::Contended) => Err(StoreError::Conflict(format!(
                "the rotation of `{id}` is scheduled otherwise"
            ))),
        }
    }
}
