//! The services that are told something.

use std::collections::BTreeMap;

use doorward_keys::{
    Block, BlockAction, BlockChange, BlockId, BusError, Event, EventBus as _, EventKind, KeyEvent,
    KeyId, KeyStatus, StageCache as _, SuccessorSecrets as _, Target, Timestamp,
};
use serde_json::{Value, json};

use super::*;

fn event(number: u128, reason: &str) -> Event {
    let at = Timestamp::from_unix(1_700_000_000);
    Event::Key(KeyEvent {
        id: format!("event {number}"),
        kind: EventKind::KeyRevoked,
        at,
        key_id: KeyId::new(at, number),
        tenant: "acme".to_owned(),
        name: "ci".to_owned(),
        environment: "live".to_owned(),
        status: KeyStatus::Revoked,
        expires_at: None,
        version: 2,
        actor: Some("op".to_owned()),
        reason: Some(reason.to_owned()),
        related: None,
        fields: vec![],
        details: BTreeMap::new(),
    })
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn accepted(count: usize) -> String {
    let entries = vec![json!({"EventId": "e"}); count];
    ok(&json!({"FailedEntryCount": 0, "Entries": entries}).to_string())
}

fn bus(service: &super::Service) -> EventBridge {
    service
        .loader("doorward.toml")
        .event_bus("keys".to_owned())
        .unwrap()
}

#[tokio::test]
async fn events_are_put_on_the_bus_at_most_ten_at_a_time() {
    let service = super::Service::answering([accepted(10), accepted(2)]).await;
    let events: Vec<Event> = (0..12).map(|number| event(number, "x")).collect();
    let outcomes = bus(&service).publish(&events).await;
    assert_eq!(outcomes, vec![Ok(()); 12]);
    let asked = service.asked();
    assert_eq!(asked.len(), 2);
    let head = asked[0].to_lowercase();
    assert!(head.contains("x-amz-target: awsevents.putevents"), "{head}");
    assert!(head.contains("/eu-west-1/events/aws4_request"), "{head}");
    let body = body(&asked[0]);
    let entry = &body["Entries"][0];
    assert_eq!(entry["EventBusName"], "keys");
    assert_eq!(entry["Source"], "doorward.keys");
    assert_eq!(entry["DetailType"], "KeyRevoked");
    assert_eq!(entry["Time"], 1_700_000_000);
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["keyId"], events[0].about());
    assert_eq!(detail["reason"], "x");
    assert_eq!(detail.get("expiresAt"), None);
}

#[tokio::test]
async fn events_of_blocks_have_a_source_of_their_own() {
    let service = super::Service::answering([accepted(1)]).await;
    let at = Timestamp::from_unix(1_700_000_000);
    let block = Block {
        id: BlockId::new(at, 1),
        issuer: "https://issuer.example".to_owned(),
        target: Target::Subject("ann".to_owned()),
        issued_before: None,
        expires_at: at.plus(60),
        created_at: at,
        actor: "op".to_owned(),
        reason: None,
    };
    let change = BlockChange::of(BlockAction::Remove, &block, "on-call", Some("found"), at, 2);
    let outcomes = bus(&service).publish(&[Event::Block(change.clone())]).await;
    assert_eq!(outcomes, [Ok(())]);
    let body = body(&service.asked()[0]);
    let entry = &body["Entries"][0];
    assert_eq!(entry["Source"], "doorward.blocks");
    assert_eq!(entry["DetailType"], "TokensUnblocked");
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    let expected = json!({
        "id": format!("{}#{}", change.id, block.id), "kind": "TokensUnblocked", "at": 1_700_000_000,
        "blockId": block.id.as_str(), "issuer": "https://issuer.example", "by": "subject", "value": "ann",
        "expiresAt": 1_700_000_060, "actor": "on-call", "reason": "found",
    });
    assert_eq!(detail, expected);
}

