//! Keys from elsewhere, and many at once.

use doorward_keys::{AuditAction, AuditSpan, Digest};

use super::*;

fn import(tenant: &str, key: &str) -> Value {
    json!({
        "operation": "import", "tenant": tenant, "name": "partner", "environment": "live",
        "scopes": ["read"], "digest": Digest::of(key, None).to_hex(),
    })
}

fn sha256(key: &str) -> Value {
    json!({"hash": "sha256", "value": Digest::of(key, None).to_hex()})
}

async fn actions(desk: &Desk, id: &str) -> Vec<AuditAction> {
    let id = doorward_keys::KeyId::parse(id).unwrap();
    let all = desk.store.audit(&id, AuditSpan::default(), 100, None).await;
    all.unwrap()
        .items
        .iter()
        .map(|entry| entry.action)
        .collect()
}

fn refused(outcome: &Result<Value, AdminError>, refusal: lifecycle::Refusal) {
    assert_eq!(*outcome, Err(AdminError::Refused(refusal)));
}

#[tokio::test]
async fn a_key_is_imported_once_and_a_repeat_changes_nothing() {
    let desk = Desk::new();
    let first = desk.done(import("acme", "elsewhere-1")).await;
    assert_eq!(first["imported"], true);
    let id = first["key"]["id"].as_str().unwrap();
    let renamed = with(import("acme", "elsewhere-1"), "name", "other");
    for command in [import("acme", "elsewhere-1"), renamed] {
        let again = desk.done(command).await;
        assert_eq!(again["imported"], false);
        assert_eq!(again["key"], first["key"]);
    }
    assert_eq!(actions(&desk, id).await, [AuditAction::Import]);
    let digest = Digest::of("elsewhere-1", None);
    let record = desk.store.lookup(&digest).await.unwrap().unwrap();
    assert_eq!(record.id.as_str(), id);
}

#[tokio::test]
async fn a_key_of_others_a_revoked_and_a_deleted_one_are_refused() {
    let desk = Desk::new();
    let made = desk.done(import("acme", "k")).await;
    let id = made["key"]["id"].as_str().unwrap().to_owned();
    let globex = desk.ask(import("globex", "k")).await;
    refused(&globex, lifecycle::Refusal::Taken);
    desk.done(on("revoke", &id)).await;
    refused(
        &desk.ask(import("acme", "k")).await,
        lifecycle::Refusal::Ended,
    );
    let operator = Caller::operator("op");
    let later = NOW.plus(31 * DAY);
    desk.ask_as(&operator, later, on("delete", &id))
        .await
        .unwrap();
    refused(
        &desk.ask(import("acme", "k")).await,
        lifecycle::Refusal::Ended,
    );
}

#[tokio::test]
async fn no_dead_key_comes_alive_under_another_of_its_digests() {
    let desk = Desk::new();
    let mut hashed = import("acme", "k");
    hashed.as_object_mut().unwrap().remove("digest");
    hashed["former"] = json!([sha256("k")]);
    let made = desk.done(hashed.clone()).await;
    assert_eq!(made["imported"], true);
    // The same key, now known by more: it is there, and does not come twice.
    let both = with(import("acme", "k"), "former", json!([sha256("k")]));
    let again = desk.done(both.clone()).await;
    assert_eq!(
        (&again["imported"], &again["key"]),
        (&json!(false), &made["key"])
    );
    desk.done(on("revoke", made["key"]["id"].as_str().unwrap()))
        .await;
    refused(&desk.ask(both).await, lifecycle::Refusal::Ended);
    refused(&desk.ask(hashed).await, lifecycle::Refusal::Ended);
    let other = Digest::of("other", None).to_hex();
    let by_other = with(import("acme", "new"), "otherDigests", json!([other]));
    assert_eq!(desk.done(import("acme", "other")).await["imported"], true);
    assert_eq!(desk.done(by_other).await["imported"], false);
}

#[tokio::test]
async fn a_key_that_was_off_stays_off_and_a_rotation_gives_one_of_ours() {
    let desk = Desk::new();
    let off = desk
        .done(with(import("acme", "off"), "disabled", true))
        .await;
    assert_eq!(off["key"]["status"], "disabled");
    let made = desk.done(import("acme", "k")).await;
    let rotated = desk
        .done(on("rotate", made["key"]["id"].as_str().unwrap()))
        .await;
    let secret = rotated["secret"].as_str().unwrap();
    assert!(desk.admin.policy().format.parse(secret).is_ok());
}

#[tokio::test]
async fn every_fault_is_said_and_no_digest_is() {
    let desk = Desk::new();
    let mut bad = import("acme", "k");
    bad["digest"] = json!("ABCDEF");
    bad["environment"] = json!("prod");
    bad["former"] = json!([
        {"hash": "murmur64", "value": "00"},
        {"hash": "sha512", "value": "abcdef"},
    ]);
    bad["otherDigests"] = json!(["abcdef"]);
    let error = desk.ask(bad).await.unwrap_err();
    let text = error.to_string();
    assert!(!text.to_lowercase().contains("abcdef"), "{text}");
    assert_eq!(
        fields(error),
        [
            "environment",
            "digest",
            "former[0].hash",
            "former[1].value",
            "otherDigests[0]"
        ]
    );
    let mut neither = import("acme", "k");
    neither.as_object_mut().unwrap().remove("digest");
    assert_eq!(fields(desk.ask(neither).await.unwrap_err()), ["digest"]);
    let many = with(import("acme", "k"), "otherDigests", json!(vec!["0"; 11]));
    assert_eq!(fields(desk.ask(many).await.unwrap_err()), ["former"]);
}

