//! Tokens that die before they expire, within the stated time.
use std::{sync::Arc, time::Duration};

use doorward::{
    clock, dynamodb,
    local::gateway::{Asked, Payload},
};
use doorward_backends::dynamodb::{DynamoBlocks, connect};
use doorward_engine::layers::block_list::{BlockListConfig, OnBlockListOutage};
use doorward_key_admin::{
    BlockAdmin, BlockPolicy, Caller, SystemEntropy,
    command::{BlockTokens, UnblockTokens},
    reply::{BlockReply, BlockView, Effect},
};
use serde_json::json;

use crate::house::{House, Setup};

const LINE: &str = "GET /orders/42";
const LIST: &str = "[block_list]\nrefresh_seconds = 1\n";

async fn house(payload: Payload, ttl: u64) -> House {
    House::start(Setup {
        payload,
        ttl,
        more: LIST,
        ..Setup::default()
    })
    .await
}

/// A token with this `jti`, that was issued so many seconds ago.
fn token(house: &House, jti: &str, age: i64) -> String {
    house.token_with(&["orders:read"], |request| {
        request.claims.insert("jti".to_owned(), json!(jti));
        request.issued_at = request.issued_at.plus(-age);
    })
}

/// Waits for what was stated, and a little for the clocks of this test.
async fn passes(effect: Effect) {
    let stated = u64::from(effect.effective_within_seconds) * 1000;
    tokio::time::sleep(Duration::from_millis(stated + 200)).await;
}

#[tokio::test]
async fn a_blocked_token_is_refused_after_the_stated_delay_and_works_again_when_it_is_unblocked() {
    for payload in [Payload::RestRequest, Payload::Http2] {
        let house = house(payload, 1).await;
        let (stolen, good) = (token(&house, "t-1", 0), token(&house, "t-2", 0));
        assert_eq!(house.bearer(LINE, &stolen).await, (200, Asked::Yes));
        let (block, effect) = house
            .block(BlockTokens {
                jti: Some("t-1".to_owned()),
                ..BlockTokens::default()
            })
            .await;
        // A second for the list in memory and a second for the cache of the gateway.
        assert_eq!(effect.effective_within_seconds, 2);
        assert_eq!(house.bearer(LINE, &stolen).await, (200, Asked::Cached));
        passes(effect).await;
        assert_eq!(
            house.bearer(LINE, &stolen).await,
            (401, Asked::Yes),
            "{payload:?}"
        );
        let note = house.last().note;
        assert!(note.contains("token_blocked"), "{note}");
        assert_eq!(house.bearer(LINE, &good).await, (200, Asked::Yes));

        let effect = house.unblock(&block.id).await;
        assert_eq!(effect.effective_within_seconds, 1);
        passes(effect).await;
        assert_eq!(house.bearer(LINE, &stolen).await, (200, Asked::Yes));
        house.stop().await;
    }
}

#[tokio::test]
async fn a_block_of_a_subject_leaves_newer_tokens_alone() {
    let house = house(Payload::Http2, 0).await;
    let old = token(&house, "t-1", 60);
    assert_eq!(house.bearer(LINE, &old).await.0, 200);
    let now = doorward::clock::wall();
    let (_, effect) = house
        .block(BlockTokens {
            subject: Some("alice".to_owned()),
            issued_before: Some(now.unix()),
            ..BlockTokens::default()
        })
        .await;
    passes(effect).await;
    assert_eq!(house.bearer(LINE, &old).await.0, 401);
    let new = token(&house, "t-2", 0);
    assert_eq!(house.bearer(LINE, &new).await.0, 200);
    // Another subject is somebody else.
    let other = house.token_with(&["orders:read"], |request| {
        request.subject = "bob".to_owned();
        request.issued_at = request.issued_at.plus(-60);
    });
    assert_eq!(house.bearer(LINE, &other).await.0, 200);
    house.stop().await;
}

#[tokio::test]
async fn a_block_of_an_issuer_leaves_keys_alone() {
    let house = house(Payload::RestRequest, 0).await;
    let key = house.key(&["orders:read"]).await;
    let all = BlockTokens {
        all: true,
        ..BlockTokens::default()
    };
    let (_, effect) = house.block(all).await;
    passes(effect).await;
    let token = token(&house, "t-1", 0);
    assert_eq!(house.bearer(LINE, &token).await.0, 401);
    assert_eq!(house.bearer(LINE, &key.printed).await.0, 200);
    house.stop().await;
}

impl House {
    /// Blocks tokens of the demo issuer, where the list is looked at after a second, as `doorward block add` does, where answers are kept for the time of this gateway.
    async fn block(&self, asked: BlockTokens) -> (BlockView, Effect) {
        let asked = BlockTokens {
            issuer: self.gateway.running.issuer.clone(),
            expires_in_seconds: 600,
            ..asked
        };
        let blocks = self.blocks().await;
        let caller = Caller::operator("journey");
        let done = blocks.block(&asked, &caller, clock::wall(), &SystemEntropy);
        match done.await.unwrap() {
            BlockReply::Blocked { block, effect, .. } => (block, effect),
            other => panic!("{other:?}"),
        }
    }

    /// Takes a block back.
    async fn unblock(&self, id: &str) -> Effect {
        let asked = UnblockTokens {
            id: id.to_owned(),
            reason: None,
        };
        let blocks = self.blocks().await;
        let caller = Caller::operator("journey");
        let done = blocks.unblock(&asked, &caller, clock::wall(), &SystemEntropy);
        match done.await.unwrap() {
            BlockReply::Unblocked { effect, .. } => effect,
            other => panic!("{other:?}"),
        }
    }

    async fn blocks(&self) -> BlockAdmin {
        let running = &self.gateway.running;
        let client = connect(dynamodb::connection(&running.dynamodb)).await;
        let policy = BlockPolicy {
            list: BlockListConfig {
                refresh_seconds: 1,
                max_stale_seconds: 60,
                on_outage: OnBlockListOutage::Deny,
            },
            issuers: vec![running.issuer.clone()],
            gateway_ttl_seconds: u32::try_from(running.ttl_seconds).unwrap(),
        };
        BlockAdmin::new(policy, Arc::new(DynamoBlocks::new(client, &running.table)))
    }
}
