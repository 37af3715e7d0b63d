//! Log batches of the access log, counted.

use doorward_keys::{Pieced, StoreError, Timestamp};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use super::{Answer, Function};
use crate::access_log::{BatchError, Delivery, Tally};

/// Why a batch, or a part of it, was not counted.
#[derive(Debug, thiserror::Error)]
enum Uncounted {
    #[error("the log batch is not valid: {0}")]
    Batch(#[from] BatchError),
    #[error("there is no place to count requests in; name the table of counters")]
    NoTable,
    #[error("{0}")]
    Store(StoreError),
}

impl Uncounted {
    /// The kind in one word, for machines.
    const fn code(&self) -> &'static str {
        match self {
            Self::Batch(_) => "invalid",
            Self::NoTable | Self::Store(StoreError::Unavailable(_) | StoreError::Conflict(_)) => {
                "unavailable"
            }
            Self::Store(StoreError::Corrupt(_)) => "corrupt",
        }
    }
}

/// What is told of a delivery.
#[derive(Default)]
struct Done {
    group: Option<String>,
    tally: Tally,
    /// Pieces counted now, and those that were counted by an earlier delivery.
    now: usize,
    before: usize,
    failure: Option<Uncounted>,
}

impl Function {
    /// Counts what `event` holds and logs one line about it. Every piece is tried, whatever became of the one before.
    pub(super) async fn answer_logs(
        &self,
        event: &Value,
        is_ambiguous: bool,
        request_id: &str,
        now: Timestamp,
    ) -> Answer {
        let mut done = Done::default();
        let read = if is_ambiguous {
            Err(BatchError::Shape)
        } else {
            Delivery::read(event)
        };
        match read {
            Ok(Delivery::Lines(batch)) => {
                done.tally = Tally::of(&batch, now, self.admin.usage_kept_days());
                done.group = Some(batch.group);
                self.count(&mut done).await;
            }
            Ok(Delivery::Control) => {}
            Err(error) => done.failure = Some(error.into()),
        }
        (self.log)(&line(&done, request_id));
        match done.failure {
            None => Answer::Body(json!({
                "requests": done.tally.requests,
                "pieces": done.now,
                "repeatedPieces": done.before,
            })),
            Some(failure) => Answer::Failure(Diagnostic {
                error_type: failure.code().to_owned(),
                error_message: failure.to_string(),
            }),
        }
    }

    async fn count(&self, done: &mut Done) {
        let Some(sink) = &self.requests else {
            done.failure = Some(Uncounted::NoTable);
            return;
        };
        for piece in &done.tally.pieces {
            match sink.count(piece).await {
                Ok(Pieced::Now) => done.now += 1,
                Ok(Pieced::Before) => done.before += 1,
                Err(error) => done.failure = Some(Uncounted::Store(error)),
            }
        }
    }
}

/// The line in JSON. No line of the batch is quoted: it may hold anything.
fn line(done: &Done, request_id: &str) -> String {
    let Done {
        group,
        tally,
        now,
        before,
        failure,
    } = done;
    let level = match failure {
        Some(_) => "error",
        None if tally.foreign > 0 => "warn",
        None => "info",
    };
    let mut line = json!({
        "level": level,
        "event": "access_log",
        "requestId": request_id,
        "outcome": failure.as_ref().map_or("done", Uncounted::code),
        "lines": tally.lines,
        "requests": tally.requests,
        "withoutKey": tally.without_key,
        "foreign": tally.foreign,
        "repeated": tally.repeated,
        "pieces": now,
        "repeatedPieces": before,
    });
    if let Some(members) = line.as_object_mut() {
        if let Some(group) = group {
            members.insert("group".to_owned(), json!(group));
        }
        if let Some(failure) = failure {
            members.insert("cause".to_owned(), json!(failure.to_string()));
        }
    }
    line.to_string()
}

#[cfg(test)]
mod tests;
