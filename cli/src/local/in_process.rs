//! The very handler of the Lambda, called in this process.

use std::time::Duration;

use async_trait::async_trait;
use doorward_authorizer::{Authorizer, Call, Event, Explained};
use doorward_engine::{Decision, Reason, decision::Trail};
use serde_json::Value;

use super::gateway::{AuthorizerFunction, Invocation};
use crate::{clock, output};

/// The time that the template gives the function.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The authorizer of the Lambda as the function of the gateway.
pub(super) struct InProcess(Authorizer);

impl InProcess {
    /// Calls `authorizer`.
    pub(super) const fn new(authorizer: Authorizer) -> Self {
        Self(authorizer)
    }
}

#[async_trait]
impl AuthorizerFunction for InProcess {
    async fn invoke(&self, event: Value) -> Invocation {
        let text = event.to_string();
        let event = Event::parse(text.as_bytes());
        let call = Call {
            request_id: String::new(),
            trace_id: None,
            received_at: clock::moment(),
            time_left: Some(TIMEOUT),
        };
        let explained = self.0.handle_explained(&event, &call).await;
        let note = output::one_line(&note(&explained));
        let answer = match explained.answer {
            Ok(answer) => Ok(answer.to_value()),
            Err(refusal) => Err(refusal.message().to_owned()),
        };
        Invocation {
            answer,
            note: Some(note),
        }
    }
}

/// Why, for the line of the request.
fn note(explained: &Explained) -> String {
    if let Some(reason) = explained.overruled {
        return reason.as_str().to_owned();
    }
    match &explained.verdict.decision {
        Decision::Allow(grant) => {
            let caller = caller(&explained.verdict.trail);
            match grant.limit().filter(|limit| limit.is_exceeded()) {
                Some(limit) => format!(
                    "{}, `{}` is used up: {caller}",
                    Reason::RateLimited.as_str(),
                    limit.name
                ),
                None => caller,
            }
        }
        Decision::Deny(denial) if denial.detail().is_empty() => denial.reason().as_str().to_owned(),
        Decision::Deny(denial) => format!("{}, {}", denial.reason().as_str(), denial.detail()),
    }
}

fn caller(trail: &Trail) -> String {
    trail.principal.as_deref().unwrap_or_default().to_owned()
}
