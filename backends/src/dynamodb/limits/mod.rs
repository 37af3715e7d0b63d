//! Limits in the counters table.
//!
//! Every attempt to spend is one conditional `UpdateItem`, which checks and counts as one atomic operation; nothing is read
//! first and written later. [`update`] says which update fits a bucket as it was last seen. When its condition does not
//! hold, the same answer brings the bucket as it is
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate>),
//! and that bucket either refuses the caller or says which other update fits. As the last seen state of each bucket is
//! remembered, one call suffices for a bucket in use.
//!
//! When an attempt runs into its time limit the SDK tries again, and the first may have counted nevertheless: then a
//! caller is counted twice, which admits nobody. A return is never tried again, because given back twice it would.

mod item;
mod update;

use std::num::NonZeroU64;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::{UpdateItemError, UpdateItemOutput},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use doorward_engine::limits::{
    Algorithm, Bucket, LimitStore, LimitStoreError, Moment, Rule, Spent, State, state::spend,
};

use self::update::Update;
use super::{Patience, errors::failure, schema};
use crate::memory::Buckets;

/// Limits in a table of `DynamoDB`. Needs the right to `dynamodb:UpdateItem` only.
pub struct DynamoLimits {
    client: Client,
    table: String,
    region: String,
    patience: Patience,
    /// The state in which each bucket was last seen. It only chooses what is tried first: when it is out of date, one more
    /// call is made.
    seen: Buckets,
}

impl DynamoLimits {
    /// How many buckets are remembered.
    const SEEN: usize = 8192;
    /// How often another update is tried. Marks only grow, so a bucket changes its kind at most twice under a caller; a
    /// deleted item and a window that ends meanwhile add one each.
    const ATTEMPTS: usize = 6;

    /// The limits in `table`, over the connections of `client`. A call takes no longer than `patience`, all attempts and
    /// updates together; where callers wait that is [`Patience::LIMITS`].
    pub fn new(client: &Client, table: impl Into<String>, patience: Patience) -> Self {
        let region = client.config().region().map(ToString::to_string);
        Self {
            client: client.clone(),
            table: table.into(),
            region: region.unwrap_or_default(),
            patience,
            seen: Buckets::with_capacity(Self::SEEN),
        }
    }

    async fn try_updates(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Result<Spent, LimitStoreError> {
        let mut seen = self.seen.state(bucket);
        for _ in 0..Self::ATTEMPTS {
            let update = Update::fitting(rule, seen, cost, now);
            match self.try_update(bucket, rule, &update, now).await? {
                Tried::Done(after) => {
                    self.remember(bucket, rule, now, after);
                    return update.answer(rule, after, cost, now).ok_or_else(|| {
                        let text = format!("the answer to an update of `{bucket}` is of another");
                        LimitStoreError::Corrupt(text)
                    });
                }
                Tried::Unfit(held) => {
                    self.remember(bucket, rule, now, held.unwrap_or_default());
                    let answer = spend(rule, held, cost, now);
                    if !answer.is_admitted() {
                        return Ok(answer);
                    }
                    seen = held;
                }
            }
        }
        let text = format!("`{bucket}` changed under each of the attempts");
        Err(LimitStoreError::Busy(text))
    }

    async fn try_update(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        update: &Update,
        now: Moment,
    ) -> Result<Tried, LimitStoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(bucket, &self.region)))
            .update_expression(update.expression())
            .condition_expression(update.condition())
            .set_expression_attribute_names(Some(item::names(&update.texts())))
            .set_expression_attribute_values(Some(item::values(update, item::forget_at(rule, now))))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(self.settings(self.patience.retries()));
        self.outcome(bucket, request.send().await)
    }

    fn outcome(&self, bucket: &Bucket, sent: Sent) -> Result<Tried, LimitStoreError> {
        match sent {
            Ok(output) => match output.attributes {
                Some(attributes) => item::state(bucket, &attributes).map(Tried::Done),
                None => Err(LimitStoreError::Corrupt(format!(
                    "`{bucket}` was updated and not shown"
                ))),
            },
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                match error.into_err() {
                    UpdateItemError::ConditionalCheckFailedException(failed) => {
                        let held = failed.item().map(|held| item::state(bucket, held));
                        held.transpose().map(Tried::Unfit)
                    }
                    other => Err(LimitStoreError::Unavailable(other.to_string())),
                }
            }
            Err(error) => {
                let text = failure("UpdateItem", &self.table, &error);
                Err(if is_of_one_item(&error) {
                    LimitStoreError::Busy(text)
                } else {
                    LimitStoreError::Unavailable(text)
                })
            }
        }
    }

    fn settings(&self, retries: RetryConfig) -> Builder {
        Builder::new()
            .timeout_config(self.patience.operation_timeouts())
            .retry_config(retries)
    }

    fn remember(&self, bucket: &Bucket, rule: &Rule, now: Moment, state: State) {
        let kept = Some((state, now.plus(rule.memory())));
        self.seen.change(bucket, now, |_| (kept, ()));
    }
}

