//! Which names a fact for the backend may have, whoever hands it on.

use super::{faults::Faults, problems::Problem, values::shown};

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

/// Refuses a name that no backend could read, or that would stand for something else there.
pub(crate) fn check(name: &str, path: &str, faults: &mut Faults) {
    let found = shown(name);
    let fits = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !fits {
        faults.problem(path, Problem::ContextName { found });
    } else if is_taken(name) {
        faults.problem(path, Problem::ContextTaken { found });
    }
}

/// Letter case makes no difference, because backends may see the names as headers.
fn is_taken(name: &str) -> bool {
    let taken = GATEWAY_CONTEXT_NAMES.iter().chain(&crate::context::NAMES);
    taken
        .into_iter()
        .any(|taken| taken.eq_ignore_ascii_case(name))
}
