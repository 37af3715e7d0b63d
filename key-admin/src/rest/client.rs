//! Commands as requests: the table read the other way, for a client.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::table::{Header, Route, Takes};
use crate::command::Command;

/// What RFC 3986 section 2.3 lets stand as it is; everything else is escaped, as signatures want it too.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request of the REST API. The body may hold a usage-plan key: there is no `Debug`.
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The path behind the address of the API, and the query.
    pub target: String,
    /// Headers beside those of every request.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty where the route has none.
    pub body: String,
}

/// The request that asks for `command`; `None` for one that has no route.
pub fn request(command: &Command) -> Option<Request> {
    let route = Route::of(command.operation())?;
    let Ok(Value::Object(mut fields)) = serde_json::to_value(command) else {
        return None;
    };
    fields.remove("operation");
    let path = path(route, &mut fields);
    let mut headers = vec![];
    if route.takes_header(Header::IdempotencyKey)
        && let Some(Value::String(key)) = fields.remove("idempotencyKey")
    {
        headers.push((Header::IdempotencyKey.name(), key));
    }
    let (target, body) = match &route.takes {
        Takes::Query(_) => (format!("{path}{}", query(&fields)), String::new()),
        Takes::Body { .. } => (path, Value::Object(fields).to_string()),
    };
    Some(Request {
        method: route.method,
        target,
        headers,
        body,
    })
}

fn path(route: &Route, fields: &mut Map<String, Value>) -> String {
    let mut path = String::new();
    for segment in route.resource.split('/').skip(1) {
        path.push('/');
        match segment
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            None => path.push_str(segment),
            Some(name) => {
                let value = fields.remove(name).unwrap_or_default();
                path.push_str(&escaped(&value));
            }
        }
    }
    path
}

fn query(fields: &Map<String, Value>) -> String {
    let pairs = fields.iter();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

fn escaped(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    utf8_percent_encode(&text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(command: Value) -> Request {
        request(&serde_json::from_value(command).unwrap()).unwrap()
    }

    #[test]
    fn a_command_becomes_the_request_of_its_route() {
        let list = asked(json!({"operation": "list", "tenant": "a b&c=d/é", "limit": 7}));
        assert_eq!(list.method, "GET");
        assert!(list.target.starts_with("/keys?"));
        assert!(
            list.target.contains("tenant=a%20b%26c%3Dd%2F%C3%A9"),
            "{}",
            list.target
        );
        assert!(list.target.contains("limit=7") && list.body.is_empty());

        let rotate = asked(
            json!({"operation": "rotate", "id": "../x", "overlapSeconds": 1, "idempotencyKey": "n"}),
        );
        assert_eq!(
            (rotate.method, rotate.target.as_str()),
            ("POST", "/keys/..%2Fx/rotate")
        );
        assert_eq!(rotate.headers, [("idempotency-key", "n".to_owned())]);
        assert_eq!(rotate.body, r#"{"overlapSeconds":1}"#);
    }
}