/// What came of an attempt.
enum Tried {
    /// The update was made; the bucket afterwards.
    Done(State),
    /// Its condition does not hold; the bucket as it is.
    Unfit(Option<State>),
}

/// Whether the table refused this item and may serve others: a partition takes a thousand writes in a second
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>), and the busiest bucket
/// meets that first.
fn is_of_one_item(error: &SdkError<UpdateItemError>) -> bool {
    let code = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code);
    matches!(
        code,
        Some(
            "ProvisionedThroughputExceededException"
                | "ThrottlingException"
                | "TransactionConflictException"
        )
    )
}

type Sent = Result<UpdateItemOutput, SdkError<UpdateItemError>>;

#[async_trait]
impl LimitStore for DynamoLimits {
    /// An update under a condition that never holds: it writes nothing, and needs no right that counting does not need. It is
    /// given the time of the client, because the first connection takes longer than a limit may.
    async fn prepare(&self) -> Result<(), LimitStoreError> {
        let condition = Update::Look.condition();
        let expression = "REMOVE #current";
        let bucket = Bucket::of("", []);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(&bucket, &self.region)))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(item::names(&[expression, condition])));
        self.outcome(&bucket, request.send().await).map(|_| ())
    }

    async fn spend(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Result<Spent, LimitStoreError> {
        let tries = self.try_updates(bucket, rule, cost, now);
        tokio::time::timeout(self.patience.total(), tries)
            .await
            .unwrap_or_else(|_| Err(self.late()))
    }

    async fn give_back(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        amount: NonZeroU64,
        spent: &Spent,
    ) -> Result<(), LimitStoreError> {
        match rule.algorithm() {
            // What is paced comes back by itself.
            Algorithm::TokenBucket { .. } | Algorithm::LeakyBucket { .. } => return Ok(()),
            Algorithm::FixedWindow { .. }
            | Algorithm::SlidingWindow { .. }
            | Algorithm::Calendar { .. } => {}
        }
        let number = |number: u64| AttributeValue::N(number.to_string());
        let expression = "SET #current = #current - :amount";
        let condition = "#format = :format AND #mark = :mark AND #current >= :amount";
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(bucket, &self.region)))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(item::names(&[expression, condition])))
            .expression_attribute_values(":format", number(schema::FORMAT_VERSION.into()))
            .expression_attribute_values(":mark", number(spent.state.mark))
            .expression_attribute_values(":amount", number(amount.get()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(self.settings(RetryConfig::disabled()));
        let in_time = tokio::time::timeout(self.patience.total(), request.send()).await;
        self.outcome(bucket, in_time.map_err(|_| self.late())?)
            .map(|_| ())
    }
}

impl DynamoLimits {
    fn late(&self) -> LimitStoreError {
        let text = format!("UpdateItem on table `{}`: no answer in time", self.table);
        LimitStoreError::Unavailable(text)
    }
}

#[cfg(test)]
mod tests;
