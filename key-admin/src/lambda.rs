//! Events to commands: a direct invocation, or an event of a gateway; and log batches, which are counted.
//!
//! - **Direct**: the event is the [`Command`] itself. Who may invoke the function is decided by IAM before it runs, so the
//!   caller is an operator. The answer is the [`Reply`](crate::Reply); an error ends the invocation as a function error
//!   with the code as type and a message for people.
//! - **REST**: recognised by `requestContext`; see [`rest`]. The caller is the IAM principal that the gateway names; where it
//!   names none, the API does not use IAM authorization and everything is refused.
//! - **Log batch**: recognised by `awslogs`. Sent by CloudWatch Logs as a direct invocation
//!   (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample>). What cannot be
//!   counted ends the invocation as a function error, so that Lambda invokes again; what was counted before is not counted
//!   again. Lines of the authorizer that tell of a decoy come the same way ([`decoy`](crate::leaks::decoy)).
//!
//! - **Job**: recognised by `job`, such as `{"job": "minute"}`. Sent by a schedule of `EventBridge` with that constant input; see
//!   [`jobs`](crate::jobs). The answer says what was done.
//!
//! The key set of identity tokens is for everybody, over either way (`key_set`). Reports of leaked keys come from nobody that IAM
//! knows; they are signed (`leaks`).
//!
//! An event that is more than one of these, or none, is refused.

mod job;
mod key_set;
mod leaks;
mod logs;

use std::sync::Arc;

use doorward_keys::{RequestSink, Timestamp};
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    admin::KeyAdmin, caller::Caller, command::Command, entropy::Entropy, error::AdminError,
    jobs::Jobs, leaks::PublicKeys, log::LogLine, rest, strict_json::Strict,
};

pub use leaks::ROUTE as LEAKS;

/// Who is named in audit entries after a direct invocation: the event does not say.
const INVOKER: &str = "iam:lambda:InvokeFunction";

/// An event, read strictly but not yet understood.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Event(Strict);

/// What goes back to the runtime.
#[derive(Debug)]
pub enum Answer {
    /// The body of the response.
    Body(Value),
    /// A function error.
    Failure(Diagnostic),
}

/// The function, apart from the runtime.
#[derive(Clone)]
pub struct Function {
    admin: KeyAdmin,
    entropy: Arc<dyn Entropy>,
    requests: Option<Arc<dyn RequestSink>>,
    jobs: Option<Jobs>,
    apis: Arc<[String]>,
    public_keys: Option<Arc<PublicKeys>>,
    log: fn(&str),
}

impl Function {
    /// The function over `admin`; `log` takes one line for each event.
    pub fn new(admin: KeyAdmin, entropy: Arc<dyn Entropy>, log: fn(&str)) -> Self {
        Self {
            admin,
            entropy,
            requests: None,
            jobs: None,
            apis: Arc::default(),
            public_keys: None,
            log,
        }
    }

    /// The same with a place for the requests of log batches; without one these are refused.
    pub fn with_requests(mut self, requests: Option<Arc<dyn RequestSink>>) -> Self {
        self.requests = requests;
        self
    }

    /// The same with jobs, and the delivery of events after each command; without them jobs are refused, and events wait.
    pub fn with_jobs(mut self, jobs: Jobs) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// The same for events of these APIs only, each an id or an id, `/` and a stage; none stands for every API.
    ///
    /// Whoever may invoke the function can still make up an event of such an API: that right is as good as being an
    /// operator.
    pub fn with_apis(mut self, apis: Arc<[String]>) -> Self {
        self.apis = apis;
        self
    }

    /// The same with what verifies reports of leaked keys; without it these are refused.
    pub fn with_public_keys(mut self, public_keys: Arc<PublicKeys>) -> Self {
        self.public_keys = Some(public_keys);
        self
    }

    /// Answers one event, received at `now`.
    pub async fn answer(&self, event: Event, request_id: &str, now: Timestamp) -> Answer {
        let Event(Strict {
            value,
            is_ambiguous,
        }) = event;
        if let Some(answer) = key_set::answer(&value, self.admin.key_set(), request_id) {
            return answer;
        }
        let leaks = self.answer_leaks(&value, is_ambiguous, request_id, now);
        if let Some(answer) = leaks.await {
            return answer;
        }
        if value.get("awslogs").is_some() {
            return self
                .answer_logs(&value, is_ambiguous, request_id, now)
                .await;
        }
        if value.get("job").is_some() {
            return self.answer_job(value, is_ambiguous, now).await;
        }
        let is_rest = value.get("requestContext").is_some();
        if is_rest && value.get("operation").is_none() {
            return Answer::Body(self.answer_rest(&value, request_id, now).await);
        }
        let caller = Caller::operator(INVOKER);
        let command = if is_rest {
            let message = "the event is both a command and an event of a gateway";
            Err(AdminError::invalid("", message))
        } else {
            command(value, is_ambiguous)
        };
        let asked = Asked {
            via: "invoke",
            request_id,
            caller: Ok(caller),
            command,
        };
        match self.done(asked, now).await {
            Ok(reply) => Answer::Body(reply),
            Err(error) => Answer::Failure(Diagnostic {
                error_type: error.code().to_owned(),
                error_message: error_message(&error),
            }),
        }
    }

