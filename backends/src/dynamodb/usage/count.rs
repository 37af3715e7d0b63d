//! What the reader of the access log does: pieces counted once.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    error::{BuildError, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem, Update},
};
use doorward_keys::{LogPiece, Pieced, RequestCount, RequestSink, StoreError};

use super::DynamoUsage;
use crate::dynamodb::{errors::unavailable, item::Item, schema};

/// How often a piece is tried. Batches of one key meet at its item of the hour, and a transaction does not wait for another.
const ATTEMPTS: u32 = 8;
/// Before the second attempt, at the least; twice as long before each later one.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

#[async_trait]
impl RequestSink for DynamoUsage {
    async fn count(&self, piece: &LogPiece) -> Result<Pieced, StoreError> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(pause(piece, attempt)).await;
            }
            match self.try_to_count(piece).await? {
                Tried::Done => return Ok(Pieced::Now),
                Tried::KnownPiece => return Ok(Pieced::Before),
                Tried::Contended => {}
            }
        }
        let text = format!(
            "TransactWriteItems on table `{}`: others wrote the same items under each of the attempts",
            self.table
        );
        Err(StoreError::Unavailable(text))
    }
}

/// What came of an attempt.
enum Tried {
    /// The piece is counted.
    Done,
    /// Its name was there.
    KnownPiece,
    /// Another transaction was on one of the items at the same time.
    Contended,
}

impl DynamoUsage {
    async fn try_to_count(&self, piece: &LogPiece) -> Result<Tried, StoreError> {
        let built: Result<Vec<_>, BuildError> = std::iter::once(self.remember(piece))
            .chain(piece.counts.iter().map(|count| self.addition(count)))
            .collect();
        let writes = built.map_err(|error| {
            let table = &self.table;
            StoreError::Unavailable(format!(
                "the write to table `{table}` cannot be built: {error}"
            ))
        })?;
        // The SDK sends one request token with every attempt of its own, and the name of the piece holds between ours.
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Tried::Done),
            Err(error) => self.outcome(&error, piece),
        }
    }

    /// What the reasons of a cancelled transaction say. The first write is the name of the piece; one that is there means
    /// that all the others were made with it.
    fn outcome<R>(
        &self,
        error: &SdkError<TransactWriteItemsError, R>,
        piece: &LogPiece,
    ) -> Result<Tried, StoreError>
    where
        R: std::fmt::Debug + 'static,
    {
        let failed = || Err(unavailable("TransactWriteItems", &self.table, error));
        let SdkError::ServiceError(service) = error else {
            return failed();
        };
        let TransactWriteItemsError::TransactionCanceledException(cancelled) = service.err() else {
            return failed();
        };
        let codes: Vec<_> = cancelled
            .cancellation_reasons()
            .iter()
            .map(|reason| reason.code().unwrap_or_default())
            .collect();
        let at = |code: &str| codes.iter().position(|found| *found == code);
        match (at("ConditionalCheckFailed"), at("TransactionConflict")) {
            (Some(0), _) => Ok(Tried::KnownPiece),
            (Some(place), _) => {
                let count = place.checked_sub(1).and_then(|at| piece.counts.get(at));
                let whose = count.map_or_else(String::new, |count| {
                    format!(" of `{}` in {}", count.key, count.hour)
                });
                Err(StoreError::Corrupt(format!(
                    "the requests{whose} are not of format {}",
                    schema::FORMAT_VERSION
                )))
            }
            (None, Some(_)) => Ok(Tried::Contended),
            (None, None) => failed(),
        }
    }

    /// The name of the piece, unless it is there.
    fn remember(&self, piece: &LogPiece) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.table)
            .item(schema::PK, text(schema::batch_pk(&piece.name)))
            .item(schema::SK, text(schema::BATCH_SK.to_owned()))
            .item(schema::FORMAT, number(&schema::FORMAT_VERSION))
            .item(schema::COUNTERS_TTL, number(&piece.expires_at.unix()))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", schema::PK)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn addition(&self, count: &RequestCount) -> Result<TransactWriteItem, BuildError> {
        let requests = count.requests;
        let mut names = HashMap::from([
            ("#pk".to_owned(), schema::PK.to_owned()),
            ("#format".to_owned(), schema::FORMAT.to_owned()),
            ("#expires_at".to_owned(), schema::COUNTERS_TTL.to_owned()),
        ]);
        let mut values = Item::from([
            (":format".to_owned(), number(&schema::FORMAT_VERSION)),
            (":expires_at".to_owned(), number(&count.expires_at.unix())),
        ]);
        let mut additions = Vec::new();
        for (name, amount, is_always) in [
            (schema::REQUESTS, requests.total, true),
            (schema::REQUESTS_THROTTLED, requests.throttled, false),
            (schema::REQUESTS_FAILED, requests.failed, false),
        ] {
            if is_always || amount > 0 {
                names.insert(format!("#{name}"), name.to_owned());
                values.insert(format!(":{name}"), number(&amount));
                additions.push(format!("#{name} :{name}"));
            }
        }
        let sk = schema::requests_sk(count.hour, &self.region);
        let update = Update::builder()
            .table_name(&self.table)
            .key(schema::PK, text(schema::usage_pk(count.key.as_str())))
            .key(schema::SK, text(sk))
            .update_expression(format!(
                "SET #format = :format, #expires_at = :expires_at ADD {}",
                additions.join(", ")
            ))
            .condition_expression("attribute_not_exists(#pk) OR #format = :format")
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// How long to wait before an attempt. The name of the piece takes the place of chance: two pieces that met once do not meet
/// again at the same moment.
fn pause(piece: &LogPiece, attempt: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(8));
    let spread = piece.name.bytes().rev().skip(attempt as usize).take(4);
    let spread = spread.fold(0_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    doubled + doubled.mul_f64(f64::from(spread % 1000) / 1000.0)
}

fn text(value: String) -> AttributeValue {
    AttributeValue::S(value)
}

fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
