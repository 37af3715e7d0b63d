//! Refusals as problem documents (RFC 9457).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::{AdminError, Fault};

/// What the types of problems begin with. What follows is the code.
pub const TYPE_PREFIX: &str = "urn:doorward:problem:";

/// What the names of occurrences begin with. What follows is the request id of the log.
pub const INSTANCE_PREFIX: &str = "urn:doorward:request:";

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// The kind of problem: `urn:doorward:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a few words; the same for every problem of the kind.
    pub title: Cow<'static, str>,
    /// The status of the answer.
    #[cfg_attr(feature = "schema", schemars(range(min = 400, max = 599)))]
    pub status: u16,
    /// What is wrong here, and what to do about it.
    pub detail: String,
    /// The request: `urn:doorward:request:` and its id in the log of key administration.
    pub instance: String,
    /// The kind in one word. It never changes.
    pub code: Cow<'static, str>,
    /// What is wrong with which field of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FieldFault>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldFault {
    /// The field as a JSON Pointer (RFC 6901) into the fields of the request, wherever they stand: `/scopes/2`, or `/limit` for
    /// a query parameter; empty for the request as a whole.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Code, status and title of every kind of problem (statuses: RFC 9110 section 15).
pub const KINDS: &[(&str, u16, &str)] = &[
    ("invalid", 400, "The request is not valid"),
    ("forbidden", 403, "The caller may not do this"),
    ("not_found", 404, "There is no such thing"),
    (
        "method_not_allowed",
        405,
        "The path does not have this method",
    ),
    ("refused", 409, "The key cannot change in this way"),
    ("conflict", 409, "The key has changed in the meantime"),
    (
        "idempotency_key_used",
        409,
        "The idempotency key names another request",
    ),
    (
        "precondition_failed",
        412,
        "The key is not of the version that was named",
    ),
    ("corrupt", 500, "A stored item cannot be read"),
    ("unavailable", 503, "The store does not answer"),
];

impl Problem {
    /// What the caller is told of `error`.
    pub fn of(error: &AdminError, request_id: &str) -> Self {
        let code = error.code();
        let known = KINDS.iter().find(|(known, ..)| *known == code);
        // Every code is in the table, which a test holds.
        let (_, status, title) = known.copied().unwrap_or((code, 500, "A fault of ours"));
        let faults = match error {
            AdminError::Invalid(faults) => faults.iter().map(FieldFault::from).collect(),
            _ => vec![],
        };
        Self {
            kind: format!("{TYPE_PREFIX}{code}"),
            title: Cow::Borrowed(title),
            status,
            detail: error.detail(),
            instance: format!("{INSTANCE_PREFIX}{request_id}"),
            code: Cow::Borrowed(code),
            faults,
        }
    }
}

impl From<&Fault> for FieldFault {
    fn from(fault: &Fault) -> Self {
        Self {
            field: pointer(&fault.field),
            message: fault.message.clone(),
        }
    }
}

/// `scopes[2]` as `/scopes/2`, `metadata.team` as `/metadata/team`.
fn pointer(field: &str) -> String {
    if field.is_empty() {
        return String::new();
    }
    let (head, rest) = match field.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (field, None),
    };
    let escaped = |part: &str| part.replace('~', "~0").replace('/', "~1");
    let head = head.replace('[', "/").replace(']', "");
    match rest {
        None => format!("/{head}"),
        Some(rest) => format!("/{head}/{}", escaped(rest)),
    }
}

#[cfg(test)]
mod tests {
    use doorward_keys::lifecycle::Refusal;

    use super::*;

    #[test]
    fn fields_are_json_pointers() {
        for (field, expected) in [
            ("", ""),
            ("tenant", "/tenant"),
            ("scopes[2]", "/scopes/2"),
            ("metadata.a/b~c", "/metadata/a~1b~0c"),
        ] {
            assert_eq!(pointer(field), expected);
        }
    }

    #[test]
    fn every_error_is_a_problem_of_a_known_kind() {
        let text = || "x".to_owned();
        let errors = [
            AdminError::invalid("tenant", "is missing"),
            AdminError::Forbidden(text()),
            AdminError::NotFound(text()),
            AdminError::MethodNotAllowed(text()),
            AdminError::Refused(Refusal::Revoked),
            AdminError::Conflict(text()),
            AdminError::IdempotencyKeyUsed,
            AdminError::PreconditionFailed(text()),
            AdminError::Unavailable(text()),
            AdminError::Corrupt(text()),
        ];
        assert_eq!(errors.len(), KINDS.len());
        for error in errors {
            let problem = Problem::of(&error, "r-1");
            assert!(
                KINDS.iter().any(|(code, ..)| *code == problem.code),
                "{error}"
            );
            assert_eq!(problem.instance, "urn:doorward:request:r-1");
        }
    }
}
