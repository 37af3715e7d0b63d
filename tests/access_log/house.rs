//! Key administration over an embedded `DynamoDB`, and batches for it.

use std::{collections::BTreeMap, io::Write as _, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::{DynamoKeys, DynamoUsage, Patience, TableNames};
use doorward_key_admin::{
    KeyAdmin, KeyPolicy, SystemEntropy,
    access_log::line,
    lambda::{Answer, Event, Function},
};
use doorward_keys::{KeyId, RequestSink, Timestamp, format::KeyFormat};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

/// 2026-11-23T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_428_000);

/// A busy machine may be slow; these suites are not about time.
pub(crate) const CALM: Patience = Patience {
    connect: Duration::from_secs(5),
    attempt: Duration::from_secs(20),
    attempts: 1,
};

pub(crate) struct House {
    pub(crate) dynamo: EmbeddedDynamo,
    pub(crate) names: TableNames,
}

impl House {
    pub(crate) async fn open() -> Self {
        let names = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names);
        Self {
            dynamo: dynamo.await.unwrap(),
            names,
        }
    }

    /// The counts as one process reaches them.
    pub(crate) fn usage(&self) -> Arc<DynamoUsage> {
        let client = self.dynamo.client();
        Arc::new(DynamoUsage::new(client, &self.names.counters, CALM))
    }

    /// The function over `sink`.
    pub(crate) fn function(&self, sink: Arc<dyn RequestSink>) -> Function {
        let policy = KeyPolicy {
            format: KeyFormat {
                prefix: "ck".to_owned(),
                environments: vec!["live".to_owned()],
                pepper: None,
                previous_pepper: None,
            },
            default_lifetime_days: 90,
            max_lifetime_days: 365,
            retention_days: 30,
            cache_seconds: 60,
            gateway_ttl_seconds: 300,
        };
        let keys = DynamoKeys::new(self.dynamo.client().clone(), &self.names.keys);
        let admin = KeyAdmin::new(policy, Arc::new(keys)).with_usage(self.usage());
        Function::new(admin, Arc::new(SystemEntropy), |_| {}).with_requests(Some(sink))
    }

    /// How many requests are counted of each key in all, from one look at the table.
    pub(crate) async fn counted(&self) -> BTreeMap<String, u64> {
        let mut counted = BTreeMap::new();
        let scan = self.dynamo.client().scan();
        let mut parts = scan
            .table_name(&self.names.counters)
            .into_paginator()
            .send();
        while let Some(part) = parts.next().await {
            for item in part.unwrap().items.unwrap_or_default() {
                let Some(requests) = item.get("requests") else {
                    continue;
                };
                let pk = item["pk"].as_s().unwrap();
                let key = pk.strip_prefix("usage#").unwrap().to_owned();
                let requests: u64 = requests.as_n().unwrap().parse().unwrap();
                *counted.entry(key).or_default() += requests;
            }
        }
        counted
    }
}

pub(crate) fn key(number: u128) -> KeyId {
    KeyId::new(NOW, number)
}

/// The log event of one request.
pub(crate) fn request(id: &str, key: &KeyId, at: Timestamp, status: u16) -> Value {
    let message = line::write(id, at, status, Some(key.as_str()));
    json!({"id": id, "timestamp": at.unix() * 1000, "message": message})
}

/// `events` as CloudWatch Logs sends them.
pub(crate) fn delivery(stream: &str, events: &[Value]) -> Value {
    let batch = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/doorward/shop/rest-access",
        "logStream": stream, "subscriptionFilters": ["doorward"], "logEvents": events,
    });
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(batch.to_string().as_bytes()).unwrap();
    json!({"awslogs": {"data": STANDARD.encode(packed.finish().unwrap())}})
}

/// What the function answers to `event`: its body, or the type of the error.
pub(crate) async fn send(function: &Function, event: &Value) -> Result<Value, String> {
    let event: Event = serde_json::from_value(event.clone()).unwrap();
    match function.answer(event, "r", NOW).await {
        Answer::Body(body) => Ok(body),
        Answer::Failure(diagnostic) => Err(diagnostic.error_type),
    }
}
