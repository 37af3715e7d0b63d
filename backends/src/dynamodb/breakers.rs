//! Breakers in the counters table.
//!
//! One item for each breaker and region says until when its breaker is open. It is read when a sandbox starts and when
//! something changes, and written when something changes; never for a request while all is well. Every write is one
//! conditional `UpdateItem`: what is older never replaces what is newer, and of all who would send the probe one may.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    config::Builder,
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use doorward_engine::{
    authority::{BreakerStore, BreakerStoreError},
    limits::Moment,
};

use super::{Patience, errors::failure, schema};

/// How long an item is kept after its breaker may be closed again, in seconds: clocks may differ.
const KEPT: i64 = 86_400;

const NAMES: [(&str, &str); 5] = [
    ("#pk", schema::PK),
    ("#format", schema::FORMAT),
    ("#open_until", schema::OPEN_UNTIL),
    ("#probe_until", schema::PROBE_UNTIL),
    ("#expires_at", schema::COUNTERS_TTL),
];

/// Who may claim the probe: anybody where the breaker is closed, or has been open for its time and no other claim holds. One
/// from beyond `:beyond` was made by a clock that has been set back since.
const CLAIMABLE: &str = "attribute_not_exists(#pk) OR (#format = :format AND (#open_until = :zero OR (#open_until <= :now \
     AND (attribute_not_exists(#probe_until) OR #probe_until <= :now OR #probe_until > :beyond))))";

type Item = HashMap<String, AttributeValue>;

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

    fn key(&self, name: &str) -> Item {
        let text = AttributeValue::S;
        HashMap::from([
            (schema::PK.to_owned(), text(schema::breaker_pk(name))),
            (
                schema::SK.to_owned(),
                text(schema::breaker_sk(&self.region)),
            ),
        ])
    }

    /// `Some` with the item where the condition does not hold.
    async fn update(
        &self,
        name: &str,
        expression: &str,
        condition: &str,
        values: &[(&str, i128)],
    ) -> Result<Option<Item>, BreakerStoreError> {
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
            .set_key(Some(self.key(name)))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names.collect()))
            .set_expression_attribute_values(Some(values.collect()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(self.settings());
        match self.in_time("UpdateItem", request.send()).await? {
            Ok(_) => Ok(None),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                match error.into_err() {
                    UpdateItemError::ConditionalCheckFailedException(failed) => {
                        Ok(Some(failed.item.unwrap_or_default()))
                    }
                    _ => Ok(Some(Item::new())),
                }
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
    async fn open_until(&self, name: &str) -> Result<Option<Moment>, BreakerStoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(self.key(name)))
            .consistent_read(true)
            .customize()
            .config_override(self.settings());
        let got = self.in_time("GetItem", request.send()).await?;
        let got = got.map_err(|error| {
            BreakerStoreError::Unavailable(failure("GetItem", &self.table, &error))
        })?;
        match got.item {
            None => Ok(None),
            Some(item) => {
                let until = open_until(name, &item)?;
                Ok((until.micros() > 0).then_some(until))
            }
        }
    }

    async fn claim(
        &self,
        name: &str,
        now: Moment,
        until: Moment,
    ) -> Result<Option<Moment>, BreakerStoreError> {
        let beyond = until.plus(until.since(now));
        let held = self
            .update(
                name,
                "SET #format = :format, #open_until = if_not_exists(#open_until, :now), #probe_until = :until, \
                 #expires_at = :expires_at",
                CLAIMABLE,
                &[
                    (":format", schema::FORMAT_VERSION.into()),
                    (":zero", 0),
                    (":now", now.micros().into()),
                    (":until", until.micros().into()),
                    (":beyond", beyond.micros().into()),
                    (":expires_at", until.timestamp().plus(KEPT).unix().into()),
                ],
            )
            .await?;
        let Some(item) = held else { return Ok(None) };
        let open_until = open_until(name, &item)?;
        let probe_until =
            number(&item, schema::PROBE_UNTIL).map_or(open_until, Moment::from_micros);
        Ok(Some(open_until.max(probe_until)))
    }

    async fn opened(&self, name: &str, until: Moment) -> Result<(), BreakerStoreError> {
        let expires_at = until.timestamp().plus(KEPT).unix();
        self.update(
            name,
            "SET #format = :format, #open_until = :until, #expires_at = :expires_at REMOVE #probe_until",
            "attribute_not_exists(#pk) OR #open_until < :until",
            &[
                (":format", schema::FORMAT_VERSION.into()),
                (":until", until.micros().into()),
                (":expires_at", expires_at.into()),
            ],
        )
        .await
        .map(drop)
    }

    async fn closed(&self, name: &str, since: Moment) -> Result<(), BreakerStoreError> {
        self.update(
            name,
            "SET #open_until = :zero REMOVE #probe_until",
            "attribute_exists(#pk) AND #format = :format AND #open_until <= :since",
            &[
                (":zero", 0),
                (":format", schema::FORMAT_VERSION.into()),
                (":since", since.micros().into()),
            ],
        )
        .await
        .map(drop)
    }
}

/// Until when a breaker is open; 0 where it is closed.
fn open_until(name: &str, item: &Item) -> Result<Moment, BreakerStoreError> {
    match (
        number(item, schema::FORMAT),
        number(item, schema::OPEN_UNTIL),
    ) {
        (Some(format), Some(until)) if format == u64::from(schema::FORMAT_VERSION) => {
            Ok(Moment::from_micros(until))
        }
        _ => Err(BreakerStoreError::Corrupt(format!(
            "the breaker `{name}` is not of format {}",
            schema::FORMAT_VERSION
        ))),
    }
}

fn number(item: &Item, name: &str) -> Option<u64> {
    match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse().ok(),
        _ => None,
    }
}
