//! A batch of log events as CloudWatch Logs sends it to a function:
//! `{"awslogs": {"data": base64(gzip(json))}}`
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample>).

use std::io::Read as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

/// The longest text of a batch: the largest payload that Lambda takes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>), in bytes.
const MAX_TEXT: usize = 6 * 1024 * 1024;
/// What a batch may grow to when it is unpacked, in bytes. Log lines shrink to a tenth; a bomb shrinks to a thousandth.
const MAX_UNPACKED: u64 = 32 * 1024 * 1024;
/// The longest name of a log group or stream (`CreateLogGroup`, `CreateLogStream`), in bytes.
const MAX_NAME: usize = 512;
/// The longest id of an event, in bytes. CloudWatch Logs makes ids of 56 digits.
const MAX_ID: usize = 128;

/// Log events of one stream, in the order of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The log group.
    pub group: String,
    /// The log stream.
    pub stream: String,
    /// The events.
    pub events: Vec<LogEvent>,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogEvent {
    /// What CloudWatch Logs calls it; no two events of a stream share one.
    pub id: String,
    /// When it was written, in milliseconds since the epoch.
    pub timestamp: i64,
    /// The line.
    pub message: String,
}

/// What a delivery turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Log events.
    Lines(Batch),
    /// CloudWatch Logs asks whether somebody listens; there is nothing to count.
    Control,
}

/// Why a delivery is refused. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// There is no text at `awslogs.data`, or something beside it.
    #[error("the event has no text `awslogs.data`, or more than that")]
    Shape,
    /// The text is longer than a payload can be.
    #[error("`awslogs.data` is longer than {MAX_TEXT} bytes")]
    TooLong,
    /// The text is not base64 (RFC 4648 section 4).
    #[error("`awslogs.data` is not base64")]
    Base64,
    /// The bytes are not one whole member of gzip (RFC 1952).
    #[error("`awslogs.data` is not one whole gzip file")]
    Gzip,
    /// It grows too large when it is unpacked.
    #[error("`awslogs.data` unpacks to more than {MAX_UNPACKED} bytes")]
    TooLarge,
    /// What was unpacked is no batch as CloudWatch Logs describes it.
    #[error("the batch is not of the form that CloudWatch Logs documents")]
    Form,
    /// Neither `DATA_MESSAGE` nor `CONTROL_MESSAGE`.
    #[error("the batch is of a type that is not known")]
    Type,
}

/// As it is written. Members that AWS may add are let be.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    message_type: String,
    #[serde(default)]
    log_group: String,
    #[serde(default)]
    log_stream: String,
    #[serde(default)]
    log_events: Vec<LogEvent>,
}

impl Batch {
    /// Unpacks the event of a delivery. `None` is a message of CloudWatch Logs about the subscription itself.
    pub fn read(event: &Value) -> Result<Option<Self>, BatchError> {
        Delivery::read(event).map(|delivery| match delivery {
            Delivery::Lines(batch) => Some(batch),
            Delivery::Control => None,
        })
    }
}

impl Delivery {
    pub(crate) fn read(event: &Value) -> Result<Self, BatchError> {
        let text = event
            .as_object()
            .filter(|members| members.len() == 1)
            .and_then(|members| members.get("awslogs")?.get("data")?.as_str())
            .ok_or(BatchError::Shape)?;
        if text.len() > MAX_TEXT {
            return Err(BatchError::TooLong);
        }
        let packed = STANDARD.decode(text).map_err(|_| BatchError::Base64)?;
        let unpacked = unpack(&packed)?;
        let raw: Raw = serde_json::from_slice(&unpacked).map_err(|_| BatchError::Form)?;
        match raw.message_type.as_str() {
            "CONTROL_MESSAGE" => Ok(Self::Control),
            "DATA_MESSAGE" => checked(raw).map(Self::Lines),
            _ => Err(BatchError::Type),
        }
    }
}

/// One member of gzip, whole and with nothing behind it; its length and checksum are verified by the reader.
fn unpack(packed: &[u8]) -> Result<Vec<u8>, BatchError> {
    let mut unpacked = Vec::new();
    let mut reader = GzDecoder::new(packed);
    let read = reader
        .by_ref()
        .take(MAX_UNPACKED.saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(|_| BatchError::Gzip)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MAX_UNPACKED {
        return Err(BatchError::TooLarge);
    }
    if !reader.into_inner().is_empty() {
        return Err(BatchError::Gzip);
    }
    Ok(unpacked)
}

fn checked(raw: Raw) -> Result<Batch, BatchError> {
    let named = |name: &str, max: usize| (1..=max).contains(&name.len());
    let fits = named(&raw.log_group, MAX_NAME)
        && named(&raw.log_stream, MAX_NAME)
        && raw.log_events.iter().all(|event| named(&event.id, MAX_ID));
    if !fits {
        return Err(BatchError::Form);
    }
    Ok(Batch {
        group: raw.log_group,
        stream: raw.log_stream,
        events: raw.log_events,
    })
}

#[cfg(test)]
mod tests;