#[tokio::test]
async fn no_call_is_larger_than_the_bus_takes_and_what_is_too_large_alone_is_refused() {
    let service = super::Service::answering([accepted(2), accepted(1)]).await;
    let (half, large) = ("x".repeat(120 * 1024), "x".repeat(257 * 1024));
    let events = [
        event(1, &half),
        event(2, &large),
        event(3, &half),
        event(4, &half),
    ];
    let outcomes = bus(&service).publish(&events).await;
    assert!(
        matches!(outcomes[1], Err(BusError::Refused(_))),
        "{outcomes:?}"
    );
    for good in [0, 2, 3] {
        assert_eq!(outcomes[good], Ok(()));
    }
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn every_entry_has_its_own_outcome() {
    let answer = json!({"FailedEntryCount": 2, "Entries": [
        {"EventId": "e"},
        {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"},
        {"ErrorCode": "MalformedDetail", "ErrorMessage": "no"},
    ]});
    let service = super::Service::answering([ok(&answer.to_string())]).await;
    let events = [event(1, "x"), event(2, "x"), event(3, "x")];
    let outcomes = bus(&service).publish(&events).await;
    assert_eq!(outcomes[0], Ok(()));
    assert!(matches!(outcomes[1], Err(BusError::Unavailable(_))));
    assert!(matches!(outcomes[2], Err(BusError::Refused(_))));
}

#[tokio::test]
async fn an_answer_that_does_not_speak_of_every_event_accepts_none() {
    let denied = answer(
        400,
        "",
        "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}",
    );
    for wrong in [accepted(1), ok("{}"), denied] {
        let service = super::Service::answering([wrong]).await;
        let outcomes = bus(&service).publish(&[event(1, "x"), event(2, "x")]).await;
        assert_eq!(outcomes.len(), 2);
        for outcome in outcomes {
            assert!(
                matches!(outcome, Err(BusError::Unavailable(_))),
                "{outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_stage_is_flushed_over_the_interface_of_its_kind() {
    for (stage, line) in [
        (
            "rest:a1b2/v1",
            "DELETE /restapis/a1b2/stages/v1/cache/authorizers ",
        ),
        (
            "http:c3d4/$default",
            "DELETE /v2/apis/c3d4/stages/%24default/cache/authorizers ",
        ),
    ] {
        let service = super::Service::answering([answer(202, "", "")]).await;
        let stages = service.loader("doorward.toml").stages().unwrap();
        stages.flush(stage).await.unwrap();
        let asked = service.asked().remove(0);
        assert!(asked.starts_with(line), "{asked}");
        let head = asked.to_lowercase();
        assert!(
            head.contains("/eu-west-1/apigateway/aws4_request"),
            "{head}"
        );
    }
    let denied = answer(403, "", "{\"message\":\"not yours\"}");
    let service = super::Service::answering([denied]).await;
    let stages = service.loader("doorward.toml").stages().unwrap();
    let why = stages.flush("rest:a1b2/v1").await.unwrap_err();
    assert!(why.contains("not yours"), "{why}");
    assert!(
        stages
            .flush("a1b2/v1")
            .await
            .unwrap_err()
            .contains("no stage")
    );
}

#[tokio::test]
async fn a_pending_version_becomes_current_in_place_of_the_one_before() {
    let described = json!({"VersionIdsToStages": {
        "before": ["AWSCURRENT"], "new": ["AWSPENDING"], "old": ["AWSPREVIOUS"],
    }});
    let answers = [ok("{}"), ok(&described.to_string()), ok("{}"), ok("{}")];
    let service = super::Service::answering(answers).await;
    let versions = service.loader("doorward.toml").secret_versions().unwrap();
    let printed = doorward_keys::Secret::new("ck_live_x".to_owned());
    versions
        .put_pending("partner", "new", &printed)
        .await
        .unwrap();
    versions.make_current("partner", "new").await.unwrap();
    let asked: Vec<Value> = service
        .asked()
        .iter()
        .map(|request| body(request))
        .collect();
    assert_eq!(asked[0]["VersionStages"], json!(["AWSPENDING"]));
    assert_eq!(asked[0]["ClientRequestToken"], "new");
    assert_eq!(asked[0]["SecretString"], "ck_live_x");
    assert_eq!(asked[2]["VersionStage"], "AWSCURRENT");
    assert_eq!(asked[2]["MoveToVersionId"], "new");
    assert_eq!(asked[2]["RemoveFromVersionId"], "before");
    assert_eq!(asked[3]["VersionStage"], "AWSPENDING");
    assert_eq!(asked[3].get("MoveToVersionId"), None);
}

#[tokio::test]
async fn a_version_that_is_current_already_is_left_alone() {
    let described = json!({"VersionIdsToStages": {"new": ["AWSCURRENT"]}});
    let service = super::Service::answering([ok(&described.to_string())]).await;
    let versions = service.loader("doorward.toml").secret_versions().unwrap();
    versions.make_current("partner", "new").await.unwrap();
    assert_eq!(service.asked().len(), 1);
}
