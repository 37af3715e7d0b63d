//! Proofs that were seen, in the counters table.
//!
//! One conditional `PutItem` checks and remembers as one atomic operation. It is never tried again: after an attempt whose answer
//! was lost, a second one would find the item of the first and call a good proof a replay. What failed is refused, and the
//! caller makes another proof.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryConfig},
    error::SdkError,
    types::AttributeValue,
};
use doorward_engine::layers::proof::{Remembered, ReplayDigest, ReplayStore, ReplayStoreError};
use doorward_keys::Timestamp;

use super::{Patience, errors::failure, schema};

/// Proofs in a table of `DynamoDB`. Needs the right to `dynamodb:PutItem` only.
pub struct DynamoReplays {
    client: Client,
    table: String,
    patience: Patience,
}

impl DynamoReplays {
    /// The proofs in `table`, over the connections of `client`. A call takes no longer than `patience`.
    pub fn new(client: &Client, table: impl Into<String>, patience: Patience) -> Self {
        Self {
            client: client.clone(),
            table: table.into(),
            patience,
        }
    }
}

#[async_trait]
impl ReplayStore for DynamoReplays {
    async fn remember(
        &self,
        digest: &ReplayDigest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Remembered, ReplayStoreError> {
        let number = |number: i64| AttributeValue::N(number.to_string());
        let settings = Builder::new()
            .timeout_config(self.patience.operation_timeouts())
            .retry_config(RetryConfig::disabled());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(schema::PK, AttributeValue::S(schema::seen_pk(digest)))
            .item(schema::SK, AttributeValue::S(schema::SEEN_SK.to_owned()))
            .item(schema::FORMAT, number(schema::FORMAT_VERSION.into()))
            .item(schema::COUNTERS_TTL, number(until.unix()))
            // An item that is past its time and not swept yet is as good as none.
            .condition_expression("attribute_not_exists(#pk) OR #until <= :now")
            .expression_attribute_names("#pk", schema::PK)
            .expression_attribute_names("#until", schema::COUNTERS_TTL)
            .expression_attribute_values(":now", number(now.unix()))
            .customize()
            .config_override(settings);
        let late = || {
            let text = format!("PutItem on table `{}`: no answer in time", self.table);
            ReplayStoreError::Unavailable(text)
        };
        let sent = tokio::time::timeout(self.patience.total(), put.send()).await;
        match sent.map_err(|_| late())? {
            Ok(_) => Ok(Remembered::First),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(Remembered::Before)
            }
            Err(error) => {
                let text = failure("PutItem", &self.table, &error);
                Err(ReplayStoreError::Unavailable(text))
            }
        }
    }
}
