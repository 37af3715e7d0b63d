//! The access log of the local gateway: every answered request with a key is one line, in the form that the template gives
//! the log of a deployed API, and is counted by the code that counts those.
//!
//! Lines are counted in batches, a moment after their requests. Nobody waits for that; what cannot be counted is said and lost.

use std::{sync::Arc, time::Duration};

use doorward_key_admin::access_log::{Batch, LogEvent, Tally, line};
use doorward_keys::RequestSink;
use tokio::sync::mpsc::{Receiver, channel};

use super::gateway::{Exchange, Observer};
use crate::{
    clock,
    output::{self, WARN, one_line, styled},
};

/// How many lines may wait to be counted. Where more come at once, some are lost.
const WAITING: usize = 65_536;
/// The most lines of one batch.
const BATCH: usize = 1000;
/// How long lines are gathered.
const GATHERED: Duration = Duration::from_millis(100);

/// An observer that writes lines and tells `observer` of every request; and what is to run beside the gateway. That ends when
/// the observer is gone and every line is counted. Counts are kept for `kept_days`.
pub(super) fn open(
    observer: Observer,
    sink: Arc<dyn RequestSink>,
    kept_days: u32,
) -> (Observer, impl Future<Output = Result<(), String>>) {
    let (lines, counted) = channel(WAITING);
    let log: Observer = Arc::new(move |exchange: &Exchange| {
        observer(exchange);
        if let Some(key) = &exchange.key_id {
            // Nobody waits for the log, neither where it is full nor where it has ended.
            let _ = lines.try_send(event(exchange, key));
        }
    });
    (log, count(counted, sink, kept_days))
}

fn event(exchange: &Exchange, key: &str) -> LogEvent {
    LogEvent {
        id: exchange.request_id.clone(),
        timestamp: exchange.at.unix().saturating_mul(1000),
        message: line::write(
            &exchange.request_id,
            exchange.at,
            exchange.status,
            Some(key),
        ),
    }
}

async fn count(
    mut lines: Receiver<LogEvent>,
    sink: Arc<dyn RequestSink>,
    kept_days: u32,
) -> Result<(), String> {
    while let Some(first) = lines.recv().await {
        tokio::time::sleep(GATHERED).await;
        let mut events = vec![first];
        while events.len() < BATCH
            && let Ok(event) = lines.try_recv()
        {
            events.push(event);
        }
        let batch = Batch {
            group: "doorward local".to_owned(),
            // No two requests of any run share an id, so one stream does for all.
            stream: "access".to_owned(),
            events,
        };
        for piece in Tally::of(&batch, clock::wall(), kept_days).pieces {
            if let Err(error) = sink.count(&piece).await {
                let warning = styled(WARN, "warning");
                let error = one_line(&error.to_string());
                output::say(&format!("{warning} requests are not counted: {error}"));
            }
        }
    }
    Ok(())
}
