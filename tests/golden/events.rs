//! The same call as each kind of gateway sends it.

use serde_json::{Map, Value, json};

use crate::{
    cases::Case,
    world::{ADDRESS, State},
};

/// What sends events, and what it expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gateway {
    RestToken,
    RestRequest,
    WebSocket,
    Http1,
    Http2,
    Http2Simple,
    AppSync,
    Iot,
    Unknown,
}

impl Gateway {
    /// What is never served.
    /// What can be reached over a domain with mutual TLS.
    pub(crate) const WITH_CERTIFICATES: [Self; 5] = [
        Self::RestRequest,
        Self::WebSocket,
        Self::Http1,
        Self::Http2,
        Self::Http2Simple,
    ];
    pub(crate) const STRANGERS: [Self; 2] = [Self::Iot, Self::Unknown];
    pub(crate) const ALL: [Self; 7] = [
        Self::RestToken,
        Self::RestRequest,
        Self::WebSocket,
        Self::Http1,
        Self::Http2,
        Self::Http2Simple,
        Self::AppSync,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RestToken => "rest-token",
            Self::RestRequest => "rest-request",
            Self::WebSocket => "websocket",
            Self::Http1 => "http-1.0",
            Self::Http2 => "http-2.0",
            Self::Http2Simple => "http-2.0-simple",
            Self::AppSync => "appsync",
            Self::Iot => "iot",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it names one header as the token and sends nothing without it.
    pub(crate) const fn wants_token(self) -> bool {
        matches!(self, Self::RestToken | Self::AppSync)
    }

    /// What stands in the header that is the token: `Authorization`, or for a REST API the one that carries something.
    pub(crate) fn token(self, case: &Case) -> Option<&str> {
        let named = |wanted: &str| {
            let held = case.headers.iter().rev().find(|(name, _)| *name == wanted);
            held.map(|(_, value)| value.as_str())
        };
        let other = || named("x-api-key").filter(|_| self == Self::RestToken);
        named("authorization").or_else(other)
    }

    /// The ARN of what `case` asks for.
    pub(crate) fn arn(self, case: &Case) -> String {
        let stage = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod";
        match self {
            Self::WebSocket => format!("{stage}/$connect"),
            _ => format!("{stage}/GET{}", case.path),
        }
    }

    /// The event for `case`.
    pub(crate) fn event(self, case: &Case) -> Value {
        let arn = self.arn(case);
        let path = &case.path;
        let token = self.token(case);
        let certificate = case.certificate.as_ref();
        let certificate = certificate.map(|pem| json!({"clientCertPem": pem}));
        let mut event = match self {
            Self::RestToken => json!({
                "type": "TOKEN", "methodArn": arn, "authorizationToken": token,
            }),
            Self::RestRequest | Self::Http1 => json!({
                "type": "REQUEST", "methodArn": arn, "path": path, "httpMethod": "GET",
                "headers": case.headers_once(), "multiValueHeaders": case.headers_grouped(),
                "queryStringParameters": once(&case.query), "multiValueQueryStringParameters": grouped(&case.query),
                "requestContext": {
                    "accountId": "111122223333", "apiId": "a1b2c3", "stage": "prod",
                    "httpMethod": "GET", "domainName": case.domain,
                    "identity": {"sourceIp": ADDRESS, "clientCert": certificate},
                },
            }),
            Self::WebSocket => json!({
                "type": "REQUEST", "methodArn": arn,
                "headers": case.headers_once(), "multiValueHeaders": case.headers_grouped(),
                "queryStringParameters": once(&case.query), "multiValueQueryStringParameters": grouped(&case.query),
                "requestContext": {
                    "routeKey": "$connect", "eventType": "CONNECT", "apiId": "a1b2c3", "stage": "prod",
                    "domainName": case.domain, "identity": {"sourceIp": ADDRESS, "clientCert": certificate},
                },
            }),
            Self::Http2 | Self::Http2Simple => json!({
                "version": "2.0", "type": "REQUEST", "routeArn": arn, "rawPath": path,
                "rawQueryString": pairs(&case.query).join("&"),
                "headers": joined(&case.headers), "queryStringParameters": joined(&case.query),
                "cookies": pairs(&case.cookies),
                "requestContext": {
                    "accountId": "111122223333", "apiId": "a1b2c3", "stage": "prod", "domainName": case.domain,
                    "authentication": {"clientCert": certificate},
                    "http": {"method": "GET", "path": path, "sourceIp": ADDRESS},
                },
            }),
            Self::AppSync => json!({
                "authorizationToken": token, "requestHeaders": case.headers_once(),
                "requestContext": {
                    "apiId": "graph", "accountId": "111122223333", "queryString": "{ a }", "variables": {},
                },
            }),
            Self::Iot => json!({
                "token": token, "signatureVerified": true, "protocols": ["http"],
                "protocolData": {"http": {"headers": case.headers_once(), "queryString": ""}},
                "connectionMetadata": {"id": "11111111-2222-3333-4444-555555555555"},
            }),
            Self::Unknown => json!({
                "version": "3.0", "type": "REQUEST", "routeArn": arn, "rawPath": path,
                "headers": case.headers_once(),
            }),
        };
        if self == Self::Http1 {
            event["version"] = json!("1.0");
        }
        if case.state == State::BadEvent {
            for name in ["authorizationToken", "headers"] {
                if event.get(name).is_some() {
                    event[name] = json!(7);
                }
            }
        }
        event
    }
}

impl Case {
    /// The last value of each header, cookies among them.
    fn headers_once(&self) -> Value {
        once(&self.with_cookies())
    }

    fn headers_grouped(&self) -> Value {
        grouped(&self.with_cookies())
    }

    fn with_cookies(&self) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        if !self.cookies.is_empty() {
            headers.push(("cookie", pairs(&self.cookies).join("; ")));
        }
        headers
    }
}

fn once(pairs: &[(&'static str, String)]) -> Value {
    let pairs = pairs.iter();
    let map: Map<String, Value> = pairs
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    json!(map)
}

fn grouped(pairs: &[(&'static str, String)]) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let values = map.entry(*name).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(json!(value));
    }
    json!(map)
}

fn joined(pairs: &[(&'static str, String)]) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let joined = match map.get(*name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.clone(),
        };
        map.insert((*name).to_owned(), json!(joined));
    }
    json!(map)
}

/// `name=value` each. No credential of the table needs an escape.
fn pairs(pairs: &[(&'static str, String)]) -> Vec<String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}
