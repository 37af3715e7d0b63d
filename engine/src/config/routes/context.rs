//! The facts that a route hands to the backend.

use std::collections::BTreeMap;

use crate::config::{AnswersConfig, faults::Faults, problems::Problem, tree::join, values::shown};

/// Context names that the gateway gives a meaning (AWS: API Gateway, `$context` variables for access logging, and
/// output from a Lambda authorizer). Those of [`crate::context::NAMES`] are taken too.
pub const GATEWAY_CONTEXT_NAMES: &[&str] = &[
    "principalId",
    "claims",
    "error",
    "integrationLatency",
    "integrationStatus",
    "latency",
    "requestId",
    "status",
];

pub(super) fn check(
    context: &BTreeMap<String, String>,
    path: &str,
    answers: &AnswersConfig,
    faults: &mut Faults,
) {
    for (name, value) in context {
        let path = join(path, name);
        let found = shown(name);
        let fits = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits {
            faults.problem(&path, Problem::ContextName { found });
        } else if is_taken(name) {
            faults.problem(&path, Problem::ContextTaken { found });
        }
        if !value.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
            faults.problem(&path, Problem::ContextValue);
        }
    }
    let sizes = context
        .iter()
        .map(|(name, value)| name.len().saturating_add(value.len()));
    let found: usize = sizes.sum();
    if found > answers.max_context_bytes {
        let max = u32::try_from(answers.max_context_bytes).unwrap_or(u32::MAX);
        faults.problem(path, Problem::ContextLarge { max, found });
    }
}

/// Letter case makes no difference, because backends may see the names as headers.
fn is_taken(name: &str) -> bool {
    let taken = GATEWAY_CONTEXT_NAMES.iter().chain(&crate::context::NAMES);
    taken
        .into_iter()
        .any(|taken| taken.eq_ignore_ascii_case(name))
}
