//! The facts that a route hands to the backend.

use std::collections::BTreeMap;

use crate::config::{AnswersConfig, context_names, faults::Faults, problems::Problem, tree::join};

pub(super) fn check(
    context: &BTreeMap<String, String>,
    path: &str,
    answers: &AnswersConfig,
    faults: &mut Faults,
) {
    for (name, value) in context {
        let path = join(path, name);
        context_names::check(name, &path, faults);
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
