//! Keys from elsewhere, and many at once.

use doorward_keys::{
    AuditAction, AuditSpan, Digest, ForeignForm, ForeignForms, Rehash,
    foreign::{Alphabet, FormerHash},
};

use super::*;

fn import(tenant: &str, key: &str) -> Value {
    json!({
        "operation": "import", "tenant": tenant, "name": "partner", "environment": "live",
        "scopes": ["read"], "digest": Digest::of(key, None).to_hex(),
    })
}

/// Keys of 20 characters, which a former system knew by their SHA-256.
fn former_forms() -> ForeignForms {
    ForeignForms::new(vec![ForeignForm {
        name: "old".to_owned(),
        prefix: String::new(),
        min_length: 20,
        max_length: 20,
        alphabet: Alphabet::Alphanumeric,
        former: Some(FormerHash::Sha256),
        until: None,
        as_bearer: false,
    }])
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
    // The same key, now known by more: it is there, does not come twice, and stands where keys of ours do.
    let both = with(import("acme", "k"), "former", json!([sha256("k")]));
    let id = made["key"]["id"].as_str().unwrap();
    for _ in 0..2 {
        let again = desk.done(both.clone()).await;
        assert_eq!(again["imported"], false);
        assert_eq!(again["key"]["id"], id);
        assert_eq!(again["key"]["version"], 2);
    }
    let record = desk.store.lookup(&Digest::of("k", None)).await.unwrap();
    assert_eq!(record.unwrap().digest, Digest::of("k", None));
    assert_eq!(
        actions(&desk, id).await,
        [AuditAction::Import, AuditAction::Update]
    );
    desk.done(on("revoke", id)).await;
    refused(&desk.ask(both).await, lifecycle::Refusal::Ended);
    refused(&desk.ask(hashed).await, lifecycle::Refusal::Ended);
    let other = Digest::of("other", None).to_hex();
    let by_other = with(import("acme", "new"), "otherDigests", json!([other]));
    assert_eq!(desk.done(import("acme", "other")).await["imported"], true);
    assert_eq!(desk.done(by_other).await["imported"], false);
}

/// An import of a key of which only the SHA-256 is known.
fn hashed(tenant: &str, key: &str) -> Value {
    let mut hashed = import(tenant, key);
    hashed.as_object_mut().unwrap().remove("digest");
    with(hashed, "former", json!([sha256(key)]))
}

#[tokio::test]
async fn without_a_pepper_the_digest_and_the_former_sha_256_are_one_key() {
    for (first, second) in [
        (
            hashed as fn(&str, &str) -> Value,
            import as fn(&str, &str) -> Value,
        ),
        (import, hashed),
    ] {
        let desk = Desk::unpeppered();
        let made = desk.done(first("acme", "k")).await;
        assert_eq!(desk.done(second("acme", "k")).await["imported"], false);
        refused(
            &desk.ask(second("globex", "k")).await,
            lifecycle::Refusal::Taken,
        );
        let id = made["key"]["id"].as_str().unwrap();
        desk.done(on("revoke", id)).await;
        for again in [first, second] {
            refused(
                &desk.ask(again("acme", "k")).await,
                lifecycle::Refusal::Ended,
            );
        }
    }
}

#[tokio::test]
async fn of_a_key_under_a_pepper_it_is_said_what_former_systems_kept() {
    let mut desk = Desk::new();
    desk.admin.foreign = former_forms();
    let id = desk.done(hashed("acme", "k")).await["key"]["id"].clone();
    desk.done(on("revoke", id.as_str().unwrap())).await;
    let pepper = desk.admin.policy().format.pepper.clone();
    let digest = Digest::of("k", pepper.as_ref()).to_hex();
    let bare = with(import("acme", "k"), "digest", digest);
    let error = desk.ask(bare.clone()).await.unwrap_err();
    assert!(error.to_string().contains("`sha256`"), "{error}");
    assert_eq!(fields(error), ["former"]);
    let said = with(bare.clone(), "former", json!([sha256("k")]));
    refused(&desk.ask(said).await, lifecycle::Refusal::Ended);
    // Who knows that there is nothing to know says so.
    let other = Digest::of("other", pepper.as_ref()).to_hex();
    let unknown = with(with(bare, "formerUnknown", true), "digest", other);
    assert_eq!(desk.done(unknown).await["imported"], true);
}

