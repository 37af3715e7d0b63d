//! Callers over a limit.

use doorward_keys::Secret;

use super::*;

/// A refusal that holds for seven seconds.
static UNTIL: Condition = Condition {
    before: Some(Timestamp::from_unix(1_800_000_007)),
    from: None,
    addresses: None,
    not_addresses: Vec::new(),
};
const PENALTY: &str = "penalty-key-without-allowance";
const EVERYBODY: &str = "plan-key-of-everybody";

fn report(retry_after: Option<u64>) -> LimitReport {
    LimitReport {
        name: "second".to_owned(),
        limit: 5,
        remaining: 0,
        reset_seconds: 9,
        retry_after,
        window_seconds: 10,
    }
}

fn told() -> Value {
    json!({
        "limit": "5", "remaining": "0", "reset": "7", "retryAfter": "7", "rateLimit": "\"second\";r=0;t=7", "rateLimitPolicy": "\"second\";q=5;w=10",
        "reason": "throttled",
    })
}

fn penalty(http_api: HttpApiAnswer) -> AnswersConfig {
    AnswersConfig {
        http_api,
        rate_limited: RateLimited::PenaltyKey(Secret::new(PENALTY.to_owned())),
        usage_plan_key: Some(Secret::new(EVERYBODY.to_owned())),
        ..ANSWERS
    }
}

fn within(outcome: Outcome<'_>) -> Allowed<'_> {
    match outcome {
        Outcome::Allow(allowed) => allowed,
        Outcome::Deny(_) => panic!("an Allow"),
    }
}

/// An Allow of `GET /orders/{id}`, as far as the limit goes.
fn used<'a>(
    statements: &'a [Statement],
    facts: &'a Context,
    limit: &'a LimitReport,
    key: Option<&'a str>,
) -> Outcome<'a> {
    Outcome::Allow(Allowed {
        limit: Some(limit),
        usage_plan_key: key,
        ..within(granted(statements, facts))
    })
}

#[test]
fn says_a_refusal_that_ends_in_the_shape_of_its_event() {
    let limit = report(Some(7));
    let later = [allow(
        &["GET/orders/?*"],
        Condition {
            from: Some(NOW.plus(7)),
            ..Condition::default()
        },
    )];
    let outcome = Outcome::Deny(Refused {
        class: Class::Throttled,
        principal: Some("user|i|s"),
        statements: &later,
        context: None,
        limit: Some(&limit),
        usage_plan_key: None,
        holds: &UNTIL,
        signed: None,
    });
    let statements = json!([
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [format!("{PREFIX}/GET/orders/?*")],
            "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": "2027-01-15T08:00:07Z"}}},
        {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": [format!("{PREFIX}/GET/orders/42")],
            "Condition": {"DateLessThan": {"aws:CurrentTime": "2027-01-15T08:00:07Z"}}},
    ]);
    for kind in POLICY_KINDS.into_iter().chain([EventKind::WebSocket]) {
        assert_eq!(
            answer(outcome, kind, "GET/orders/42", &ANSWERS),
            policy("user|i|s", &statements, &told()),
            "{kind:?}"
        );
    }
    assert_eq!(
        answer(outcome, EventKind::HttpApiV2, "GET/orders/42", &SIMPLE),
        json!({"isAuthorized": false, "context": told()})
    );
    assert_eq!(
        answer(outcome, EventKind::AppSync, "GET/orders/42", &ANSWERS),
        json!({"isAuthorized": false, "resolverContext": told(), "ttlOverride": 0})
    );
}

#[test]
fn denies_everything_until_the_end_where_the_path_cannot_be_said() {
    let limit = report(Some(7));
    let later = [allow(&["GET/orders/?*"], Condition::default())];
    let outcome = Outcome::Deny(Refused {
        class: Class::Throttled,
        principal: None,
        statements: &later,
        context: None,
        limit: Some(&limit),
        usage_plan_key: None,
        holds: &UNTIL,
        signed: None,
    });
    let said = answer(outcome, EventKind::RestRequest, "GET/orders/*", &ANSWERS);
    let deny = &said["policyDocument"]["Statement"][1];
    assert_eq!(
        (&deny["Effect"], &deny["Resource"]),
        (&json!("Deny"), &json!([format!("{PREFIX}/*")]))
    );
    assert_eq!(
        deny["Condition"],
        json!({"DateLessThan": {"aws:CurrentTime": "2027-01-15T08:00:07Z"}})
    );
}

#[test]
fn a_refusal_says_who_is_calling_and_tells_no_backend_to_refuse() {
    let (limit, facts) = (report(Some(7)), facts());
    let outcome = Outcome::Deny(Refused {
        class: Class::Throttled,
        principal: None,
        statements: &[],
        context: Some(&facts),
        limit: Some(&limit),
        usage_plan_key: None,
        holds: &UNTIL,
        signed: None,
    });
    let said = answer(outcome, EventKind::RestRequest, "GET/orders/42", &ANSWERS);
    let mut expected = told();
    expected["subject"] = json!("u1");
    expected["name"] = json!("Zo%C3%AB");
    assert_eq!(said["context"], expected);
}

