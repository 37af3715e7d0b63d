mod decoys;
mod import;
mod life;

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use doorward_backends::memory::MemoryKeys;
use doorward_keys::{
    KeyLookup, Pepper, Timestamp,
    format::KeyFormat,
    lifecycle::{self, Standing, standing},
};
use serde_json::{Value, json};

use super::*;
use crate::{entropy::EntropyError, rest::Problem};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const DAY: i64 = 86_400;

/// Bytes that never repeat, so that keys and ids differ.
#[derive(Default)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }
}

struct Broken;

impl Entropy for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

struct Desk {
    admin: KeyAdmin,
    store: Arc<MemoryKeys>,
    entropy: Counting,
}

impl Desk {
    fn new() -> Self {
        Self::under(Pepper::new(vec![7; 32]))
    }

    fn unpeppered() -> Self {
        Self::under(None)
    }

    fn under(pepper: Option<Pepper>) -> Self {
        let store = Arc::new(MemoryKeys::new());
        let policy = KeyPolicy {
            format: KeyFormat {
                prefix: "ck".to_owned(),
                environments: vec!["live".to_owned(), "test".to_owned()],
                pepper,
                previous_pepper: None,
            },
            default_lifetime_days: 90,
            max_lifetime_days: 365,
            retention_days: 30,
            cache_seconds: 60,
            gateway_ttl_seconds: 300,
        };
        Self {
            admin: KeyAdmin::new(policy, store.clone()),
            store,
            entropy: Counting::default(),
        }
    }

    async fn ask_as(
        &self,
        caller: &Caller,
        now: Timestamp,
        command: Value,
    ) -> Result<Value, AdminError> {
        let command: Command = serde_json::from_value(command).unwrap();
        let reply = self.admin.run(command, caller, now, &self.entropy).await?;
        Ok(serde_json::to_value(&reply).unwrap())
    }

    async fn ask(&self, command: Value) -> Result<Value, AdminError> {
        self.ask_as(&Caller::operator("arn:aws:iam::1:user/op"), NOW, command)
            .await
    }

    async fn done(&self, command: Value) -> Value {
        self.ask(command).await.unwrap()
    }

    async fn create(&self, tenant: &str) -> (String, String) {
        let made = self.done(draft(tenant)).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&made["key"]["id"]), text(&made["secret"]))
    }
}

fn draft(tenant: &str) -> Value {
    json!({"operation": "create", "tenant": tenant, "name": "ci", "environment": "live", "scopes": ["read"]})
}

fn on(operation: &str, id: &str) -> Value {
    json!({"operation": operation, "id": id})
}

fn with(mut command: Value, field: &str, value: impl Into<Value>) -> Value {
    command[field] = value.into();
    command
}

fn fields(error: AdminError) -> Vec<String> {
    let AdminError::Invalid(faults) = error else {
        panic!("{error:?}");
    };
    faults.into_iter().map(|fault| fault.field).collect()
}

