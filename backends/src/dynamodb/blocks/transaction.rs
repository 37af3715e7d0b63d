//! A change of the list: the block, the version, the audit entry and the event, all or nothing.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::{BuildError, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{Delete, Put, TransactWriteItem, Update},
};
use doorward_keys::{BlockAction, BlockChange, StoreError};

use super::{DynamoBlocks, item, one};
use crate::dynamodb::{errors::unavailable, item::Item, schema};

/// How often a change is tried that met another one on the item of the version, which all changes write.
const TRIES: u32 = 8;

/// How long the first of these waits for the other; each later one waits longer by as much.
const WAIT: Duration = Duration::from_millis(20);

impl DynamoBlocks {
    /// Writes `change`.
    pub(super) async fn write(&self, change: &BlockChange) -> Result<(), StoreError> {
        let writes = self.writes(change).map_err(|error| {
            let table = &self.table;
            let message = format!("the write to table `{table}` cannot be built: {error}");
            StoreError::Unavailable(message)
        })?;
        let mut tried = 1;
        loop {
            // The SDK sends one request token with every attempt of its own, so that an attempt whose answer was lost is not
            // written twice.
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .send()
                .await;
            let Err(error) = sent else { return Ok(()) };
            match cause(&error) {
                Cause::Contended if tried < TRIES => {
                    tokio::time::sleep(WAIT.saturating_mul(tried)).await;
                    tried += 1;
                }
                Cause::Contended | Cause::Condition => {
                    let id = &change.block.id;
                    let message = format!("`{id}` was written by somebody else");
                    return Err(StoreError::Conflict(message));
                }
                Cause::Other => {
                    return Err(unavailable("TransactWriteItems", &self.table, &error));
                }
            }
        }
    }

    fn writes(&self, change: &BlockChange) -> Result<Vec<TransactWriteItem>, BuildError> {
        let version = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::key(
                schema::BLOCKS_PK,
                schema::BLOCKS_VERSION_SK,
            )))
            .update_expression("SET #format = :format ADD #version :one")
            .expression_attribute_names("#format", schema::FORMAT)
            .expression_attribute_names("#version", schema::VERSION)
            .expression_attribute_values(":format", item::number(&schema::FORMAT_VERSION))
            .expression_attribute_values(":one", one())
            .build()?;
        let block = match change.action {
            BlockAction::Add => self.put_new(item::block_item(&change.block))?,
            BlockAction::Remove => {
                let delete = Delete::builder()
                    .table_name(&self.table)
                    .set_key(Some(item::block_key(&change.block.id)))
                    .condition_expression("attribute_exists(#pk)")
                    .expression_attribute_names("#pk", schema::PK)
                    .build()?;
                TransactWriteItem::builder().delete(delete).build()
            }
        };
        Ok(vec![
            TransactWriteItem::builder().update(version).build(),
            block,
            self.put_new(item::change_item(change))?,
            self.put_new(item::event_item(change))?,
        ])
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", schema::PK)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// Why a change did not happen.
enum Cause {
    /// A condition did not hold.
    Condition,
    /// Another transaction was on one of the items at the same time.
    Contended,
    /// Anything else.
    Other,
}

fn cause<R>(error: &SdkError<TransactWriteItemsError, R>) -> Cause {
    let SdkError::ServiceError(service) = error else {
        return Cause::Other;
    };
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = service.err() else {
        return Cause::Other;
    };
    let has = |code: &str| {
        let reasons = cancelled.cancellation_reasons();
        reasons.iter().any(|reason| reason.code() == Some(code))
    };
    if has("ConditionalCheckFailed") {
        Cause::Condition
    } else if has("TransactionConflict") {
        Cause::Contended
    } else {
        Cause::Other
    }
}
