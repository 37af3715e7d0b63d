use super::*;

fn decoy() -> Value {
    json!({"operation": "create", "tenant": "acme", "name": "in the wiki", "environment": "live", "decoy": true})
}

#[tokio::test]
async fn a_decoy_is_made_without_rights_and_shown_as_one() {
    let desk = Desk::new();
    for (field, value) in [
        ("scopes", json!(["read"])),
        ("routes", json!([])),
        ("addresses", json!(["192.0.2.0/24"])),
        ("usagePlanKey", json!("plan")),
        ("plan", json!("gold")),
    ] {
        let refused = desk.ask(with(decoy(), field, value)).await.unwrap_err();
        assert_eq!(fields(refused), [field]);
    }
    let made = desk.done(decoy()).await;
    assert_eq!(made["key"]["decoy"], true);
    assert!(made["secret"].is_string());
    let list = desk
        .done(json!({"operation": "list", "tenant": "acme"}))
        .await;
    assert_eq!(list["keys"][0]["decoy"], true);
    let (plain, _) = desk.create("acme").await;
    let plain = desk.done(on("get", &plain)).await;
    assert_eq!(plain["key"].get("decoy"), None);
}

#[tokio::test]
async fn a_decoy_takes_no_rights_and_no_successor_later() {
    let desk = Desk::new();
    let made = desk.done(decoy()).await;
    let id = made["key"]["id"].as_str().unwrap();
    for (command, refusal) in [
        (on("rotate", id), lifecycle::Refusal::DecoyRotated),
        (
            with(on("update", id), "scopes", json!(["read"])),
            lifecycle::Refusal::DecoyRights,
        ),
        (
            with(on("update", id), "plan", "gold"),
            lifecycle::Refusal::DecoyRights,
        ),
    ] {
        let refused = desk.ask(command).await.unwrap_err();
        assert_eq!(refused, AdminError::Refused(refusal));
    }
    desk.done(with(on("update", id), "name", "in the backup"))
        .await;
}

#[tokio::test]
async fn a_decoy_is_never_valid_and_opens_nothing() {
    let desk = Desk::new();
    let made = desk.done(with(decoy(), "expiresInDays", 1)).await;
    let verify = json!({"operation": "verify", "key": made["secret"]});
    for days in [0, 2] {
        let operator = Caller::operator("op");
        let now = NOW.plus(days * DAY);
        let told = desk.ask_as(&operator, now, verify.clone()).await.unwrap();
        assert_eq!(told["valid"], false);
        assert_eq!(told["whyNot"], "decoy");
    }
    desk.done(on("disable", made["key"]["id"].as_str().unwrap()))
        .await;
    let told = desk.done(verify).await;
    assert_eq!(told["whyNot"], "disabled");
}
