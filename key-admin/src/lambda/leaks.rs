//! Reports of leaked keys: `POST /leaks/github`, in the form of GitHub's secret scanning partner program. Anybody can reach it;
//! only what GitHub signed is read. Nothing of a token reaches a log or an answer but its digest, to GitHub.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_engine::leaks::LeaksConfig;
use doorward_keys::{KeyId, Timestamp};
use serde_json::{Map, Value, json};

use super::{Answer, Function};
use crate::{
    error::AdminError,
    leaks::{
        public_keys::{Signed, Unverified},
        report::{self, Finding, MAX_BODY},
        response::Found,
    },
    rest::{self, Asked},
};

/// The route, as the gateway has it.
pub const ROUTE: (&str, &str) = ("POST", "/leaks/github");

/// The most ids that a line names.
const MAX_NAMED: usize = 100;

/// What came of a report.
#[derive(Default)]
struct Done {
    feedback: Vec<Value>,
    tokens: usize,
    keys: Vec<String>,
    unknown: usize,
    elsewhere: usize,
    told: usize,
}

impl Function {
    /// The answer to `event` where it is a report; `None` where it is something else.
    pub(super) async fn answer_leaks(
        &self,
        event: &Value,
        is_ambiguous: bool,
        request_id: &str,
        now: Timestamp,
    ) -> Option<Answer> {
        let asked = Asked::of(event);
        let is_asked = event.get("requestContext").is_some()
            && event.get("operation").is_none()
            && (asked.method, asked.resource) == ROUTE;
        if !is_asked {
            return None;
        }
        let mut done = Done::default();
        let outcome = if is_ambiguous {
            let message = "the event of the gateway names the same member twice";
            Err(AdminError::invalid("", message))
        } else {
            self.report(&asked, &mut done, now).await
        };
        (self.log)(&line(&done, outcome.as_ref().err(), request_id));
        Some(Answer::Body(match outcome {
            Ok(()) => {
                let body = Value::Array(done.feedback).to_string();
                rest::json_answer(200, "application/json", &body, Map::new())
            }
            Err(error) => rest::refused(&error, request_id),
        }))
    }

    async fn report(
        &self,
        asked: &Asked<'_>,
        done: &mut Done,
        now: Timestamp,
    ) -> Result<(), AdminError> {
        let Some(rules) = self.admin.leaks() else {
            return Err(AdminError::NotFound(
                "such route; the configuration has no `leaks`".to_owned(),
            ));
        };
        let body = body(asked)?;
        self.verified(rules, asked, &body, now).await?;
        let findings = report::read(&body)?;
        done.tokens = findings.len();
        let mut failure = None;
        for finding in &findings {
            // Each one is tried, whatever became of the one before.
            if let Err(error) = self.respond(rules, finding, done, now).await {
                failure = Some(error);
            }
        }
        let keys = done.keys.iter().filter_map(|id| KeyId::parse(id));
        self.deliver(&keys.collect::<Vec<_>>()).await;
        match failure {
            None => Ok(()),
            // To GitHub every fault of ours is one that may pass.
            Some(AdminError::Corrupt(why)) => Err(AdminError::Corrupt(why)),
            Some(error) => Err(AdminError::Unavailable(error.to_string())),
        }
    }

    async fn verified(
        &self,
        rules: &LeaksConfig,
        asked: &Asked<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), AdminError> {
        let key = asked.header("github-public-key-identifier")?;
        let signature = asked.header("github-public-key-signature")?;
        let (Some(key), Some(signature)) = (key, signature) else {
            return Err(AdminError::Forbidden(
                "the report is not signed; GitHub signs each".to_owned(),
            ));
        };
        let Some(public_keys) = &self.public_keys else {
            let why = "there is nothing that fetches public keys";
            return Err(AdminError::Unavailable(why.to_owned()));
        };
        let signed = Signed {
            key,
            signature,
            body,
        };
        public_keys
            .verify(rules, signed, now)
            .await
            .map_err(|unverified| match unverified {
                Unverified::Forged(why) => AdminError::Forbidden(why.to_owned()),
                Unverified::Unavailable(_) => AdminError::Unavailable(unverified.to_string()),
            })
    }

    async fn respond(
        &self,
        rules: &LeaksConfig,
        finding: &Finding,
        done: &mut Done,
        now: Timestamp,
    ) -> Result<(), AdminError> {
        let entropy = self.entropy.as_ref();
        let means = (rules, self.jobs.as_ref());
        let found = self.admin.leaked(finding, means, now, entropy).await?;
        done.feedback.extend(report::feedback(finding, &found));
        match found {
            Found::Nothing => done.unknown += 1,
            Found::Elsewhere => done.elsewhere += 1,
            Found::Key(leaked) => {
                done.told += usize::from(leaked.is_told);
                done.keys.push(leaked.id.to_string());
            }
        }
        Ok(())
    }
}

/// The body, byte for byte as it was signed.
fn body<'e>(asked: &Asked<'e>) -> Result<Cow<'e, [u8]>, AdminError> {
    let wrong = || {
        let message = format!("the body must be JSON of at most {MAX_BODY} bytes");
        AdminError::invalid("", message)
    };
    let (body, is_binary) = asked.body();
    let text = body.and_then(Value::as_str).ok_or_else(wrong)?;
    if text.len() > MAX_BODY.saturating_mul(2) {
        return Err(wrong());
    }
    let bytes = if is_binary {
        Cow::Owned(STANDARD.decode(text).map_err(|_| wrong())?)
    } else {
        Cow::Borrowed(text.as_bytes())
    };
    if bytes.len() > MAX_BODY {
        return Err(wrong());
    }
    Ok(bytes)
}

/// The line in JSON. It quotes nothing of the report.
fn line(done: &Done, failure: Option<&AdminError>, request_id: &str) -> String {
    let level = match failure {
        None if done.keys.is_empty() => "info",
        Some(AdminError::Unavailable(_) | AdminError::Corrupt(_)) => "error",
        _ => "warn",
    };
    let mut line = json!({
        "level": level,
        "event": "leaks",
        "requestId": request_id,
        "outcome": failure.map_or("done", AdminError::code),
        "tokens": done.tokens,
        "unknown": done.unknown,
        "elsewhere": done.elsewhere,
        "told": done.told,
        "keys": done.keys.iter().take(MAX_NAMED).collect::<Vec<_>>(),
    });
    if let (Some(failure), Some(members)) = (failure, line.as_object_mut()) {
        members.insert("cause".to_owned(), json!(failure.to_string()));
    }
    line.to_string()
}
