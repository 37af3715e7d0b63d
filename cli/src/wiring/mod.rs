//! How a template wires APIs to the authorizer, held against the configuration: what is unsafe or broken, and the mend.
//!
//! 1. [`model`] reads the template into APIs, authorizers, routes, functions, permissions, roles, tables and domains, each with
//!    the line on which it stands. SAM's shorthand, `OpenAPI` documents in it and the resources of `CloudFormation` end in one form.
//! 2. [`rules`] are small functions over that and the configuration. What cannot be known from the template, such as an imported
//!    value, is never taken for safe: [`Rule::Unknown`] says what was not looked at.
//! 3. [`report`] shows the findings to people, programs and code scanning (SARIF 2.1.0).

mod finding;
pub mod model;
pub mod report;
pub mod rules;
#[cfg(test)]
mod tests;

pub use finding::{Finding, Rule, Severity};

use doorward_engine::Config;

use self::model::Wiring;
use crate::template::Template;

/// Everything that is wrong between `template` and `config`, in the order of the template.
pub fn findings(template: &Template, config: &Config) -> Vec<Finding> {
    let wiring = Wiring::of(template);
    let mut found = rules::all(&wiring, config);
    for finding in &mut found {
        // An API of which only what is attached to it is here has no line.
        finding.line = finding.line.max(1);
    }
    found.sort_by(|one, other| {
        let key = |finding: &Finding| (finding.line, finding.rule.id(), finding.message.clone());
        key(one).cmp(&key(other))
    });
    found.dedup();
    found
}
