//! The form of the log in `template.yaml` is the one that is read, and holds nothing that a client chooses.

use std::{collections::BTreeSet, fs};

use doorward_key_admin::{
    access_log::{
        LogEvent,
        line::{self, Line},
    },
    leaks::decoy::DecoyUse,
};
use doorward_tests::golden;

use crate::house::{NOW, key};

/// The variables that may stand in a line, each with what the gateway puts in its place. Neither path nor query, nor a
/// header: the gateway does not escape them.
const VARIABLES: [(&str, &str); 10] = [
    ("$context.requestTimeEpoch", "1795428000123"),
    ("$context.requestId", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
    ("$context.status", "429"),
    ("$context.resourcePath", "/orders/{id}"),
    ("$context.routeKey", "GET /orders/{id}"),
    ("$context.authorizer.keyId", ""),
    ("$context.authorizer.latency", "12"),
    ("$context.identity.sourceIp", "203.0.113.7"),
    ("$context.apiId", "a1b2c3"),
    ("$context.stage", "v1"),
];

fn formats() -> Vec<String> {
    let template = fs::read_to_string(golden::root().join("template.yaml")).unwrap();
    let formats = template.lines().filter_map(|line| {
        let format = line.trim().strip_prefix("Format: '")?;
        format.strip_suffix('\'').map(str::to_owned)
    });
    formats.collect()
}

#[test]
fn both_apis_write_lines_that_are_read() {
    let formats = formats();
    assert_eq!(formats.len(), 2);
    for format in formats {
        for (id, is_known) in [(key(1).to_string(), true), ("-".to_owned(), false)] {
            let mut message = format.clone();
            for (name, value) in VARIABLES {
                let value = if name.ends_with("keyId") { &id } else { value };
                message = message.replace(name, value);
            }
            let event = LogEvent {
                id: "1".to_owned(),
                timestamp: NOW.unix() * 1000 + 200,
                message,
            };
            match (line::read(&event), is_known) {
                (Line::Request(request), true) => {
                    assert_eq!((request.key, request.at), (key(1), NOW));
                    assert_eq!(request.status, Some(429));
                }
                (Line::NoKey, false) => {}
                (other, _) => panic!("{other:?}: {}", event.message),
            }
        }
    }
}

#[test]
fn the_log_of_the_authorizer_brings_uses_of_decoys_and_nothing_else() {
    let template = fs::read_to_string(golden::root().join("template.yaml")).unwrap();
    let of_decoys = template.split("DecoysToKeyAdmin:").nth(1).unwrap();
    let (filter, _) = of_decoys.split_once("\n\n").unwrap();
    assert!(filter.contains("LogGroupName: !Ref AuthorizerLogs"));
    assert!(filter.contains(&format!("FilterPattern: '{}'", DecoyUse::FILTER)));
}

#[test]
fn no_value_of_a_client_stands_in_a_line() {
    let known: BTreeSet<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
    for format in formats() {
        let members: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&format).unwrap();
        for (name, value) in members {
            let value = value.as_str().unwrap();
            assert!(
                known.contains(value) || name == "doorward",
                "{name}: {value}"
            );
        }
    }
}
