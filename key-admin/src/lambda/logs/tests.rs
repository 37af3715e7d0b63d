use std::{
    io::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_backends::memory::{MemoryKeys, MemoryUsage};
use doorward_keys::{
    EventKind, Hour, Hours, KeyId, KeyLedger, LogPiece, Outbox, RequestSink, UsageReader,
    format::KeyFormat,
};
use flate2::{Compression, write::GzEncoder};

use super::*;
use crate::{KeyAdmin, KeyPolicy, SystemEntropy, access_log::line, lambda::Event};

const NOW: Timestamp = Timestamp::from_unix(1_795_428_000);

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn logged(request_id: &str) -> Value {
    let log = LOG.lock().unwrap();
    let mut lines = log
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["requestId"] == request_id);
    let line = lines.next().unwrap();
    assert_eq!(lines.next(), None, "one line for each event");
    line
}

fn function(sink: Option<Arc<dyn RequestSink>>) -> Function {
    let admin = KeyAdmin::new(policy(), Arc::new(MemoryKeys::new()));
    of(admin, sink)
}

fn policy() -> KeyPolicy {
    KeyPolicy {
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
    }
}

fn of(admin: KeyAdmin, sink: Option<Arc<dyn RequestSink>>) -> Function {
    Function::new(admin, Arc::new(SystemEntropy), |line| {
        LOG.lock().unwrap().push(line.to_owned());
    })
    .with_requests(sink)
}

fn key(number: u128) -> KeyId {
    KeyId::new(NOW, number)
}

fn message(id: usize, key: &KeyId) -> Value {
    let at = NOW.unix() * 1000;
    let message = line::write("r", NOW, 200, Some(key.as_str()));
    json!({"id": id.to_string(), "timestamp": at, "message": message})
}

fn event(events: &[Value]) -> Value {
    let batch = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/doorward/shop/rest-access",
        "logStream": "s", "subscriptionFilters": ["f"], "logEvents": events,
    });
    let mut writer = GzEncoder::new(Vec::new(), Compression::default());
    writer.write_all(batch.to_string().as_bytes()).unwrap();
    json!({"awslogs": {"data": STANDARD.encode(writer.finish().unwrap())}})
}

async fn send(function: &Function, event: &Value, request_id: &str) -> Result<Value, Diagnostic> {
    let event: Event = serde_json::from_value(event.clone()).unwrap();
    match function.answer(event, request_id, NOW).await {
        Answer::Body(body) => Ok(body),
        Answer::Failure(diagnostic) => Err(diagnostic),
    }
}

async fn counted(usage: &MemoryUsage, key: &KeyId) -> u64 {
    let hour = Hour::of(NOW);
    let hours = Hours::new(hour, hour.plus(1)).unwrap();
    let found = usage.usage(key, hours).await.unwrap();
    found.iter().map(|hour| hour.requests.total).sum()
}

#[tokio::test]
async fn a_batch_is_counted_once_however_often_it_comes() {
    let usage = Arc::new(MemoryUsage::new());
    let function = function(Some(usage.clone()));
    let foreign = json!({"id": "9", "timestamp": 1, "message": "secret-looking text"});
    let event = event(&[
        message(1, &key(1)),
        message(2, &key(1)),
        message(3, &key(2)),
        foreign,
    ]);
    let first = send(&function, &event, "once").await.unwrap();
    assert_eq!(
        first,
        json!({"requests": 3, "pieces": 1, "repeatedPieces": 0})
    );
    let again = send(&function, &event, "again").await.unwrap();
    assert_eq!(
        again,
        json!({"requests": 3, "pieces": 0, "repeatedPieces": 1})
    );
    assert_eq!(counted(&usage, &key(1)).await, 2);
    assert_eq!(counted(&usage, &key(2)).await, 1);
    let expected = json!({
        "level": "warn", "event": "access_log", "requestId": "once", "outcome": "done",
        "group": "/doorward/shop/rest-access", "lines": 4, "requests": 3, "withoutKey": 0, "foreign": 1, "repeated": 0,
        "pieces": 1, "repeatedPieces": 0,
    });
    assert_eq!(logged("once"), expected);
}

