//! Log batches: lines of the access log are counted, and a use of a decoy in the log of the authorizer is told to its owner.

use doorward_keys::{Pieced, StoreError, Timestamp};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use super::{Answer, Function};
use crate::{
    access_log::{BatchError, Delivery, Tally},
    error::AdminError,
    leaks::decoy::DecoyUse,
};

/// Why a batch, or a part of it, was not counted.
#[derive(Debug, thiserror::Error)]
enum Uncounted {
    #[error("the log batch is not valid: {0}")]
    Batch(#[from] BatchError),
    #[error("there is no place to count requests in; name the table of counters")]
    NoTable,
    #[error("{0}")]
    Store(StoreError),
    #[error("the use of a decoy was not told: {0}")]
    Untold(AdminError),
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
            Self::Untold(error) => error.code(),
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
    /// Lines that tell of a decoy, and owners that were told now.
    decoys: usize,
    alarms: usize,
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
            Ok(Delivery::Lines(mut batch)) => {
                let (lines, uses) = DecoyUse::taken_from(&mut batch);
                done.decoys = lines;
                self.alarm(&uses, &mut done, now).await;
                done.tally = Tally::of(&batch, now, self.admin.usage_kept_days());
                done.group = Some(batch.group);
                self.count(&mut done).await;
            }
            Ok(Delivery::Control) => {}
            Err(error) => done.failure = Some(error.into()),
        }
        (self.log)(&line(&done, request_id));
        match done.failure {
            None => Answer::Body(answered(&done)),
            Some(failure) => Answer::Failure(Diagnostic {
                error_type: failure.code().to_owned(),
                error_message: failure.to_string(),
            }),
        }
    }

    /// Tells the owners of these decoys. Every one is tried, whatever became of the one before.
    async fn alarm(&self, uses: &[DecoyUse], done: &mut Done, now: Timestamp) {
        let mut alarmed = Vec::new();
        for seen in uses {
            let entropy = self.entropy.as_ref();
            match self.admin.decoy_used(seen, now, entropy).await {
                Ok(true) => alarmed.push(seen.key.clone()),
                Ok(false) => {}
                Err(error) => done.failure = Some(Uncounted::Untold(error)),
            }
        }
        done.alarms += alarmed.len();
        self.deliver(&alarmed).await;
    }

    async fn count(&self, done: &mut Done) {
        let Some(sink) = &self.requests else {
            if !done.tally.pieces.is_empty() {
                done.failure = Some(Uncounted::NoTable);
            }
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

fn answered(done: &Done) -> Value {
    let mut body = json!({
        "requests": done.tally.requests,
        "pieces": done.now,
        "repeatedPieces": done.before,
    });
    if done.decoys > 0
        && let Some(members) = body.as_object_mut()
    {
        members.insert("alarms".to_owned(), json!(done.alarms));
    }
    body
}

/// The line in JSON. No line of the batch is quoted: it may hold anything.
fn line(done: &Done, request_id: &str) -> String {
    let Done {
        group,
        tally,
        now,
        before,
        decoys,
        alarms,
        failure,
    } = done;
    let level = match failure {
        Some(_) => "error",
        None if tally.foreign > 0 || *decoys > 0 => "warn",
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
        if *decoys > 0 {
            members.insert("decoys".to_owned(), json!(decoys));
            members.insert("alarms".to_owned(), json!(alarms));
        }
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
