//! From a proxy event of API Gateway (REST, HTTP API 1.0 and 2.0) to the answer.

use serde_json::{Map, Value, json};

/// The path that everybody may ask for.
const HEALTH: &str = "/health";

/// Answers one proxy event: 200 with method, path and the authorizer's context, or 401 when there is no context.
///
/// REST APIs put the context under `requestContext.authorizer`, HTTP APIs with payload 2.0 one level deeper, under
/// `lambda` (AWS: "Working with Lambda authorizers", "Control access to HTTP APIs with Lambda authorizers").
pub(crate) fn answer(event: &Value) -> Value {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let method = text("/requestContext/http/method").or_else(|| text("/httpMethod"));
    let path = text("/rawPath").or_else(|| text("/path"));
    let route = text("/routeKey").or_else(|| text("/resource"));

    // REST states the template alone, HTTP APIs state the method before it.
    let template = route.and_then(|r| r.rsplit(' ').next());
    if template == Some(HEALTH) {
        return reply(200, &json!({ "status": "ok" }));
    }
    match context(event) {
        Some(authorizer) => reply(
            200,
            &json!({ "method": method, "path": path, "route": route, "authorizer": authorizer }),
        ),
        None => reply(
            401,
            &json!({ "message": "no authorizer has seen this request" }),
        ),
    }
}

/// What the authorizer said, where it said anything at all.
fn context(event: &Value) -> Option<&Map<String, Value>> {
    let authorizer = event.pointer("/requestContext/authorizer")?;
    let context = authorizer.get("lambda").unwrap_or(authorizer).as_object()?;
    (!context.is_empty()).then_some(context)
}

fn reply(status: u16, body: &Value) -> Value {
    json!({
        "statusCode": status,
        "headers": { "content-type": "application/json", "cache-control": "no-store" },
        "body": body.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(answer: &Value) -> Value {
        serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn tells_the_context_of_a_rest_api() {
        let event = json!({
            "resource": "/orders/{id}", "path": "/orders/7", "httpMethod": "GET",
            "requestContext": { "authorizer": { "principalId": "key:1", "tenant": "acme" } },
        });
        let answer = answer(&event);
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(
            body(&answer),
            json!({
                "method": "GET", "path": "/orders/7", "route": "/orders/{id}",
                "authorizer": { "principalId": "key:1", "tenant": "acme" },
            })
        );
    }

    #[test]
    fn tells_the_context_of_an_http_api() {
        let event = json!({
            "version": "2.0", "routeKey": "GET /orders", "rawPath": "/v1/orders",
            "requestContext": { "http": { "method": "GET" }, "authorizer": { "lambda": { "tenant": "acme" } } },
        });
        assert_eq!(
            body(&answer(&event))["authorizer"],
            json!({ "tenant": "acme" })
        );
    }

    #[test]
    fn refuses_a_request_that_no_authorizer_has_seen() {
        for context in [
            json!({}),
            json!({ "authorizer": null }),
            json!({ "authorizer": {} }),
            json!({ "authorizer": { "lambda": {} } }),
        ] {
            let event = json!({ "resource": "/orders", "path": "/orders", "httpMethod": "GET", "requestContext": context });
            assert_eq!(answer(&event)["statusCode"], 401, "{event}");
        }
    }

    #[test]
    fn health_is_for_everybody() {
        for event in [
            json!({ "resource": "/health", "path": "/health", "httpMethod": "GET", "requestContext": {} }),
            json!({ "routeKey": "GET /health", "rawPath": "/v1/health", "requestContext": {} }),
        ] {
            assert_eq!(answer(&event)["statusCode"], 200, "{event}");
        }
    }

    #[test]
    fn a_route_that_only_ends_like_health_is_not_health() {
        for route in ["/{proxy+}", "/x/health"] {
            let event = json!({ "resource": route, "path": "/x/health", "httpMethod": "GET", "requestContext": {} });
            assert_eq!(answer(&event)["statusCode"], 401, "{route}");
        }
    }
}