#[tokio::test]
async fn only_operators_import_and_see_digests() {
    let desk = Desk::new();
    let all = [Permission::Read, Permission::Make, Permission::Change];
    let tenant = Caller::of_tenant("jo", "acme", all, ["read".to_owned()]);
    let many = json!({"operation": "importMany", "keys": [import_body("k")]});
    let export = json!({"operation": "export", "tenant": "acme", "withDigests": true});
    for command in [import("acme", "k"), many, export.clone()] {
        let outcome = desk.ask_as(&tenant, NOW, command).await;
        assert!(
            matches!(outcome, Err(AdminError::Forbidden(_))),
            "{outcome:?}"
        );
    }
    desk.done(import("acme", "k")).await;
    let plain = with(export.clone(), "withDigests", false);
    let plain = desk.ask_as(&tenant, NOW, plain).await.unwrap();
    assert!(plain["exported"][0].get("digest").is_none(), "{plain}");
    let digest = Digest::of("k", None).to_hex();
    assert_eq!(
        desk.done(export).await["exported"][0]["digest"],
        json!(digest)
    );
}

fn import_body(key: &str) -> Value {
    let mut body = import("acme", key);
    body.as_object_mut().unwrap().remove("operation");
    body
}

#[tokio::test]
async fn each_of_many_succeeds_or_fails_by_itself() {
    let desk = Desk::new();
    let bad = with(import_body("b"), "environment", "prod");
    let many =
        json!({"operation": "importMany", "keys": [import_body("a"), bad, import_body("a")]});
    let done = desk.done(many).await;
    assert_eq!(done["results"][0]["imported"], true);
    assert_eq!(done["results"][1]["error"], "invalid");
    assert_eq!(done["results"][2]["imported"], false);

    let mut body = draft("acme");
    body.as_object_mut().unwrap().remove("operation");
    body["idempotencyKey"] = json!("row-1");
    let many = json!({"operation": "createMany", "keys": [body.clone(), body]});
    let done = desk.done(many).await;
    assert!(done["results"][0]["secret"].is_string(), "{done}");
    assert_eq!(done["results"][1]["repeated"], true);

    let none = json!({"operation": "createMany", "keys": []});
    assert_eq!(fields(desk.ask(none).await.unwrap_err()), ["keys"]);
    let all = vec![import_body("a"); 101];
    let many = json!({"operation": "importMany", "keys": all});
    assert_eq!(fields(desk.ask(many).await.unwrap_err()), ["keys"]);
}

#[tokio::test]
async fn it_can_be_said_beforehand_what_an_import_would_do() {
    let desk = Desk::new();
    let asked: crate::command::ImportKey = serde_json::from_value(import_body("k")).unwrap();
    let operator = Caller::operator("op");
    let would = async || desk.admin.would_import(&asked, &operator, NOW).await;
    assert_eq!(would().await, Ok(true));
    assert_eq!(would().await, Ok(true));
    desk.done(import("acme", "k")).await;
    assert_eq!(would().await, Ok(false));
}

#[tokio::test]
async fn an_imported_key_is_verified_by_its_form_and_every_digest_it_may_have() {
    use doorward_keys::{
        ForeignForm, ForeignForms,
        foreign::{Alphabet, FormerHash},
    };
    let mut desk = Desk::new();
    desk.admin.foreign = ForeignForms::new(vec![ForeignForm {
        name: "old".to_owned(),
        prefix: String::new(),
        min_length: 20,
        max_length: 20,
        alphabet: Alphabet::Alphanumeric,
        former: Some(FormerHash::Sha256),
        until: None,
        as_bearer: false,
    }]);
    let verify = |key: &str| json!({"operation": "verify", "key": key});
    let (own, former) = ("ownDigest00000000000", "formerHash0000000000");
    let pepper = desk.admin.policy().format.pepper.clone();
    let digest = Digest::of(own, pepper.as_ref()).to_hex();
    desk.done(with(import("acme", own), "digest", digest)).await;
    let mut hashed = import("acme", former);
    hashed.as_object_mut().unwrap().remove("digest");
    hashed["former"] = json!([sha256(former)]);
    desk.done(hashed).await;
    for key in [own, former] {
        assert_eq!(desk.done(verify(key)).await["valid"], true, "{key}");
    }
    let unknown = desk.done(verify("unknown0000000000000")).await;
    assert_eq!(unknown["whyNot"], "unknown");
    assert_eq!(desk.done(verify("short")).await["whyNot"], "malformed");
}
