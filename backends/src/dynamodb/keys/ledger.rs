//! What key administration does with the table.

use async_trait::async_trait;
use doorward_keys::{
    AuditEntry, AuditSpan, Cursor, Digest, Earlier, Idempotency, KeyId, KeyLedger, KeyRecord, Page,
    StoreError, Trace, Written, lifecycle::Rotation,
};

use super::{
    DynamoKeys,
    query::Query,
    transaction::{Refused, Transaction},
};
use crate::dynamodb::{
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
        match item::living(&self.led_to(id, &pointer).await?)? {
            None => Ok(None),
            Some(record) if record.id == *id => Ok(Some(record)),
            Some(other) => {
                let other = &other.id;
                Err(StoreError::Corrupt(format!("`{id}` leads to `{other}`")))
            }
        }
    }

    async fn owner(&self, id: &KeyId) -> Result<Option<String>, StoreError> {
        let pk = schema::id_pk(id.as_str());
        let Some(pointer) = self.get(pk, schema::ID_SK).await? else {
            return Ok(None);
        };
        let found = self.led_to(id, &pointer).await?;
        // A record and a tombstone both say whose they are.
        Reader::text_of(&found, schema::TENANT).map(Some)
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
        let committed = transaction
            .insert(record)
            .note(record, audit)
            .commit()
            .await;
        self.outcome(committed, &record.id, request).await
    }

    async fn replace(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let transaction = Transaction::on(self).replace(record, expected_version);
        self.changed(transaction, record, audit).await
    }

    async fn delete(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let transaction = Transaction::on(self).bury(record, expected_version, audit.at);
        self.changed(transaction, record, audit).await
    }

    async fn trace(&self, digest: &Digest) -> Result<Option<Trace>, StoreError> {
        let pk = schema::record_pk(&digest.to_hex());
        let found = self.get(pk, schema::RECORD_SK).await?;
        found.as_ref().map(item::trace).transpose()
    }

    async fn import(
        &self,
        record: &KeyRecord,
        others: &[Digest],
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let transaction = Transaction::on(self)
            .insert(record)
            .link(record, others, audit.at);
        self.changed(transaction, record, audit).await
    }

    async fn rehash(
        &self,
        record: &KeyRecord,
        from: &Digest,
        others: &[Digest],
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let transaction = Transaction::on(self);
        let transaction = if record.digest == *from {
            transaction.replace(record, expected_version)
        } else {
            transaction.relocate(record, from, expected_version, audit.at)
        };
        let transaction = transaction.link(record, others, audit.at);
        self.changed(transaction, record, audit).await
    }

    async fn rotate(
        &self,
        rotation: &Rotation,
        expected_version: u64,
        audit: &[AuditEntry; 2],
        request: Option<&Idempotency>,
    ) -> Result<Written, StoreError> {
        let transaction = self.rotation(rotation, expected_version, audit, request);
        let committed = transaction.commit().await;
        self.outcome(committed, &rotation.old.id, request).await
    }

    async fn list(
        &self,
        tenant: &str,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyRecord>, StoreError> {
        let query = of_tenant(schema::tenant_pk(tenant)).behind(position_of(after));
        let (items, more) = self.query(query, one_more(limit)).await?;
        page(items, more, limit, item::record, KeyRecord::list_position)
    }

    async fn audit(
        &self,
        id: &KeyId,
        span: AuditSpan,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let sk = |id: &str| format!("{}{id}", schema::AUDIT_SK);
        let (first, behind) = span.ids();
        let query = Query::of_table(schema::id_pk(id.as_str()))
            .between(sk(&first), sk(&behind))
            .behind(after.map(|after| sk(after.position())));
        let (items, more) = self.query(query, one_more(limit)).await?;
        let read = |item: &Item| Reader::of(item)?.audit_entry();
        page(items, more, limit, read, |entry| entry.id.clone())
    }

    async fn audit_of_tenant(
        &self,
        tenant: &str,
        span: AuditSpan,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let (first, behind) = span.ids();
        let query = of_tenant(schema::tenant_audit_pk(tenant))
            .between(first, behind)
            .behind(position_of(after));
        let (items, more) = self.query(query, one_more(limit)).await?;
        let read = |item: &Item| Reader::of(item)?.audit_entry();
        let position = |entry: &AuditEntry| format!("{}#{}", entry.id, entry.key_id);
        page(items, more, limit, read, position)
    }
}

pub(super) fn position_of(after: Option<&Cursor>) -> Option<String> {
    after.map(|after| after.position().to_owned())
}

const fn of_tenant(partition: String) -> Query {
    let keys = (schema::TENANT_PK, schema::TENANT_SK);
    Query::of_index(schema::BY_TENANT, keys, partition)
}

impl DynamoKeys {
    /// What the id item `pointer` of `id` leads to.
    async fn led_to(&self, id: &KeyId, pointer: &Item) -> Result<Item, StoreError> {
        let digest = Reader::of(pointer)?.digest()?;
        let pk = schema::record_pk(&digest.to_hex());
        let found = self.get(pk, schema::RECORD_SK).await?;
        found.ok_or_else(|| StoreError::Corrupt(format!("`{id}` has no record")))
    }

    /// The writes of a rotation.
    pub(super) fn rotation(
        &self,
        Rotation { old, new }: &Rotation,
        expected_version: u64,
        [of_old, of_new]: &[AuditEntry; 2],
        request: Option<&Idempotency>,
    ) -> Transaction<'_> {
        let transaction = match request {
            None => Transaction::on(self),
            Some(request) => Transaction::on(self).remember(request, &new.id),
        };
        transaction
            .replace(old, expected_version)
            .insert(new)
            .note(old, of_old)
            .note(new, of_new)
    }

    /// Commits the change of one key that led to `record`.
    async fn changed(
        &self,
        transaction: Transaction<'_>,
        record: &KeyRecord,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let committed = transaction.note(record, audit).commit().await;
        self.outcome(committed, &record.id, None).await.map(|_| ())
    }

    pub(super) async fn outcome(
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

/// One item more than asked for tells whether there is a next part.
fn one_more(limit: usize) -> usize {
    limit.max(1).saturating_add(1)
}

pub(super) fn page<T>(
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
