//! One line for each command: who asked for what, and what came of it; and one for each new version of the configuration.
//! No secret, no content.

use doorward_keys::KeyId;
use serde_json::{Map, Value, json};

use crate::{
    error::AdminError,
    jobs::{Job, Report},
    reply::{BlockReply, KeyView, Reply},
};

/// One command in the log.
#[derive(Debug)]
pub(crate) struct LogLine<'a> {
    pub(crate) request_id: &'a str,
    /// Over which way the command came.
    pub(crate) via: &'static str,
    pub(crate) actor: Option<&'a str>,
    pub(crate) operation: Option<&'static str>,
    /// The key as the caller named it.
    pub(crate) key_id: Option<&'a str>,
    pub(crate) outcome: Result<&'a Reply, &'a AdminError>,
}

impl LogLine<'_> {
    /// The line, in JSON.
    pub(crate) fn text(&self) -> String {
        let mut line = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                line.insert(name.to_owned(), value);
            }
        };
        // What does not look like an id is left out: it may be anything, a key pasted by mistake included.
        let asked = self.key_id.and_then(KeyId::parse);
        let view = self.outcome.ok().and_then(key_of);
        let id = view
            .map(|view| view.id.clone())
            .or_else(|| asked.map(|id| id.to_string()));
        let level = match self.outcome {
            Ok(_) => "info",
            Err(AdminError::Unavailable(_) | AdminError::Corrupt(_)) => "error",
            Err(_) => "warn",
        };
        set("level", Some(json!(level)));
        set("event", Some(json!("key_admin")));
        set("requestId", Some(json!(self.request_id)));
        set("via", Some(json!(self.via)));
        set("actor", self.actor.map(Value::from));
        set("operation", self.operation.map(Value::from));
        set("keyId", id.map(Value::from));
        set(
            "blockId",
            self.outcome.ok().and_then(block_of).map(Value::from),
        );
        set("tenant", view.map(|view| json!(view.tenant)));
        set("version", view.map(|view| json!(view.version)));
        match self.outcome {
            Ok(Reply::Repeated { .. }) => set("outcome", Some(json!("repeated"))),
            Ok(
                Reply::Changed { changed: false, .. }
                | Reply::Scheduled { changed: false, .. }
                | Reply::OfBlocks(BlockReply::Blocked { changed: false, .. }),
            ) => set("outcome", Some(json!("unchanged"))),
            Ok(_) => set("outcome", Some(json!("done"))),
            Err(error) => {
                set("outcome", Some(json!(error.code())));
                set("cause", Some(json!(cause(error))));
            }
        }
        Value::Object(line).to_string()
    }
}

/// The line about the life of the function itself.
pub(crate) fn life(level: &str, event: &str, detail: &str) -> String {
    json!({"level": level, "event": event, "detail": detail}).to_string()
}

/// The line about one run of a job.
pub(crate) fn run(job: Job, report: &Report) -> String {
    json!({"level": "info", "event": "job", "job": job, "report": report}).to_string()
}

/// Sends the place of a panic to `log`, and nothing of its message: it may quote what a caller sent.
pub fn panics_to(log: fn(&str)) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        log(&life("error", "panic", &place.unwrap_or_default()));
    }));
}

fn key_of(reply: &Reply) -> Option<&KeyView> {
    match reply {
        Reply::Created { key, .. }
        | Reply::Rotated { key, .. }
        | Reply::Repeated { key, .. }
        | Reply::Key { key }
        | Reply::Changed { key, .. }
        | Reply::Imported { key, .. }
        | Reply::Scheduled { key, .. }
        | Reply::Usage { key, .. } => Some(key),
        Reply::Verified { key, .. } => key.as_deref(),
        Reply::Keys { .. }
        | Reply::Changes { .. }
        | Reply::Deleted { .. }
        | Reply::Many { .. }
        | Reply::Exported { .. }
        | Reply::OfBlocks(_) => None,
    }
}

fn block_of(reply: &Reply) -> Option<&str> {
    match reply {
        Reply::OfBlocks(
            BlockReply::Blocked { block, .. } | BlockReply::Unblocked { block, .. },
        ) => Some(&block.id),
        _ => None,
    }
}

/// What is told of an error. The faults of a request may quote it, so of these only the fields are named, and of these
/// no part that the caller chose, such as the names of metadata.
fn cause(error: &AdminError) -> String {
    match error {
        AdminError::Invalid(faults) => {
            let fields = faults.iter().take(20).map(|fault| {
                let ours = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '[' | ']');
                let field: String = fault.field.chars().take(24).take_while(ours).collect();
                if field.is_empty() {
                    "the request as a whole".to_owned()
                } else {
                    field
                }
            });
            format!("not valid: {}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