#[tokio::test]
async fn nothing_is_imported_under_another_digest_of_a_key_that_is_here() {
    let desk = Desk::new();
    let both = with(import("acme", "k"), "former", json!([sha256("k")]));
    let id = desk.done(both).await["key"]["id"].clone();
    let again = desk.done(hashed("acme", "k")).await;
    assert_eq!(
        (&again["imported"], &again["key"]["id"]),
        (&json!(false), &id)
    );
    desk.done(on("revoke", id.as_str().unwrap())).await;
    refused(
        &desk.ask(hashed("acme", "k")).await,
        lifecycle::Refusal::Ended,
    );
}

#[tokio::test]
async fn a_key_that_the_authorizer_found_by_its_former_hash_moves_once() {
    let mut desk = Desk::new();
    desk.admin.foreign = former_forms();
    let made = desk.done(hashed("acme", "k")).await;
    let id = doorward_keys::KeyId::parse(made["key"]["id"].as_str().unwrap()).unwrap();
    let record = desk.store.fetch(&id).await.unwrap().unwrap();
    let pepper = desk.admin.policy().format.pepper.clone();
    let proper = Digest::of("k", pepper.as_ref());
    let asked = Rehash::of(&record, proper.clone(), pepper.as_ref()).unwrap();
    let forged = Rehash {
        digest: Digest::of("mine", pepper.as_ref()),
        ..asked.clone()
    };
    let rehash = async |asked: &Rehash| desk.admin.rehash(asked, NOW, &desk.entropy).await;
    assert_eq!(rehash(&forged).await, Ok(Rehashed::Unproven));
    assert_eq!(rehash(&asked).await, Ok(Rehashed::Moved));
    assert_eq!(rehash(&asked).await, Ok(Rehashed::Over));
    let moved = desk.store.lookup(&proper).await.unwrap().unwrap();
    assert_eq!((&moved.id, moved.version), (&id, 2));
    let page = desk.store.audit(&id, AuditSpan::default(), 9, None).await;
    let entry = page.unwrap().items.pop().unwrap();
    assert_eq!(
        (entry.action, entry.actor.as_str(), entry.fields.as_slice()),
        (
            AuditAction::Update,
            "authorizer",
            &["digest".to_owned()][..]
        )
    );
    // A dead key does not move, nor does one that is not there.
    let dead = desk.done(hashed("acme", "dead")).await["key"]["id"].clone();
    let dead = doorward_keys::KeyId::parse(dead.as_str().unwrap()).unwrap();
    let record = desk.store.fetch(&dead).await.unwrap().unwrap();
    desk.done(on("revoke", dead.as_str())).await;
    let digest = Digest::of("dead", pepper.as_ref());
    let asked = Rehash::of(&record, digest.clone(), pepper.as_ref()).unwrap();
    assert_eq!(rehash(&asked).await, Ok(Rehashed::Over));
    assert_eq!(desk.store.lookup(&digest).await, Ok(None));
    let nobody = Rehash {
        key_id: doorward_keys::KeyId::new(NOW, 999),
        ..asked
    };
    assert_eq!(rehash(&nobody).await, Ok(Rehashed::Over));
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
    let mut desk = Desk::new();
    desk.admin.foreign = former_forms();
    let verify = |key: &str| json!({"operation": "verify", "key": key});
    let (own, former) = ("ownDigest00000000000", "formerHash0000000000");
    let pepper = desk.admin.policy().format.pepper.clone();
    let digest = Digest::of(own, pepper.as_ref()).to_hex();
    let said = with(import("acme", own), "former", json!([sha256(own)]));
    desk.done(with(said, "digest", digest)).await;
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
