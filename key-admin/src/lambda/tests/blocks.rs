//! Blocks of tokens over the function.

use doorward_backends::memory::MemoryBlocks;
use doorward_engine::layers::block_list::{BlockListConfig, OnBlockListOutage};

use super::*;
use crate::{BlockAdmin, BlockPolicy};

fn blocking() -> Function {
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
    let blocks = BlockAdmin::new(policy, Arc::new(MemoryBlocks::new()));
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
