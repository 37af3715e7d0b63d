//! One transaction: conditional writes, and what a cancelled one means.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::{BuildError, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, CancellationReason, Put, TransactWriteItem},
};
use doorward_keys::{
    AuditEntry, Digest, Idempotency, KeyEvent, KeyId, KeyRecord, ScheduledRotation, StoreError,
    Timestamp,
};

use super::DynamoKeys;
use crate::dynamodb::{
    errors::unavailable,
    item::{
        Item, audit_item, ended_item, event_item, id_item, link_item, notice_item, record_item,
        request_item, schedule_item, state_word, tombstone_item,
    },
    schema,
};

/// The writes of one transaction, in order.
pub(super) struct Transaction<'store> {
    store: &'store DynamoKeys,
    puts: Vec<Result<Put, BuildError>>,
}

/// Why a transaction did not happen.
pub(super) enum Refused {
    /// The condition of the write at this place, from 0, did not hold.
    At(usize),
    /// Another transaction was on one of the items at the same time.
    Contended,
    /// The store failed.
    Failed(StoreError),
}

impl<'store> Transaction<'store> {
    pub(super) const fn on(store: &'store DynamoKeys) -> Self {
        Self {
            store,
            puts: Vec::new(),
        }
    }

    /// Remembers a request, unless one of its name is remembered and not yet forgotten.
    pub(super) fn remember(self, request: &Idempotency, made: &KeyId) -> Self {
        let forgotten = "attribute_not_exists(#pk) OR #purge_at <= :now";
        let names = [("#pk", schema::PK), ("#purge_at", schema::PURGE_AT)];
        let now = AttributeValue::N(request.made_at.unix().to_string());
        self.put(
            request_item(request, made),
            forgotten,
            &names,
            [(":now", now)],
        )
    }

    /// A key that is not there yet, and the way to it by its id.
    pub(super) fn insert(self, record: &KeyRecord) -> Self {
        self.put_new(record_item(record)).put_new(id_item(record))
    }

    /// A key in place of its `expected_version`. A stored key that is revoked is never written over.
    pub(super) fn replace(self, record: &KeyRecord, expected_version: u64) -> Self {
        self.put_over(record_item(record), &record.id, expected_version)
    }

    /// What is left of a key in place of its `expected_version`.
    pub(super) fn bury(self, record: &KeyRecord, expected_version: u64, at: Timestamp) -> Self {
        let names = [("#id", schema::ID), ("#version", schema::VERSION)];
        let values = [
            (":id", AttributeValue::S(record.id.as_str().to_owned())),
            (":expected", AttributeValue::N(expected_version.to_string())),
        ];
        let unchanged = "#id = :id AND #version = :expected";
        self.put(tombstone_item(record, at), unchanged, &names, values)
    }

    /// A key at its digest in place of its `expected_version` under `from`, which leads to it from then on. A stored key that is
    /// revoked does not move.
    pub(super) fn relocate(
        self,
        record: &KeyRecord,
        from: &Digest,
        expected_version: u64,
        at: Timestamp,
    ) -> Self {
        self.put_over(link_item(record, from, at), &record.id, expected_version)
            .put_new(record_item(record))
            .put(
                id_item(record),
                "attribute_exists(#pk)",
                &[("#pk", schema::PK)],
                [],
            )
    }

    /// Other digests under which a key is known, none of them taken.
    pub(super) fn link(self, record: &KeyRecord, others: &[Digest], at: Timestamp) -> Self {
        let links = others.iter().map(|other| link_item(record, other, at));
        links.fold(self, Self::put_new)
    }

    /// The audit entry of the change that led to `record`, and its event; none is ever written over.
    pub(super) fn note(self, record: &KeyRecord, entry: &AuditEntry) -> Self {
        self.put_new(audit_item(entry))
            .put_new(event_item(&KeyEvent::of_change(record, entry)))
    }

    /// An event that is no change, unless one of that name was written before and is not forgotten.
    pub(super) fn announce(self, event: &KeyEvent, once: &str, forgotten_at: Timestamp) -> Self {
        let notice = notice_item(&event.key_id, once, forgotten_at);
        let forgotten = "attribute_not_exists(#pk) OR #purge_at <= :now";
        let names = [("#pk", schema::PK), ("#purge_at", schema::PURGE_AT)];
        let now = AttributeValue::N(event.at.unix().to_string());
        self.put(notice, forgotten, &names, [(":now", now)])
            .put_new(event_item(event))
    }

