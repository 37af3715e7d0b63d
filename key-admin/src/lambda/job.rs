//! Runs of jobs.

use doorward_keys::Timestamp;
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Function, Strict, error_message, shape, unambiguous};
use crate::{error::AdminError, jobs::Job};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    job: Job,
}

impl Function {
    /// Does the job that the event names, received at `now`.
    pub(super) async fn answer_job(
        &self,
        value: Value,
        is_ambiguous: bool,
        now: Timestamp,
    ) -> Answer {
        let read = Strict {
            value,
            is_ambiguous,
        };
        let event = unambiguous(read).and_then(|value| {
            serde_json::from_value::<Event>(value)
                .map_err(|error| AdminError::invalid("", shape(&error)))
        });
        let jobs = self.jobs.as_ref().ok_or_else(|| {
            AdminError::NotFound("place for jobs here: they need the table of keys".to_owned())
        });
        let (job, jobs) = match (event, jobs) {
            (Ok(Event { job }), Ok(jobs)) => (job, jobs),
            (Err(error), _) | (Ok(_), Err(error)) => {
                return Answer::Failure(Diagnostic {
                    error_type: error.code().to_owned(),
                    error_message: error_message(&error),
                });
            }
        };
        let report = jobs.run(job, now).await;
        Answer::Body(serde_json::to_value(&report).unwrap_or_default())
    }
}
