//! Events as lines of the log, where no bus is named.

use async_trait::async_trait;
use doorward_keys::{BusError, Event, EventBus};
use serde_json::json;

/// Writes each event as one line of JSON, so that the outbox does not grow where nobody listens.
#[derive(Clone, Copy, Debug)]
pub struct LogBus {
    log: fn(&str),
}

impl LogBus {
    /// Events to `log`, one line each.
    pub const fn new(log: fn(&str)) -> Self {
        Self { log }
    }
}

#[async_trait]
impl EventBus for LogBus {
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), BusError>> {
        let written = events.iter().map(|event| {
            let word = match event {
                Event::Key(_) => "key_event",
                Event::Block(_) => "block_event",
            };
            let line = json!({"level": "info", "event": word, "detail": event.detail()});
            (self.log)(&line.to_string());
            Ok(())
        });
        written.collect()
    }
}
