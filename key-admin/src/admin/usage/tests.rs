use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use doorward_backends::memory::{MemoryKeys, MemoryUsage};
use doorward_keys::{
    Hour, Hours, KeyId, LastUse, LogPiece, RequestCount, RequestSink, Requests, StoreError,
    Timestamp, Usage, UsageEntry, UsageHour, UsageReader, UsageSink, format::KeyFormat,
};
use serde_json::{Value, json};

use crate::{AdminError, Caller, Command, KeyAdmin, KeyPolicy, Permission, SystemEntropy};

/// 2026-11-23T10:00:00Z.
const NOW: Timestamp = Timestamp::from_unix(1_795_428_000);

fn admin() -> KeyAdmin {
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
    KeyAdmin::new(policy, Arc::new(MemoryKeys::new()))
}

async fn ask(admin: &KeyAdmin, caller: &Caller, command: Value) -> Result<Value, AdminError> {
    let command: Command = serde_json::from_value(command).unwrap();
    let reply = admin.run(command, caller, NOW, &SystemEntropy).await?;
    Ok(serde_json::to_value(&reply).unwrap())
}

fn operator() -> Caller {
    Caller::operator("op")
}

async fn key(admin: &KeyAdmin) -> KeyId {
    let draft = json!({"operation": "create", "tenant": "acme", "name": "ci", "environment": "live", "scopes": ["read"]});
    let made = ask(admin, &operator(), draft).await.unwrap();
    KeyId::parse(made["key"]["id"].as_str().unwrap()).unwrap()
}

fn usage_of(key: &KeyId) -> Value {
    json!({"operation": "usage", "id": key.as_str()})
}

#[tokio::test]
async fn decisions_and_requests_stand_side_by_side() {
    let usage = Arc::new(MemoryUsage::new());
    let admin = admin().with_usage(usage.clone());
    let id = key(&admin).await;
    let hour = Hour::of(NOW);
    let last = LastUse {
        at: NOW.plus(-5),
        address: Some("192.0.2.1".parse().unwrap()),
    };
    let entry = UsageEntry {
        flush: "f".to_owned(),
        key: id.clone(),
        hour,
        usage: Usage {
            allowed: 2,
            forbidden: 1,
            last: Some(last),
            ..Usage::default()
        },
        expires_at: NOW,
    };
    let added = usage.add(&[entry], Duration::from_secs(1)).await;
    assert_eq!(added, [Ok(())]);
    let piece = LogPiece {
        name: "p".to_owned(),
        counts: vec![RequestCount {
            key: id.clone(),
            hour,
            requests: Requests {
                total: 40,
                throttled: 3,
                failed: 1,
            },
            expires_at: NOW,
        }],
        expires_at: NOW,
    };
    usage.count(&piece).await.unwrap();

    let reply = ask(&admin, &operator(), usage_of(&id)).await.unwrap();
    let usage = &reply["usage"];
    assert_eq!(
        (&usage["by"], usage["steps"].as_array().unwrap().len()),
        (&json!("hour"), 24)
    );
    let expected = json!({
        "from": 1_795_345_200, "to": 1_795_431_600,
        "decisions": {"total": 3, "allowed": 2, "unauthenticated": 0, "forbidden": 1, "throttled": 0, "unavailable": 0},
        "requests": {"total": 40, "throttled": 3, "failed": 1},
        "cached": 37,
    });
    assert_eq!(usage["total"], expected);
    assert_eq!(usage["lastUsedAt"], 1_795_427_995);
    assert_eq!(usage["lastAddress"], "192.0.2.1");
    assert_eq!(reply["key"]["id"], id.as_str());
}

#[tokio::test]
async fn usage_is_for_those_who_may_read_the_keys_of_the_tenant() {
    let admin = admin().with_usage(Arc::new(MemoryUsage::new()));
    let id = key(&admin).await;
    let of = |tenant: &str, permission| Caller::of_tenant("who", tenant, [permission], []);
    let asked = || usage_of(&id);
    assert!(
        ask(&admin, &of("acme", Permission::Read), asked())
            .await
            .is_ok()
    );
    let foreign = ask(&admin, &of("globex", Permission::Read), asked()).await;
    assert_eq!(foreign.unwrap_err().code(), "not_found");
    let may_not = ask(&admin, &of("acme", Permission::Change), asked()).await;
    assert_eq!(may_not.unwrap_err().code(), "forbidden");
}

#[tokio::test]
async fn usage_that_cannot_be_asked_for_is_refused_with_every_fault() {
    let admin = admin().with_usage(Arc::new(MemoryUsage::new()));
    let asked = json!({"operation": "usage", "id": "key_1", "from": -1, "to": -2});
    let AdminError::Invalid(faults) = ask(&admin, &operator(), asked).await.unwrap_err() else {
        panic!("understood");
    };
    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["from", "to", "id"]);
    let unknown = ask(&admin, &operator(), usage_of(&KeyId::new(NOW, 7))).await;
    assert_eq!(unknown.unwrap_err().code(), "not_found");
}

#[tokio::test]
async fn without_a_table_of_counters_usage_is_refused() {
    let admin = admin();
    let id = key(&admin).await;
    let error = ask(&admin, &operator(), usage_of(&id)).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
    assert!(error.to_string().contains("table of counters"), "{error}");
}

struct Down;

#[async_trait]
impl UsageReader for Down {
    async fn usage(&self, _: &KeyId, _: Hours) -> Result<Vec<UsageHour>, StoreError> {
        Err(StoreError::Unavailable("down".to_owned()))
    }
    async fn last_use(&self, _: &KeyId) -> Result<Option<LastUse>, StoreError> {
        Err(StoreError::Unavailable("down".to_owned()))
    }
}

#[tokio::test]
async fn counts_that_cannot_be_read_are_unavailable_and_not_nothing() {
    let admin = admin().with_usage(Arc::new(Down));
    let id = key(&admin).await;
    let error = ask(&admin, &operator(), usage_of(&id)).await.unwrap_err();
    assert_eq!(error.code(), "unavailable");
}
