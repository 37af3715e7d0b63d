//! Usage plans, and the gateway responses that say how long to wait.

use serde_json::json;

use super::*;

const PLANS: &str = r#"
[[usage_plans]]
name = "two"
keys = ["plan-key-of-two-calls"]
quota = { limit = 2, period = "day" }

[[usage_plans]]
name = "penalty"
keys = ["plan-key-of-a-penalty"]
rate = 0
burst = 0
"#;

/// An Allow of everything under `key`, by a limit that is used up for 7 seconds.
fn allow_under(key: &str) -> Value {
    let mut answer = policy(&json!([statement("Allow", "prod/GET/*")]));
    answer["usageIdentifierKey"] = json!(key);
    answer["context"] = limited();
    answer
}

fn limited() -> Value {
    json!({
        "limit": "5", "remaining": "0", "reset": "7", "retryAfter": "7",
        "rateLimit": "\"second\";r=0;t=7", "rateLimitPolicy": "\"second\";q=5;w=10",
    })
}

fn with_plans(payload: Payload, answer: Value) -> Bench {
    bench_with(
        payload,
        AUTHORIZATION,
        60,
        vec![("t", Ok(answer))],
        |settings| {
            let plans = UsagePlans::read(PLANS, "plans.toml").unwrap();
            settings.with_plans(plans).unwrap()
        },
    )
}

#[track_caller]
fn assert_says_when_to_come_back(headers: &HeaderMap) {
    for (name, value) in [
        ("retry-after", "7"),
        ("x-ratelimit-limit", "5"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "7"),
        ("ratelimit", "\"second\";r=0;t=7"),
        ("ratelimit-policy", "\"second\";q=5;w=10"),
        ("access-control-allow-origin", "*"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(headers[name], value);
    }
    let exposed = headers["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("Retry-After") && exposed.contains("RateLimit-Policy"));
}

#[tokio::test]
async fn a_penalty_plan_answers_429_itself() {
    let bench = with_plans(REST, allow_under("plan-key-of-a-penalty"));
    for asked in [Asked::Yes, Asked::Cached] {
        let (status, body, headers) = bench.call("GET /orders/1", &[("authorization", "t")]).await;
        assert_eq!(
            (status.as_u16(), body, bench.last_asked()),
            (429, json!({"message": "Too Many Requests"}), asked)
        );
        assert_eq!(headers["x-amzn-errortype"], "TooManyRequestsException");
        assert_says_when_to_come_back(&headers);
    }
}

#[tokio::test]
async fn a_usage_plan_counts_cached_answers_too_and_nothing_that_a_policy_denies() {
    let bench = with_plans(REST, allow_under("plan-key-of-two-calls"));
    let call = async |line: &str| {
        let (status, body, _) = bench.call(line, &[("authorization", "t")]).await;
        (status.as_u16(), body, bench.last_asked())
    };
    assert_eq!(call("GET /orders/1").await.0, 200);
    assert_eq!(call("POST /orders").await.0, 403);
    assert_eq!(call("GET /health").await.0, 200);
    assert_eq!(call("GET /orders/2").await.0, 200);
    assert_eq!(
        call("GET /orders/3").await,
        (429, json!({"message": "Limit Exceeded"}), Asked::Cached)
    );
    assert_eq!(bench.calls(), 1);
    assert_eq!(call("GET /health").await.0, 200);
}

#[tokio::test]
async fn a_key_in_no_usage_plan_is_403_where_plans_are() {
    for key in [json!("plan-key-that-nobody-has"), json!(null), json!(7)] {
        let mut answer = allow_under("");
        answer["usageIdentifierKey"] = key;
        let bench = with_plans(REST, answer);
        let (status, body, headers) = bench.call("GET /orders/1", &[("authorization", "t")]).await;
        assert_eq!(
            (status.as_u16(), body),
            (403, json!({"message": "Forbidden"}))
        );
        assert_eq!(headers["x-amzn-errortype"], "ForbiddenException");
        assert_eq!(headers.get("retry-after"), None);
    }
}

#[test]
fn an_http_api_has_no_usage_plans() {
    for payload in [Payload::Http1, Payload::Http2, Payload::Http2Simple] {
        let settings = Settings::new(payload, "$default", vec![], Duration::ZERO).unwrap();
        let plans = || UsagePlans::read(PLANS, "plans.toml").unwrap();
        let error = settings.clone().with_plans(plans()).unwrap_err();
        assert_eq!(error, SettingsError::PlansOfHttpApi);
        settings.with_plans(UsagePlans::default()).unwrap();
    }
}

#[tokio::test]
async fn a_rest_api_may_answer_every_deny_with_429_and_an_http_api_none() {
    let mut answer = policy(&json!([statement("Deny", "prod/GET/*")]));
    answer["context"] = limited();
    for (payload, denied, expected) in [
        (REST, DeniedStatus::Forbidden, 403),
        (REST, DeniedStatus::TooManyRequests, 429),
        (Payload::Http2, DeniedStatus::TooManyRequests, 403),
    ] {
        let answers = vec![("t", Ok(answer.clone()))];
        let bench = bench_with(payload, AUTHORIZATION, 60, answers, |settings| {
            settings.with_denied(denied)
        });
        for asked in [Asked::Yes, Asked::Cached] {
            let (status, _, headers) = bench.call("GET /orders/1", &[("authorization", "t")]).await;
            assert_eq!((status.as_u16(), bench.last_asked()), (expected, asked));
            match payload {
                REST => assert_says_when_to_come_back(&headers),
                _ => assert_eq!(headers.get("retry-after"), None),
            }
        }
    }
}

#[tokio::test]
async fn what_the_authorizer_did_not_say_stands_in_no_header() {
    let bench = bench(
        REST,
        AUTHORIZATION,
        0,
        vec![("t", Ok(policy(&json!([statement("Deny", "*")]))))],
    );
    let (status, _, headers) = bench.call("GET /orders/1", &[("authorization", "t")]).await;
    assert_eq!(status.as_u16(), 403);
    for name in ["retry-after", "x-ratelimit-limit", "ratelimit"] {
        assert_eq!(headers.get(name), None, "{name}");
    }
}
