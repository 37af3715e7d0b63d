//! Usage of keys, written to the counters table every few seconds and at the end, so that it can be looked at.

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::Client;
use doorward_authorizer::names;
use doorward_backends::dynamodb::{DynamoUsage, Patience};
use doorward_engine::{
    limits::Span,
    usage::{UsageBuffer, UsageConfig},
};

use crate::clock;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How long writing may take.
const WITHIN: Duration = Duration::from_secs(2);

/// What is counted, and how the configuration wants it.
#[derive(Clone)]
pub(super) struct LocalUsage {
    buffer: Arc<UsageBuffer>,
    config: UsageConfig,
}

impl std::fmt::Debug for LocalUsage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalUsage")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl LocalUsage {
    /// Counts into `table`.
    pub(super) fn new(client: &Client, table: &str, config: UsageConfig) -> Self {
        let sink = Arc::new(DynamoUsage::new(client, table, Patience::ADMIN));
        Self {
            buffer: Arc::new(UsageBuffer::new(sink, names::fresh, clock::stopwatch)),
            // Somebody is looking: nothing is held for longer than it takes to ask.
            config: UsageConfig {
                flush_after: Span::SECOND,
                ..config
            },
        }
    }

    /// Where the authorizer counts.
    pub(super) fn buffer(&self) -> Arc<UsageBuffer> {
        Arc::clone(&self.buffer)
    }

    /// Writes what is due until `end`.
    pub(super) async fn write(self, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => break,
                () = tokio::time::sleep(EVERY) => {}
            }
            // What is not written is written the next time.
            self.buffer
                .flush(&self.config, clock::moment(), WITHIN)
                .await;
        }
    }

    /// Writes everything.
    pub(super) async fn finish(&self) {
        self.buffer
            .finish(&self.config, clock::moment(), WITHIN)
            .await;
    }
}
