//! What key administration does with the table.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use doorward_keys::{
    AuditEntry, Cursor, Earlier, Idempotency, KeyId, KeyLedger, KeyRecord, Page, StoreError,
    Written, lifecycle::Rotation,
};

use super::{
    DynamoKeys,
    transaction::{Refused, Transaction},
};
use crate::dynamodb::{
    errors::unavailable,
    item::{self, Item, Reader},
    schema,
};

#[async_trait]
impl KeyLedger for DynamoKeys {
    async fn fetch(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let pk = schema::id_pk(id.as_str());
        let Some(pointer) = self.get(pk, schema::ID_SK).await? else {
            return Ok(None);
        };
        let digest = Reader::of(&pointer)?.digest()?;
        let pk = schema::record_pk(&digest.to_hex());
        let Some(found) = self.get(pk, schema::RECORD_SK).await? else {
            return Err(StoreError::Corrupt(format!("`{id}` has no record")));
        };
        let record = item::record(&found)?;
        if record.id == *id {
            Ok(Some(record))
        } else {
            let other = &record.id;
            Err(StoreError::Corrupt(format!("`{id}` leads to `{other}`")))
        }
    }

    async fn recall(&self, request: &Idempotency) -> Result<Option<Earlier>, StoreError> {
        let pk = schema::request_pk(&request.name);
        match self.get(pk, schema::REQUEST_SK).await? {
            None => Ok(None),
            Some(found) => Reader::of(&found)?.earlier(request),
        }
    }

    async fn create(
        &self,
        record: &KeyRecord,
        audit: &AuditEntry,
        request: Option<&Idempotency>,
    ) -> Result<Written, StoreError> {
        let transaction = match request {
            None => Transaction::on(self),
            Some(request) => Transaction::on(self).remember(request, &record.id),
        };
        let committed = transaction.insert(record).audit(audit).commit().await;
        self.outcome(committed, &record.id, request).await
    }

    async fn replace(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let committed = Transaction::on(self)
            .replace(record, expected_version)
            .audit(audit)
            .commit()
            .await;
        self.outcome(committed, &record.id, None).await.map(|_| ())
    }

    async fn rotate(
        &self,
        rotation: &Rotation,
        expected_version: u64,
        audit: &[AuditEntry; 2],
        request: Option<&Idempotency>,
    ) -> Result<Written, StoreError> {
        let Rotation { old, new } = rotation;
        let transaction = match request {
            None => Transaction::on(self),
            Some(request) => Transaction::on(self).remember(request, &new.id),
        };
        let [of_old, of_new] = audit;
        let committed = transaction
            .replace(old, expected_version)
            .insert(new)
            .audit(of_old)
            .audit(of_new)
            .commit()
            .await;
        self.outcome(committed, &old.id, request).await
    }

    async fn list(
        &self,
        tenant: &str,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyRecord>, StoreError> {
        let of_tenant = "#pk = :pk";
        let behind = "#pk = :pk AND #sk > :after";
        let mut values = HashMap::from([(
            ":pk".to_owned(),
            AttributeValue::S(schema::tenant_pk(tenant)),
        )]);
        if let Some(after) = after {
            let position = AttributeValue::S(after.position().to_owned());
            values.insert(":after".to_owned(), position);
        }
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(schema::BY_TENANT)
            .key_condition_expression(if after.is_some() { behind } else { of_tenant })
            .set_expression_attribute_names(Some(names(
                schema::TENANT_PK,
                after.map(|_| schema::TENANT_SK),
            )))
            .set_expression_attribute_values(Some(values))
            .limit(one_more(limit))
            .send()
            .await
            .map_err(|error| unavailable("Query", &self.table, &error))?;
        let more = answer.last_evaluated_key.is_some();
        let items = answer.items.unwrap_or_default();
        page(items, more, limit, item::record, KeyRecord::list_position)
    }

    async fn audit(
        &self,
        id: &KeyId,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let pk = AttributeValue::S(schema::id_pk(id.as_str()));
        let start = after.map(|after| {
            let sk = format!("{}{}", schema::AUDIT_SK, after.position());
            HashMap::from([
                (schema::PK.to_owned(), pk.clone()),
                (schema::SK.to_owned(), AttributeValue::S(sk)),
            ])
        });
        let prefix = AttributeValue::S(schema::AUDIT_SK.to_owned());
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .set_expression_attribute_names(Some(names(schema::PK, Some(schema::SK))))
            .expression_attribute_values(":pk", pk)
            .expression_attribute_values(":prefix", prefix)
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .limit(one_more(limit))
            .send()
            .await
            .map_err(|error| unavailable("Query", &self.table, &error))?;
        let more = answer.last_evaluated_key.is_some();
        let items = answer.items.unwrap_or_default();
        let read = |item: &Item| Reader::of(item)?.audit_entry(id);
        page(items, more, limit, read, |entry| entry.id.clone())
    }
}

impl DynamoKeys {
    async fn outcome(
        &self,
        committed: Result<(), Refused>,
        id: &KeyId,
        request: Option<&Idempotency>,
    ) -> Result<Written, StoreError> {
        let conflict = || StoreError::Conflict(format!("`{id}` was written by somebody else"));
        match committed {
            Ok(()) => Ok(Written::Now),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Contended) => Err(conflict()),
            Err(Refused::At(place)) => match request {
                // INVARIANT: the remembered request is the first write of its transaction.
                Some(request) if place == 0 => self
                    .recall(request)
                    .await?
                    .map(Written::Before)
                    .ok_or_else(conflict),
                _ => Err(conflict()),
            },
        }
    }
}

fn names(pk: &str, sk: Option<&str>) -> HashMap<String, String> {
    let mut names = HashMap::from([("#pk".to_owned(), pk.to_owned())]);
    names.extend(sk.map(|sk| ("#sk".to_owned(), sk.to_owned())));
    names
}

/// One item more than asked for tells whether there is a next part.
fn one_more(limit: usize) -> i32 {
    i32::try_from(limit.max(1))
        .unwrap_or(i32::MAX)
        .saturating_add(1)
}

fn page<T>(
    mut items: Vec<Item>,
    more_behind: bool,
    limit: usize,
    read: impl Fn(&Item) -> Result<T, StoreError>,
    position: impl Fn(&T) -> String,
) -> Result<Page<T>, StoreError> {
    // The store also ends a part early when it grows over 1 MB; then there may be more behind fewer than asked for.
    let more = more_behind || items.len() > limit.max(1);
    items.truncate(limit.max(1));
    let items = items.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let last = items.last().map(position);
    Ok(Page {
        items,
        next: last.filter(|_| more).map(Cursor::behind),
    })
}
