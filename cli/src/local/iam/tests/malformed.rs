//! What is no policy and must never be an Allow.

use serde_json::{Value, json};

use super::{ARN, INVOKE, facts, outcome, policy, statement};

/// IAM User Guide, *IAM JSON policy element reference* and *Grammar of the IAM JSON policy language*.
#[test]
#[expect(clippy::too_many_lines, reason = "a table, one row for each flaw")]
fn a_malformed_document_never_allows() {
    let allow = statement("Allow", &json!("*"));
    let with = |member: &str, value: Value| {
        let mut changed = allow.clone();
        changed[member] = value;
        // A sound Allow stands beside it and must not help.
        policy(&json!([allow, changed]))
    };
    let without = |member: &str| {
        let mut changed = allow.clone();
        changed.as_object_mut().unwrap().remove(member);
        policy(&json!([allow, changed]))
    };
    let condition = |value: Value| with("Condition", value);
    for (name, document) in [
        ("no object", json!([allow])),
        ("null", Value::Null),
        ("no statement", json!({"Version": "2012-10-17"})),
        ("empty statement list", policy(&json!([]))),
        ("statement is text", policy(&json!("Allow"))),
        (
            "unknown version",
            json!({"Version": "2024-01-01", "Statement": [allow]}),
        ),
        (
            "version is null",
            json!({"Version": null, "Statement": [allow]}),
        ),
        (
            "unknown member",
            json!({"Statement": [allow], "statement": []}),
        ),
        ("unknown member of statement", with("Ressource", json!("*"))),
        ("principal", with("Principal", json!("*"))),
        ("effect in lower case", with("Effect", json!("allow"))),
        ("effect missing", without("Effect")),
        ("action missing", without("Action")),
        ("resource missing", without("Resource")),
        ("action and not action", with("NotAction", json!("s3:*"))),
        ("resource and not resource", with("NotResource", json!("*"))),
        ("empty action list", with("Action", json!([]))),
        ("empty resource list", with("Resource", json!([]))),
        ("action without service", with("Action", json!("Invoke"))),
        ("action is number", with("Action", json!(7))),
        ("resource is no arn", with("Resource", json!("GET/orders"))),
        (
            "resource is half an arn",
            with("Resource", json!("arn:aws:execute-api:eu-west-1")),
        ),
        ("resource holds null", with("Resource", json!(["*", null]))),
        (
            "variable in resource",
            with(
                "Resource",
                json!("arn:aws:execute-api:r:1:a/${aws:username}"),
            ),
        ),
        ("condition is list", condition(json!([]))),
        (
            "unknown operator",
            condition(json!({"StringIs": {"aws:UserAgent": "x"}})),
        ),
        (
            "operator in lower case",
            condition(json!({"stringequals": {"aws:UserAgent": "x"}})),
        ),
        (
            "set operator",
            condition(json!({"ForAnyValue:StringEquals": {"aws:UserAgent": "x"}})),
        ),
        (
            "set operator",
            condition(json!({"ForAllValues:StringEquals": {"aws:UserAgent": "x"}})),
        ),
        (
            "null if exists",
            condition(json!({"NullIfExists": {"aws:UserAgent": "true"}})),
        ),
        (
            "operator without key",
            condition(json!({"StringEquals": {}})),
        ),
        (
            "operator without object",
            condition(json!({"StringEquals": "x"})),
        ),
        (
            "key without colon",
            condition(json!({"StringEquals": {"SourceIp": "x"}})),
        ),
        (
            "no values",
            condition(json!({"StringEquals": {"aws:UserAgent": []}})),
        ),
        (
            "null value",
            condition(json!({"StringEquals": {"aws:UserAgent": null}})),
        ),
        (
            "object value",
            condition(json!({"StringEquals": {"aws:UserAgent": {}}})),
        ),
        (
            "variable in value",
            condition(json!({"StringLike": {"aws:UserAgent": "${aws:Referer}"}})),
        ),
        (
            "no number",
            condition(json!({"NumericEquals": {"aws:EpochTime": "ten"}})),
        ),
        (
            "infinite number",
            condition(json!({"NumericLessThan": {"aws:EpochTime": "inf"}})),
        ),
        (
            "no date",
            condition(json!({"DateLessThan": {"aws:CurrentTime": "tomorrow"}})),
        ),
        (
            "impossible date",
            condition(json!({"DateLessThan": {"aws:CurrentTime": "2026-02-30"}})),
        ),
        (
            "date without zone",
            condition(json!({"DateLessThan": {"aws:CurrentTime": "2026-11-23T10:00:00"}})),
        ),
        (
            "no boolean",
            condition(json!({"Bool": {"aws:SecureTransport": "yes"}})),
        ),
        (
            "no address",
            condition(json!({"IpAddress": {"aws:SourceIp": "203.0.113.*"}})),
        ),
        (
            "prefix too long",
            condition(json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/33"}})),
        ),
        (
            "address operator on a date",
            condition(json!({"IpAddress": {"aws:CurrentTime": "10.0.0.0/8"}})),
        ),
        (
            "number operator on an address",
            condition(json!({"NumericNotEquals": {"aws:SourceIp": "1"}})),
        ),
    ] {
        let found = outcome(&document, INVOKE, ARN, &facts());
        assert!(found.starts_with("malformed"), "{name}: {found}");
    }
}

#[test]
fn a_malformed_deny_is_not_passed_over() {
    let mut deny = statement("Deny", &json!("*"));
    deny["Condition"] = json!({"IpAddress": {"aws:SourceIp": "nowhere"}});
    let found = outcome(
        &policy(&json!([statement("Allow", &json!("*")), deny])),
        INVOKE,
        ARN,
        &facts(),
    );
    assert!(found.starts_with("malformed"), "{found}");
}