    /// An item in place of `expected_version` of the living record of `id`.
    fn put_over(self, item: Item, id: &KeyId, expected_version: u64) -> Self {
        let unchanged = "#id = :id AND #version = :expected AND #status <> :revoked";
        let names = [
            ("#id", schema::ID),
            ("#version", schema::VERSION),
            ("#status", schema::STATUS),
        ];
        let revoked = doorward_keys::KeyStatus::Revoked.as_str().to_owned();
        let values = [
            (":id", AttributeValue::S(id.as_str().to_owned())),
            (":expected", AttributeValue::N(expected_version.to_string())),
            (":revoked", AttributeValue::S(revoked)),
        ];
        self.put(item, unchanged, &names, values)
    }

    /// What is left of the rotation that is scheduled for a key; nothing where it is over.
    pub(super) fn leave(
        self,
        id: &KeyId,
        left: Option<&ScheduledRotation>,
        now: Timestamp,
    ) -> Self {
        self.put(left_item(id, left, now), None, &[], [])
    }

    /// The same in place of `before`, and of no other.
    pub(super) fn settle(
        self,
        before: &ScheduledRotation,
        left: Option<&ScheduledRotation>,
    ) -> Self {
        let names = [("#at", schema::AT), ("#state", schema::STATE)];
        let state = state_word(&before.state).to_owned();
        let values = [
            (":at", AttributeValue::N(before.at.unix().to_string())),
            (":state", AttributeValue::S(state)),
        ];
        let item = left_item(&before.key_id, left, before.at);
        self.put(item, "#at = :at AND #state = :state", &names, values)
    }

    fn put_new(self, item: Item) -> Self {
        self.put(
            item,
            "attribute_not_exists(#pk)",
            &[("#pk", schema::PK)],
            [],
        )
    }

    fn put<'c, const N: usize>(
        mut self,
        item: Item,
        condition: impl Into<Option<&'c str>>,
        names: &[(&str, &str)],
        values: [(&str, AttributeValue); N],
    ) -> Self {
        let names: HashMap<String, String> = names
            .iter()
            .map(|(place, name)| ((*place).to_owned(), (*name).to_owned()))
            .collect();
        let values: HashMap<String, AttributeValue> = values
            .into_iter()
            .map(|(place, value)| (place.to_owned(), value))
            .collect();
        let put = Put::builder()
            .table_name(&self.store.table)
            .set_item(Some(item))
            .set_condition_expression(condition.into().map(str::to_owned))
            .set_expression_attribute_names((!names.is_empty()).then_some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build();
        self.puts.push(put);
        self
    }

    /// Writes all or nothing. The SDK sends one request token with every attempt, so that an attempt whose answer was lost
    /// is not written twice.
    pub(super) async fn commit(self) -> Result<(), Refused> {
        let table = &self.store.table;
        let puts: Vec<Put> = self
            .puts
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|error| {
                let message = format!("the write to table `{table}` cannot be built: {error}");
                Refused::Failed(StoreError::Unavailable(message))
            })?;
        let items = puts
            .into_iter()
            .map(|put| TransactWriteItem::builder().put(put).build())
            .collect();
        let sent = self
            .store
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(&error).unwrap_or_else(|| {
                Refused::Failed(unavailable("TransactWriteItems", table, &error))
            })),
        }
    }
}

fn left_item(id: &KeyId, left: Option<&ScheduledRotation>, now: Timestamp) -> Item {
    left.map_or_else(|| ended_item(id, now), schedule_item)
}

/// What the reasons of a cancelled transaction say; `None` when the store failed for another cause.
fn refused<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Refused> {
    let SdkError::ServiceError(service) = error else {
        return None;
    };
    match service.err() {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let reasons = cancelled.cancellation_reasons();
            let at = |code: &str| {
                reasons
                    .iter()
                    .position(|reason: &CancellationReason| reason.code() == Some(code))
            };
            at("ConditionalCheckFailed")
                .map(Refused::At)
                .or_else(|| at("TransactionConflict").map(|_| Refused::Contended))
        }
        _ => None,
    }
}