#[tokio::test]
async fn a_message_about_the_subscription_is_answered() {
    let control = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination."}]}"#;
    let mut writer = GzEncoder::new(Vec::new(), Compression::default());
    writer.write_all(control.as_bytes()).unwrap();
    let event = json!({"awslogs": {"data": STANDARD.encode(writer.finish().unwrap())}});
    let answer = send(&function(None), &event, "control").await.unwrap();
    assert_eq!(answer["requests"], 0);
    assert_eq!(logged("control")["outcome"], "done");
}

#[tokio::test]
async fn batches_of_no_known_form_are_refused_and_not_quoted() {
    let function = function(Some(Arc::new(MemoryUsage::new())));
    let good = event(&[message(1, &key(1))]);
    let with = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        event
    };
    for (index, event) in [
        json!({"awslogs": {"data": "hush"}}),
        json!({"awslogs": {"data": "***"}}),
        json!({"awslogs": {}}),
        json!({"awslogs": "hush"}),
        with("operation", json!("revoke")),
        with(
            "requestContext",
            json!({"identity": {"userArn": "arn:aws:iam::1:user/op"}}),
        ),
    ]
    .iter()
    .enumerate()
    {
        let request_id = format!("bad-{index}");
        let refused = send(&function, event, &request_id).await.unwrap_err();
        assert_eq!(refused.error_type, "invalid", "{event}");
        let line = logged(&request_id);
        assert_eq!(
            (&line["level"], &line["outcome"]),
            (&json!("error"), &json!("invalid"))
        );
        assert!(!line.to_string().contains("hush"), "{line}");
    }
    let data = good["awslogs"]["data"].as_str().unwrap();
    let twice = format!(r#"{{"awslogs":{{"data":"x","data":"{data}"}}}}"#);
    let twice: Event = serde_json::from_str(&twice).unwrap();
    let Answer::Failure(refused) = function.answer(twice, "twice", NOW).await else {
        panic!("taken");
    };
    assert_eq!(refused.error_type, "invalid");
}

#[tokio::test]
async fn without_a_table_of_counters_a_batch_is_refused_and_comes_again() {
    let refused = send(&function(None), &event(&[message(1, &key(1))]), "no-table").await;
    assert_eq!(refused.unwrap_err().error_type, "unavailable");
    assert_eq!(logged("no-table")["outcome"], "unavailable");
}

/// Counts, but for the piece at one place.
struct Failing {
    inner: Arc<MemoryUsage>,
    place: usize,
    error: StoreError,
    seen: AtomicUsize,
}

#[async_trait]
impl RequestSink for Failing {
    async fn count(&self, piece: &LogPiece) -> Result<Pieced, StoreError> {
        if self.seen.fetch_add(1, Ordering::SeqCst) == self.place {
            return Err(self.error.clone());
        }
        self.inner.count(piece).await
    }
}

#[tokio::test]
async fn a_piece_that_fails_holds_up_no_other_and_is_counted_when_the_batch_comes_again() {
    let events: Vec<_> = (0..250_usize)
        .map(|id| message(id, &key(id as u128)))
        .collect();
    let event = event(&events);
    for (error, code) in [
        (StoreError::Unavailable("down".to_owned()), "unavailable"),
        (StoreError::Corrupt("item".to_owned()), "corrupt"),
    ] {
        let usage = Arc::new(MemoryUsage::new());
        let failing = Failing {
            inner: usage.clone(),
            place: 1,
            error,
            seen: AtomicUsize::new(0),
        };
        let function = function(Some(Arc::new(failing)));
        let refused = send(&function, &event, code).await.unwrap_err();
        assert_eq!(refused.error_type, code);
        let line = logged(code);
        assert_eq!(
            (&line["pieces"], &line["outcome"]),
            (&json!(2), &json!(code))
        );
        let request_id = format!("{code}-again");
        let again = send(&function, &event, &request_id).await.unwrap();
        assert_eq!(
            again,
            json!({"requests": 250, "pieces": 1, "repeatedPieces": 2})
        );
        for id in 0..250 {
            assert_eq!(counted(&usage, &key(id)).await, 1, "{id}");
        }
    }
}

