use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn event(packed: &[u8]) -> Value {
    json!({"awslogs": {"data": STANDARD.encode(packed)}})
}

fn delivered(content: &Value) -> Result<Delivery, BatchError> {
    Delivery::read(&event(&gzip(content.to_string().as_bytes())))
}

/// The structure that AWS documents, with a member of later days.
fn good() -> Value {
    json!({
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "/doorward/shop/rest-access",
        "logStream": "5e1c8a",
        "subscriptionFilters": ["doorward"],
        "policyLevel": "ACCOUNT_LEVEL_POLICY",
        "logEvents": [
            {"id": "1", "timestamp": 1_795_428_000_123_i64, "message": "a", "extractedFields": {"x": "y"}},
            {"id": "2", "timestamp": 1_795_428_000_124_i64, "message": ""},
        ],
    })
}

fn with(path: &str, value: Value) -> Value {
    let mut content = good();
    *content.pointer_mut(path).unwrap() = value;
    content
}

#[test]
fn a_batch_is_unpacked_in_the_order_of_the_stream() {
    let Ok(Delivery::Lines(batch)) = delivered(&good()) else {
        panic!("refused");
    };
    assert_eq!(batch.group, "/doorward/shop/rest-access");
    assert_eq!(batch.stream, "5e1c8a");
    let ids: Vec<_> = batch.events.iter().map(|event| &event.id).collect();
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(batch.events[0].timestamp, 1_795_428_000_123);
}

#[test]
fn a_message_about_the_subscription_is_no_batch() {
    let control = json!({
        "messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [{"id": "", "timestamp": 1_795_428_000_123_i64, "message": "CWL CONTROL MESSAGE: Checking health of destination."}],
    });
    assert_eq!(delivered(&control), Ok(Delivery::Control));
}

#[test]
fn an_event_of_another_shape_is_refused() {
    let packed = STANDARD.encode(gzip(good().to_string().as_bytes()));
    for event in [
        json!(null),
        json!([]),
        json!({}),
        json!({"awslogs": null}),
        json!({"awslogs": {}}),
        json!({"awslogs": {"data": 7}}),
        json!({"awslogs": packed}),
        json!({"awslogs": {"data": packed}, "operation": "revoke"}),
        json!({"awslogs": {"data": packed}, "requestContext": {}}),
    ] {
        assert_eq!(Delivery::read(&event), Err(BatchError::Shape), "{event}");
    }
}

#[test]
fn a_batch_that_cannot_be_unpacked_is_refused() {
    let packed = gzip(good().to_string().as_bytes());
    let mut flipped = packed.clone();
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    let mut trailing = packed.clone();
    trailing.push(0);
    let mut two = packed.clone();
    two.extend_from_slice(&packed);
    for (name, bytes) in [
        ("empty", vec![]),
        ("no gzip", b"{}".to_vec()),
        ("cut in the header", packed[..6].to_vec()),
        ("cut in the middle", packed[..packed.len() / 2].to_vec()),
        ("cut in the checksum", packed[..packed.len() - 1].to_vec()),
        ("another checksum", flipped),
        ("something behind it", trailing),
        ("two members", two),
    ] {
        let refused = Delivery::read(&event(&bytes));
        assert_eq!(refused, Err(BatchError::Gzip), "{name}");
    }
    let no_base64 = json!({"awslogs": {"data": "H4sI*"}});
    assert_eq!(Delivery::read(&no_base64), Err(BatchError::Base64));
}

#[test]
fn a_batch_that_grows_too_large_is_refused() {
    let over = usize::try_from(MAX_UNPACKED).unwrap() + 1;
    let bomb = event(&gzip(&vec![b' '; over]));
    assert!(bomb.to_string().len() < 100_000, "it is small when packed");
    assert_eq!(Delivery::read(&bomb), Err(BatchError::TooLarge));

    let long = json!({"awslogs": {"data": "A".repeat(MAX_TEXT + 1)}});
    assert_eq!(Delivery::read(&long), Err(BatchError::TooLong));
}

#[test]
fn a_batch_of_another_form_is_refused() {
    for (name, content) in [
        ("no object", json!([good()])),
        ("nothing", json!({})),
        ("a number for the group", with("/logGroup", json!(7))),
        ("no group", with("/logGroup", json!(""))),
        ("a long stream", with("/logStream", json!("x".repeat(513)))),
        ("no list", with("/logEvents", json!({}))),
        (
            "an event without id",
            with("/logEvents/1", json!({"timestamp": 1, "message": ""})),
        ),
        ("an empty id", with("/logEvents/1/id", json!(""))),
        ("a long id", with("/logEvents/1/id", json!("1".repeat(129)))),
        (
            "a text for the time",
            with("/logEvents/1/timestamp", json!("1")),
        ),
        ("no message", with("/logEvents/1/message", json!(null))),
    ] {
        assert_eq!(delivered(&content), Err(BatchError::Form), "{name}");
    }
    let twice = good()
        .to_string()
        .replacen('{', r#"{"logGroup":"other","#, 1);
    let twice = Delivery::read(&event(&gzip(twice.as_bytes())));
    assert_eq!(twice, Err(BatchError::Form));
    let no_text = Delivery::read(&event(&gzip(b"\xff\xfe")));
    assert_eq!(no_text, Err(BatchError::Form));
    let other = with("/messageType", json!("data_message"));
    assert_eq!(delivered(&other), Err(BatchError::Type));
}
