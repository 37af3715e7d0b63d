//! Whatever an event looks like: nothing panics, and without the engine's consent nothing is allowed. And whatever it
//! carries: no secret of it comes out, in an answer or in the log.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use doorward_authorizer::{Authorizer, Call, Decide, Event};
use doorward_engine::{
    Decision, Denial, Reason, Request, Trail, Verdict,
    config::{AnswersConfig, Fault, HttpApiAnswer, RateLimited},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::captured::{NOW, events};

/// A gate that refuses every request with one reason.
struct Refuses {
    reason: Reason,
    answers: AnswersConfig,
}

#[async_trait]
impl Decide for Refuses {
    async fn decide(&self, _: &Request, _: Option<std::time::Duration>) -> Verdict {
        Verdict {
            decision: Decision::Deny(Denial::new(self.reason, "refused in a test")),
            trail: Trail::default(),
        }
    }

    fn answers(&self) -> &AnswersConfig {
        &self.answers
    }
}

type Lines = Arc<Mutex<Vec<String>>>;

fn gate(reason: Option<Reason>, http_api: HttpApiAnswer) -> (Authorizer, Lines) {
    let lines = Lines::default();
    let kept = Arc::clone(&lines);
    let sink: doorward_authorizer::log::Sink =
        Arc::new(move |line| kept.lock().unwrap().push(line.to_owned()));
    let still = || std::time::Duration::ZERO;
    let authorizer = match reason {
        None => {
            let fault = Fault {
                path: "issuers".to_owned(),
                place: None,
                message: "must not be empty".to_owned(),
                code: "other",
            };
            Authorizer::shut(&[fault], sink, still)
        }
        Some(reason) => {
            let answers = AnswersConfig {
                http_api,
                rate_limited: RateLimited::Deny,
                usage_plan_key: None,
                max_policy_bytes: 7168,
                max_context_bytes: 2048,
            };
            Authorizer::new(Refuses { reason, answers }, sink, still)
        }
    };
    (authorizer, lines)
}

fn answered(authorizer: &Authorizer, event: &Event) -> String {
    let call = Call {
        request_id: "r".to_owned(),
        trace_id: None,
        received_at: NOW.into(),
        time_left: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    match runtime.block_on(authorizer.handle(event, &call)) {
        Ok(answer) => answer.to_value().to_string(),
        Err(refusal) => refusal.to_string(),
    }
}

/// One reason of each class, and a configuration that cannot be used.
const STATES: [Option<Reason>; 4] = [
    None,
    Some(Reason::TokenSignature),
    Some(Reason::ScopeMissing),
    Some(Reason::KeyStoreUnavailable),
];
const SHAPES: [HttpApiAnswer; 2] = [HttpApiAnswer::Policy, HttpApiAnswer::Simple];

#[track_caller]
fn lets_nobody_in(answer: &str) {
    assert!(
        !answer.contains("Allow") && !answer.contains("\"isAuthorized\":true"),
        "{answer}"
    );
}

#[test]
fn every_answer_is_well_formed_and_refuses() {
    for (name, event) in events() {
        for (state, shape) in STATES
            .iter()
            .flat_map(|state| SHAPES.map(|shape| (state, shape)))
        {
            let answer = answered(&gate(*state, shape).0, &Event::parse(&event));
            lets_nobody_in(&answer);
            if answer == "Unauthorized" || answer == "no decision" {
                continue;
            }
            let answer: Value = serde_json::from_str(&answer).unwrap();
            if let Some(document) = answer.get("policyDocument") {
                assert_eq!(document["Version"], "2012-10-17");
                for statement in document["Statement"].as_array().unwrap() {
                    assert_eq!(statement["Effect"], "Deny", "{name}");
                    assert!(!statement["Resource"].as_array().unwrap().is_empty());
                }
                assert!(!answer["principalId"].as_str().unwrap().is_empty());
            }
            let context = answer
                .get("context")
                .or_else(|| answer.get("resolverContext"))
                .unwrap();
            assert!(context.as_object().unwrap().values().all(Value::is_string));
        }
    }
}

/// `event` with a canary in every place that may carry a secret.
fn with_canaries(mut event: Value) -> Value {
    let secrets = |value: &mut Value| {
        if let Some(map) = value.as_object_mut() {
            for held in map.values_mut().filter(|held| held.is_string()) {
                *held = json!("Bearer canary-0123456789");
            }
            for list in map.values_mut().filter_map(Value::as_array_mut) {
                for held in list.iter_mut() {
                    *held = json!("Bearer canary-0123456789");
                }
            }
            map.insert(
                "Authorization".to_owned(),
                json!("Bearer canary-0123456789"),
            );
        }
    };
    for name in [
        "headers",
        "requestHeaders",
        "queryStringParameters",
        "multiValueHeaders",
        "multiValueQueryStringParameters",
        "stageVariables",
    ] {
        if event.get(name).is_some_and(Value::is_object) {
            secrets(&mut event[name]);
        }
    }
    for name in ["authorizationToken", "rawQueryString", "token"] {
        if event.get(name).is_some_and(Value::is_string) {
            event[name] = json!("q=canary-0123456789");
        }
    }
    if event.get("cookies").is_some_and(Value::is_array) {
        event["cookies"] = json!(["session=canary-0123456789"]);
    }
    event
}

#[test]
fn no_secret_of_an_event_comes_out() {
    let broken: [(&str, Value); 6] = [
        ("whole", json!(null)),
        ("/methodArn", json!("arn:canary-0123456789")),
        ("/type", json!("canary-0123456789")),
        ("/version", json!("canary-0123456789")),
        ("/requestContext", json!("canary-0123456789")),
        ("/headers", json!(["canary-0123456789"])),
    ];
    for (name, event) in events() {
        for (pointer, fault) in &broken {
            let mut event = with_canaries(serde_json::from_slice(&event).unwrap());
            if let Some(field) = pointer.strip_prefix('/') {
                event[field] = fault.clone();
            }
            let text = event.to_string();
            let event = Event::parse(text.as_bytes());
            for (state, shape) in STATES
                .iter()
                .flat_map(|state| SHAPES.map(|shape| (state, shape)))
            {
                let (authorizer, lines) = gate(*state, shape);
                let answer = answered(&authorizer, &event);
                let lines = lines.lock().unwrap().join("\n");
                assert!(!answer.contains("canary"), "{name} {pointer}: {answer}");
                assert!(!lines.contains("canary"), "{name} {pointer}: {lines}");
                assert!(
                    lines.contains("\"event\":\"decision\""),
                    "{name} {pointer}: no line"
                );
            }
        }
    }
}

/// JSON of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop_oneof![
            Just("TOKEN"),
            Just("REQUEST"),
            Just("2.0"),
            Just("1.0"),
            Just("CONNECT"),
            Just("$connect"),
            Just("GET")
        ]
        .prop_map(Value::from),
        Just(json!(
            "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/*"
        )),
    ];
    let name = prop_oneof![
        any::<String>(),
        prop_oneof![
            Just("type"),
            Just("version"),
            Just("methodArn"),
            Just("routeArn"),
            Just("headers"),
            Just("multiValueHeaders"),
            Just("requestContext"),
            Just("identity"),
            Just("http"),
            Just("sourceIp"),
            Just("stage"),
            Just("cookies"),
            Just("rawQueryString"),
            Just("authorizationToken"),
            Just("operationName"),
            Just("eventType"),
            Just("httpMethod"),
        ]
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..12)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Replaces or takes out the value that `step` leads to.
fn mutate(value: &mut Value, step: &mut impl Iterator<Item = u8>, new: Option<Value>) {
    let Some(next) = step.next().map(usize::from) else {
        *value = new.unwrap_or_default();
        return;
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            let name = map.keys().nth(next % map.len()).unwrap().clone();
            if new.is_none() && next % 3 == 0 {
                map.remove(&name);
            } else {
                mutate(&mut map[&name], step, new);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let at = next % list.len();
            mutate(&mut list[at], step, new);
        }
        _ => *value = new.unwrap_or_default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_or_lets_anybody_in(text in prop::collection::vec(any::<u8>(), 0..256), state in 0usize..4, shape in 0usize..2) {
        lets_nobody_in(&answered(&gate(STATES[state], SHAPES[shape]).0, &Event::parse(&text)));
    }

    #[test]
    fn no_json_panics_or_lets_anybody_in(value in any_json(), state in 0usize..4, shape in 0usize..2) {
        lets_nobody_in(&answered(&gate(STATES[state], SHAPES[shape]).0, &Event::parse(value.to_string().as_bytes())));
    }

    #[test]
    fn no_mutation_panics_or_lets_anybody_in(
        which in any::<prop::sample::Index>(),
        steps in prop::collection::vec(any::<u8>(), 1..5),
        new in prop::option::of(any_json()),
        cut in any::<prop::sample::Index>(),
        state in 0usize..4,
        shape in 0usize..2,
    ) {
        let (authorizer, _) = gate(STATES[state], SHAPES[shape]);
        let all = events();
        let (_, text) = &all[which.index(all.len())];
        let mut event: Value = serde_json::from_slice(text).unwrap();
        mutate(&mut event, &mut steps.into_iter(), new);
        lets_nobody_in(&answered(&authorizer, &Event::parse(event.to_string().as_bytes())));
        lets_nobody_in(&answered(&authorizer, &Event::parse(&text[..cut.index(text.len())])));
    }
}
