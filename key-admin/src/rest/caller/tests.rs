use doorward_engine::config::{Config, ConfigEnv};
use serde_json::json;

use super::*;
use crate::caller::Permission;

const ALL: [Permission; 4] = Permission::ALL;

fn config(text: &str) -> KeyAdminConfig {
    let route = "\n[[routes]]\nroute = \"GET /\"\ncredentials = [\"anonymous\"]\n";
    let env = ConfigEnv {
        read_file: &|_| Err("none".to_owned()),
        secret: &|_| Err("none".to_owned()),
    };
    let checked = Config::read(&format!("{text}{route}"), "test", &env);
    checked.unwrap().config.key_admin
}

fn may(caller: &Caller) -> Vec<Permission> {
    let all = ALL.into_iter();
    all.filter(|permission| caller.require(*permission).is_ok())
        .collect()
}

fn iam(arn: &str) -> Value {
    json!({"requestContext": {"identity": {"userArn": arn}}})
}

#[test]
fn a_listed_principal_may_do_what_the_list_says_and_no_more() {
    let config = config(
        r#"
[key_admin]
unlisted_principals = "refuse"

[[key_admin.principals]]
arn = "arn:aws:iam::111122223333:role/support"
tenant = "acme"
permissions = ["read", "change"]

[[key_admin.principals]]
arn = "arn:aws:iam::111122223333:role/release"
permissions = ["read", "make"]
scopes = ["orders:read"]

[[key_admin.principals]]
arn = "arn:aws:iam::111122223333:role/*"
permissions = ["make"]
scopes = ["*"]
"#,
    );
    let caller_of = |role: &str| {
        caller(
            &iam(&format!(
                "arn:aws:sts::111122223333:assumed-role/{role}/ann"
            )),
            &config,
        )
        .unwrap()
    };
    let support = caller_of("support");
    assert_eq!(may(&support), [Permission::Read, Permission::Change]);
    assert!(support.sees("acme") && !support.sees("globex") && !support.is_operator());
    assert!(support.require_scopes(&["orders:read".to_owned()]).is_err());
    assert!(support.name().ends_with("assumed-role/support/ann"));

    let release = caller_of("release");
    assert_eq!(may(&release), [Permission::Read, Permission::Make]);
    assert!(release.sees("acme") && release.sees("globex") && !release.is_operator());
    assert!(release.require_scopes(&["orders:read".to_owned()]).is_ok());
    assert!(
        release
            .require_scopes(&["orders:write".to_owned()])
            .is_err()
    );

    assert!(
        caller_of("other")
            .require_scopes(&["any".to_owned()])
            .is_ok()
    );
    let unlisted = caller(&iam("arn:aws:iam::111122223333:user/ann"), &config).unwrap_err();
    assert!(
        unlisted.to_string().contains("key_admin.principals"),
        "{unlisted}"
    );
}

#[test]
fn without_a_word_every_principal_is_an_operator_and_no_token_is_taken() {
    let config = KeyAdminConfig::default();
    assert!(
        caller(&iam("arn:aws:iam::1:user/op"), &config)
            .unwrap()
            .is_operator()
    );
    let token = json!({"requestContext": {"authorizer": {"subject": "a", "tenant": "t", "credential": "jwt", "scopes": "keys:read"}}});
    assert!(caller(&token, &config).is_err());
}

/// What authorizers of each kind hand on.
fn contexts(subject: &str, tenant: &str, scopes: &str) -> [Value; 4] {
    let own = json!({"subject": subject, "tenant": tenant, "scopes": scopes, "credential": "jwt", "issuer": "https://i"});
    let claims = json!({"sub": subject, "tenant": tenant, "scope": scopes, "iss": "https://i"});
    [
        own.clone(),
        json!({"lambda": own}),
        json!({"jwt": {"claims": claims, "scopes": null}}),
        json!({"claims": claims}),
    ]
}

fn behind_authorizer(context: &Value) -> Value {
    json!({
        "headers": {"x-tenant": "evil"},
        "body": r#"{"tenant":"evil"}"#,
        "requestContext": {"identity": {"userArn": null}, "authorizer": context},
    })
}

#[test]
fn callers_of_an_authorizer_administer_their_tenant_as_far_as_their_scopes_say() {
    let config = config("[key_admin]\naccept = [\"authorizer\"]\n");
    for context in contexts("ann", "acme", "keys:read keys:make orders:read") {
        let caller = caller(&behind_authorizer(&context), &config).unwrap();
        assert_eq!(caller.name(), "ann of https://i", "{context}");
        assert_eq!(
            may(&caller),
            [Permission::Read, Permission::Make],
            "{context}"
        );
        assert!(caller.sees("acme") && !caller.sees("evil"), "{context}");
        assert!(caller.require_scopes(&["orders:read".to_owned()]).is_ok());
        assert!(caller.require_scopes(&["orders:write".to_owned()]).is_err());
    }
    for context in contexts("ann", "acme", "orders:read") {
        assert!(may(&caller(&behind_authorizer(&context), &config).unwrap()).is_empty());
    }
}

#[test]
fn who_is_not_named_whole_is_refused() {
    let config = config("[key_admin]\naccept = [\"authorizer\"]\n");
    let without = [
        contexts("", "acme", "keys:read"),
        contexts("ann", "", "keys:read"),
    ];
    for context in without.iter().flatten() {
        assert!(
            caller(&behind_authorizer(context), &config).is_err(),
            "{context}"
        );
    }
    for context in [
        json!({}),
        json!(null),
        json!("ann"),
        json!({"principalId": "ann"}),
        json!({"subject": "k", "tenant": "acme", "scopes": "keys:make", "credential": "api_key"}),
        json!({"subject": "k", "tenant": "acme", "scopes": "keys:make", "credential": "certificate"}),
        json!({"subject": "k", "tenant": "acme", "scopes": "keys:make"}),
        json!({"subject": ["k"], "tenant": "acme", "scopes": "keys:make", "credential": "jwt"}),
    ] {
        assert!(
            caller(&behind_authorizer(&context), &config).is_err(),
            "{context}"
        );
    }
    // A principal of IAM, where only authorizers count.
    assert!(caller(&iam("arn:aws:iam::1:user/op"), &config).is_err());
}

#[test]
fn events_of_other_apis_are_refused_where_some_are_named() {
    let event = json!({"requestContext": {"apiId": "a1", "stage": "v1"}});
    for (apis, is_taken) in [
        (vec![], true),
        (vec!["a1"], true),
        (vec!["b2", "a1/v1"], true),
        (vec!["a1/v2"], false),
        (vec!["b2"], false),
        (vec!["a1/"], false),
    ] {
        let apis: Vec<String> = apis.into_iter().map(str::to_owned).collect();
        assert_eq!(of_api(&event, &apis).is_ok(), is_taken, "{apis:?}");
        assert_eq!(
            of_api(&json!({"requestContext": {}}), &apis).is_ok(),
            apis.is_empty()
        );
    }
}
