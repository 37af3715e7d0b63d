//! From a proxy event of API Gateway (REST, HTTP API 1.0 and 2.0) to the answer.

use serde_json::{Map, Value, json};

use crate::limit;

/// The path that everybody may ask for.
const HEALTH: &str = "/health";

/// Answers one proxy event at the second `now`: 200 with method, path and the authorizer's context, 401 when there is no
/// context, or 429 when it says that the caller is over a limit.
///
/// REST APIs put the context under `requestContext.authorizer`, HTTP APIs with payload 2.0 one level deeper, under
/// `lambda` (AWS: "Working with Lambda authorizers", "Control access to HTTP APIs with Lambda authorizers").
pub(crate) fn answer(event: &Value, now: u64) -> Value {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let method = text("/requestContext/http/method").or_else(|| text("/httpMethod"));
    let path = text("/rawPath").or_else(|| text("/path"));
    let route = text("/routeKey").or_else(|| text("/resource"));

    // REST states the template alone, HTTP APIs state the method before it.
    let template = route.and_then(|r| r.rsplit(' ').next());
    if template == Some(HEALTH) {
        return reply(200, [], &json!({ "status": "ok" }));
    }
    let Some(authorizer) = context(event) else {
        let why = json!({ "message": "no authorizer has seen this request" });
        return reply(401, [], &why);
    };
    let headers = limit::headers(authorizer);
    match limit::seconds_left(authorizer, now) {
        Some(seconds) => {
            let retry_after = ("retry-after".to_owned(), seconds.to_string().into());
            let why = json!({ "message": "Too Many Requests" });
            reply(429, headers.chain([retry_after]), &why)
        }
        None => reply(
            200,
            headers,
            &json!({ "method": method, "path": path, "route": route, "authorizer": shown(authorizer) }),
        ),
    }
}

/// What the authorizer said, where it said anything at all.
fn context(event: &Value) -> Option<&Map<String, Value>> {
    let authorizer = event.pointer("/requestContext/authorizer")?;
    let context = authorizer.get("lambda").unwrap_or(authorizer).as_object()?;
    (!context.is_empty()).then_some(context)
}

/// What may be shown to the caller: tokens for the backend without their signatures, so that nobody gets one to use.
fn shown(context: &Map<String, Value>) -> Map<String, Value> {
    let mut shown = context.clone();
    for name in ["identityToken", "downstreamToken"] {
        if let Some(Value::String(token)) = shown.get_mut(name) {
            let said = token.rsplit_once('.').map_or("", |(said, _)| said);
            *token = format!("{said}.(hidden)");
        }
    }
    shown
}

fn reply(status: u16, headers: impl IntoIterator<Item = (String, Value)>, body: &Value) -> Value {
    let always = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
    ];
    let always = always.map(|(name, value)| (name.to_owned(), Value::from(value)));
    let headers: Map<String, Value> = headers.into_iter().chain(always).collect();
    json!({
        "statusCode": status,
        "headers": headers,
        "body": body.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_428_000;

    fn answer(event: &Value) -> Value {
        super::answer(event, NOW)
    }

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
    fn gives_no_token_for_the_backend_to_the_caller() {
        for name in ["identityToken", "downstreamToken"] {
            let event = json!({
                "requestContext": { "authorizer": { "tenant": "acme", name: "said.so.signature" } },
            });
            let shown = body(&answer(&event));
            assert_eq!(
                shown["authorizer"],
                json!({ "tenant": "acme", name: "said.so.(hidden)" })
            );
        }
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
    fn refuses_callers_over_a_limit_with_each_kind_of_event() {
        let context = json!({
            "principalId": "key|1", "rateLimited": "true", "rateLimitReset": (NOW + 7).to_string(), "retryAfter": "30",
            "limit": "5", "remaining": "0", "reset": "30", "rateLimit": "\"second\";r=0;t=30",
            "rateLimitPolicy": "\"second\";q=5;w=60",
        });
        let rest = json!({ "resource": "/orders", "path": "/orders", "httpMethod": "GET", "requestContext": { "authorizer": context } });
        let mut http_1 = rest.clone();
        http_1["version"] = json!("1.0");
        let http_2 = json!({
            "version": "2.0", "routeKey": "GET /orders", "rawPath": "/orders",
            "requestContext": { "http": { "method": "GET" }, "authorizer": { "lambda": context } },
        });
        for event in [rest, http_1, http_2] {
            let refused = answer(&event);
            assert_eq!(refused["statusCode"], 429, "{event}");
            assert_eq!(
                refused["headers"],
                json!({
                    "content-type": "application/json", "cache-control": "no-store", "retry-after": "7",
                    "x-ratelimit-limit": "5", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "30",
                    "ratelimit": "\"second\";r=0;t=30", "ratelimit-policy": "\"second\";q=5;w=60",
                })
            );
            let later = super::answer(&event, NOW + 7);
            assert_eq!(later["statusCode"], 200);
            assert_eq!(later["headers"]["x-ratelimit-limit"], "5");
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
