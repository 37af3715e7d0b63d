//! Blocks of tokens in the keys table.

pub(super) mod item;
mod transaction;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, operation::query::builders::QueryFluentBuilder, types::AttributeValue,
};
use doorward_keys::{
    Block, BlockChange, BlockId, BlockLedger, BlockReader, Cursor, Page, StoreError,
};

use super::{
    errors::unavailable,
    item::{Item, Reader},
    schema,
};

/// Blocks in a table of `DynamoDB`. All reads are strongly consistent.
///
/// Needs the rights to `dynamodb:GetItem` and `dynamodb:Query` of the partition `blocks` for reading, and for changes also to
/// `dynamodb:UpdateItem` and `dynamodb:DeleteItem` of it and to `dynamodb:PutItem` of it, of `blocks-audit`
/// and of the parts of the outbox.
#[derive(Clone, Debug)]
pub struct DynamoBlocks {
    client: Client,
    table: String,
}

impl DynamoBlocks {
    /// The blocks in `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
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

    /// The items of a partition whose sort keys begin with `prefix`.
    fn query(&self, pk: &str, prefix: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", schema::PK)
            .expression_attribute_names("#sk", schema::SK)
            .expression_attribute_values(":pk", item::text(pk))
            .expression_attribute_values(":prefix", item::text(prefix))
            .consistent_read(true)
    }

    /// A part of such a list.
    async fn part<T>(
        &self,
        (pk, prefix): (&str, &str),
        limit: usize,
        after: Option<&Cursor>,
        read: impl Fn(&Item) -> Result<T, StoreError>,
        position: impl Fn(&T) -> String,
    ) -> Result<Page<T>, StoreError> {
        let limit = limit.max(1);
        // One item more than asked for tells whether there is a next part.
        let one_more = i32::try_from(limit.saturating_add(1)).unwrap_or(i32::MAX);
        let start = after.map(|after| item::key(pk, &format!("{prefix}{}", after.position())));
        let answer = self
            .query(pk, prefix)
            .set_exclusive_start_key(start)
            .limit(one_more)
            .send()
            .await
            .map_err(|error| unavailable("Query", &self.table, &error))?;
        // The store also ends a part early when it grows over 1 MB.
        let is_cut = answer.last_evaluated_key.is_some();
        let mut items = answer.items.unwrap_or_default();
        let more = is_cut || items.len() > limit;
        items.truncate(limit);
        let items = items.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let last = items.last().map(position);
        Ok(Page {
            items,
            next: last.filter(|_| more).map(Cursor::behind),
        })
    }
}

#[async_trait]
impl BlockReader for DynamoBlocks {
    async fn version(&self) -> Result<u64, StoreError> {
        let key = item::key(schema::BLOCKS_PK, schema::BLOCKS_VERSION_SK);
        match self.get(key).await? {
            None => Ok(0),
            Some(found) => Reader::of(&found)?.number(schema::VERSION),
        }
    }

    async fn all(&self) -> Result<Vec<Block>, StoreError> {
        let mut blocks = Vec::new();
        let mut start: Option<Item> = None;
        loop {
            let answer = self
                .query(schema::BLOCKS_PK, schema::BLOCK_SK)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| unavailable("Query", &self.table, &error))?;
            for found in answer.items.unwrap_or_default() {
                blocks.push(item::block(&found)?);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(blocks);
            }
        }
    }
}

#[async_trait]
impl BlockLedger for DynamoBlocks {
    async fn fetch(&self, id: &BlockId) -> Result<Option<Block>, StoreError> {
        let found = self.get(item::block_key(id)).await?;
        found.as_ref().map(item::block).transpose()
    }

    async fn add(&self, change: &BlockChange) -> Result<(), StoreError> {
        self.write(change).await
    }

    async fn remove(&self, change: &BlockChange) -> Result<(), StoreError> {
        self.write(change).await
    }

    async fn list(&self, limit: usize, after: Option<&Cursor>) -> Result<Page<Block>, StoreError> {
        let place = (schema::BLOCKS_PK, schema::BLOCK_SK);
        let position = |block: &Block| block.id.to_string();
        self.part(place, limit, after, item::block, position).await
    }

    async fn changes(
        &self,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<BlockChange>, StoreError> {
        let place = (schema::BLOCK_CHANGES_PK, schema::AUDIT_SK);
        let position = |change: &BlockChange| change.id.clone();
        self.part(place, limit, after, item::change, position).await
    }
}

/// The number one.
fn one() -> AttributeValue {
    AttributeValue::N("1".to_owned())
}
