//! Events on a bus of `EventBridge`.

use std::sync::Arc;

use async_trait::async_trait;
use doorward_keys::{BusError, Event, EventBus};
use serde_json::{Value, json};

use super::{
    aws::{AwsAccess, Service},
    services::json_call,
};

/// The most entries of one call (AWS: `EventBridge` API Reference, `PutEvents`).
const MAX_ENTRIES: usize = 10;

/// The largest sum of entries of one call, in bytes (AWS: `EventBridge` User Guide, *Calculating `PutEvents` event entry size*).
const MAX_BYTES: usize = 256 * 1024;

/// What the time of an entry counts, in bytes.
const TIME_BYTES: usize = 14;

/// A bus of `EventBridge`, by name or ARN.
#[derive(Clone, Debug)]
pub struct EventBridge {
    aws: Arc<AwsAccess>,
    bus: String,
}

struct Entry {
    json: Value,
    bytes: usize,
}

impl EventBridge {
    /// The bus `bus`, reached as whom `aws` is.
    pub const fn new(aws: Arc<AwsAccess>, bus: String) -> Self {
        Self { aws, bus }
    }

    fn entry(&self, event: &Event) -> Result<Entry, BusError> {
        let detail = serde_json::to_string(&event.detail())
            .map_err(|error| BusError::Refused(error.to_string()))?;
        let (source, kind) = (event.source(), event.kind());
        let bytes = source.len() + kind.len() + detail.len() + TIME_BYTES;
        if bytes > MAX_BYTES {
            let why = format!("`{}` has more than {MAX_BYTES} bytes", event.id());
            return Err(BusError::Refused(why));
        }
        let json = json!({
            "EventBusName": self.bus,
            "Source": source,
            "DetailType": kind,
            "Detail": detail,
            "Time": event.at().unix(),
        });
        Ok(Entry { json, bytes })
    }

    /// One call, and what became of each of its entries.
    async fn put(&self, entries: Vec<Value>) -> Vec<Result<(), BusError>> {
        let count = entries.len();
        let all = |why: String| vec![Err(BusError::Unavailable(why)); count];
        let body = json!({ "Entries": entries });
        let answer = json_call(
            &self.aws,
            Service::EventBridge,
            "AWSEvents.PutEvents",
            &body,
        );
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(why) => return all(why),
        };
        match answer.get("Entries").and_then(Value::as_array) {
            Some(entries) if entries.len() == count => entries.iter().map(accepted).collect(),
            _ => all("the answer does not speak of every entry".to_owned()),
        }
    }
}

#[async_trait]
impl EventBus for EventBridge {
    /// AWS: `EventBridge` API Reference, `PutEvents`.
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), BusError>> {
        let mut outcomes = Vec::with_capacity(events.len());
        let mut entries: Vec<Result<Entry, BusError>> = Vec::new();
        let mut bytes: usize = 0;
        for event in events {
            let entry = self.entry(event);
            let more = entry.as_ref().map_or(0, |entry| entry.bytes);
            if entries.len() == MAX_ENTRIES || bytes.saturating_add(more) > MAX_BYTES {
                outcomes.extend(self.sent(std::mem::take(&mut entries)).await);
                bytes = 0;
            }
            bytes = bytes.saturating_add(more);
            entries.push(entry);
        }
        outcomes.extend(self.sent(entries).await);
        outcomes
    }
}

impl EventBridge {
    /// Sends what can be sent, and says of each, in the same order, what became of it.
    async fn sent(&self, entries: Vec<Result<Entry, BusError>>) -> Vec<Result<(), BusError>> {
        let good = entries.iter().flatten().map(|entry| entry.json.clone());
        let good: Vec<Value> = good.collect();
        let answers = if good.is_empty() {
            vec![]
        } else {
            self.put(good).await
        };
        let mut answers = answers.into_iter();
        let unanswered = || Err(BusError::Unavailable("there is no answer".to_owned()));
        let outcomes = entries.into_iter().map(|entry| match entry {
            Err(error) => Err(error),
            Ok(_) => answers.next().unwrap_or_else(unanswered),
        });
        outcomes.collect()
    }
}

/// What an entry of the answer says: an id, or a code and a message.
fn accepted(entry: &Value) -> Result<(), BusError> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    match (text("EventId"), text("ErrorCode")) {
        (Some(_), None) => Ok(()),
        (_, Some(code)) => {
            let message = text("ErrorMessage").unwrap_or_default();
            let why: String = format!("{code} {message}").chars().take(200).collect();
            // These pass; the others are about the event (AWS: EventBridge API Reference, PutEventsResultEntry).
            Err(match code {
                "ThrottlingException" | "InternalFailure" | "InternalException" => {
                    BusError::Unavailable(why)
                }
                _ => BusError::Refused(why),
            })
        }
        (None, None) => Err(BusError::Unavailable("the entry has no id".to_owned())),
    }
}
