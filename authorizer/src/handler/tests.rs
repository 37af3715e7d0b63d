use std::sync::Mutex;

use doorward_engine::{
    config::{HttpApiAnswer, RateLimited},
    layers::rate_limit::{Counted, Visited},
    limits::LimitReport,
};
use serde_json::{Value, json};

use doorward_keys::Timestamp;

use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// A decider with a fault: the first request panics, the second hangs, every other is refused.
struct Faulty(Mutex<u32>);

#[async_trait]
impl Decide for Faulty {
    async fn decide(&self, _: &Request, _: Option<Duration>) -> Verdict {
        let turn = {
            let mut turns = self.0.lock().unwrap();
            *turns += 1;
            *turns
        };
        assert!(turn != 1, "canary-of-a-panic");
        if turn == 2 {
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        refused(Denial::new(
            Reason::TokenSignature,
            "the signature does not match",
        ))
    }

    fn answers(&self) -> &AnswersConfig {
        &ANSWERS
    }
}

const ANSWERS: AnswersConfig = AnswersConfig {
    http_api: HttpApiAnswer::Policy,
    rate_limited: RateLimited::Deny,
    usage_plan_key: None,
    max_policy_bytes: 7168,
    max_context_bytes: 2048,
};

const EVENT: &[u8] = br#"{"type": "TOKEN", "authorizationToken": "Bearer t",
    "methodArn": "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/orders/42"}"#;

fn event() -> Event<'static> {
    Event::parse(EVENT)
}

fn call() -> Call {
    Call {
        request_id: "req-1".to_owned(),
        trace_id: Some("Root=1-2-3\r\n".to_owned()),
        received_at: NOW.into(),
        time_left: Some(MARGIN + Duration::from_millis(30)),
    }
}

type Lines = Arc<Mutex<Vec<Value>>>;

fn lines() -> (Lines, log::Sink) {
    let lines = Lines::default();
    let kept = Arc::clone(&lines);
    (
        lines,
        Arc::new(move |line: &str| {
            kept.lock()
                .unwrap()
                .push(serde_json::from_str(line).unwrap());
        }),
    )
}

const fn still() -> Duration {
    Duration::ZERO
}

#[tokio::test]
async fn refuses_a_panic_and_a_late_decision_and_serves_the_next() {
    let (lines, sink) = lines();
    let authorizer = Authorizer::new(Faulty(Mutex::new(0)), sink, still);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(authorizer.handle(&event(), &call()).await);
    }
    assert_eq!(
        answers,
        [
            Err(Refusal::Failed),
            Err(Refusal::Failed),
            Err(Refusal::Unauthorized)
        ]
    );
    let reasons: Vec<Value> = lines
        .lock()
        .unwrap()
        .iter()
        .map(|line| line["reason"].clone())
        .collect();
    assert_eq!(reasons, ["internal", "time_exhausted", "token_signature"]);
    assert!(!format!("{:?}", lines.lock().unwrap()).contains("canary"));
}

#[tokio::test]
async fn refuses_everything_when_the_configuration_is_bad_and_names_every_fault() {
    let (lines, sink) = lines();
    let fault = |path: &str, message: &str| Fault {
        path: path.to_owned(),
        place: Some((3, 7)),
        message: message.to_owned(),
        code: "other",
    };
    let faults = [
        fault("issuers", "must not be empty"),
        fault("routes[0].scope", "is unknown; did you mean `scopes`?"),
    ];
    let authorizer = Authorizer::shut(&faults, sink, still);
    assert_eq!(
        authorizer.handle(&event(), &call()).await,
        Err(Refusal::Failed)
    );
    let lines = lines.lock().unwrap();
    assert_eq!(lines[0]["event"], "config_invalid");
    assert_eq!(
        lines[0]["faults"],
        json!([
            {"path": "issuers", "line": 3, "column": 7, "message": "must not be empty"},
            {"path": "routes[0].scope", "line": 3, "column": 7, "message": "is unknown; did you mean `scopes`?"},
        ])
    );
    assert_eq!(lines[1]["reason"], "config_invalid");
    assert_eq!(lines[1]["level"], "ERROR");
}

#[tokio::test]
async fn writes_one_line_with_its_metrics_for_each_decision() {
    let (lines, sink) = lines();
    let authorizer = Authorizer::new(Faulty(Mutex::new(2)), sink, still);
    let _ = authorizer.handle(&event(), &call()).await;
    assert_eq!(
        *lines.lock().unwrap(),
        [json!({
            "level": "INFO", "event": "decision", "decision": "deny", "reason": "token_signature",
            "detail": "the signature does not match", "kind": "rest_token", "layers": [],
            "requestId": "req-1", "traceId": "Root=1-2-3\u{fffd}\u{fffd}",
            "Class": "unauthenticated", "Decisions": 1, "Latency": 0,
            "_aws": {"Timestamp": 1_800_000_000_000_u64, "CloudWatchMetrics": [{
                "Namespace": "Doorward", "Dimensions": [["Class"]],
                "Metrics": [{"Name": "Decisions", "Unit": "Count"}, {"Name": "Latency", "Unit": "Microseconds"}],
            }]},
        })]
    );
}

#[tokio::test]
async fn explains_without_writing_a_line() {
    let (lines, sink) = lines();
    let authorizer = Authorizer::new(Faulty(Mutex::new(2)), sink, still);
    let explained = authorizer.explain(&event(), &call()).await;
    assert_eq!(
        (explained.kind, explained.answer),
        (EventKind::RestToken, Err(Refusal::Unauthorized))
    );
    assert!(lines.lock().unwrap().is_empty());
}

/// A decider whose limit is used up, and whose store of another limit did not answer.
struct Limited;

#[async_trait]
impl Decide for Limited {
    async fn decide(&self, _: &Request, _: Option<Duration>) -> Verdict {
        let mut verdict = refused(
            Denial::new(Reason::RateLimited, "`second` is used up").with_limit(LimitReport {
                name: "second".to_owned(),
                limit: 5,
                remaining: 0,
                reset_seconds: 9,
                retry_after: Some(7),
                window_seconds: 10,
            }),
        );
        let visited = |name: &str, remaining, counted, fault: Option<&str>| Visited {
            name: name.to_owned(),
            remaining,
            is_exceeded: false,
            counted,
            fault: fault.map(str::to_owned),
        };
        verdict.trail.limits = vec![
            visited("day", 3, Some(Counted::Local), Some("down\r\n")),
            visited("second", 0, Some(Counted::Store), None),
        ];
        verdict
    }

    fn answers(&self) -> &AnswersConfig {
        &ANSWERS
    }
}

#[tokio::test]
async fn names_the_limit_that_is_used_up_and_every_limit_that_was_asked() {
    let (lines, sink) = lines();
    let authorizer = Authorizer::new(Limited, sink, still);
    let _ = authorizer.handle(&event(), &call()).await;
    let line = &lines.lock().unwrap()[0];
    for (name, value) in [
        ("reason", json!("rate_limited")),
        ("limit", json!("second")),
        ("retryAfter", json!(7)),
        ("Class", json!("throttled")),
        (
            "limits",
            json!([
                {"name": "day", "remaining": 3, "counted": "local", "fault": "down\u{fffd}\u{fffd}"},
                {"name": "second", "remaining": 0, "counted": "store"},
            ]),
        ),
    ] {
        assert_eq!(line[name], value, "{line:#}");
    }
}
