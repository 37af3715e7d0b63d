mod limits;

use std::collections::BTreeMap;

use doorward_engine::{
    config::RateLimited,
    layers::policy::{Condition, Effect},
};
use serde_json::{Value, json};

use super::*;
use crate::event::{Event, decode};

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
/// A refusal that holds for everybody, always.
static ALWAYS: Condition = Condition {
    before: None,
    from: None,
    addresses: None,
    not_addresses: Vec::new(),
};
const PREFIX: &str = "arn:aws-cn:execute-api:cn-north-1:111122223333:a1b2c3/prod";

const ANSWERS: AnswersConfig = AnswersConfig {
    http_api: HttpApiAnswer::Policy,
    rate_limited: RateLimited::Deny,
    usage_plan_key: None,
    max_policy_bytes: 7168,
    max_context_bytes: 2048,
};
const SIMPLE: AnswersConfig = AnswersConfig {
    http_api: HttpApiAnswer::Simple,
    ..ANSWERS
};

fn arn(resource: &str) -> MethodArn {
    let event = json!({"type": "TOKEN", "authorizationToken": "t", "methodArn": format!("{PREFIX}/{resource}")});
    decode(&Event::parse(event.to_string().as_bytes()), NOW)
        .asked
        .unwrap()
}

fn allow(resources: &[&str], condition: Condition) -> Statement {
    Statement {
        effect: Effect::Allow,
        resources: resources.iter().map(|r| (*r).to_owned()).collect(),
        condition,
    }
}

fn facts() -> Context {
    BTreeMap::from([
        ("subject".into(), "u1".to_owned()),
        ("name".into(), "Zoë".to_owned()),
    ])
}

fn granted<'a>(statements: &'a [Statement], context: &'a Context) -> Outcome<'a> {
    Outcome::Allow(Allowed {
        tokens: Tokens::default(),
        principal: "user|https://id.example/|zo\u{eb}",
        statements,
        policy: None,
        context,
        valid_until: Some(NOW.plus(90)),
        by_token_alone: true,
        usage_plan_key: Some("plan-key-of-the-store"),
        limit: None,
    })
}

const fn denied(class: Class, statements: &[Statement]) -> Outcome<'_> {
    Outcome::Deny(Refused {
        class,
        principal: None,
        statements,
        context: None,
        limit: None,
        usage_plan_key: None,
        holds: &ALWAYS,
        signed: None,
    })
}

#[track_caller]
fn answer(outcome: Outcome<'_>, kind: EventKind, resource: &str, answers: &AnswersConfig) -> Value {
    let arn = arn(resource);
    let encoded = say(
        outcome,
        Asker {
            kind,
            asked: Some(&arn),
            received_at: NOW,
        },
        answers,
    );
    match encoded.answer {
        Ok(answer) => answer.to_value(),
        Err(refusal) => json!(format!("error: {refusal}")),
    }
}

fn policy(principal: &str, statements: &Value, context: &Value) -> Value {
    json!({"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": statements}, "context": context})
}

const POLICY_KINDS: [EventKind; 4] = [
    EventKind::RestToken,
    EventKind::RestRequest,
    EventKind::HttpApiV1,
    EventKind::HttpApiV2,
];

#[test]
fn says_every_refusal_in_the_shape_of_its_event() {
    let deny = policy(
        "unknown",
        &json!([{"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": [format!("{PREFIX}/GET/orders/42")]}]),
        &json!({"reason": "forbidden"}),
    );
    let unauthorized = json!("error: Unauthorized");
    let failed = json!("error: no decision");
    let no = |reason: &str| json!({"isAuthorized": false, "context": {"reason": reason}});
    let never = |reason: &str| json!({"isAuthorized": false, "resolverContext": {"reason": reason}, "ttlOverride": 0});

    for kind in EventKind::ALL {
        for answers in [&ANSWERS, &SIMPLE] {
            let of = |class| answer(denied(class, &[]), kind, "GET/orders/42", answers);
            let said = (
                of(Class::Unauthenticated),
                of(Class::Forbidden),
                of(Class::Unavailable),
            );
            let expected = match (kind, answers.http_api) {
                (EventKind::IotCore | EventKind::Unknown, _) => {
                    (failed.clone(), failed.clone(), failed.clone())
                }
                (EventKind::AppSync, _) => {
                    (never("unauthenticated"), never("forbidden"), failed.clone())
                }
                (EventKind::HttpApiV2, HttpApiAnswer::Simple) => {
                    (no("unauthenticated"), no("forbidden"), failed.clone())
                }
                _ => (unauthorized.clone(), deny.clone(), failed.clone()),
            };
            assert_eq!(said, expected, "{kind:?} {:?}", answers.http_api);
        }
    }
}

