use std::sync::atomic::{AtomicU8, Ordering};

use doorward_backends::memory::MemoryBlocks;
use doorward_keys::BlockReader as _;
use serde_json::{Value, json};

use super::*;
use crate::{caller::Permission, entropy::EntropyError};

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const ISSUER: &str = "https://issuer.example";

/// Bytes that never repeat, so that ids differ.
#[derive(Default)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }
}

struct Desk {
    admin: BlockAdmin,
    store: Arc<MemoryBlocks>,
    entropy: Counting,
    caller: Caller,
}

impl Desk {
    fn new() -> Self {
        Self::with(OnBlockListOutage::Deny)
    }

    fn with(on_outage: OnBlockListOutage) -> Self {
        let store = Arc::new(MemoryBlocks::new());
        let policy = BlockPolicy {
            list: BlockListConfig {
                refresh_seconds: 5,
                max_stale_seconds: 60,
                on_outage,
            },
            issuers: vec![ISSUER.to_owned(), "https://other.example".to_owned()],
            gateway_ttl_seconds: 300,
        };
        Self {
            admin: BlockAdmin::new(policy, Arc::clone(&store) as _),
            store,
            entropy: Counting::default(),
            caller: Caller::operator("op"),
        }
    }

    async fn block_at(&self, now: Timestamp, asked: Value) -> Result<Value, AdminError> {
        let asked: BlockTokens = serde_json::from_value(asked).unwrap();
        let reply = self
            .admin
            .block(&asked, &self.caller, now, &self.entropy)
            .await?;
        Ok(serde_json::to_value(reply).unwrap())
    }

    async fn block(&self, asked: Value) -> Result<Value, AdminError> {
        self.block_at(NOW, asked).await
    }

    async fn unblock(&self, id: &str) -> Result<Value, AdminError> {
        let asked = UnblockTokens {
            id: id.to_owned(),
            reason: Some("a mistake".to_owned()),
        };
        let reply = self
            .admin
            .unblock(&asked, &self.caller, NOW, &self.entropy)
            .await?;
        Ok(serde_json::to_value(reply).unwrap())
    }
}

fn of_jti(jti: &str) -> Value {
    json!({"issuer": ISSUER, "jti": jti, "expiresInSeconds": 3600, "reason": "leaked"})
}

fn fields(error: AdminError) -> Vec<String> {
    match error {
        AdminError::Invalid(faults) => faults.into_iter().map(|fault| fault.field).collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_block_states_when_it_counts_and_the_sum_is_that_of_list_and_gateway() {
    let desk = Desk::new();
    let reply = desk.block(of_jti("t-1")).await.unwrap();
    assert_eq!(reply["changed"], true);
    assert_eq!(reply["effectiveWithinSeconds"], 305);
    assert_eq!(reply["effectiveBy"], NOW.unix() + 307);
    assert_eq!(reply["inOutageWithinSeconds"], 360);
    let block = &reply["block"];
    assert_eq!(
        (&block["by"], &block["value"], &block["status"]),
        (&json!("jti"), &json!("t-1"), &json!("active"))
    );
    assert_eq!(block["expiresAt"], NOW.unix() + 3600);
    // Where tokens pass in an outage there is nothing to promise for it.
    let lenient = Desk::with(OnBlockListOutage::Allow);
    let reply = lenient.block(of_jti("t-1")).await.unwrap();
    assert_eq!(reply.get("inOutageWithinSeconds"), None);
    // No gateway keeps the refusal, so that taking a block back is not delayed by it.
    let id = block["id"].as_str().unwrap();
    let reply = desk.unblock(id).await.unwrap();
    assert_eq!(reply["effectiveWithinSeconds"], 5);
}

#[tokio::test]
async fn every_change_says_who_did_it_and_why() {
    let desk = Desk::new();
    let reply = desk.block(of_jti("t-1")).await.unwrap();
    let id = reply["block"]["id"].as_str().unwrap().to_owned();
    desk.unblock(&id).await.unwrap();
    let reply = desk
        .admin
        .changes(&ListBlocks::default(), &desk.caller, NOW)
        .await
        .unwrap();
    let reply = serde_json::to_value(reply).unwrap();
    let said = |place: usize| {
        let change = &reply["blockChanges"][place];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&change["action"]),
            text(&change["actor"]),
            text(&change["reason"]),
            text(&change["block"]["id"]),
        )
    };
    let of = |action: &str, reason: &str| {
        (
            action.to_owned(),
            "op".to_owned(),
            reason.to_owned(),
            id.clone(),
        )
    };
    let mut found = vec![said(0), said(1)];
    found.sort();
    assert_eq!(found, [of("add", "leaked"), of("remove", "a mistake")]);
}

#[tokio::test]
async fn what_is_blocked_already_is_not_blocked_twice() {
    let desk = Desk::new();
    let first = desk.block(of_jti("t-1")).await.unwrap();
    let again = desk.block(of_jti("t-1")).await.unwrap();
    assert_eq!(again["changed"], false);
    assert_eq!(again["block"]["id"], first["block"]["id"]);
    assert_eq!(desk.store.version().await, Ok(1));
    // A later end is something new.
    let later = desk.block_at(NOW.plus(1), of_jti("t-1")).await.unwrap();
    assert_eq!(later["changed"], true);
    let id = later["block"]["id"].as_str().unwrap();
    let reply = desk.unblock(id).await.unwrap();
    assert_eq!(reply["stillBlockedBy"], json!([first["block"]["id"]]));
}

