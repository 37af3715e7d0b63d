//! The authorizer over a counted `DynamoDB`, and keys that it lets in.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use doorward_authorizer::{Call, Event, clock, settings::Environment, wiring::Service};
use doorward_backends::dynamodb::TableNames;
use serde_json::json;

/// What the work after an answer may take.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// One sandbox.
pub(crate) struct Gate(Service);

impl Gate {
    /// A sandbox with `config` over the `DynamoDB` at `url`.
    pub(crate) async fn start(config: &str, url: &str, tables: &TableNames) -> Self {
        let environment: Environment = [
            ("DOORWARD_CONFIG", config),
            ("DOORWARD_KEYS_TABLE", &tables.keys),
            ("DOORWARD_COUNTERS_TABLE", &tables.counters),
            ("AWS_ENDPOINT_URL_DYNAMODB", url),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        Self(Service::start(environment, Arc::new(told)).await)
    }

    /// One call with `key`, which must be let in, and what the sandbox does after the answer.
    pub(crate) async fn call(&self, key: &str) -> anyhow::Result<()> {
        let event = json!({
            "type": "TOKEN", "authorizationToken": format!("Bearer {key}"),
            "methodArn": "arn:aws:execute-api:us-east-1:111122223333:a1b2c3/prod/GET/orders",
        });
        let text = event.to_string();
        let event = Event::parse(text.as_bytes());
        let call = Call {
            request_id: "bench".to_owned(),
            trace_id: None,
            received_at: clock::moment(),
            time_left: None,
        };
        let explained = self.0.authorizer().decide(&event, &call).await;
        let refusal = explained.verdict.decision;
        ensure!(
            matches!(refusal, doorward_engine::Decision::Allow(_)),
            "a call was refused: {refusal:?}"
        );
        self.0.refresh(AFTERWARDS).await;
        Ok(())
    }

    /// The end of the sandbox: what is not written yet is written.
    pub(crate) async fn end(self) {
        self.0.finish(AFTERWARDS, Duration::ZERO).await;
    }
}

/// What goes wrong is worth a line here, and nothing else.
fn told(line: &str) {
    if !line.contains(r#""level":"INFO""#) {
        eprintln!("{line}");
    }
}
