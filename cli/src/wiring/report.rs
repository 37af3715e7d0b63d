//! Findings for people, for programs and for code scanning.

use doorward_keys::Digest;
use serde_json::{Value, json};

use super::{Finding, Rule, Severity};
use crate::output::{BAD, DIM, WARN, styled};

/// Where the meaning of a rule is written.
const HELP: &str = "https://github.com/doorward/doorward/blob/main/docs/check.md";

/// One finding for a person, in two lines.
pub fn line(finding: &Finding, file: &str) -> String {
    let Finding {
        rule,
        line,
        resource,
        message,
    } = finding;
    let style = match rule.severity() {
        Severity::Error => BAD,
        Severity::Warning => WARN,
        Severity::Note => DIM,
    };
    let (id, word) = (rule.id(), rule.severity().as_str());
    let of = if resource.is_empty() {
        String::new()
    } else {
        format!("{resource}: ")
    };
    let (short, mend) = (rule.short(), rule.mend());
    format!(
        "{} {file}:{line}: {id} {short}\n  {of}{message}\n  to mend: {mend}",
        styled(style, word)
    )
}

/// One finding for a program.
pub fn as_json(finding: &Finding, file: &str) -> Value {
    json!({
        "id": finding.rule.id(),
        "severity": finding.rule.severity().as_str(),
        "file": file,
        "line": finding.line,
        "resource": finding.resource,
        "message": finding.message,
        "mend": finding.rule.mend(),
    })
}

/// All findings as a log of SARIF 2.1.0 (OASIS, 2020), as code scanning of GitHub and others reads it.
pub fn sarif(findings: &[Finding], file: &str) -> Value {
    let rules: Vec<Value> = Rule::ALL.iter().map(|rule| described(*rule)).collect();
    let results: Vec<Value> = findings.iter().map(|one| result(one, file)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "doorward",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://github.com/doorward/doorward",
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn described(rule: Rule) -> Value {
    let (meaning, mend) = (rule.meaning(), rule.mend());
    json!({
        "id": rule.id(),
        "name": format!("{rule:?}"),
        "shortDescription": {"text": rule.short()},
        "fullDescription": {"text": meaning},
        "help": {
            "text": format!("{meaning} To mend: {mend}."),
            "markdown": format!("{meaning}\n\n**To mend:** {mend}."),
        },
        "helpUri": format!("{HELP}#{}", rule.id().to_ascii_lowercase()),
        "defaultConfiguration": {"level": rule.severity().as_str()},
    })
}

fn result(finding: &Finding, file: &str) -> Value {
    let Finding {
        rule,
        line,
        resource,
        message,
    } = finding;
    let index = Rule::ALL.iter().position(|one| one == rule);
    // The line may move; what was found where does not.
    let print = Digest::of(&format!("{} {resource} {message}", rule.id()), None).to_hex();
    json!({
        "ruleId": rule.id(),
        "ruleIndex": index,
        "level": rule.severity().as_str(),
        "message": {"text": format!("{message}. To mend: {}.", rule.mend())},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": file},
                "region": {"startLine": line},
            },
            "logicalLocations": [{"name": resource, "kind": "resource"}],
        }],
        "partialFingerprints": {"doorward/v1": print},
    })
}
