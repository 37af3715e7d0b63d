//! The flat facts that go to the backend with an answer.
//!
//! Values must fit into a header: printable ASCII (RFC 9110 section 5.5). The engine promises that; what is not so is
//! percent-encoded here all the same, because a CR or LF in a header is somebody else's header.

use std::collections::BTreeMap;

use doorward_engine::{Class, decision::Context};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Names that the gateway itself uses in `$context.authorizer`, in claims or in its logs (AWS: mapping template reference,
/// HTTP API logging variables).
const RESERVED: [&str; 9] = [
    "claims",
    "error",
    "integrationLatency",
    "integrationStatus",
    "latency",
    "principalId",
    "property",
    "requestId",
    "status",
];

/// The facts that stay when room is short, most important first; the others follow by name.
const PRIORITY: [&str; 8] = [
    "tenant",
    "keyId",
    "subject",
    "issuer",
    "clientId",
    "credential",
    "scopes",
    "roles",
];

/// Set when facts had to be left out, so that a backend can tell "has none" from "did not fit".
const TRUNCATED: &str = "contextTruncated";

/// The facts of a grant, whole ones only, within `max_bytes` of names and values.
pub(super) fn of_grant(facts: &Context, max_bytes: usize) -> BTreeMap<String, String> {
    let first = PRIORITY
        .iter()
        .filter_map(|name| facts.get_key_value(*name));
    let rest = facts
        .iter()
        .filter(|(name, _)| !PRIORITY.contains(&name.as_str()));
    let mut room = max_bytes.saturating_sub(TRUNCATED.len().saturating_add("true".len()));
    let mut kept = BTreeMap::new();
    let mut truncated = false;
    for (name, value) in first.chain(rest).filter(|(name, _)| is_name(name)) {
        let value = printable(value);
        match room.checked_sub(name.len().saturating_add(value.len())) {
            Some(left) if !truncated => {
                room = left;
                kept.insert(name.clone(), value);
            }
            _ => truncated = true,
        }
    }
    if truncated {
        kept.insert(TRUNCATED.to_owned(), "true".to_owned());
    }
    kept
}

/// All that a caller learns of a refusal.
pub(super) fn of_refusal(class: Class) -> BTreeMap<String, String> {
    BTreeMap::from([("reason".to_owned(), class.as_str().to_owned())])
}

/// `text` with everything but printable ASCII percent-encoded.
pub(super) fn printable(text: &str) -> String {
    const UNPRINTABLE: &AsciiSet = CONTROLS;
    utf8_percent_encode(text, UNPRINTABLE).to_string()
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !RESERVED.contains(&name)
}