    async fn answer_rest(&self, event: &Value, request_id: &str, now: Timestamp) -> Value {
        let asked = rest::Asked::of(event);
        let caller = rest::of_api(event, &self.apis)
            .and_then(|()| rest::caller(event, self.admin.callers()));
        // Who is not let in learns nothing about their request.
        let (command, read) = match &caller {
            Ok(_) => match rest::document(&asked) {
                Some(answer) => return answer,
                None => rest::read(&asked),
            },
            Err(error) => (Err(error.clone()), rest::Read::default()),
        };
        let done = Asked {
            via: "rest",
            request_id,
            caller,
            command,
        };
        rest::answer(self.done(done, now).await, &read, &asked, request_id)
    }

    /// Does what was asked and logs one line about it.
    async fn done(&self, asked: Asked<'_>, now: Timestamp) -> Result<Value, AdminError> {
        let (operation, key_id) = match &asked.command {
            Ok(command) => (
                Some(command.operation()),
                command.key_id().map(ToOwned::to_owned),
            ),
            Err(_) => (None, None),
        };
        let outcome = match (&asked.caller, asked.command) {
            (Ok(caller), Ok(command)) => {
                let entropy = self.entropy.as_ref();
                self.admin.run(command, caller, now, entropy).await
            }
            (Err(error), _) => Err(error.clone()),
            (Ok(_), Err(error)) => Err(error),
        };
        let line = LogLine {
            request_id: asked.request_id,
            via: asked.via,
            actor: asked.caller.as_ref().ok().map(Caller::name),
            operation,
            key_id: key_id.as_deref(),
            outcome: outcome.as_ref(),
        };
        (self.log)(&line.text());
        let reply = outcome?;
        self.deliver(&reply.changed()).await;
        serde_json::to_value(&reply).map_err(|error| AdminError::Corrupt(error.to_string()))
    }

    /// Tells at once what happened to the keys and blocks of these ids. What is not told now is told by the minute's job.
    async fn deliver<Id: AsRef<str> + Sync>(&self, ids: &[Id]) {
        if let Some(jobs) = &self.jobs
            && !ids.is_empty()
        {
            jobs.delivery().after_command(ids).await;
        }
    }
}

struct Asked<'a> {
    via: &'static str,
    request_id: &'a str,
    caller: Result<Caller, AdminError>,
    command: Result<Command, AdminError>,
}

fn command(value: Value, is_ambiguous: bool) -> Result<Command, AdminError> {
    let value = unambiguous(Strict {
        value,
        is_ambiguous,
    })?;
    if value.get("operation").is_none() {
        let message = "is missing; it is one of `create`, `get`, `list`, `rotate`, `disable`, `enable`, `revoke`, `update`, `delete`, `verify`, `audit`, `auditOfTenant`, `usage`, `schedule`, `unschedule`, `block`, `unblock`, `blocks`, `blockChanges`, `import`, `importMany`, `createMany`, `export`";
        return Err(AdminError::invalid("operation", message));
    }
    serde_json::from_value(value).map_err(|error| AdminError::invalid("", shape(&error)))
}

/// The value, if no object in it names a member twice.
pub(crate) fn unambiguous(read: Strict) -> Result<Value, AdminError> {
    if read.is_ambiguous {
        let message = "an object names the same member twice";
        return Err(AdminError::invalid("", message));
    }
    Ok(read.value)
}

/// What a reader of JSON says, as one bounded line.
pub(crate) fn shape(error: &serde_json::Error) -> String {
    error
        .to_string()
        .chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect()
}

fn error_message(error: &AdminError) -> String {
    match error {
        AdminError::Invalid(_) => error.to_string(),
        other => other.detail(),
    }
}

#[cfg(test)]
#[expect(
    clippy::string_slice,
    reason = "the texts are ASCII, and a test may panic"
)]
mod tests;
