//! The shape of REST APIs and of payload format 1.0: single-value and multi-value maps.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    super::{
        incoming::Incoming,
        settings::{ACCOUNT, API, ApiKind},
    },
    clf_time, epoch_millis, or_null, parameters,
};

pub(super) fn event(incoming: &Incoming) -> Value {
    let header_names = incoming.headers.keys().map(|name| name.as_str().to_owned());
    let headers: BTreeMap<String, Vec<String>> = header_names
        .map(|name| {
            let values = incoming.header_values(&name).collect();
            (name, values)
        })
        .collect();
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &incoming.query {
        query.entry(name.clone()).or_default().push(value.clone());
    }
    let mut event = json!({
        "resource": incoming.route.template,
        "path": incoming.path,
        "httpMethod": incoming.method,
        "headers": last_values(&headers),
        "multiValueHeaders": all_values(&headers),
        "queryStringParameters": last_values(&query),
        "multiValueQueryStringParameters": all_values(&query),
        "pathParameters": parameters(incoming),
        "stageVariables": null,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API,
            "domainName": incoming.domain(),
            "domainPrefix": "local",
            "extendedRequestId": incoming.request_id,
            "httpMethod": incoming.method,
            "identity": {
                "accessKey": null,
                "accountId": null,
                "caller": null,
                "sourceIp": incoming.peer.to_string(),
                "user": null,
                "userAgent": incoming.header("user-agent"),
                "userArn": null,
            },
            "path": incoming.path,
            "protocol": "HTTP/1.1",
            "requestId": incoming.request_id,
            "requestTime": clf_time(incoming),
            "requestTimeEpoch": epoch_millis(incoming),
            "resourceId": "local",
            "resourcePath": incoming.route.template,
            "stage": incoming.stage,
        },
    });
    if let Some(certificate) = &incoming.certificate
        && let Some(Value::Object(identity)) = event.pointer_mut("/requestContext/identity")
    {
        let told = certificate.for_identity(incoming.api == ApiKind::Http);
        identity.insert("clientCert".to_owned(), told);
    }
    event
}

/// The single-value map keeps the last value of a repeated name.
fn last_values(map: &BTreeMap<String, Vec<String>>) -> Value {
    let last = map
        .iter()
        .filter_map(|(name, values)| Some((name.clone(), json!(values.last()?))));
    or_null(last.collect())
}

fn all_values(map: &BTreeMap<String, Vec<String>>) -> Value {
    let all: Map<String, Value> = map
        .iter()
        .map(|(name, values)| (name.clone(), json!(values)))
        .collect();
    or_null(all)
}
