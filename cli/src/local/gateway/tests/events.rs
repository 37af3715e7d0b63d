//! What the authorizer and the backend are sent.

use serde_json::json;

use super::*;

#[tokio::test]
async fn sends_the_events_that_aws_documents() {
    let line = "GET /orders/a%20b?q=1&q=2&e=";
    let headers = [
        ("authorization", "t"),
        ("x-multi", "1"),
        ("x-multi", "2"),
        ("cookie", "a=1; b=2"),
    ];
    let event_of = async |payload| {
        let bench = bench(payload, AUTHORIZATION, 0, vec![]);
        bench.call(line, &headers).await;
        bench.last_event()
    };
    let arn = |stage: &str| {
        format!("arn:aws:execute-api:us-east-1:123456789012:doorward00/{stage}/GET/orders/a%20b")
    };

    let token = event_of(Payload::RestToken).await;
    assert_eq!(
        token,
        json!({"type": "TOKEN", "authorizationToken": "t", "methodArn": arn("prod")})
    );

    for (payload, version) in [(REST, Value::Null), (Payload::Http1, json!("1.0"))] {
        let event = event_of(payload).await;
        assert_eq!(event["version"], version);
        assert_eq!(event["headers"]["x-multi"], "2");
        assert_eq!(event["multiValueHeaders"]["x-multi"], json!(["1", "2"]));
        assert_eq!(event["queryStringParameters"], json!({"q": "2", "e": ""}));
        assert_eq!(
            event["multiValueQueryStringParameters"]["q"],
            json!(["1", "2"])
        );
        assert_eq!(event["pathParameters"], json!({"id": "a b"}));
        assert_eq!(event["resource"], "/orders/{id}");
        assert_eq!(
            event["requestContext"]["identity"]["sourceIp"],
            "203.0.113.7"
        );
        assert_eq!(event["headers"]["x-forwarded-for"], "203.0.113.7");
    }

    let event = event_of(Payload::Http2).await;
    assert_eq!(event["routeArn"], arn("$default"));
    assert_eq!(event["identitySource"], json!(["t"]));
    assert_eq!(event["headers"]["x-multi"], "1,2");
    assert_eq!(event["queryStringParameters"], json!({"q": "1,2", "e": ""}));
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(event["routeKey"], "GET /orders/{id}");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "203.0.113.7");
    assert_eq!(event.get("methodArn"), None);
}

#[tokio::test]
async fn the_backend_sees_the_context_and_no_forgery() {
    for (payload, pointer, tenant) in [
        (REST, "/requestContext/authorizer/level", json!("3")),
        (
            Payload::Http2,
            "/requestContext/authorizer/lambda/level",
            json!(3),
        ),
    ] {
        let answers = vec![("t", Ok(policy(&json!([statement("Allow", "*")]))))];
        let bench = bench(payload, AUTHORIZATION, 0, answers);
        let headers = [
            ("authorization", "t"),
            ("x-doorward-tenant", "forged"),
            ("x_doorward_admin", "1"),
        ];
        let (_, echo, _) = bench.call("POST /orders", &headers).await;
        assert_eq!(echo.pointer(pointer), Some(&tenant));
        assert_eq!(echo["headers"]["x-doorward-tenant"], "acme");
        assert_eq!(echo["headers"].get("x_doorward_admin"), None);
        assert_eq!(echo["headers"]["authorization"], "(hidden)");
        assert_eq!(echo["body"], "{\"n\":1}");
    }
}
