//! Everything that key administration does with its tables.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_key_admin::access_log::line;
use doorward_keys::KeyId;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::house::{House, now};

pub(crate) async fn work(house: &House) {
    let ask = async |command: Value| {
        let answer = house.command(&command.to_string()).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}; {:?}", house.denied()))
    };
    let made = ask(json!({
        "operation": "create", "tenant": "acme", "name": "n", "environment": "live", "idempotencyKey": "1",
    }))
    .await;
    let id = made["key"]["id"].as_str().unwrap().to_owned();
    let rotated = ask(json!({"operation": "rotate", "id": id, "idempotencyKey": "2"})).await;
    let successor = rotated["key"]["id"].as_str().unwrap().to_owned();
    ask(json!({"operation": "update", "id": id, "scopes": ["read"]})).await;
    for operation in [
        "get", "audit", "usage", "disable", "enable", "revoke", "delete",
    ] {
        ask(json!({"operation": operation, "id": id})).await;
    }
    ask(json!({"operation": "verify", "key": rotated["secret"]})).await;
    ask(json!({"operation": "list", "tenant": "acme"})).await;
    ask(json!({"operation": "auditOfTenant", "tenant": "acme"})).await;
    let blocked = ask(json!({
        "operation": "block", "issuer": "https://issuer.example", "jti": "t-1", "expiresInSeconds": 60,
    }))
    .await;
    ask(json!({"operation": "blocks"})).await;
    ask(json!({"operation": "unblock", "id": blocked["block"]["id"]})).await;
    ask(json!({"operation": "blockChanges"})).await;
    ask(requests(&KeyId::parse(&successor).unwrap())).await;
    ask(json!({"operation": "schedule", "id": successor, "inDays": 5})).await;
    ask(json!({"operation": "unschedule", "id": successor})).await;
    ask(json!({"operation": "export", "tenant": "acme"})).await;
    crate::authorizer::first_use(house, false).await;
    assert_eq!(ask(json!({"job": "day"})).await["moved"], 1);
    assert_eq!(ask(json!({"job": "minute"})).await["moved"], 0);
}

/// A batch of the access log with one request.
fn requests(key: &KeyId) -> Value {
    let message = line::write("r1", now(), 200, Some(key.as_str()));
    let batch = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/doorward/shop/rest-access",
        "logStream": "s", "subscriptionFilters": ["doorward"],
        "logEvents": [{"id": "1", "timestamp": now().unix() * 1000, "message": message}],
    });
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(batch.to_string().as_bytes()).unwrap();
    json!({"awslogs": {"data": STANDARD.encode(packed.finish().unwrap())}})
}
