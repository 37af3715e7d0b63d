//! Requests as events of a REST API with Lambda proxy integration and IAM authorization.

use std::{collections::BTreeMap, net::IpAddr};

use axum::http::request::Parts;
use doorward_key_admin::rest::{ROUTES, table::DOCUMENT};
use doorward_keys::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::AdminCredentials;
use crate::local::{gateway::decoded_query, issuer::IDENTITY_KEY_SET};

/// The account of the principal.
const ACCOUNT: &str = "000000000000";
/// The API.
const API: &str = "local-admin";

/// A route that a request reached.
pub(super) struct Reached {
    resource: &'static str,
    parameters: Map<String, Value>,
    /// Whether anybody may use it.
    pub(super) is_public: bool,
}

/// The route for a method and a path. Paths are compared as they are written, but for values.
pub(super) fn route(method: &str, path: &str) -> Option<Reached> {
    let own = ROUTES.iter().map(|route| (route.method, route.resource));
    let public = ("GET", IDENTITY_KEY_SET);
    let all = own.chain([DOCUMENT, public]);
    // The gateway finds the path first, a name before a value, and the method then.
    let fitting = all.filter_map(|known| Some((known, fits(known.1, path)?)));
    let fitting: Vec<_> = fitting.collect();
    let fewest = fitting.iter().map(|(_, values)| values.len()).min()?;
    let mut nearest = fitting
        .into_iter()
        .filter(|(_, values)| values.len() == fewest);
    let (known, parameters) = nearest.find(|((of_route, _), _)| *of_route == method)?;
    Some(Reached {
        resource: known.1,
        parameters,
        is_public: known == public,
    })
}

fn fits(resource: &str, path: &str) -> Option<Map<String, Value>> {
    let (mut wanted, mut found) = (resource.split('/'), path.split('/'));
    let mut parameters = Map::new();
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(found)) => {
                match wanted
                    .strip_prefix('{')
                    .and_then(|name| name.strip_suffix('}'))
                {
                    Some(name) if !found.is_empty() => {
                        let value = percent_decode_str(found).decode_utf8_lossy();
                        parameters.insert(name.to_owned(), json!(value));
                    }
                    None if wanted == found => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

/// A request that is let in.
pub(super) struct Incoming<'r> {
    pub(super) parts: &'r Parts,
    pub(super) body: &'r [u8],
    pub(super) route: &'r Reached,
    pub(super) peer: IpAddr,
    pub(super) request_id: &'r str,
    pub(super) received_at: Timestamp,
}

impl Incoming<'_> {
    /// The event for the function; `principal` is whose signature it was.
    pub(super) fn event(&self, principal: Option<&AdminCredentials>) -> Value {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &self.parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.to_string()).or_default().push(value);
        }
        let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in decoded_query(&self.parts.uri) {
            query.entry(name).or_default().push(value);
        }
        let (method, path) = (self.parts.method.as_str(), self.parts.uri.path());
        let arn = principal.map(|_| format!("arn:aws:iam::{ACCOUNT}:user/demo"));
        json!({
            "resource": self.route.resource,
            "path": path,
            "httpMethod": method,
            "headers": last(&headers),
            "multiValueHeaders": or_null(&headers),
            "queryStringParameters": last(&query),
            "multiValueQueryStringParameters": or_null(&query),
            "pathParameters": or_null(&self.route.parameters),
            "stageVariables": null,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": API,
                "stage": "v1",
                "httpMethod": method,
                "path": path,
                "resourcePath": self.route.resource,
                "requestId": self.request_id,
                "requestTimeEpoch": self.received_at.unix().saturating_mul(1000),
                "identity": {
                    "accessKey": principal.map(|principal| &principal.access_key_id),
                    "accountId": principal.map(|_| ACCOUNT),
                    "caller": principal.map(|_| "AIDADEMO"),
                    "sourceIp": self.peer.to_canonical().to_string(),
                    "user": principal.map(|_| "AIDADEMO"),
                    "userArn": arn,
                },
            },
            "body": if self.body.is_empty() { Value::Null } else { json!(String::from_utf8_lossy(self.body)) },
            "isBase64Encoded": false,
        })
    }
}

/// A fresh id, as the gateway gives each request one.
pub(super) fn request_id() -> String {
    crate::local::gateway::request_id()
}

/// The single-value map keeps the last value of a repeated name.
fn last(all: &BTreeMap<String, Vec<String>>) -> Value {
    let last = all
        .iter()
        .filter_map(|(name, values)| Some((name, values.last()?)));
    or_null(&last.collect::<BTreeMap<_, _>>())
}

/// An object, or null when it would be empty.
fn or_null(members: &impl serde::Serialize) -> Value {
    match json!(members) {
        Value::Object(members) if members.is_empty() => Value::Null,
        members => members,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_routes_and_nothing_else() {
        let found = route("POST", "/keys/key_1%2F2/rotate").unwrap();
        assert_eq!(found.resource, "/keys/{id}/rotate");
        assert_eq!(found.parameters["id"], "key_1/2");
        assert!(route("GET", "/openapi.json").is_some_and(|found| !found.is_public));
        assert!(route("GET", IDENTITY_KEY_SET).is_some_and(|found| found.is_public));
        for (method, path) in [
            ("PUT", "/keys"),
            ("GET", "/keys/verify"),
            ("GET", "/keys/"),
            ("GET", "/keys//audit"),
            ("GET", "/v1/keys"),
            ("GET", "/Keys"),
            ("GET", "/"),
        ] {
            assert!(route(method, path).is_none(), "{method} {path}");
        }
    }
}