#[test]
fn puts_callers_over_a_limit_under_the_penalty_key_on_a_rest_api_only() {
    let statements = [allow(&["GET/orders/?*"], Condition::default())];
    let (facts, limit) = (facts(), report(Some(7)));
    for http_api in [HttpApiAnswer::Policy, HttpApiAnswer::Simple] {
        let answers = penalty(http_api);
        for kind in EventKind::ALL {
            let outcome = used(&statements, &facts, &limit, Some(EVERYBODY));
            let said = answer(outcome, kind, "GET/orders/42", &answers);
            match kind {
                EventKind::RestToken | EventKind::RestRequest => {
                    assert_eq!(said["usageIdentifierKey"], PENALTY, "{kind:?}");
                }
                EventKind::IotCore | EventKind::Unknown => {
                    assert_eq!(said, "error: no decision");
                }
                _ => {
                    let text = said.to_string();
                    assert!(!text.contains("\"Allow\""), "{kind:?} {text}");
                    assert_ne!(said["isAuthorized"], true, "{kind:?}");
                    assert!(!text.contains(PENALTY), "{kind:?} {text}");
                    assert!(text.contains("\"retryAfter\":\"7\""), "{kind:?} {text}");
                }
            }
        }
    }
}

#[test]
fn an_allow_that_becomes_a_refusal_says_why() {
    let statements = [allow(&["GET/orders/?*"], Condition::default())];
    let (facts, limit, arn) = (facts(), report(Some(7)), arn("GET/orders/42"));
    let asker = Asker {
        kind: EventKind::HttpApiV2,
        asked: Some(&arn),
        received_at: NOW,
    };
    let outcome = used(&statements, &facts, &limit, None);
    let encoded = say(outcome, asker, &penalty(HttpApiAnswer::Policy));
    assert_eq!(encoded.overruled, Some(Reason::RateLimited));
}

#[test]
fn names_the_plan_of_the_caller_else_that_of_everybody() {
    let statements = [allow(&["GET/orders/?*"], Condition::default())];
    let (facts, limit) = (facts(), report(None));
    let of = |kind, key, answers: &AnswersConfig| {
        let outcome = used(&statements, &facts, &limit, key);
        answer(outcome, kind, "GET/orders/42", answers)["usageIdentifierKey"].clone()
    };
    let answers = penalty(HttpApiAnswer::Policy);
    let own = Some("plan-key-of-the-store");
    assert_eq!(of(EventKind::RestRequest, own, &answers), json!(own));
    assert_eq!(of(EventKind::RestRequest, None, &answers), EVERYBODY);
    assert_eq!(of(EventKind::WebSocket, None, &answers), EVERYBODY);
    assert_eq!(of(EventKind::HttpApiV1, None, &answers), Value::Null);
    assert_eq!(of(EventKind::RestRequest, None, &ANSWERS), Value::Null);
}

#[test]
fn lets_the_backend_refuse_with_every_kind_of_api() {
    let statements = [allow(&["GET/orders/?*"], Condition::default())];
    let limit = report(Some(7));
    let facts = doorward_engine::context::of_limit(&limit, NOW);
    for http_api in [HttpApiAnswer::Policy, HttpApiAnswer::Simple] {
        let answers = AnswersConfig {
            http_api,
            rate_limited: RateLimited::Backend,
            ..ANSWERS
        };
        for kind in EventKind::ALL {
            let outcome = used(&statements, &facts, &limit, None);
            let said = answer(outcome, kind, "GET/orders/42", &answers);
            if matches!(kind, EventKind::IotCore | EventKind::Unknown) {
                continue;
            }
            let context = said.get("context").unwrap_or(&said["resolverContext"]);
            assert_eq!(context["rateLimited"], "true", "{kind:?}");
            assert_eq!(context["rateLimitReset"], "1800000007", "{kind:?}");
            assert_eq!(said.get("usageIdentifierKey"), None);
        }
    }
}

#[test]
fn what_makes_a_backend_refuse_stays_however_short_the_room_is() {
    let statements = [allow(&["GET/orders/?*"], Condition::default())];
    let limit = report(Some(7));
    let mut facts = doorward_engine::context::of_limit(&limit, NOW);
    for name in ["tenant", "subject", "keyId"] {
        facts.insert(name.into(), "x".repeat(250));
    }
    let answers = AnswersConfig {
        rate_limited: RateLimited::Backend,
        max_context_bytes: 256,
        ..ANSWERS
    };
    let outcome = used(&statements, &facts, &limit, None);
    let said = answer(outcome, EventKind::RestRequest, "GET/orders/42", &answers);
    assert_eq!(said["context"]["contextTruncated"], "true");
    assert_eq!(said["context"]["rateLimited"], "true");
    assert_eq!(said["context"]["rateLimitReset"], "1800000007");
}

#[test]
fn appsync_remembers_nothing_that_depended_on_a_limit() {
    let statements = [allow(&["$graphql"], Condition::default())];
    let (facts, limit) = (facts(), report(None));
    let outcome = used(&statements, &facts, &limit, None);
    let said = answer(outcome, EventKind::AppSync, "GET/x", &ANSWERS);
    assert_eq!(
        (&said["isAuthorized"], &said["ttlOverride"]),
        (&json!(true), &json!(0))
    );
}
