//! Facts from the authorizer for the backend: as headers, and as part of the proxy event.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// The names that belong to the gateway. A client's own headers of these names never reach the backend.
const PREFIX: &str = "x-doorward-";

/// Principal and context of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Context {
    pub(super) principal: Option<String>,
    pub(super) facts: Map<String, Value>,
}

impl Context {
    /// `requestContext.authorizer` of a REST API: every value is text (API Gateway Developer Guide, *Output from an API Gateway
    /// Lambda authorizer*).
    pub(super) fn for_rest_event(&self) -> Value {
        let facts = self
            .facts
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(text(value))));
        let mut members: Map<String, Value> = facts.collect();
        members.insert("principalId".to_owned(), json!(self.principal));
        Value::Object(members)
    }

    /// `requestContext.authorizer` of format 2.0: the values as they are, under `lambda`.
    pub(super) fn for_http_event(&self) -> Value {
        json!({"lambda": self.facts})
    }

    /// One fact as `$context.authorizer` has it: a text.
    pub(super) fn fact(&self, name: &str) -> Option<String> {
        self.facts.get(name).map(text)
    }

    /// Puts the facts into the headers for the backend, in place of whatever the client sent under such names.
    pub(super) fn overwrite(&self, headers: &mut HeaderMap) {
        strip(headers);
        let principal = self
            .principal
            .iter()
            .map(|principal| ("principal".to_owned(), principal.clone()));
        let facts = self
            .facts
            .iter()
            .map(|(name, value)| (kebab(name), text(value)));
        for (name, value) in facts.chain(principal) {
            let name = HeaderName::try_from(format!("{PREFIX}{name}"));
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(visible(&value))) {
                headers.insert(name, value);
            }
        }
    }
}

/// Removes the client's headers that could be mistaken for ours. Servers that follow CGI (RFC 3875 section 4.1.18) read `_` and
/// `-` in names as the same.
fn strip(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().replace('_', "-").starts_with(PREFIX))
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Header values are printable ASCII (RFC 9110 section 5.5); the rest is percent-encoded.
fn visible(text: &str) -> String {
    const OUTSIDE: &AsciiSet = &CONTROLS.add(0x7f);
    utf8_percent_encode(text, OUTSIDE).to_string()
}

/// `keyId` and `key_id` as `key-id`.
fn kebab(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len().saturating_add(4));
    for c in name.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() && !kebab.ends_with('-') {
            kebab.push('-');
        }
        kebab.push(if c == '_' {
            '-'
        } else {
            c.to_ascii_lowercase()
        });
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(facts: &Value) -> Context {
        Context {
            principal: Some("user|i|s".to_owned()),
            facts: facts.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn a_rest_backend_sees_texts_an_http_backend_the_types() {
        let context = context(&json!({"limit": 100, "admin": false, "tier": "gold"}));
        assert_eq!(
            context.for_rest_event(),
            json!({"limit": "100", "admin": "false", "tier": "gold", "principalId": "user|i|s"})
        );
        assert_eq!(
            context.for_http_event(),
            json!({"lambda": {"limit": 100, "admin": false, "tier": "gold"}})
        );
    }

    #[test]
    fn headers_of_ours_replace_forged_ones_in_any_spelling() {
        let mut headers = HeaderMap::new();
        for name in [
            "x-doorward-tenant",
            "x-doorward-admin",
            "x_doorward_principal",
            "accept",
        ] {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static("forged"),
            );
        }
        context(&json!({"tenant": "acme", "keyId": "key_1", "note": "a\r\nb\u{e9}"}))
            .overwrite(&mut headers);
        let mut seen: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        seen.sort();
        assert_eq!(
            seen,
            [
                "accept=forged",
                "x-doorward-key-id=key_1",
                "x-doorward-note=a%0D%0Ab%C3%A9",
                "x-doorward-principal=user|i|s",
                "x-doorward-tenant=acme",
            ]
        );
    }
}
