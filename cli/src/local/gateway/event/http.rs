//! The shape of payload format 2.0: repeated values joined by commas, cookies apart.

use serde_json::{Map, Value, json};

use super::{
    super::{
        incoming::Incoming,
        settings::{ACCOUNT, API},
    },
    clf_time, epoch_millis, parameters,
};

pub(super) fn event(incoming: &Incoming) -> Value {
    let names = incoming
        .headers
        .keys()
        .map(axum::http::HeaderName::as_str)
        .filter(|name| *name != "cookie");
    let headers: Map<String, Value> = names
        .map(|name| (name.to_owned(), json!(incoming.header(name))))
        .collect();
    let route_key = incoming.route.key(incoming.api);
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": incoming.path,
        "rawQueryString": incoming.raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API,
            "authentication": incoming.certificate.as_ref().map(|certificate| {
                json!({"clientCert": certificate.for_authentication()})
            }),
            "domainName": incoming.domain(),
            "domainPrefix": "local",
            "http": {
                "method": incoming.method,
                "path": incoming.path,
                "protocol": "HTTP/1.1",
                "sourceIp": incoming.peer.to_string(),
                "userAgent": incoming.header("user-agent").unwrap_or_default(),
            },
            "requestId": incoming.request_id,
            "routeKey": route_key,
            "stage": incoming.stage,
            "time": clf_time(incoming),
            "timeEpoch": epoch_millis(incoming),
        },
    });
    // Members without content are left out, as the gateway does.
    let optional = [
        ("cookies", list(&incoming.cookies())),
        ("queryStringParameters", joined(&incoming.query)),
        ("pathParameters", parameters(incoming)),
    ];
    if let Value::Object(members) = &mut event {
        let present = optional.into_iter().filter(|(_, value)| !value.is_null());
        members.extend(present.map(|(name, value)| (name.to_owned(), value)));
    }
    event
}

fn list(values: &[String]) -> Value {
    if values.is_empty() {
        Value::Null
    } else {
        json!(values)
    }
}

fn joined(query: &[(String, String)]) -> Value {
    let mut members: Map<String, Value> = Map::new();
    for (name, value) in query {
        let text = match members.get(name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.clone(),
        };
        members.insert(name.clone(), Value::String(text));
    }
    super::or_null(members)
}
