//! Tokens that are blocked, in a sandbox that sleeps between calls and whose table goes away.

use std::{sync::Arc, time::Duration};

use doorward_backends::dynamodb::DynamoBlocks;
use doorward_engine::layers::jwt::Algorithm;
use doorward_keys::{Block, BlockAction, BlockChange, BlockId, BlockLedger, KeyStatus, Target};
use doorward_tests::{
    line::Mode,
    tokens::{SigningKey, Token, key_set},
};
use serde_json::{Value, json};

use crate::sandbox::{House, Sandbox, event, is_allowed, now};

const ISSUER: &str = "https://issuer.example";

fn signer() -> Arc<SigningKey> {
    SigningKey::shared(Algorithm::Es256, "people")
}

/// The list is looked at after a second and trusted for three.
fn configuration() -> String {
    let jwks: Value = serde_json::from_str(&key_set([&*signer()])).unwrap();
    let config = json!({
        "block_list": {"refresh_seconds": 1, "max_stale_seconds": 3},
        "issuers": [{
            "name": "people", "issuer": ISSUER, "algorithms": ["ES256"], "audiences": ["api"], "jwks": jwks,
        }],
        "routes": [{"route": "GET /any", "credentials": ["jwt", "api_key"]}],
    });
    toml::to_string(&config).unwrap()
}

async fn answer(sandbox: &Sandbox, token: &str) -> Result<Value, Value> {
    let mut event = event("/any", "", 7);
    event["headers"] = json!({"authorization": format!("Bearer {token}")});
    sandbox.lambda().invoke(event).await.unwrap()
}

/// The reason of the last decision.
async fn reason(sandbox: &Sandbox) -> Value {
    sandbox.decisions().await.pop().unwrap()["reason"].clone()
}

async fn rest(time: u64) {
    tokio::time::sleep(Duration::from_millis(time)).await;
}

#[tokio::test]
async fn a_sandbox_that_slept_looks_at_the_list_before_its_first_answer() {
    let house = House::open().await;
    let blocks = DynamoBlocks::new(house.dynamo().client().clone(), house.keys());
    let sandbox = house.sandbox(&configuration(), &[]).await;
    let token = Token::access(ISSUER, "api", now().unix()).signed_by(&signer());
    assert!(is_allowed(&answer(&sandbox, &token).await.unwrap()));
    sandbox.until_idle().await;
    let block = Block {
        id: BlockId::new(now(), 1),
        issuer: ISSUER.to_owned(),
        target: Target::Jti("token-1".to_owned()),
        issued_before: None,
        expires_at: now().plus(600),
        created_at: now(),
        actor: "op".to_owned(),
        reason: None,
    };
    let added = BlockChange::of(BlockAction::Add, &block, "op", None, now(), 1);
    blocks.add(&added).await.unwrap();
    rest(1100).await;
    answer(&sandbox, &token).await.unwrap_err();
    assert_eq!(reason(&sandbox).await, "token_blocked");
    let removed = BlockChange::of(BlockAction::Remove, &block, "op", None, now(), 2);
    blocks.remove(&removed).await.unwrap();
    rest(1100).await;
    assert!(is_allowed(&answer(&sandbox, &token).await.unwrap()));
}

#[tokio::test]
async fn while_the_table_is_away_tokens_work_for_the_stated_time_and_keys_for_longer() {
    let house = House::open().await;
    let (_, key) = house.key(1, KeyStatus::Active).await;
    let sandbox = house.sandbox(&configuration(), &[]).await;
    let token = Token::access(ISSUER, "api", now().unix()).signed_by(&signer());
    for credential in [&token, &key] {
        assert!(is_allowed(&answer(&sandbox, credential).await.unwrap()));
        sandbox.until_idle().await;
    }
    house.line(Mode::Cut);
    rest(1100).await;
    assert!(is_allowed(&answer(&sandbox, &token).await.unwrap()));
    sandbox.until_idle().await;
    rest(3000).await;
    answer(&sandbox, &token).await.unwrap_err();
    assert_eq!(reason(&sandbox).await, "block_list_unavailable");
    sandbox.until_idle().await;
    assert!(is_allowed(&answer(&sandbox, &key).await.unwrap()));
    house.line(Mode::Whole);
    rest(1100).await;
    assert!(is_allowed(&answer(&sandbox, &token).await.unwrap()));
}
