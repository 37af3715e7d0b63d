mod shapes;

use serde_json::{Value as Json, json};

use super::*;
use crate::{identity::Words, layers::jwt::test_support::issuer};

const NOW: i64 = 1_700_000_000;

const ACCESS: &str = r#"
    name = "acme"
    issuer = "https://acme.example"
    algorithms = ["RS256"]
    audiences = ["api", "other-api"]
"#;

fn config(more: &str) -> std::sync::Arc<IssuerConfig> {
    issuer(&format!("{ACCESS}\n{more}"))
}

/// A full access token of RFC 9068.
fn access() -> Json {
    json!({
        "iss": "https://acme.example", "aud": "api", "sub": "user-1", "client_id": "app",
        "jti": "1", "iat": NOW - 10, "exp": NOW + 600, "scope": "read write",
    })
}

fn with(mut claims: Json, changes: Json) -> Json {
    let Json::Object(changes) = changes else {
        panic!("changes are an object")
    };
    for (name, value) in changes {
        claims[name] = value;
    }
    claims
}

fn without(mut claims: Json, name: &str) -> Json {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn run(config: &IssuerConfig, kind: Option<&str>, claims: &Json) -> Result<Accepted, Denial> {
    let header = Header {
        algorithm: "RS256".to_owned(),
        key_id: None,
        kind: kind.map(str::to_owned),
    };
    let text = claims.to_string();
    let claims = Object::token_part(text.as_bytes()).unwrap();
    check(config, &header, &claims, Timestamp::from_unix(NOW))
}

#[track_caller]
fn accepts(config: &IssuerConfig, claims: &Json) -> Subject {
    let kind = (config.profile == Profile::AccessToken).then_some("at+jwt");
    run(config, kind, claims)
        .unwrap_or_else(|denial| panic!("{claims}: {denial:?}"))
        .subject
}

#[track_caller]
fn refuses(config: &IssuerConfig, claims: &Json, reason: Reason) -> String {
    let kind = (config.profile == Profile::AccessToken).then_some("at+jwt");
    match run(config, kind, claims) {
        Ok(accepted) => panic!("{claims}: {:?}", accepted.subject),
        Err(denial) => {
            assert_eq!(denial.reason(), reason, "{claims}: {}", denial.detail());
            denial.detail().to_owned()
        }
    }
}

fn words(list: &[&str]) -> Words {
    list.iter().collect()
}

#[test]
fn reads_an_access_token() {
    let subject = accepts(&config(""), &access());
    assert_eq!(subject.issuer_name(), "acme");
    assert_eq!(subject.principal(), "user|https://acme.example|user-1");
    assert_eq!(subject.client_id.as_deref(), Some("app"));
    assert_eq!(subject.scopes, words(&["read", "write"]));
    assert_eq!(subject.roles, words(&[]));
    assert_eq!(subject.expires_at.unix(), NOW + 600);
    assert_eq!(subject.valid_until.unix(), NOW + 660);
    assert_eq!((subject.tenant, subject.is_client), (None, false));
}

#[test]
fn refuses_access_tokens_without_a_claim_that_rfc_9068_demands() {
    for name in ["exp", "sub", "client_id", "iat", "jti"] {
        refuses(&config(""), &without(access(), name), Reason::TokenClaim);
    }
    refuses(
        &config(""),
        &without(access(), "aud"),
        Reason::TokenAudience,
    );
}

#[test]
fn refuses_claims_of_the_wrong_type_and_never_takes_them_for_absent() {
    for name in ["exp", "nbf", "iat"] {
        for wrong in [
            json!("1700000000"),
            json!(null),
            json!(true),
            json!([NOW]),
            json!({}),
            json!(-1),
            json!(-0.5),
            json!(1e300),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(NOW * 1000),
        ] {
            refuses(
                &config(""),
                &with(access(), json!({name: wrong})),
                Reason::TokenClaim,
            );
        }
    }
    for name in ["sub", "client_id", "jti"] {
        for wrong in [
            json!(null),
            json!(1),
            json!([]),
            json!(""),
            json!("a\nb"),
            json!("a\u{0}"),
        ] {
            refuses(
                &config(""),
                &with(access(), json!({name: wrong})),
                Reason::TokenClaim,
            );
        }
    }
    for wrong in [
        json!(null),
        json!(1),
        json!({}),
        json!([1]),
        json!(["api", null]),
        json!([["api"]]),
    ] {
        refuses(
            &config(""),
            &with(access(), json!({"aud": wrong})),
            Reason::TokenClaim,
        );
    }
    for wrong in [json!(["read"]), json!(null), json!(1), json!("a\tb")] {
        refuses(
            &config(""),
            &with(access(), json!({"scope": wrong})),
            Reason::TokenClaim,
        );
    }
}

#[test]
fn compares_the_audience_exactly() {
    for fits in [
        json!("api"),
        json!("other-api"),
        json!(["x", "api"]),
        json!(["api", "api"]),
    ] {
        accepts(&config(""), &with(access(), json!({"aud": fits})));
    }
    for misses in [
        json!("API"),
        json!("api "),
        json!("api/"),
        json!("ap"),
        json!(""),
        json!([]),
        json!(["x"]),
    ] {
        refuses(
            &config(""),
            &with(access(), json!({"aud": misses})),
            Reason::TokenAudience,
        );
    }
    let detail = refuses(
        &config(""),
        &with(access(), json!({"aud": ["x\u{1b}", "y"]})),
        Reason::TokenAudience,
    );
    assert_eq!(
        detail,
        "`aud` is `x\\u{1b}`, `y`, expected `api`, `other-api`"
    );
}

#[test]
fn refuses_tokens_outside_of_their_time() {
    let config = config("");
    let set = |name: &str, time: i64| with(access(), json!({name: time}));
    accepts(&config, &set("exp", NOW - 59));
    refuses(&config, &set("exp", NOW - 60), Reason::TokenExpired);
    accepts(&config, &set("nbf", NOW + 60));
    refuses(&config, &set("nbf", NOW + 61), Reason::TokenNotYetValid);
    accepts(&config, &set("iat", NOW + 60));
    refuses(&config, &set("iat", NOW + 61), Reason::TokenNotYetValid);
    accepts(&config, &set("nbf", 0));
}

#[test]
fn knows_no_leeway_where_none_is_configured() {
    let config = config("leeway_seconds = 0");
    let set = |name: &str, time: Json| with(access(), json!({name: time}));
    accepts(&config, &set("exp", json!(NOW + 1)));
    refuses(&config, &set("exp", json!(NOW)), Reason::TokenExpired);
    accepts(&config, &set("nbf", json!(NOW)));
    refuses(
        &config,
        &set("nbf", json!(NOW + 1)),
        Reason::TokenNotYetValid,
    );
    // Fractions are cut off.
    let number = |text: String| serde_json::from_str::<Json>(&text).unwrap();
    accepts(&config, &set("exp", number(format!("{}.5", NOW + 1))));
    refuses(
        &config,
        &set("exp", number(format!("{NOW}.9"))),
        Reason::TokenExpired,
    );
    accepts(&config, &set("nbf", number(format!("{NOW}.9"))));
    accepts(&config, &set("exp", number("2e9".to_owned())));
}

#[test]
fn says_from_when_on_a_token_holds() {
    let claims = with(access(), json!({"nbf": NOW - 5, "iat": NOW - 10}));
    let accepted = run(&config(""), Some("at+jwt"), &claims).unwrap_or_else(|d| panic!("{d:?}"));
    assert_eq!(accepted.not_before.unix(), NOW - 65);
}

#[test]
fn refuses_tokens_that_live_too_long() {
    let config = config("max_lifetime_seconds = 600");
    let lives = |seconds: i64| {
        with(
            access(),
            json!({"iat": NOW - 10, "exp": NOW - 10 + seconds}),
        )
    };
    accepts(&config, &lives(600));
    refuses(&config, &lives(601), Reason::TokenLifetime);
}

#[test]
fn needs_the_time_of_issue_where_the_lifetime_is_limited() {
    let config = config("profile = \"legacy\"\nmax_lifetime_seconds = 600");
    refuses(&config, &without(access(), "iat"), Reason::TokenClaim);
}

#[test]
fn refuses_bound_tokens_whatever_the_proof() {
    for cnf in [
        json!({"jkt": "x"}),
        json!({"x5t#S256": "x"}),
        json!({}),
        json!(null),
    ] {
        refuses(
            &config(""),
            &with(access(), json!({"cnf": cnf})),
            Reason::TokenBound,
        );
    }
}

#[test]
fn refuses_tokens_of_another_kind_before_anything_else() {
    for kind in [None, Some("JWT"), Some("id+jwt")] {
        let denial = run(&config(""), kind, &json!({})).err().unwrap();
        assert_eq!(denial.reason(), Reason::TokenType);
    }
}

#[test]
fn takes_legacy_tokens_without_the_extra_claims() {
    let config = config("profile = \"legacy\"");
    let claims = json!({"iss": "https://acme.example", "aud": "api", "sub": "u", "exp": NOW + 1});
    assert_eq!(accepts(&config, &claims).client_id, None);
    for name in ["exp", "sub"] {
        refuses(&config, &without(claims.clone(), name), Reason::TokenClaim);
    }
    refuses(&config, &without(claims, "aud"), Reason::TokenAudience);
}

#[test]
fn a_token_without_user_speaks_for_the_client() {
    let config = config("profile = \"legacy\"");
    let claims = json!({"aud": "api", "client_id": "app", "exp": NOW + 1});
    let subject = accepts(&config, &claims);
    assert_eq!(subject.principal(), "client|https://acme.example|app");
}

#[test]
fn a_subject_equal_to_the_client_is_no_user() {
    let claims = with(access(), json!({"sub": "app"}));
    assert!(accepts(&config(""), &claims).is_client);
    // Nor when another claim is mapped.
    let mapped = config("claims = { subject = \"email\" }");
    let claims = with(claims, json!({"email": "a@acme.example"}));
    assert!(accepts(&mapped, &claims).is_client);
    assert!(!accepts(&mapped, &with(claims, json!({"sub": "user-1"}))).is_client);
}

#[test]
fn accepts_only_listed_clients_where_there_is_a_list() {
    let config = config("client_ids = [\"app\", \"web\"]");
    accepts(&config, &access());
    refuses(
        &config,
        &with(access(), json!({"client_id": "APP"})),
        Reason::TokenAudience,
    );
    refuses(
        &config,
        &with(access(), json!({"aud": "x"})),
        Reason::TokenAudience,
    );
}

#[test]
fn demands_required_claims() {
    let config = config(
        r#"
        [required_claims]
        email_verified = [true]
        level = [2, 3]
        "realm.kind" = ["internal"]
        "https://acme.example/plan" = ["pro", "max"]
        "#,
    );
    let good = with(
        access(),
        json!({
            "email_verified": true, "level": 3, "realm": {"kind": ["x", "internal"]},
            "https://acme.example/plan": "max",
        }),
    );
    accepts(&config, &good);
    for wrong in [
        json!({"email_verified": "true"}),
        json!({"email_verified": 1}),
        json!({"email_verified": null}),
        json!({"level": 1}),
        json!({"level": "2"}),
        json!({"level": 2.5}),
        json!({"realm": {"kind": []}}),
        json!({"realm": {}}),
        json!({"realm.kind": "internal", "realm": 1}),
        json!({"https://acme.example/plan": "Pro"}),
        json!({"https://acme.example/plan": {"pro": true}}),
    ] {
        refuses(&config, &with(good.clone(), wrong), Reason::TokenClaim);
    }
}

#[test]
fn splits_scopes_on_single_spaces_and_leaves_their_case() {
    let scopes = |text: &str| accepts(&config(""), &with(access(), json!({"scope": text}))).scopes;
    assert_eq!(scopes("a b:c a"), words(&["a", "b:c"]));
    assert_eq!(scopes("Read read"), words(&["Read", "read"]));
    assert_eq!(scopes(" a  b "), words(&["a", "b"]));
    assert_eq!(scopes("a,b"), words(&["a,b"]));
    assert_eq!(scopes(""), words(&[]));
    assert_eq!(
        accepts(&config(""), &without(access(), "scope")).scopes,
        words(&[])
    );
}

#[test]
fn hands_on_flat_claims_only() {
    let config = config(
        r#"context = { email = "email", age = "age", ok = "ok", plan = ["app", "plan"], list = "list", gone = "gone", nothing = "nothing" }"#,
    );
    let claims = with(
        access(),
        json!({"email": "a@b", "age": 7, "ok": true, "app": {"plan": "pro"}, "list": [1], "nothing": null}),
    );
    let context: Vec<_> = accepts(&config, &claims).context.into_iter().collect();
    let expected = [
        ("age", "7"),
        ("email", "a@b"),
        ("ok", "true"),
        ("plan", "pro"),
    ];
    assert_eq!(
        context,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn refuses_a_tenant_of_the_wrong_type() {
    let config = config("claims = { tenant = \"tid\" }");
    assert_eq!(accepts(&config, &access()).tenant, None);
    for wrong in [json!(1), json!(null), json!(["a", "b"]), json!("")] {
        refuses(
            &config,
            &with(access(), json!({"tid": wrong})),
            Reason::TokenClaim,
        );
    }
}

#[test]
fn keeps_principals_of_different_kinds_and_issuers_apart() {
    let of = |issuer_text: &str, claims: &Json| {
        let config = issuer(&ACCESS.replace("https://acme.example", issuer_text));
        accepts(&config, claims).principal()
    };
    let tricky = with(access(), json!({"sub": "b|user-1"}));
    assert_ne!(of("https://a|b", &access()), of("https://a", &tricky));
    assert_ne!(
        of("https://a", &with(access(), json!({"sub": "app"}))),
        of(
            "https://a",
            &with(access(), json!({"sub": "app", "client_id": "x"}))
        )
    );
}
