//! What sandboxes learn from each other of a server that fails, through the table.

use std::time::Duration;

use doorward_tests::oauth::{Behaviour, OAuthServer};
use serde_json::{Value, json};

use crate::sandbox::{House, Sandbox, event, is_allowed, now};

fn configuration(server: &OAuthServer) -> String {
    let config = json!({
        "introspection": [{
            "name": "people", "issuer": "https://people.example", "endpoint": server.url,
            "danger_allow_http": true, "audiences": ["api"], "default": true, "cache_seconds": 0,
            "negative_cache_seconds": 0, "client": {"id": "gate", "secret": "env:DOORWARD_SECRET_CLIENT"},
            "breaker": {"failures": 3, "open_seconds": 2, "shared": true},
        }],
        "routes": [{"route": "GET /any", "credentials": ["opaque"]}],
    });
    toml::to_string(&config).unwrap()
}

async fn sandbox(house: &House, server: &OAuthServer) -> Sandbox {
    let secret = [("DOORWARD_SECRET_CLIENT", "a secret of the client")];
    house.sandbox(&configuration(server), &secret).await
}

/// Whether the token opens; what was logged of it else.
async fn ask(sandbox: &Sandbox) -> Result<(), String> {
    let mut event = event("/any", "", 7);
    event["headers"] = json!({"authorization": "Bearer opaque-token"});
    let answer = sandbox.lambda().invoke(event).await.unwrap();
    sandbox.until_idle().await;
    if answer.is_ok_and(|answer| is_allowed(&answer)) {
        return Ok(());
    }
    let line = sandbox.decisions().await.pop().unwrap();
    Err(line["detail"].to_string())
}

/// The changes of the breaker that the sandbox logged.
fn changes(sandbox: &Sandbox) -> Vec<Value> {
    let lines = sandbox.lines_of("breaker").into_iter();
    lines.map(|line| line["to"].clone()).collect()
}

#[tokio::test]
async fn a_cold_sandbox_knows_of_an_outage_and_one_of_all_finds_its_end() {
    let house = House::open().await;
    let down = Behaviour::Answer(503, "{}".to_owned());
    let server = OAuthServer::start(down).await.unwrap();
    let first = sandbox(&house, &server).await;
    for heard in 1..=3 {
        assert!(ask(&first).await.unwrap_err().contains("503"));
        assert_eq!(server.heard(), heard);
    }
    assert!(ask(&first).await.unwrap_err().contains("not asked"));
    assert_eq!(changes(&first), ["open"]);

    let cold = sandbox(&house, &server).await;
    assert!(ask(&cold).await.unwrap_err().contains("not asked"));
    assert_eq!(server.heard(), 3, "it asked a server that is known to fail");
    assert_eq!(changes(&cold), ["open"]);

    let active = json!({"active": true, "aud": "api", "sub": "ann", "exp": now().unix() + 600});
    server.behave(Behaviour::Late(
        Duration::from_millis(500),
        active.to_string(),
    ));
    tokio::time::sleep(Duration::from_millis(2100)).await;
    // Both would try now: one does, and the other waits for what comes of it.
    let (one, other) = tokio::join!(ask(&first), ask(&cold));
    assert_eq!(server.heard(), 4, "{one:?} {other:?}");
    assert_eq!([one, other].iter().filter(|said| said.is_ok()).count(), 1);
    tokio::time::sleep(Duration::from_millis(3100)).await;
    for sandbox in [&first, &cold] {
        ask(sandbox).await.unwrap();
        assert_eq!(changes(sandbox).last(), Some(&json!("closed")));
    }
}