#[test]
fn says_an_allow_in_the_shape_of_its_event() {
    let statements = [allow(
        &["GET/orders", "GET/orders/?*"],
        Condition::default(),
    )];
    let (context, facts) = (json!({"subject": "u1", "name": "Zo%C3%AB"}), facts());
    let said = json!([{"Effect": "Allow", "Action": "execute-api:Invoke",
        "Resource": [format!("{PREFIX}/GET/orders"), format!("{PREFIX}/GET/orders/?*")]}]);
    let mut of_http_api = policy("user|https://id.example/|zo%C3%AB", &said, &context);
    let grant = granted(&statements, &facts);
    for kind in [EventKind::HttpApiV1, EventKind::HttpApiV2] {
        assert_eq!(
            answer(grant, kind, "GET/orders", &ANSWERS),
            of_http_api,
            "{kind:?}"
        );
    }
    of_http_api["usageIdentifierKey"] = json!("plan-key-of-the-store");
    for kind in [
        EventKind::RestToken,
        EventKind::RestRequest,
        EventKind::WebSocket,
    ] {
        assert_eq!(
            answer(grant, kind, "GET/orders", &SIMPLE),
            of_http_api,
            "{kind:?}"
        );
    }
    assert_eq!(
        answer(grant, EventKind::HttpApiV2, "GET/orders", &SIMPLE),
        json!({"isAuthorized": true, "context": context})
    );
    assert_eq!(
        answer(grant, EventKind::AppSync, "GET/orders", &ANSWERS),
        json!({"isAuthorized": true, "resolverContext": context, "ttlOverride": 90})
    );
    for kind in [EventKind::IotCore, EventKind::Unknown] {
        assert_eq!(
            answer(grant, kind, "GET/orders", &ANSWERS),
            json!("error: no decision")
        );
    }
}

#[test]
fn writes_conditions_as_iam_reads_them() {
    let condition = Condition {
        before: Some(NOW),
        from: Some(NOW.plus(-60)),
        addresses: Some(vec![
            "198.51.100.0/24".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ]),
        not_addresses: vec!["198.51.100.7/32".parse().unwrap()],
    };
    let statements = [allow(&["GET/orders"], condition)];
    let context = Context::new();
    let said = answer(
        granted(&statements, &context),
        EventKind::RestToken,
        "GET/orders",
        &ANSWERS,
    );
    assert_eq!(
        said["policyDocument"]["Statement"][0]["Condition"],
        json!({
            "DateLessThan": {"aws:CurrentTime": "2027-01-15T08:00:00Z"},
            "DateGreaterThanEquals": {"aws:CurrentTime": "2027-01-15T07:59:00Z"},
            "IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8::/32"]},
            "NotIpAddress": {"aws:SourceIp": ["198.51.100.7/32"]},
        })
    );
    assert_eq!(
        said["context"],
        json!({}),
        "an empty context is an object, never null"
    );
}

#[test]
fn holds_the_end_of_a_policy_within_the_years_that_a_date_can_say() {
    for (seconds, expected) in [
        (i64::MAX, "9999-12-31T23:59:59Z"),
        (i64::MIN, "1970-01-01T00:00:00Z"),
    ] {
        let condition = Condition {
            before: Some(Timestamp::from_unix(seconds)),
            ..Condition::default()
        };
        let (statements, context) = ([allow(&["GET/a"], condition)], Context::new());
        let said = answer(
            granted(&statements, &context),
            EventKind::RestToken,
            "GET/a",
            &ANSWERS,
        );
        assert_eq!(
            said["policyDocument"]["Statement"][0]["Condition"]["DateLessThan"]["aws:CurrentTime"],
            expected
        );
    }
}

#[test]
fn refuses_a_grant_that_allows_nothing() {
    let nowhere = Condition {
        addresses: Some(Vec::new()),
        ..Condition::default()
    };
    let deny_only = Statement {
        effect: Effect::Deny,
        ..allow(&["GET/orders"], Condition::default())
    };
    let context = Context::new();
    for statements in [
        vec![],
        vec![allow(&[], Condition::default())],
        vec![allow(&["GET/orders"], nowhere)],
        vec![deny_only],
    ] {
        for kind in POLICY_KINDS {
            let arn = arn("GET/orders");
            let encoded = say(
                granted(&statements, &context),
                Asker {
                    kind,
                    asked: Some(&arn),
                    received_at: NOW,
                },
                &ANSWERS,
            );
            assert_eq!(encoded.answer, Err(Refusal::Failed), "{statements:?}");
            assert_eq!(encoded.overruled, Some(Reason::Internal));
        }
    }
}

