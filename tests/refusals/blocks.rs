//! Tokens that die before they expire: refused at their next use, whatever is remembered of them.

use std::sync::Arc;

use doorward_authorizer::Refusal;
use doorward_keys::{Block, BlockAction, BlockChange, BlockId, BlockLedger, Target, Timestamp};
use doorward_tests::{
    documents::Documents,
    oauth::{Behaviour, OAuthServer},
};
use serde_json::{Value, json};

use crate::gate::{Gate, LOCAL, NOW, bearer, rest, sample, store, token};

const LIST: &str = "[block_list]\nrefresh_seconds = 5\n";

async fn gate(more: &str) -> Gate {
    let keys = store(&[sample(1).1]).await;
    Gate::new(
        &format!("{LIST}{more}"),
        keys,
        Arc::new(Documents::default()),
    )
}

fn block(issuer: &str, target: Target) -> Block {
    let now = Timestamp::from_unix(NOW);
    Block {
        id: BlockId::new(now, 1),
        issuer: issuer.to_owned(),
        target,
        issued_before: None,
        expires_at: now.plus(3600),
        created_at: now,
        actor: "op".to_owned(),
        reason: None,
    }
}

fn change(action: BlockAction, block: &Block, number: u32) -> BlockChange {
    let at = Timestamp::from_unix(NOW);
    BlockChange::of(action, block, "op", None, at, number.into())
}

#[tokio::test]
async fn a_token_that_is_remembered_as_good_is_refused_once_it_is_blocked() {
    let gate = gate("").await;
    let token = token();
    for now in [0, 1, 2] {
        assert!(gate.ask_at(&bearer(&token), NOW + now).await.is_ok());
    }
    let block = block(LOCAL, Target::Jti("token-1".to_owned()));
    let added = change(BlockAction::Add, &block, 1);
    gate.blocks.add(&added).await.unwrap();
    assert!(gate.ask_at(&bearer(&token), NOW + 4).await.is_ok());
    let answer = gate.ask_at(&bearer(&token), NOW + 5).await;
    assert_eq!(answer, Err(Refusal::Unauthorized));
    let line = gate.line();
    assert_eq!(line["reason"], "token_blocked");
    let detail = line["detail"].as_str().unwrap();
    assert!(
        detail.contains(block.id.as_str()) && detail.contains("jti"),
        "{detail}"
    );
    // The log says whose token it was.
    assert!(
        line["principal"].as_str().unwrap().contains(LOCAL),
        "{line}"
    );
    let removed = change(BlockAction::Remove, &block, 2);
    gate.blocks.remove(&removed).await.unwrap();
    assert!(gate.ask_at(&bearer(&token), NOW + 10).await.is_ok());
}

#[tokio::test]
async fn a_key_is_good_while_tokens_are_blocked() {
    let gate = gate("").await;
    let block = block(LOCAL, Target::Issuer);
    let added = change(BlockAction::Add, &block, 1);
    gate.blocks.add(&added).await.unwrap();
    assert!(gate.ask(&bearer(&sample(1).0)).await.is_ok());
    assert_eq!(
        gate.ask(&bearer(&token())).await,
        Err(Refusal::Unauthorized)
    );
}

/// What a gateway keeps of a refusal by address lets nobody through with a token that is blocked.
#[tokio::test]
async fn a_kept_refusal_opens_nothing_to_a_blocked_token() {
    let allows = |answer: &Value| {
        let said = answer["policyDocument"]["Statement"].as_array().unwrap();
        said.iter().any(|one| one["Effect"] == "Allow")
    };
    let gate = gate("[addresses]\ndeny = ['198.51.100.7']\n").await;
    let answer = gate.ask(&bearer(&token())).await.unwrap();
    assert!(allows(&answer), "{answer}");
    let block = block(LOCAL, Target::Issuer);
    let added = change(BlockAction::Add, &block, 1);
    gate.blocks.add(&added).await.unwrap();
    let answer = gate.ask_at(&bearer(&token()), NOW + 5).await.unwrap();
    assert_eq!(gate.line()["reason"], "address_refused");
    assert!(!allows(&answer), "{answer}");
}

#[tokio::test]
async fn an_opaque_token_is_blocked_by_what_its_server_says_of_it() {
    let said = json!({
        "active": true, "aud": "api", "sub": "ann", "client_id": "app", "jti": "opaque-1",
        "exp": NOW + 3600, "iat": NOW,
    });
    let server = OAuthServer::start(Behaviour::Answer(200, said.to_string()))
        .await
        .unwrap();
    let url = &server.url;
    let gate = gate(&format!(
        "[[introspection]]\nname = 'one'\nissuer = 'https://one.example'\nendpoint = '{url}/introspect'\n\
         audiences = ['api']\ndefault = true\nclient = {{ id = 'gate/1', secret = 'env:CLIENT_SECRET' }}\n\
         danger_allow_http = true\n\
         [[routes]]\nroute = 'GET /opaque/{{id}}'\ncredentials = ['opaque']\n"
    ))
    .await;
    let opaque = rest("GET", "/opaque/1", &[("Authorization", "Bearer opaque")]);
    assert!(gate.ask(&opaque).await.is_ok());
    for (number, target) in [
        Target::Jti("opaque-1".to_owned()),
        Target::Subject("ann".to_owned()),
        Target::Client("app".to_owned()),
        Target::Issuer,
    ]
    .into_iter()
    .enumerate()
    {
        let number = u32::try_from(number).unwrap();
        let now = NOW + 10 * (i64::from(number) + 1);
        let block = block("https://one.example", target.clone());
        let added = change(BlockAction::Add, &block, 2 * number);
        gate.blocks.add(&added).await.unwrap();
        let answer = gate.ask_at(&opaque, now).await;
        assert_eq!(answer, Err(Refusal::Unauthorized), "{target:?}");
        assert_eq!(gate.line()["reason"], "token_blocked");
        let removed = change(BlockAction::Remove, &block, 2 * number + 1);
        gate.blocks.remove(&removed).await.unwrap();
        assert!(gate.ask_at(&opaque, now + 5).await.is_ok(), "{target:?}");
    }
}