#[tokio::test]
async fn the_secret_is_shown_once_and_opens_the_key() {
    let desk = Desk::new();
    let (id, secret) = desk.create("acme").await;
    let digest = desk.admin.policy().format.parse(&secret).unwrap();
    let record = desk.store.lookup(&digest).await.unwrap().unwrap();
    assert_eq!(record.id.as_str(), id);
    assert_eq!(record.expires_at, Some(NOW.plus(90 * DAY)));
    for command in [
        on("get", &id),
        on("audit", &id),
        on("disable", &id),
        on("revoke", &id),
        json!({"operation": "list", "tenant": "acme"}),
    ] {
        let shown = desk.done(command).await.to_string();
        assert!(!shown.contains(&secret), "{shown}");
        assert!(!shown.contains(&digest.to_hex()), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[tokio::test]
async fn a_repeated_request_makes_one_key_and_shows_no_secret_again() {
    let desk = Desk::new();
    let asked = with(draft("acme"), "idempotencyKey", "n-1");
    let first = desk.done(asked.clone()).await;
    let again = desk.done(asked.clone()).await;
    assert_eq!(again["key"]["id"], first["key"]["id"]);
    assert_eq!(again["repeated"], true);
    assert!(again.get("secret").is_none(), "{again}");
    let other = desk.ask(with(asked.clone(), "name", "other")).await;
    assert_eq!(other, Err(AdminError::IdempotencyKeyUsed));
    // The names of one tenant never meet those of another.
    let elsewhere = desk.done(with(asked, "tenant", "other")).await;
    assert_ne!(elsewhere["key"]["id"], first["key"]["id"]);

    let id = first["key"]["id"].as_str().unwrap();
    let rotation = with(on("rotate", id), "idempotencyKey", "n-1");
    let rotated = desk.done(rotation.clone()).await;
    let again = desk.done(rotation).await;
    assert_eq!(again["key"]["id"], rotated["key"]["id"]);
    assert!(again.get("secret").is_none(), "{again}");
}

#[tokio::test]
async fn a_rotated_key_ends_with_the_overlap() {
    let desk = Desk::new();
    let (id, _) = desk.create("acme").await;
    let rotated = desk
        .done(with(on("rotate", &id), "overlapSeconds", 600))
        .await;
    let end = NOW.plus(600);
    assert_eq!(rotated["replaced"]["expiresAt"], end.unix());
    assert_eq!(rotated["replaced"]["rotatedTo"], rotated["key"]["id"]);
    assert_eq!(rotated["key"]["scopes"], json!(["read"]));
    let old = desk
        .store
        .fetch(&KeyId::parse(&id).unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(standing(&old, end.plus(-1)), Standing::Usable);
    assert_eq!(standing(&old, end), Standing::Expired);
    let twice = desk.ask(on("rotate", &id)).await;
    assert_eq!(twice, Err(AdminError::Refused(lifecycle::Refusal::Rotated)));
}

#[tokio::test]
async fn a_revoked_key_stays_revoked_and_the_delay_is_stated() {
    let desk = Desk::new();
    let (id, _) = desk.create("acme").await;
    let revoked = desk.done(on("revoke", &id)).await;
    assert_eq!(revoked["key"]["status"], "revoked");
    assert_eq!(revoked["effectiveWithinSeconds"], 360);
    for operation in ["enable", "disable", "rotate"] {
        let refused = desk.ask(on(operation, &id)).await;
        assert_eq!(
            refused,
            Err(AdminError::Refused(lifecycle::Refusal::Revoked)),
            "{operation}"
        );
    }
    let again = desk.done(on("revoke", &id)).await;
    assert_eq!(again["changed"], false);
    assert_eq!(again["key"]["version"], revoked["key"]["version"]);
}

#[tokio::test]
async fn every_change_is_audited_with_who_and_why() {
    let desk = Desk::new();
    let (id, secret) = desk.create("acme").await;
    desk.done(with(on("disable", &id), "reason", "leaked?"))
        .await;
    desk.done(on("disable", &id)).await;
    desk.done(on("enable", &id)).await;
    let rotated = desk.done(on("rotate", &id)).await;
    desk.done(on("revoke", &id)).await;
    let audit = desk.done(on("audit", &id)).await;
    let changes = audit["changes"].as_array().unwrap();
    let actions: Vec<&str> = changes
        .iter()
        .map(|change| change["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["create", "disable", "enable", "rotate", "revoke"]);
    let versions: Vec<u64> = changes
        .iter()
        .map(|change| change["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
    assert_eq!(changes[1]["reason"], "leaked?");
    assert_eq!(changes[3]["related"], rotated["key"]["id"]);
    assert!(
        changes
            .iter()
            .all(|change| change["actor"] == "arn:aws:iam::1:user/op")
    );
    assert!(!audit.to_string().contains(&secret));
}

#[tokio::test]
async fn a_stale_version_is_refused() {
    let desk = Desk::new();
    let (id, _) = desk.create("acme").await;
    desk.done(on("disable", &id)).await;
    for operation in ["enable", "revoke", "rotate"] {
        let stale = desk
            .ask(with(on(operation, &id), "expectedVersion", 1))
            .await;
        assert!(matches!(stale, Err(AdminError::Conflict(_))), "{operation}");
    }
    desk.done(with(on("enable", &id), "expectedVersion", 2))
        .await;
}

#[tokio::test]
async fn a_key_of_another_tenant_is_not_there() {
    let desk = Desk::new();
    let (id, _) = desk.create("acme").await;
    let all = [Permission::Read, Permission::Make, Permission::Change];
    let foreign = Caller::of_tenant("eve", "evil", all, ["read".to_owned()]);
    for operation in ["get", "audit", "rotate", "disable", "enable", "revoke"] {
        let answer = desk.ask_as(&foreign, NOW, on(operation, &id)).await;
        let unknown = "key_00000000000000000000000000";
        let of_unknown = desk.ask_as(&foreign, NOW, on(operation, unknown)).await;
        let told = |answer: Result<Value, AdminError>, id: &str| {
            let problem = Problem::of(&answer.unwrap_err(), "r");
            serde_json::to_string(&problem).unwrap().replace(id, "ID")
        };
        assert_eq!(told(answer, &id), told(of_unknown, unknown), "{operation}");
    }
    for command in [
        draft("acme"),
        json!({"operation": "list", "tenant": "acme"}),
    ] {
        let answer = desk.ask_as(&foreign, NOW, command).await;
        assert!(
            matches!(answer, Err(AdminError::Forbidden(_))),
            "{answer:?}"
        );
    }
    assert_eq!(desk.done(on("get", &id)).await["key"]["version"], 1);
}

#[tokio::test]
async fn nobody_grants_what_they_lack() {
    let desk = Desk::new();
    let all = [Permission::Read, Permission::Make, Permission::Change];
    let caller = Caller::of_tenant("ann", "acme", all, ["read".to_owned()]);
    let own = desk.ask_as(&caller, NOW, draft("acme")).await;
    assert!(own.is_ok(), "{own:?}");
    let wider = with(draft("acme"), "scopes", json!(["read", "admin"]));
    for command in [wider.clone(), with(draft("acme"), "usagePlanKey", "plan")] {
        let refused = desk.ask_as(&caller, NOW, command).await;
        assert!(
            matches!(refused, Err(AdminError::Forbidden(_))),
            "{refused:?}"
        );
    }
    // Rotating hands out a secret for all that the old key could do.
    let strong = desk.done(wider).await;
    let id = strong["key"]["id"].as_str().unwrap();
    let stolen = desk.ask_as(&caller, NOW, on("rotate", id)).await;
    assert!(
        matches!(stolen, Err(AdminError::Forbidden(_))),
        "{stolen:?}"
    );
}

#[tokio::test]
async fn a_caller_without_the_permission_is_refused() {
    let desk = Desk::new();
    let (id, _) = desk.create("acme").await;
    for (permission, allowed) in [
        (Permission::Read, vec!["get", "audit", "list"]),
        (Permission::Make, vec!["create", "rotate"]),
        (Permission::Change, vec!["disable", "enable", "revoke"]),
    ] {
        let caller = Caller::of_tenant("ann", "acme", [permission], ["read".to_owned()]);
        for operation in [
            "get", "audit", "list", "create", "rotate", "disable", "enable", "revoke",
        ] {
            let command = match operation {
                "create" => draft("acme"),
                "list" => json!({"operation": "list", "tenant": "acme"}),
                _ => on(operation, &id),
            };
            let answer = desk.ask_as(&caller, NOW, command).await;
            let refused = matches!(answer, Err(AdminError::Forbidden(_)));
            assert_eq!(
                refused,
                !allowed.contains(&operation),
                "{operation}: {answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn all_faults_of_a_command_are_told_at_once() {
    let desk = Desk::new();
    let bad = json!({
        "operation": "create", "tenant": " acme", "name": "", "environment": "prod",
        "scopes": ["a b", "a", "a", "", "orders:*"],
        "routes": ["\u{7}"],
        "addresses": ["10.0.0.1/8", "0.0.0.0/0", "::ffff:10.0.0.1", "300.1.1.1", "10.0.0.0/33", "010.0.0.1"],
        "expiresInDays": 366, "usagePlanKey": "\u{e9}", "idempotencyKey": "",
        "metadata": {"tenant": "x", "9a": "x", "note": "a\nb", "PrincipalId": "x"},
    });
    assert_eq!(
        fields(desk.ask(bad).await.unwrap_err()),
        [
            "environment",
            "tenant",
            "name",
            "scopes[2]",
            "scopes[3]",
            "scopes[0]",
            "scopes[4]",
            "routes[0]",
            "usagePlanKey",
            "idempotencyKey",
            "metadata.9a",
            "metadata.PrincipalId",
            "metadata.note",
            "metadata.tenant",
            "addresses[0]",
            "addresses[1]",
            "addresses[2]",
            "addresses[3]",
            "addresses[4]",
            "addresses[5]",
            "expiresInDays",
        ]
    );
    let rotation = json!({
        "operation": "rotate", "id": "key_1", "overlapSeconds": 2_592_001, "expiresInDays": 0,
        "expectedVersion": 0, "reason": "a\u{0}", "idempotencyKey": "\n",
    });
    assert_eq!(
        fields(desk.ask(rotation).await.unwrap_err()),
        [
            "idempotencyKey",
            "expiresInDays",
            "overlapSeconds",
            "expectedVersion",
            "reason",
            "id"
        ]
    );
    let list = json!({"operation": "list", "tenant": "", "limit": 101, "cursor": "c1zz"});
    assert_eq!(
        fields(desk.ask(list).await.unwrap_err()),
        ["tenant", "limit", "cursor"]
    );
}

#[tokio::test]
async fn a_message_does_not_carry_control_characters_of_the_caller() {
    let desk = Desk::new();
    let error = desk.ask(on("get", "key_\n\u{1b}[31m`")).await.unwrap_err();
    let told = error.to_string();
    assert!(!told.chars().any(char::is_control), "{told:?}");
}

#[test]
fn unknown_missing_and_repeated_fields_are_refused() {
    for text in [
        r#"{"operation":"create","tenant":"a","name":"n","environment":"live","status":"active"}"#,
        r#"{"operation":"create","tenant":"a","name":"n","environment":"live","digest":"00"}"#,
        r#"{"operation":"create","tenant":"a","tenant":"b","name":"n","environment":"live"}"#,
        r#"{"operation":"create","name":"n","environment":"live"}"#,
        r#"{"operation":"rotate","id":"key_1","tenant":"a"}"#,
        r#"{"operation":"get","id":"key_1","ID":"key_2"}"#,
        r#"{"operation":"remove","id":"key_1"}"#,
        r#"{"operation":"Get","id":"key_1"}"#,
        r#"{"id":"key_1"}"#,
        r#"["get"]"#,
    ] {
        assert!(serde_json::from_str::<Command>(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn nothing_is_made_without_randomness() {
    let desk = Desk::new();
    let command: Command = serde_json::from_value(draft("acme")).unwrap();
    let caller = Caller::operator("op");
    let made = desk.admin.run(command, &caller, NOW, &Broken).await;
    assert!(matches!(made, Err(AdminError::Unavailable(_))), "{made:?}");
    let listed = desk
        .done(json!({"operation": "list", "tenant": "acme"}))
        .await;
    assert_eq!(listed["keys"], json!([]));
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let desk = Desk::new();
    let mut made = Vec::new();
    for second in 0..5 {
        let caller = Caller::operator("op");
        let reply = desk.ask_as(&caller, NOW.plus(second), draft("acme")).await;
        made.push(reply.unwrap()["key"]["id"].clone());
    }
    let mut command = json!({"operation": "list", "tenant": "acme", "limit": 2});
    let mut seen = Vec::new();
    loop {
        let page = desk.done(command.clone()).await;
        let keys = page["keys"].as_array().unwrap();
        seen.extend(keys.iter().map(|key| key["id"].clone()));
        match page.get("cursor") {
            None => break,
            Some(cursor) => command = with(command, "cursor", cursor.clone()),
        }
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let desk = Desk::new();
    let asked = with(draft("acme"), "usagePlanKey", "plan-secret");
    let command: Command = serde_json::from_value(asked).unwrap();
    let caller = Caller::operator("op");
    let shown = format!("{command:?}");
    let reply = desk.admin.run(command, &caller, NOW, &desk.entropy).await;
    let Ok(Reply::Created { secret, .. }) = &reply else {
        panic!("{reply:?}");
    };
    let shown = format!("{shown} {reply:?}");
    assert!(!shown.contains(secret.expose()), "{shown}");
    assert!(!shown.contains("plan-secret"), "{shown}");
}
