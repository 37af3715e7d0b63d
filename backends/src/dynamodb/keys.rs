//! API keys in the keys table.

mod jobs;
mod ledger;
mod outbox;
mod query;
mod rotations;
mod transaction;

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use doorward_keys::{Digest, KeyLookup, KeyRecord, StoreError};

use super::{
    errors::unavailable,
    item::{self, Item},
    schema,
};

/// API keys in a table of `DynamoDB`.
///
/// Reads are strongly consistent, at twice the price of others: a revocation counts from the next read on, and is not
/// delayed by replication as well as by the two caches. Values reach the store as bound parameters only.
#[derive(Clone, Debug)]
pub struct DynamoKeys {
    client: Client,
    table: String,
}

impl DynamoKeys {
    /// The keys in `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    async fn get(&self, pk: String, sk: &str) -> Result<Option<Item>, StoreError> {
        let key = HashMap::from([
            (schema::PK.to_owned(), AttributeValue::S(pk)),
            (schema::SK.to_owned(), AttributeValue::S(sk.to_owned())),
        ]);
        self.client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map(|answer| answer.item)
            .map_err(|error| unavailable("GetItem", &self.table, &error))
    }

    /// Writes an item over whatever stands there.
    async fn put(&self, item: Item) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| unavailable("PutItem", &self.table, &error))
    }

    /// Removes an item, if it is there.
    async fn remove(&self, pk: String, sk: String) -> Result<(), StoreError> {
        let key = HashMap::from([
            (schema::PK.to_owned(), AttributeValue::S(pk)),
            (schema::SK.to_owned(), AttributeValue::S(sk)),
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
}

#[async_trait]
impl KeyLookup for DynamoKeys {
    async fn lookup(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        let pk = schema::record_pk(&digest.to_hex());
        let Some(item) = self.get(pk, schema::RECORD_SK).await? else {
            return Ok(None);
        };
        if let Some(record) = item::living(&item)? {
            return under(record, digest).map(Some);
        }
        let Some((id, there)) = item::moved_to(&item, digest)? else {
            return Ok(None);
        };
        let pk = schema::record_pk(&there.to_hex());
        let Some(item) = self.get(pk, schema::RECORD_SK).await? else {
            return Err(StoreError::Corrupt(format!("`{id}` has no record")));
        };
        match item::living(&item)? {
            None => Ok(None),
            Some(record) if record.id == id => under(record, &there).map(Some),
            Some(other) => {
                let other = &other.id;
                Err(StoreError::Corrupt(format!("`{id}` leads to `{other}`")))
            }
        }
    }
}

/// The record, if it is the one under `digest`. The comparison takes constant time. The store found the item by its key already;
/// this holds whatever the store answered.
fn under(record: KeyRecord, digest: &Digest) -> Result<KeyRecord, StoreError> {
    if record.digest == *digest {
        Ok(record)
    } else {
        Err(StoreError::Corrupt(format!(
            "`{}` came back for another digest",
            record.id
        )))
    }
}
