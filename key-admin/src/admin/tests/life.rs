//! Updating, deleting, verifying, and the changes of a tenant.

use super::*;

fn tenant_caller(permissions: &[Permission], scopes: &[&str]) -> Caller {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned());
    Caller::of_tenant("jo", "acme", permissions.iter().copied(), scopes)
}

fn update(id: &str, mut changes: Value) -> Value {
    changes["operation"] = json!("update");
    changes["id"] = json!(id);
    changes
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_says_when_it_counts() {
    let desk = Desk::new();
    let (id, _) = desk.create("acme").await;
    let changes = json!({"scopes": [], "addresses": ["192.0.2.0/24"], "reason": "less"});
    let updated = desk.done(update(&id, changes)).await;
    assert_eq!(updated["changed"], true);
    assert_eq!(updated["key"]["scopes"], json!([]));
    assert_eq!(updated["key"]["name"], "ci");
    assert_eq!(updated["effectiveWithinSeconds"], 360);
    assert_eq!(updated["effectiveBy"], NOW.plus(361).unix());
    let lifted = desk.done(update(&id, json!({"addresses": null}))).await;
    assert!(lifted["key"].get("addresses").is_none(), "{lifted}");
    let again = desk.done(update(&id, json!({"addresses": null}))).await;
    assert_eq!(again["changed"], false);
    assert_eq!(again["key"]["version"], 3);
    let changes = desk.done(on("audit", &id)).await;
    assert_eq!(
        changes["changes"][1]["fields"],
        json!(["scopes", "addresses"])
    );
    assert_eq!(changes["changes"][1]["reason"], "less");
}

#[tokio::test]
async fn a_tenant_narrows_freely_and_widens_only_with_what_it_holds() {
    let desk = Desk::new();
    let (id, _) = desk.create("acme").await;
    let narrow = || update(&id, json!({"addresses": ["192.0.2.0/24"]}));
    let widen = || update(&id, json!({"addresses": null}));
    let refused = |outcome| {
        assert!(
            matches!(outcome, Err(AdminError::Forbidden(_))),
            "{outcome:?}"
        );
    };
    let changer = tenant_caller(&[Permission::Change], &[]);
    let both = tenant_caller(&[Permission::Change, Permission::Make], &["other"]);
    let holder = tenant_caller(&[Permission::Change, Permission::Make], &["read"]);
    let reader = tenant_caller(&[Permission::Read], &["read"]);
    refused(desk.ask_as(&reader, NOW, narrow()).await);
    assert!(desk.ask_as(&changer, NOW, narrow()).await.is_ok());
    refused(desk.ask_as(&changer, NOW, widen()).await);
    refused(desk.ask_as(&both, NOW, widen()).await);
    assert!(desk.ask_as(&holder, NOW, widen()).await.is_ok());
    let more = update(&id, json!({"scopes": ["read", "write"]}));
    refused(desk.ask_as(&holder, NOW, more).await);
    let plan = update(&id, json!({"plan": "gold"}));
    refused(desk.ask_as(&holder, NOW, plan).await);
}

#[tokio::test]
async fn faults_of_an_update_are_told_at_once() {
    let desk = Desk::new();
    let (id, _) = desk.create("acme").await;
    let faulty = json!({
        "name": "", "scopes": ["a b"], "routes": ["x", "x"], "addresses": ["10.0.0.1/8"], "plan": "",
        "metadata": {"1x": "x"}, "expiresAt": 1, "expiresInDays": 2, "expectedVersion": 0, "reason": "\n",
    });
    let mut found = fields(desk.ask(update(&id, faulty)).await.unwrap_err());
    found.sort();
    let expected = [
        "addresses[0]",
        "expectedVersion",
        "expiresInDays",
        "metadata.1x",
        "name",
        "plan",
        "reason",
        "routes[1]",
        "scopes[0]",
    ];
    assert_eq!(found, expected);
    let days = update(&id, json!({"expiresInDays": 366}));
    assert_eq!(fields(desk.ask(days).await.unwrap_err()), ["expiresInDays"]);
    let past = update(&id, json!({"expiresAt": 1}));
    assert!(matches!(desk.ask(past).await, Err(AdminError::Refused(_))));
    let stale = update(&id, json!({"name": "x", "expectedVersion": 7}));
    assert!(matches!(
        desk.ask(stale).await,
        Err(AdminError::Conflict(_))
    ));
}

#[tokio::test]
async fn a_key_is_deleted_only_long_after_its_end_and_its_changes_stay() {
    let desk = Desk::new();
    let (id, secret) = desk.create("acme").await;
    let operator = Caller::operator("op");
    let delete = async |now| desk.ask_as(&operator, now, on("delete", &id)).await;
    assert_eq!(delete(NOW).await, Err(lifecycle::Refusal::Alive.into()));
    desk.done(on("revoke", &id)).await;
    assert!(matches!(
        delete(NOW.plus(30 * DAY - 1)).await,
        Err(AdminError::Refused(lifecycle::Refusal::Kept(_)))
    ));
    let changer = tenant_caller(
        &[Permission::Read, Permission::Change, Permission::Make],
        &["read"],
    );
    let late = NOW.plus(30 * DAY);
    let denied = desk.ask_as(&changer, late, on("delete", &id)).await;
    assert!(matches!(denied, Err(AdminError::Forbidden(_))));
    let deleted = delete(late).await.unwrap();
    assert_eq!(deleted, json!({"id": id, "deleted": true}));
    assert!(matches!(
        desk.ask(on("get", &id)).await,
        Err(AdminError::NotFound(_))
    ));
    assert!(matches!(delete(late).await, Err(AdminError::NotFound(_))));
    let verified = desk
        .done(json!({"operation": "verify", "key": secret}))
        .await;
    assert_eq!(verified, json!({"valid": false, "whyNot": "unknown"}));
    let audit = desk.done(on("audit", &id)).await;
    assert_eq!(audit["changes"].as_array().unwrap().len(), 3);
    let stranger = Caller::of_tenant("eve", "other", [Permission::Read], []);
    let hidden = desk.ask_as(&stranger, NOW, on("audit", &id)).await;
    assert!(matches!(hidden, Err(AdminError::NotFound(_))));
}

#[tokio::test]
async fn a_printed_key_is_verified_without_being_shown() {
    let desk = Desk::new();
    let (id, secret) = desk.create("acme").await;
    let verify = |key: &str| json!({"operation": "verify", "key": key});
    let good = desk.done(verify(&secret)).await;
    assert_eq!(
        (&good["valid"], &good["key"]["id"]),
        (&json!(true), &json!(id))
    );
    assert!(!good.to_string().contains(&secret));
    for (key, why) in [
        ("nonsense", "malformed"),
        (&secret.replacen("ck_", "xx_", 1), "foreign"),
        (&secret.replacen("_live_", "_prod_", 1), "environment"),
        (&secret.replacen("_live_", "_test_", 1), "checksum"),
    ] {
        assert_eq!(
            desk.done(verify(key)).await,
            json!({"valid": false, "whyNot": why})
        );
    }
    let stranger = Caller::of_tenant("eve", "other", [Permission::Read], []);
    let hidden = desk.ask_as(&stranger, NOW, verify(&secret)).await.unwrap();
    assert_eq!(hidden, json!({"valid": false, "whyNot": "unknown"}));
    let operator = Caller::operator("op");
    let late = desk
        .ask_as(&operator, NOW.plus(90 * DAY), verify(&secret))
        .await;
    assert_eq!(late.unwrap()["whyNot"], "expired");
    desk.done(on("disable", &id)).await;
    assert_eq!(desk.done(verify(&secret)).await["whyNot"], "disabled");
    desk.done(on("revoke", &id)).await;
    assert_eq!(desk.done(verify(&secret)).await["whyNot"], "revoked");
}

#[tokio::test]
async fn changes_of_a_tenant_are_filtered() {
    let desk = Desk::new();
    let (first, _) = desk.create("acme").await;
    desk.create("acme").await;
    desk.create("other").await;
    desk.done(on("revoke", &first)).await;
    let of_acme = || json!({"operation": "auditOfTenant", "tenant": "acme"});
    let count = |reply: &Value| reply["changes"].as_array().unwrap().len();
    assert_eq!(count(&desk.done(of_acme()).await), 3);
    let revoked = desk.done(with(of_acme(), "action", "revoke")).await;
    assert_eq!(revoked["changes"][0]["keyId"], json!(first));
    assert_eq!(count(&revoked), 1);
    assert_eq!(
        count(&desk.done(with(of_acme(), "actor", "nobody")).await),
        0
    );
    assert_eq!(
        count(&desk.done(with(of_acme(), "to", NOW.unix())).await),
        0
    );
    let wrong = with(with(of_acme(), "action", "eat"), "from", 9);
    let wrong = with(wrong, "to", 9);
    assert_eq!(fields(desk.ask(wrong).await.unwrap_err()), ["action", "to"]);
    let stranger = Caller::of_tenant("eve", "other", [Permission::Read], []);
    let denied = desk.ask_as(&stranger, NOW, of_acme()).await;
    assert!(matches!(denied, Err(AdminError::Forbidden(_))));
}
