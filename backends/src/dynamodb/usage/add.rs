//! What the authorizer does: additions.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    config::Builder,
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use doorward_keys::{LastUse, StoreError, UsageEntry, UsageSink};
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::DynamoUsage;
use crate::dynamodb::{errors::unavailable, item::Item, schema};

/// How many additions are on their way at once.
const AT_ONCE: usize = 16;
/// The longest time of one call.
const LONGEST: Duration = Duration::from_mins(1);

/// What the item of every addition must be: new, or of ours and without this addition.
const NOT_YET: &str = "attribute_not_exists(#pk) OR (#format = :format AND #flush <> :flush)";
/// The same, and without a later use.
const NOT_YET_NOR_LATER: &str = "attribute_not_exists(#pk) OR (#format = :format AND #flush <> :flush AND (attribute_not_exists(#last_used_at) OR #last_used_at <= :last_used_at))";
const SET: &str = "SET #format = :format, #flush = :flush, #expires_at = :expires_at";
const SET_LAST: &str = "#last_used_at = :last_used_at";
const ADD: &str = "ADD #allowed :allowed, #unauthenticated :unauthenticated, #forbidden :forbidden, #throttled :throttled, #unavailable :unavailable";

/// Every name that an expression may use, as its placeholder and as it is stored.
const NAMES: [(&str, &str); 11] = [
    ("#pk", schema::PK),
    ("#format", schema::FORMAT),
    ("#flush", schema::FLUSH),
    ("#expires_at", schema::COUNTERS_TTL),
    ("#last_used_at", schema::LAST_USED_AT),
    ("#last_address", schema::LAST_ADDRESS),
    ("#allowed", schema::ALLOWED),
    ("#unauthenticated", schema::UNAUTHENTICATED),
    ("#forbidden", schema::FORBIDDEN),
    ("#throttled", schema::THROTTLED),
    ("#unavailable", schema::UNAVAILABLE),
];

#[async_trait]
impl UsageSink for DynamoUsage {
    async fn add(&self, entries: &[UsageEntry], within: Duration) -> Vec<Result<(), StoreError>> {
        let end = Instant::now() + within.min(LONGEST);
        let additions: Vec<_> = entries
            .iter()
            .map(|entry| self.add_before(end, entry))
            .collect();
        stream::iter(additions).buffered(AT_ONCE).collect().await
    }
}

impl DynamoUsage {
    async fn add_before(&self, end: Instant, entry: &UsageEntry) -> Result<(), StoreError> {
        timeout_at(end, self.add_one(entry))
            .await
            .unwrap_or_else(|_| Err(self.late()))
    }

    async fn add_one(&self, entry: &UsageEntry) -> Result<(), StoreError> {
        let latest = entry.usage.last.map(Latest::Replace);
        for latest in latest.into_iter().chain([Latest::Leave]) {
            match self.try_to_add(entry, latest).await? {
                Tried::Done => return Ok(()),
                Tried::Unfit(held) if is_made(entry, &held)? => return Ok(()),
                Tried::Unfit(_) => {}
            }
        }
        let text = format!(
            "the usage of `{}` changed under each of the attempts",
            entry.key
        );
        Err(StoreError::Unavailable(text))
    }

    async fn try_to_add(&self, entry: &UsageEntry, latest: Latest) -> Result<Tried, StoreError> {
        let (update, condition) = latest.expressions();
        let used = |name: &str| [&*update, condition].iter().any(|text| text.contains(name));
        let names: HashMap<String, String> = NAMES
            .iter()
            .filter(|(placeholder, _)| used(placeholder))
            .map(|(placeholder, name)| ((*placeholder).to_owned(), (*name).to_owned()))
            .collect();
        let values: Item = counts(entry)
            .into_iter()
            .chain(latest.values())
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(schema::PK, text(&schema::usage_pk(entry.key.as_str())))
            .key(
                schema::SK,
                text(&schema::decisions_sk(entry.hour, &self.region)),
            )
            .update_expression(&update)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(
                Builder::new()
                    .timeout_config(self.patience.operation_timeouts())
                    .retry_config(self.patience.retries()),
            )
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Tried::Done),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                match error.into_err() {
                    UpdateItemError::ConditionalCheckFailedException(failed) => {
                        let held = failed.item.ok_or_else(|| corrupt(entry))?;
                        Ok(Tried::Unfit(held))
                    }
                    other => Err(StoreError::Unavailable(other.to_string())),
                }
            }
            Err(error) => Err(unavailable("UpdateItem", &self.table, &error)),
        }
    }

    fn late(&self) -> StoreError {
        let text = format!("UpdateItem on table `{}`: no answer in time", self.table);
        StoreError::Unavailable(text)
    }
}

/// What becomes of the latest use that the item knows.
#[derive(Clone, Copy)]
enum Latest {
    /// This one, which is not earlier, takes its place.
    Replace(LastUse),
    /// It stays.
    Leave,
}

impl Latest {
    /// The update and its condition.
    fn expressions(self) -> (String, &'static str) {
        match self {
            Self::Leave => (format!("{SET} {ADD}"), NOT_YET),
            Self::Replace(LastUse {
                address: Some(_), ..
            }) => {
                let update = format!("{SET}, {SET_LAST}, #last_address = :last_address {ADD}");
                (update, NOT_YET_NOR_LATER)
            }
            Self::Replace(LastUse { address: None, .. }) => {
                let update = format!("{SET}, {SET_LAST} REMOVE #last_address {ADD}");
                (update, NOT_YET_NOR_LATER)
            }
        }
    }

    /// The values of those, as far as they come from the latest use.
    fn values(self) -> Vec<(&'static str, AttributeValue)> {
        let Self::Replace(LastUse { at, address }) = self else {
            return Vec::new();
        };
        let address = address.map(|address| (":last_address", text(&address.to_string())));
        let at = (":last_used_at", number(&at.unix()));
        std::iter::once(at).chain(address).collect()
    }
}

/// What came of an attempt.
enum Tried {
    /// The update was made.
    Done,
    /// Its condition does not hold; the item as it is.
    Unfit(Item),
}

/// Whether the addition of `entry` is the last that `held` got.
fn is_made(entry: &UsageEntry, held: &Item) -> Result<bool, StoreError> {
    let format = AttributeValue::N(schema::FORMAT_VERSION.to_string());
    if held.get(schema::FORMAT) == Some(&format) {
        Ok(held.get(schema::FLUSH) == Some(&text(&entry.flush)))
    } else {
        Err(corrupt(entry))
    }
}

fn corrupt(entry: &UsageEntry) -> StoreError {
    StoreError::Corrupt(format!(
        "the usage of `{}` in {} is not of format {}",
        entry.key,
        entry.hour,
        schema::FORMAT_VERSION
    ))
}

fn counts(entry: &UsageEntry) -> [(&'static str, AttributeValue); 8] {
    let usage = &entry.usage;
    [
        (":format", number(&schema::FORMAT_VERSION)),
        (":flush", text(&entry.flush)),
        (":expires_at", number(&entry.expires_at.unix())),
        (":allowed", number(&usage.allowed)),
        (":unauthenticated", number(&usage.unauthenticated)),
        (":forbidden", number(&usage.forbidden)),
        (":throttled", number(&usage.throttled)),
        (":unavailable", number(&usage.unavailable)),
    ]
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