#[test]
fn refuses_rather_than_cuts_a_policy_that_is_too_large() {
    let context = Context::new();
    let many: Vec<String> = (0..400).map(|n| format!("GET/orders/{n}")).collect();
    let many = [Statement {
        effect: Effect::Allow,
        resources: many.into(),
        condition: Condition::default(),
    }];
    let long = [allow(
        &[&format!("GET/{}", "a".repeat(512))],
        Condition::default(),
    )];
    for statements in [&many[..], &long[..]] {
        let arn = arn("GET/orders/1");
        let asker = Asker {
            kind: EventKind::RestRequest,
            asked: Some(&arn),
            received_at: NOW,
        };
        let encoded = say(granted(statements, &context), asker, &ANSWERS);
        assert_eq!(encoded.overruled, Some(Reason::PolicyTooLarge));
        let said = encoded.answer.unwrap().to_value();
        assert_eq!(said["policyDocument"]["Statement"][0]["Effect"], "Deny");
        assert_eq!(
            said["policyDocument"]["Statement"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        assert_eq!(said.get("usageIdentifierKey"), None);
    }
}

#[test]
fn denies_exactly_what_was_asked_beside_what_else_is_allowed() {
    let statements = [allow(&["GET/orders/?*"], Condition::default())];
    let said = answer(
        denied(Class::Forbidden, &statements),
        EventKind::RestRequest,
        "GET/orders/42",
        &ANSWERS,
    );
    assert_eq!(
        said["policyDocument"]["Statement"],
        json!([
            {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [format!("{PREFIX}/GET/orders/?*")]},
            {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": [format!("{PREFIX}/GET/orders/42")]},
        ])
    );
}

#[test]
fn refuses_to_write_wildcards_and_controls_of_the_caller_into_a_policy() {
    let statements = [allow(&["GET/orders/?*"], Condition::default())];
    let whole_stage = json!([{"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": [format!("{PREFIX}/*")]}]);
    for resource in [
        "GET/orders/*",
        "GET/a?b",
        "GET/${x}",
        "GET/a\nb",
        "GET/a\"b",
        "GET/\u{e9}",
        &format!("GET/{}", "a".repeat(520)),
    ] {
        let said = answer(
            denied(Class::Forbidden, &statements),
            EventKind::HttpApiV2,
            resource,
            &ANSWERS,
        );
        assert_eq!(
            said["policyDocument"]["Statement"], whole_stage,
            "{resource}"
        );
    }
}

#[test]
fn denies_everything_where_the_event_names_nothing() {
    let asker = Asker {
        kind: EventKind::RestRequest,
        asked: None,
        received_at: NOW,
    };
    let said = say(denied(Class::Forbidden, &[]), asker, &ANSWERS)
        .answer
        .unwrap()
        .to_value();
    assert_eq!(
        said["policyDocument"]["Statement"],
        json!([{"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": ["*"]}])
    );
    let (statements, context) = (
        [allow(&["GET/orders"], Condition::default())],
        Context::new(),
    );
    assert_eq!(
        say(granted(&statements, &context), asker, &ANSWERS).answer,
        Err(Refusal::Failed)
    );
}

#[test]
fn denies_the_opening_of_a_connection_by_its_own_name() {
    let said = answer(
        denied(Class::Forbidden, &[]),
        EventKind::WebSocket,
        "$connect",
        &ANSWERS,
    );
    assert_eq!(
        said["policyDocument"]["Statement"][0]["Resource"],
        json!([format!("{PREFIX}/$connect")])
    );
}

#[test]
fn lets_appsync_remember_only_what_ends_and_depends_on_the_token_alone() {
    let context = Context::new();
    let plain = [allow(&["x"], Condition::default())];
    for (valid_until, by_token_alone, expected) in [
        (Some(NOW.plus(90)), true, 90),
        (Some(NOW.plus(86_400)), true, 300),
        (Some(NOW.plus(-5)), true, 0),
        (None, true, 0),
        (Some(NOW.plus(90)), false, 0),
    ] {
        let allowed = Allowed {
            tokens: Tokens::default(),
            principal: "p",
            statements: &plain,
            policy: None,
            context: &context,
            valid_until,
            by_token_alone,
            usage_plan_key: None,
            limit: None,
        };
        let said = answer(
            Outcome::Allow(allowed),
            EventKind::AppSync,
            "GET/x",
            &ANSWERS,
        );
        assert_eq!(said["ttlOverride"], expected);
    }
}

#[test]
fn prints_errors_as_the_exact_text_and_nothing_else() {
    for (refusal, text) in [
        (Refusal::Unauthorized, "Unauthorized"),
        (Refusal::Failed, "no decision"),
    ] {
        assert_eq!(
            (format!("{refusal}"), format!("{refusal:?}")),
            (text.to_owned(), text.to_owned())
        );
        assert_eq!(refusal.message(), text);
    }
}
