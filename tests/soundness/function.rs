//! The whole function over stores in memory, asked as a REST API asks it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_authorizer::{Authorizer, Call, Event};
use doorward_backends::memory::{
    MemoryBlocks, MemoryCrls, MemoryKeys, MemoryLimits, MemoryReplays,
};
use doorward_engine::{Config, Engine, Sources, authority::Authorities, config::ConfigEnv};
use doorward_keys::{AuditAction, KeyLedger, KeyRecord, Timestamp};
use doorward_tests::{documents::Documents, keys::audit};
use serde_json::{Value, json};

pub(crate) const ARN: &str = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/prod";

/// The function, and the last line that it logged.
pub(crate) struct Function {
    authorizer: Authorizer,
    pub(crate) last: Arc<Mutex<Value>>,
}

impl Function {
    /// One of the configuration `text`, which knows `keys`.
    pub(crate) async fn new(text: &str, keys: &[&KeyRecord]) -> Self {
        let env = ConfigEnv {
            read_file: &|_| Err("there are no files".to_owned()),
            secret: &|_| Err("there are no secrets".to_owned()),
        };
        let config = match Config::read(text, "t", &env) {
            Ok(checked) => checked.config,
            Err(faults) => panic!("{faults}\n{text}"),
        };
        let held = MemoryKeys::new();
        for key in keys {
            let entry = audit(AuditAction::Create, key, 1);
            held.create(key, &entry, None).await.unwrap();
        }
        let sources = Sources {
            keys: Arc::new(held),
            key_sets: Arc::new(Documents::default()),
            blocks: Arc::new(MemoryBlocks::new()),
            crls: Arc::new(MemoryCrls::new()),
            replays: Arc::new(MemoryReplays::new()),
            authorities: Authorities::none(),
            limits: Arc::new(MemoryLimits::new()),
            stopwatch: || Duration::ZERO,
            pause: |time| Box::pin(tokio::time::sleep(time)),
        };
        let last = Arc::new(Mutex::new(Value::Null));
        let kept = Arc::clone(&last);
        let sink = Arc::new(move |line: &str| {
            *kept.lock().unwrap() = serde_json::from_str(line).unwrap();
        });
        let authorizer = Authorizer::new(Engine::new(config, sources), sink, || Duration::ZERO);
        Self { authorizer, last }
    }

    /// The answer to a request; none where it is an error, which no gateway keeps.
    pub(crate) async fn ask(
        &self,
        path: &str,
        headers: &Value,
        from: &str,
        now: Timestamp,
    ) -> Option<Value> {
        let event = json!({
            "type": "REQUEST", "methodArn": format!("{ARN}/GET{path}"), "path": path, "httpMethod": "GET",
            "headers": headers,
            "requestContext": {
                "accountId": "111122223333", "apiId": "a1b2c3d4e5", "stage": "prod",
                "httpMethod": "GET", "identity": {"sourceIp": from},
            },
        });
        let call = Call {
            request_id: "r".to_owned(),
            trace_id: None,
            received_at: now.into(),
            time_left: None,
        };
        let text = event.to_string();
        let event = Event::parse(text.as_bytes());
        let answer = self.authorizer.handle(&event, &call).await.ok()?;
        Some(answer.to_value())
    }
}
