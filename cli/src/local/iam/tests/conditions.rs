//! Conditions, operator by operator.

use serde_json::{Value, json};

use super::{super::Facts, ARN, INVOKE, NOW, facts, outcome, policy, statement};

#[track_caller]
fn holds(condition: &Value, facts: &Facts, expected: bool) {
    let mut allow = statement("Allow", &json!("*"));
    allow["Condition"] = condition.clone();
    let expected = if expected { "Allow" } else { "ImplicitDeny" };
    assert_eq!(
        outcome(&policy(&allow), INVOKE, ARN, facts),
        expected,
        "{condition}"
    );
}

/// IAM User Guide, *IAM JSON policy elements: Condition operators*, one row or more for each operator.
#[test]
fn every_operator_compares_as_documented() {
    let facts = facts();
    for (operator, key, value, expected) in [
        ("StringEquals", "aws:UserAgent", json!("curl/8.5"), true),
        ("StringEquals", "aws:UserAgent", json!("CURL/8.5"), false),
        ("StringEquals", "aws:UserAgent", json!("curl/*"), false),
        ("StringNotEquals", "aws:UserAgent", json!("wget"), true),
        ("StringNotEquals", "aws:UserAgent", json!("curl/8.5"), false),
        (
            "StringEqualsIgnoreCase",
            "aws:UserAgent",
            json!("CURL/8.5"),
            true,
        ),
        (
            "StringNotEqualsIgnoreCase",
            "aws:UserAgent",
            json!("CURL/8.5"),
            false,
        ),
        ("StringLike", "aws:UserAgent", json!("curl/*"), true),
        ("StringLike", "aws:UserAgent", json!("CURL/*"), false),
        ("StringLike", "aws:UserAgent", json!("curl/?.?"), true),
        ("StringNotLike", "aws:UserAgent", json!("curl/*"), false),
        ("StringEquals", "aws:SourceIp", json!("203.0.113.7"), true),
        ("NumericEquals", "aws:EpochTime", json!(NOW), true),
        (
            "NumericEquals",
            "aws:EpochTime",
            json!(NOW.to_string()),
            true,
        ),
        ("NumericNotEquals", "aws:EpochTime", json!(NOW), false),
        ("NumericLessThan", "aws:EpochTime", json!(NOW), false),
        ("NumericLessThan", "aws:EpochTime", json!(NOW + 1), true),
        ("NumericLessThanEquals", "aws:EpochTime", json!(NOW), true),
        ("NumericGreaterThan", "aws:EpochTime", json!(NOW), false),
        ("NumericGreaterThan", "aws:EpochTime", json!(-5.5), true),
        (
            "NumericGreaterThanEquals",
            "aws:EpochTime",
            json!(NOW),
            true,
        ),
        (
            "DateEquals",
            "aws:CurrentTime",
            json!("2026-11-23T10:00:00Z"),
            true,
        ),
        (
            "DateEquals",
            "aws:CurrentTime",
            json!("2026-11-23T12:00:00+02:00"),
            true,
        ),
        (
            "DateNotEquals",
            "aws:CurrentTime",
            json!("2026-11-23T10:00:00Z"),
            false,
        ),
        (
            "DateLessThan",
            "aws:CurrentTime",
            json!("2026-11-23T10:00:00Z"),
            false,
        ),
        (
            "DateLessThan",
            "aws:CurrentTime",
            json!("2026-11-23T10:00:01Z"),
            true,
        ),
        (
            "DateLessThan",
            "aws:CurrentTime",
            json!("2026-11-23T10:01Z"),
            true,
        ),
        ("DateLessThan", "aws:CurrentTime", json!("2026-11-24"), true),
        (
            "DateLessThan",
            "aws:CurrentTime",
            json!("2026-11-23"),
            false,
        ),
        ("DateLessThan", "aws:CurrentTime", json!(NOW + 1), true),
        (
            "DateLessThan",
            "aws:EpochTime",
            json!("2026-11-23T10:00:00.5Z"),
            true,
        ),
        (
            "DateLessThanEquals",
            "aws:CurrentTime",
            json!("2026-11-23T10:00:00Z"),
            true,
        ),
        (
            "DateGreaterThan",
            "aws:CurrentTime",
            json!("2026-11-23T09:59:59Z"),
            true,
        ),
        (
            "DateGreaterThan",
            "aws:CurrentTime",
            json!("2026-11-23T10:00:00Z"),
            false,
        ),
        (
            "DateGreaterThanEquals",
            "aws:CurrentTime",
            json!("2026-11-23T10:00:00Z"),
            true,
        ),
        ("Bool", "aws:SecureTransport", json!("true"), true),
        ("Bool", "aws:SecureTransport", json!(true), true),
        ("Bool", "aws:SecureTransport", json!("false"), false),
        ("IpAddress", "aws:SourceIp", json!("203.0.113.0/24"), true),
        ("IpAddress", "aws:SourceIp", json!("203.0.113.7"), true),
        ("IpAddress", "aws:SourceIp", json!("203.0.113.8"), false),
        ("IpAddress", "aws:SourceIp", json!("2001:db8::/32"), false),
        (
            "IpAddress",
            "aws:SourceIp",
            json!(["198.51.100.0/24", "203.0.113.0/29"]),
            true,
        ),
        (
            "NotIpAddress",
            "aws:SourceIp",
            json!("203.0.113.0/24"),
            false,
        ),
        (
            "NotIpAddress",
            "aws:SourceIp",
            json!("198.51.100.0/24"),
            true,
        ),
        ("Null", "aws:SourceIp", json!("false"), true),
        ("Null", "aws:SourceIp", json!("true"), false),
        ("Null", "aws:Referer", json!(true), true),
    ] {
        holds(&json!({operator: {key: value}}), &facts, expected);
    }
}

