//! When an answer is used again, and that it is held against every request.

use serde_json::json;

use super::*;

#[tokio::test]
async fn holds_a_cached_policy_against_every_request() {
    let mut early = statement("Allow", "prod/GET/orders/*");
    early["Condition"] = json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
    let deny = statement("Deny", "prod/GET/orders/secret");
    let bench = bench(
        REST,
        AUTHORIZATION,
        60,
        vec![("t", Ok(policy(&json!([early, deny]))))],
    );
    let call = async |line: &str| bench.call(line, &[("authorization", "t")]).await.0.as_u16();
    assert_eq!(
        (call("GET /orders/1").await, bench.last_asked()),
        (200, Asked::Yes)
    );
    assert_eq!(
        (call("GET /orders/2").await, bench.last_asked()),
        (200, Asked::Cached)
    );
    assert_eq!(
        (call("GET /orders/secret").await, bench.last_asked()),
        (403, Asked::Cached)
    );
    assert_eq!(
        (call("POST /orders").await, bench.last_asked()),
        (403, Asked::Cached)
    );
    assert_eq!(bench.calls(), 1);
    // The same answer, another address: the condition is looked at again.
    let request = Request::builder()
        .uri("/orders/1")
        .header("authorization", "t");
    let elsewhere: std::net::SocketAddr = "198.51.100.1:4000".parse().unwrap();
    let response = bench
        .gateway
        .answer(request.body(Body::empty()).unwrap(), elsewhere)
        .await;
    assert_eq!(
        (response.status().as_u16(), bench.last_asked()),
        (403, Asked::Cached)
    );
}

#[tokio::test]
async fn keeps_a_deny_but_no_error() {
    let deny = policy(&json!([statement("Deny", "*")]));
    let answers = vec![("deny", Ok(deny)), ("fail", Err("Unauthorized".to_owned()))];
    let bench = bench(REST, AUTHORIZATION, 60, answers);
    for (token, asked) in [
        ("deny", Asked::Yes),
        ("deny", Asked::Cached),
        ("fail", Asked::Yes),
        ("fail", Asked::Yes),
    ] {
        bench
            .call("GET /orders/1", &[("authorization", token)])
            .await;
        assert_eq!(bench.last_asked(), asked, "{token}");
    }
}

#[tokio::test]
async fn caches_under_all_identity_sources() {
    let sources = &["header:Authorization", "query:v", "context:resourcePath"];
    let bench = bench(
        REST,
        sources,
        60,
        vec![("t", Ok(policy(&json!([statement("Allow", "*")]))))],
    );
    for (line, asked) in [
        ("GET /orders/1?v=1", Asked::Yes),
        ("GET /orders/2?v=1", Asked::Cached),
        ("GET /orders/2?v=2", Asked::Yes),
        ("GET /files/2?v=1", Asked::Yes),
        ("GET /orders/1", Asked::No),
    ] {
        bench.call(line, &[("authorization", "t")]).await;
        assert_eq!(bench.last_asked(), asked, "{line}");
    }
}
