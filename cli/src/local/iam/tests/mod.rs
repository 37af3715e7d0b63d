//! Tables; the heading of each names the page of AWS's documentation that it reads.

mod conditions;
mod globs;
mod malformed;

use serde_json::{Value, json};

use super::*;

const ARN: &str = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/orders/42";
const INVOKE: &str = "execute-api:Invoke";
/// 2026-11-23T10:00:00Z.
const NOW: i64 = 1_795_428_000;

fn facts() -> Facts {
    Facts {
        now: Timestamp::from_unix(NOW),
        source_ip: Some("203.0.113.7".parse().unwrap()),
        secure_transport: true,
        user_agent: Some("curl/8.5".to_owned()),
        referer: None,
    }
}

fn outcome(policy: &Value, action: &str, resource: &str, facts: &Facts) -> String {
    match evaluate(policy, action, resource, facts) {
        Ok(effect) => format!("{effect:?}"),
        Err(malformed) => format!("malformed: {}", malformed.message),
    }
}

fn statement(effect: &str, resource: &Value) -> Value {
    json!({"Effect": effect, "Action": INVOKE, "Resource": resource})
}

fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[track_caller]
fn check(policy: &Value, expected: &str) {
    assert_eq!(outcome(policy, INVOKE, ARN, &facts()), expected, "{policy}");
}

/// IAM User Guide, *Policy evaluation logic*.
#[test]
fn a_matching_deny_wins_over_every_allow() {
    let (all, other) = (
        json!("*"),
        json!("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/x"),
    );
    let (allow, deny) = (statement("Allow", &all), statement("Deny", &all));
    let deny_other = statement("Deny", &other);
    check(&policy(&json!([allow])), "Allow");
    check(&policy(&json!(allow)), "Allow");
    check(&policy(&json!([allow, deny])), "ExplicitDeny");
    check(&policy(&json!([deny, allow])), "ExplicitDeny");
    check(&policy(&json!([allow, deny_other])), "Allow");
    check(&policy(&json!([deny_other])), "ImplicitDeny");
    check(
        &policy(&json!([statement("Allow", &other)])),
        "ImplicitDeny",
    );
}

/// IAM User Guide, *IAM JSON policy elements: Action*, *`NotAction`*.
#[test]
fn actions_ignore_case_and_take_wildcards() {
    let with = |member: &str, value: Value| {
        policy(&json!({"Effect": "Allow", member: value, "Resource": "*"}))
    };
    for (member, value, expected) in [
        ("Action", json!("execute-api:Invoke"), "Allow"),
        ("Action", json!("EXECUTE-API:INVOKE"), "Allow"),
        ("Action", json!("execute-api:*"), "Allow"),
        ("Action", json!("execute-api:In?oke"), "Allow"),
        ("Action", json!("*"), "Allow"),
        ("Action", json!("*:*"), "Allow"),
        (
            "Action",
            json!(["s3:GetObject", "execute-api:Invoke"]),
            "Allow",
        ),
        (
            "Action",
            json!("execute-api:InvalidateCache"),
            "ImplicitDeny",
        ),
        ("Action", json!("execute-api:Invok"), "ImplicitDeny"),
        ("NotAction", json!("execute-api:InvalidateCache"), "Allow"),
        (
            "NotAction",
            json!(["s3:*", "execute-api:*"]),
            "ImplicitDeny",
        ),
    ] {
        check(&with(member, value), expected);
    }
}

/// IAM User Guide, *IAM JSON policy elements: Resource*, *`NotResource`*; *Amazon Resource Names*.
#[test]
fn resources_match_by_parts_and_stars_cross_slashes() {
    let prefix = "arn:aws:execute-api:eu-west-1:111122223333:";
    let own = |rest: &str| json!(format!("{prefix}{rest}"));
    for (resource, expected) in [
        (own("a1b2c3/prod/GET/orders/42"), "Allow"),
        (own("a1b2c3/prod/GET/orders/*"), "Allow"),
        (own("a1b2c3/prod/GET/orders/4?"), "Allow"),
        (own("a1b2c3/*"), "Allow"),
        (own("*/42"), "Allow"),
        (own("a1b2c3/prod/*/orders/*"), "Allow"),
        (own("a1b2c3/prod/GET/orders/42*"), "Allow"),
        (own("a1b2c3/prod/GET/orders/?"), "ImplicitDeny"),
        (own("a1b2c3/prod/GET/orders/42/*"), "ImplicitDeny"),
        (own("a1b2c3/prod/get/orders/42"), "ImplicitDeny"),
        (own("a1b2c3/prod/GET/Orders/42"), "ImplicitDeny"),
        (own("a1b2c3/prod/POST/orders/42"), "ImplicitDeny"),
        (json!("arn:aws:execute-api:*:*:*"), "Allow"),
        (
            json!("arn:aws:execute-api:eu-*:111122223333:a1b2c3/*"),
            "Allow",
        ),
        (json!("arn:aws-cn:execute-api:*:*:*"), "ImplicitDeny"),
        (
            json!("arn:aws:execute-api:*:999999999999:*"),
            "ImplicitDeny",
        ),
        (json!(["arn:aws:s3:::x", "*"]), "Allow"),
    ] {
        check(&policy(&statement("Allow", &resource)), expected);
    }
    let but =
        |value: Value| policy(&json!({"Effect": "Allow", "Action": "*", "NotResource": value}));
    check(&but(own("a1b2c3/prod/GET/admin/*")), "Allow");
    check(&but(own("a1b2c3/prod/GET/*")), "ImplicitDeny");
}

#[test]
fn a_wildcard_does_not_cross_the_parts_of_an_arn() {
    let crossing = json!("arn:aws:execute-api:*:x:y");
    let resource = "arn:aws:execute-api:r:1:x:y";
    let policy = policy(&statement("Allow", &crossing));
    assert_eq!(outcome(&policy, INVOKE, resource, &facts()), "ImplicitDeny");
}

#[test]
fn colons_in_the_path_belong_to_the_last_part() {
    let stated = policy(&statement(
        "Allow",
        &json!("arn:aws:execute-api:r:1:a/s/GET/b:c/*"),
    ));
    let asked = "arn:aws:execute-api:r:1:a/s/GET/b:c/d:e";
    assert_eq!(outcome(&stated, INVOKE, asked, &facts()), "Allow");
    assert_eq!(
        outcome(&stated, INVOKE, "no arn at all", &facts()),
        "ImplicitDeny"
    );
}