/// IAM User Guide, *Condition operators*: a missing key fails, unless negated or `...IfExists`.
#[test]
fn a_missing_key_fails_unless_negated_or_if_exists() {
    let nothing = Facts {
        source_ip: None,
        user_agent: None,
        ..facts()
    };
    for (operator, key, value, expected) in [
        ("StringEquals", "aws:UserAgent", "x", false),
        ("StringLike", "aws:UserAgent", "*", false),
        ("StringNotEquals", "aws:UserAgent", "x", true),
        ("StringNotLike", "aws:UserAgent", "*", true),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0", false),
        ("NotIpAddress", "aws:SourceIp", "0.0.0.0/0", true),
        ("IpAddressIfExists", "aws:SourceIp", "198.51.100.0/24", true),
        ("StringEqualsIfExists", "aws:Referer", "x", true),
        ("StringEquals", "aws:PrincipalTag/team", "x", false),
        ("NumericLessThan", "custom:Level", "3", false),
    ] {
        holds(&json!({operator: {key: value}}), &nothing, expected);
    }
    holds(
        &json!({"IpAddressIfExists": {"aws:SourceIp": "198.51.100.0/24"}}),
        &facts(),
        false,
    );
}

/// IAM User Guide, *Conditions with multiple context keys or values*.
#[test]
fn values_are_ored_keys_and_operators_anded_negated_values_nored() {
    let facts = facts();
    let agent = |name: &str| json!({"aws:UserAgent": name});
    for (condition, expected) in [
        (
            json!({"StringEquals": {"aws:UserAgent": ["a", "curl/8.5"]}}),
            true,
        ),
        (
            json!({"StringNotEquals": {"aws:UserAgent": ["a", "curl/8.5"]}}),
            false,
        ),
        (
            json!({"StringNotEquals": {"aws:UserAgent": ["a", "b"]}}),
            true,
        ),
        (
            json!({"StringEquals": {"aws:UserAgent": "curl/8.5", "aws:SourceIp": "203.0.113.7"}}),
            true,
        ),
        (
            json!({"StringEquals": {"aws:UserAgent": "curl/8.5", "aws:SourceIp": "x"}}),
            false,
        ),
        (
            json!({"StringEquals": agent("curl/8.5"), "Bool": {"aws:SecureTransport": "true"}}),
            true,
        ),
        (
            json!({"StringEquals": agent("curl/8.5"), "Bool": {"aws:SecureTransport": "false"}}),
            false,
        ),
        (json!({"StringEquals": {"AWS:useragent": "curl/8.5"}}), true),
        (json!({}), true),
    ] {
        holds(&condition, &facts, expected);
    }
}

#[test]
fn an_ipv4_address_mapped_into_ipv6_is_the_ipv4_address() {
    let mapped = Facts {
        source_ip: Some("::ffff:203.0.113.7".parse().unwrap()),
        ..facts()
    };
    holds(
        &json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        &mapped,
        true,
    );
}
