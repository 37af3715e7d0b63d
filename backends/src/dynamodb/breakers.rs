//! Breakers in the counters table.
//!
//! One item for each endpoint and region says until when its breaker is open. It is read when a sandbox starts and when
//! something changes, and written when something changes; never for a request while all is well. Every write is one
//! conditional `UpdateItem`: what is older never replaces what is newer.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, config::Builder, error::SdkError, operation::update_item::UpdateItemError,
    types::AttributeValue,
};
use doorward_engine::{
    authority::{BreakerStore, BreakerStoreError},
    limits::Moment,
};

use super::{Patience, errors::failure, schema};

/// How long an item is kept after its breaker may be closed again, in seconds: clocks may differ.
const KEPT: i64 = 86_400;

const NAMES: [(&str, &str); 4] = [
    ("#pk", schema::PK),
    ("#format", schema::FORMAT),
    ("#open_until", schema::OPEN_UNTIL),
    ("#expires_at", schema::COUNTERS_TTL),
];

/// Breakers in a table of `DynamoDB`. Needs the rights to `dynamodb:GetItem` and `dynamodb:UpdateItem`.
pub struct DynamoBreakers {
    client: Client,
    table: String,
    region: String,
    patience: Patience,
}

impl DynamoBreakers {
    /// The breakers in `table`, over the connections of `client`. A call takes no longer than `patience`.
    pub fn new(client: &Client, table: impl Into<String>, patience: Patience) -> Self {
        let region = client.config().region().map(ToString::to_string);
        Self {
            client: client.clone(),
            table: table.into(),
            region: region.unwrap_or_default(),
            patience,
        }
    }

    fn key(&self, url: &str) -> HashMap<String, AttributeValue> {
        let text = AttributeValue::S;
        HashMap::from([
            (schema::PK.to_owned(), text(schema::breaker_pk(url))),
            (
                schema::SK.to_owned(),
                text(schema::breaker_sk(&self.region)),
            ),
        ])
    }

    async fn update(
        &self,
        url: &str,
        expression: &str,
        condition: &str,
        values: &[(&str, i128)],
    ) -> Result<(), BreakerStoreError> {
        let used = |name: &str| expression.contains(name) || condition.contains(name);
        let names = NAMES.iter().filter(|(name, _)| used(name));
        let names = names.map(|(name, stored)| ((*name).to_owned(), (*stored).to_owned()));
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), AttributeValue::N(value.to_string())));
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.key(url)))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names.collect()))
            .set_expression_attribute_values(Some(values.collect()))
            .customize()
            .config_override(self.settings());
        match self.in_time("UpdateItem", request.send()).await? {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error))
                if matches!(
                    error.err(),
                    UpdateItemError::ConditionalCheckFailedException(_)
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(BreakerStoreError::Unavailable(failure(
                "UpdateItem",
                &self.table,
                &error,
            ))),
        }
    }

    async fn in_time<T>(
        &self,
        operation: &str,
        sent: impl Future<Output = T>,
    ) -> Result<T, BreakerStoreError> {
        let outcome = tokio::time::timeout(self.patience.total(), sent).await;
        outcome.map_err(|_| {
            let table = &self.table;
            let text = format!("{operation} on table `{table}`: no answer in time");
            BreakerStoreError::Unavailable(text)
        })
    }

    fn settings(&self) -> Builder {
        Builder::new()
            .timeout_config(self.patience.operation_timeouts())
            .retry_config(self.patience.retries())
    }
}

#[async_trait]
impl BreakerStore for DynamoBreakers {
    async fn open_until(&self, url: &str) -> Result<Option<Moment>, BreakerStoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(self.key(url)))
            .consistent_read(true)
            .customize()
            .config_override(self.settings());
        let got = self.in_time("GetItem", request.send()).await?;
        let got = got.map_err(|error| {
            BreakerStoreError::Unavailable(failure("GetItem", &self.table, &error))
        })?;
        let Some(item) = got.item else {
            return Ok(None);
        };
        let number = |name: &str| match item.get(name) {
            Some(AttributeValue::N(digits)) => digits.parse::<u64>().ok(),
            _ => None,
        };
        match (number(schema::FORMAT), number(schema::OPEN_UNTIL)) {
            (Some(format), Some(until)) if format == u64::from(schema::FORMAT_VERSION) => {
                Ok((until > 0).then(|| Moment::from_micros(until)))
            }
            _ => Err(BreakerStoreError::Corrupt(format!(
                "the breaker of `{url}` is not of format {}",
                schema::FORMAT_VERSION
            ))),
        }
    }

    async fn opened(&self, url: &str, until: Moment) -> Result<(), BreakerStoreError> {
        let expires_at = until.timestamp().plus(KEPT).unix();
        self.update(
            url,
            "SET #format = :format, #open_until = :until, #expires_at = :expires_at",
            "attribute_not_exists(#pk) OR #open_until < :until",
            &[
                (":format", schema::FORMAT_VERSION.into()),
                (":until", until.micros().into()),
                (":expires_at", expires_at.into()),
            ],
        )
        .await
    }

    async fn closed(&self, url: &str, since: Moment) -> Result<(), BreakerStoreError> {
        self.update(
            url,
            "SET #open_until = :zero",
            "attribute_exists(#pk) AND #format = :format AND #open_until <= :since",
            &[
                (":zero", 0),
                (":format", schema::FORMAT_VERSION.into()),
                (":since", since.micros().into()),
            ],
        )
        .await
    }
}
