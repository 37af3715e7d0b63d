//! Blocks of tokens over the function.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use doorward_backends::memory::{MemoryBlocks, MemoryKeys};
use doorward_engine::layers::block_list::{BlockListConfig, OnBlockListOutage};
use doorward_keys::{BusError, Event as Told, EventBus};

use super::*;
use crate::{BlockAdmin, BlockPolicy};

/// A bus that keeps what it is told.
#[derive(Default)]
struct Bus(Mutex<Vec<Told>>);

#[async_trait]
impl EventBus for Bus {
    async fn publish(&self, events: &[Told]) -> Vec<Result<(), BusError>> {
        self.0.lock().unwrap().extend_from_slice(events);
        vec![Ok(()); events.len()]
    }
}

fn blocking() -> Function {
    blocking_on(MemoryBlocks::new())
}

fn blocking_on(blocks: MemoryBlocks) -> Function {
    let policy = BlockPolicy {
        list: BlockListConfig {
            refresh_seconds: 5,
            max_stale_seconds: 60,
            on_outage: OnBlockListOutage::Deny,
        },
        issuers: vec!["https://issuer.example".to_owned()],
        gateway_ttl_seconds: 0,
    };
    let mut function = function();
    let blocks = BlockAdmin::new(policy, Arc::new(blocks));
    function.admin = function.admin.with_blocks(Some(blocks));
    function
}

#[tokio::test]
async fn tokens_are_blocked_shown_and_unblocked_by_direct_invocation() {
    let function = blocking();
    let asked = r#"{"operation": "block", "issuer": "https://issuer.example", "subject": "ann",
        "issuedBefore": 1700000000, "expiresInSeconds": 3600}"#;
    let reply = invoke(&function, asked).await.unwrap();
    // The time of the gateway is that of key administration, whatever the blocks were made with.
    assert_eq!(reply["effectiveWithinSeconds"], 305);
    let id = reply["block"]["id"].as_str().unwrap();
    let listed = invoke(&function, r#"{"operation": "blocks"}"#)
        .await
        .unwrap();
    assert_eq!(listed["blocks"][0]["id"], id);
    let unblock = json!({"operation": "unblock", "id": id}).to_string();
    let reply = invoke(&function, &unblock).await.unwrap();
    assert_eq!(reply["stillBlockedBy"], json!([]));
    let changes = r#"{"operation": "blockChanges"}"#;
    let changes = invoke(&function, changes).await.unwrap();
    let changes = changes["blockChanges"].as_array().unwrap().len();
    assert_eq!(changes, 2);
}

#[tokio::test]
async fn each_block_and_its_end_is_told_at_once_and_what_changes_nothing_is_not() {
    let keys = Arc::new(MemoryKeys::new());
    let function = blocking_on(MemoryBlocks::beside(Arc::clone(&keys)));
    let bus = Arc::new(Bus::default());
    let time: (fn() -> Duration, Duration) = (|| Duration::ZERO, Duration::from_secs(1));
    let jobs = Jobs::new(
        function.admin.clone(),
        keys,
        Arc::clone(&bus) as _,
        time,
        |_| {},
    );
    let function = function.with_jobs(jobs);
    let asked = r#"{"operation": "block", "issuer": "https://issuer.example", "subject": "ann",
        "expiresInSeconds": 3600, "reason": "left"}"#;
    let reply = invoke(&function, asked).await.unwrap();
    assert_eq!(reply["changed"], true);
    let again = invoke(&function, asked).await.unwrap();
    assert_eq!(again["changed"], false);
    let id = reply["block"]["id"].as_str().unwrap();
    let unblock = json!({"operation": "unblock", "id": id}).to_string();
    invoke(&function, &unblock).await.unwrap();
    assert!(invoke(&function, &unblock).await.is_err());
    let told = bus.0.lock().unwrap();
    let kinds: Vec<_> = told
        .iter()
        .map(|event| (event.kind(), event.about()))
        .collect();
    assert_eq!(kinds, [("TokensBlocked", id), ("TokensUnblocked", id)]);
    let detail = serde_json::to_value(told[0].detail()).unwrap();
    assert_eq!(
        (&detail["value"], &detail["reason"]),
        (&json!("ann"), &json!("left"))
    );
}

#[tokio::test]
async fn without_a_list_in_the_configuration_nothing_is_blocked() {
    let asked = r#"{"operation": "blocks"}"#;
    let error = invoke(&function(), asked).await.unwrap_err();
    assert!(error.error_message.contains("block_list"), "{error:?}");
}

#[tokio::test]
async fn a_misspelt_field_is_refused() {
    let asked = r#"{"operation": "block", "issuer": "https://issuer.example", "sub": "ann",
        "expiresInSeconds": 3600}"#;
    let error = invoke(&blocking(), asked).await.unwrap_err();
    assert_eq!(error.error_type, "invalid");
}