/// A key made in `keys`, and whether it is a decoy.
async fn made(admin: &KeyAdmin, is_decoy: bool) -> String {
    let command = json!({
        "operation": "create", "tenant": "acme", "name": "n", "environment": "live", "decoy": is_decoy,
    });
    let command = serde_json::from_value(command).unwrap();
    let caller = crate::Caller::operator("op");
    let reply = admin.run(command, &caller, NOW, &SystemEntropy).await;
    let reply = serde_json::to_value(reply.unwrap()).unwrap();
    reply["key"]["id"].as_str().unwrap().to_owned()
}

fn refused(id: usize, key: &str) -> Value {
    let line = json!({
        "level": "WARN", "event": "decision", "decision": "deny", "reason": "decoy_key", "keyId": key,
        "address": "203.0.113.7",
    });
    json!({"id": id.to_string(), "timestamp": NOW.unix() * 1000, "message": line.to_string()})
}

#[tokio::test]
async fn the_first_use_of_a_decoy_is_told_once_beside_what_is_counted() {
    let keys = Arc::new(MemoryKeys::new());
    let admin = KeyAdmin::new(policy(), keys.clone()).with_outbox(keys.clone());
    let (decoy, plain) = (made(&admin, true).await, made(&admin, false).await);
    let usage = Arc::new(MemoryUsage::new());
    let function = of(admin, Some(usage.clone()));
    let unknown = key(77).to_string();
    let batch = event(&[
        refused(1, &decoy),
        message(2, &key(1)),
        refused(3, &decoy),
        // A key that is no decoy, and one that is not there: somebody else's line, or an old one.
        refused(4, &plain),
        refused(5, &unknown),
    ]);
    let first = send(&function, &batch, "alarm").await.unwrap();
    assert_eq!(
        (&first["alarms"], &first["requests"]),
        (&json!(1), &json!(1))
    );
    let again = send(&function, &batch, "no-alarm").await.unwrap();
    assert_eq!(again["alarms"], 0);
    let line = logged("alarm");
    assert_eq!(
        (&line["level"], &line["decoys"], &line["foreign"]),
        (&json!("warn"), &json!(4), &json!(0))
    );
    let mut waiting = Vec::new();
    for part in 0..keys.parts() {
        let page = keys.waiting(part, 100, None).await.unwrap();
        waiting.extend(page.items.into_iter().flatten());
    }
    waiting.retain(|event| event.kind() == EventKind::DecoyKeyUsed.as_str());
    let [doorward_keys::Event::Key(event)] = &waiting[..] else {
        panic!("{waiting:?}");
    };
    assert_eq!((event.key_id.as_str(), event.at), (decoy.as_str(), NOW));
    assert_eq!(event.details["address"], "203.0.113.7");
    assert_eq!(counted(&usage, &key(1)).await, 1);
}

#[tokio::test]
async fn where_no_event_can_be_written_the_batch_comes_again_and_requests_are_counted_all_the_same()
{
    let keys = Arc::new(MemoryKeys::new());
    let admin = KeyAdmin::new(policy(), keys.clone() as Arc<dyn KeyLedger>);
    let decoy = made(&admin, true).await;
    let usage = Arc::new(MemoryUsage::new());
    let function = of(admin, Some(usage.clone()));
    let batch = event(&[refused(1, &decoy), message(2, &key(1))]);
    let refused = send(&function, &batch, "untold").await.unwrap_err();
    assert_eq!(refused.error_type, "unavailable");
    assert_eq!(counted(&usage, &key(1)).await, 1);
}

#[tokio::test]
async fn a_batch_of_decoys_alone_needs_no_table_of_counters() {
    let keys = Arc::new(MemoryKeys::new());
    let admin = KeyAdmin::new(policy(), keys.clone()).with_outbox(keys.clone());
    let decoy = made(&admin, true).await;
    let told = send(&of(admin, None), &event(&[refused(1, &decoy)]), "alone").await;
    assert_eq!(told.unwrap()["alarms"], 1);
}