#[tokio::test]
async fn a_block_that_is_not_there_cannot_be_taken_back() {
    let desk = Desk::new();
    let reply = desk.block(of_jti("t-1")).await.unwrap();
    let id = reply["block"]["id"].as_str().unwrap();
    desk.unblock(id).await.unwrap();
    let error = desk.unblock(id).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
    assert_eq!(fields(desk.unblock("t-1").await.unwrap_err()), ["id"]);
}

#[tokio::test]
async fn a_command_that_could_mean_something_else_is_refused_with_every_fault() {
    let desk = Desk::new();
    let with = |more: Value| {
        let mut asked = json!({"issuer": ISSUER, "expiresInSeconds": 60});
        let more = more.as_object().unwrap().clone();
        asked.as_object_mut().unwrap().extend(more);
        asked
    };
    for (asked, faulty) in [
        (with(json!({})), vec![""]),
        (with(json!({"jti": "a", "all": true})), vec![""]),
        (with(json!({"jti": "a", "subject": "b"})), vec![""]),
        (with(json!({"jti": ""})), vec!["jti"]),
        (with(json!({"subject": "a\nb"})), vec!["subject"]),
        (with(json!({"client": "x".repeat(1025)})), vec!["client"]),
        (
            with(json!({"jti": "a", "issuedBefore": 5})),
            vec!["issuedBefore"],
        ),
        (
            with(json!({"all": true, "issuedBefore": -1})),
            vec!["issuedBefore"],
        ),
        (
            with(json!({"all": true, "issuer": "https://issuer.example/"})),
            vec!["issuer"],
        ),
        (
            with(json!({"all": true, "expiresInSeconds": 0, "reason": " "})),
            vec!["reason", "expiresInSeconds"],
        ),
        (
            with(json!({"all": true, "expiresInSeconds": 31_622_401})),
            vec!["expiresInSeconds"],
        ),
    ] {
        let error = desk.block(asked.clone()).await.unwrap_err();
        assert_eq!(fields(error), faulty, "{asked}");
    }
    assert_eq!(desk.store.version().await, Ok(0));
}

#[tokio::test]
async fn a_caller_who_is_bound_to_a_tenant_may_nothing() {
    let all = [Permission::Read, Permission::Make, Permission::Change];
    let mut desk = Desk::new();
    let reply = desk.block(of_jti("t-1")).await.unwrap();
    let id = reply["block"]["id"].as_str().unwrap();
    desk.caller = Caller::of_tenant("ann", "acme", all, []);
    let (asked, caller) = (ListBlocks::default(), &desk.caller);
    for error in [
        desk.block(of_jti("t-2")).await.unwrap_err(),
        desk.unblock(id).await.unwrap_err(),
        desk.admin.list(&asked, caller, NOW).await.unwrap_err(),
        desk.admin.changes(&asked, caller, NOW).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), "forbidden");
    }
    assert_eq!(desk.store.version().await, Ok(1));
}

#[tokio::test]
async fn one_issuer_has_no_more_blocks_than_sandboxes_hold() {
    let desk = Desk::new();
    for number in 0..MAX_OF_ISSUER {
        let at = NOW.plus(i64::try_from(number).unwrap());
        let block = Block {
            id: BlockId::new(at, 1),
            issuer: ISSUER.to_owned(),
            target: doorward_keys::Target::Jti(number.to_string()),
            issued_before: None,
            // Those that have ended do not count.
            expires_at: NOW.plus(if number == 0 { 0 } else { 60 }),
            created_at: NOW,
            actor: "op".to_owned(),
            reason: None,
        };
        let change = BlockChange::of(BlockAction::Add, &block, "op", None, at, 1);
        desk.store.add(&change).await.unwrap();
    }
    desk.block(of_jti("last")).await.unwrap();
    let error = desk.block(of_jti("one more")).await.unwrap_err();
    assert_eq!(fields(error), ["issuer"]);
    let other = json!({"issuer": "https://other.example", "all": true, "expiresInSeconds": 60});
    desk.block(other).await.unwrap();
}

#[tokio::test]
async fn blocks_are_listed_with_those_that_have_ended() {
    let desk = Desk::new();
    desk.block(of_jti("t-1")).await.unwrap();
    let all = json!({"issuer": ISSUER, "all": true, "expiresInSeconds": 7200, "issuedBefore": 1_800_000_000});
    desk.block_at(NOW.plus(1), all).await.unwrap();
    let reply = desk
        .admin
        .list(&ListBlocks::default(), &desk.caller, NOW.plus(3600))
        .await
        .unwrap();
    let reply = serde_json::to_value(reply).unwrap();
    let status = |place: usize| reply["blocks"][place]["status"].clone();
    assert_eq!((status(0), status(1)), (json!("ended"), json!("active")));
    assert_eq!(reply["blocks"][1]["issuedBefore"], 1_800_000_000);
    let asked = ListBlocks {
        limit: Some(0),
        cursor: Some("x".to_owned()),
    };
    let error = desk.admin.list(&asked, &desk.caller, NOW).await;
    assert_eq!(fields(error.unwrap_err()), ["limit", "cursor"]);
}
