//! One line of the access log, as `template.yaml` makes the gateway write it.
//!
//! ```json
//! {"doorward":"1","requestId":"…","at":"1795428000123","status":"200","route":"/orders/{id}",
//!  "keyId":"key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N","address":"203.0.113.7","apiId":"a1b2c3","stage":"v1","authorizerMs":"12"}
//! ```
//!
//! | member | variable of the gateway | used for |
//! |---|---|---|
//! | `doorward` | none: the version of this form | must be `1` |
//! | `requestId` | `$context.requestId` | people |
//! | `at` | `$context.requestTimeEpoch` | the hour |
//! | `status` | `$context.status` | whether the answer was 429 or 5xx |
//! | `route` | `$context.resourcePath`, in an HTTP API `$context.routeKey` | people |
//! | `keyId` | `$context.authorizer.keyId`: what the authorizer put into the context, from the cache or not | whose it is |
//! | `address` | `$context.identity.sourceIp` | people |
//! | `apiId`, `stage` | `$context.apiId`, `$context.stage` | people |
//! | `authorizerMs` | `$context.authorizer.latency` | people |
//!
//! The variables are those of REST APIs
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html>) and HTTP APIs
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html>); one without a value is
//! written as `-`. The gateway puts values between the quotes as they are, so none that a client chooses (path, query, user
//! agent, protocol) may stand in this form: it could end the text and name another key. Whether the authorizer ran is not
//! taken from a line: AWS documents no variable that says so. What the cache answered is the difference between the
//! requests counted here and the decisions that the authorizer counts itself.

use doorward_keys::{KeyId, Requests, Timestamp};
use serde_json::{Value, json};

use super::LogEvent;
use crate::strict_json::Strict;

/// The version of the form.
const VERSION: &str = "1";
/// The longest line that may be ours, in bytes.
const MAX_LINE: usize = 8 * 1024;
/// Numbers above are milliseconds, below seconds: as seconds it is the year 5138, as milliseconds 1973.
const MILLISECONDS: i64 = 100_000_000_000;
/// How far the time of a request may be from the time of its line, in seconds. A request takes minutes at most.
const DRIFT: i64 = 24 * 60 * 60;

/// One request that named a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The key.
    pub key: KeyId,
    /// When the gateway received it.
    pub at: Timestamp,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
}

impl Request {
    /// This one request, as it is counted.
    pub fn counted(&self) -> Requests {
        Requests {
            total: 1,
            throttled: u64::from(self.status == Some(429)),
            failed: u64::from(
                self.status
                    .is_some_and(|status| (500..600).contains(&status)),
            ),
        }
    }
}

/// What a line turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A request with a key.
    Request(Request),
    /// A request of ours without a key: a token, nobody, or refused before the authorizer could say who it was.
    NoKey,
    /// Not of this form.
    Foreign,
}

/// Reads the line of `event`.
pub fn read(event: &LogEvent) -> Line {
    // Only the end of a line may be around it.
    let text = event.message.trim_end_matches(['\n', '\r']);
    if text.len() > MAX_LINE {
        return Line::Foreign;
    }
    let Ok(Strict {
        value,
        is_ambiguous: false,
    }) = serde_json::from_str(text)
    else {
        return Line::Foreign;
    };
    if value.get("doorward").and_then(Value::as_str) != Some(VERSION) {
        return Line::Foreign;
    }
    let Some(at) = time(&value, event.timestamp) else {
        return Line::Foreign;
    };
    let key = match value.get("keyId").and_then(Value::as_str) {
        Some("-" | "") => return Line::NoKey,
        Some(id) => KeyId::parse(id),
        None => None,
    };
    let Some(key) = key else {
        return Line::Foreign;
    };
    let status = value.get("status").and_then(Value::as_str);
    Line::Request(Request {
        key,
        at,
        status: status.and_then(|text| text.parse().ok()),
    })
}

/// The line of a request, for a gateway that is not AWS's. `key` is absent where no context says one.
pub fn write(request_id: &str, at: Timestamp, status: u16, key: Option<&str>) -> String {
    json!({
        "doorward": VERSION,
        "requestId": request_id,
        "at": at.unix().saturating_mul(1000).to_string(),
        "status": status.to_string(),
        "keyId": key.unwrap_or("-"),
    })
    .to_string()
}

/// When the request was received: not far from when its line was written, so that a damaged line opens no hour in another
/// century.
fn time(line: &Value, written_at: i64) -> Option<Timestamp> {
    let seconds = |number: i64| {
        if number >= MILLISECONDS {
            number / 1000
        } else {
            number
        }
    };
    let at = line.get("at")?.as_str()?.parse().ok().map(seconds)?;
    let drift = at.checked_sub(seconds(written_at))?;
    (drift.checked_abs()? <= DRIFT).then(|| Timestamp::from_unix(at))
}

#[cfg(test)]
mod tests;
