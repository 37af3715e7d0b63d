//! The log for code scanning.

use doorward::wiring::{Rule, report};
use serde_json::Value;

use crate::{config, found, templates};

#[tokio::test]
async fn every_result_names_a_rule_that_is_described_and_a_place() {
    for (_, path) in templates("bad") {
        let config = config(&path.with_extension("toml")).await;
        let findings = found(&path, &config, &[]);
        let log = report::sarif(&findings, "template.yaml");
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), Rule::ALL.len());
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), findings.len());
        for (result, finding) in results.iter().zip(&findings) {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert_eq!(result["ruleId"], finding.rule.id());
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "template.yaml");
            assert_eq!(place["region"]["startLine"], finding.line);
            assert!(finding.line > 0);
            let text = result["message"]["text"].as_str().unwrap();
            assert!(text.contains(finding.rule.mend()), "{text}");
        }
    }
}

#[tokio::test]
async fn a_finding_is_known_again_after_lines_moved() {
    let (_, path) = templates("bad").remove(0);
    let config = config(&path.with_extension("toml")).await;
    let print = |log: &Value| log["runs"][0]["results"][0]["partialFingerprints"].clone();
    let mut findings = found(&path, &config, &[]);
    let before = report::sarif(&findings, "a.yaml");
    findings[0].line += 10;
    let after = report::sarif(&findings, "a.yaml");
    assert_eq!(print(&before), print(&after));
    assert!(print(&before).is_object());
}
