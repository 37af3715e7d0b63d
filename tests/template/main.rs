//! `doorward check --template` over templates, good and bad: one for each finding, with all that is found in it beside it, and
//! the templates of this project, in which nothing is.
//!
//! With `DOORWARD_BLESS=1` the expected texts and the reference are written anew.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod monitoring;
mod sarif;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use doorward::{
    configuration::{Document, parse_source},
    template::{Node, Template},
    wiring::{self, Finding, Rule, Severity},
};
use doorward_engine::Config;
use doorward_tests::golden;

fn folder(name: &str) -> PathBuf {
    golden::root().join("tests/template").join(name)
}

/// The templates in a folder, by name.
fn templates(name: &str) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder(name)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    all.sort();
    assert!(!all.is_empty());
    all
}

async fn config(path: &Path) -> Config {
    let source = parse_source(path.to_str().unwrap()).unwrap();
    let document = Document::fetch(source).await.unwrap();
    match document.look_at().outcome {
        Ok(checked) => checked.config,
        Err(faults) => panic!("{}: {faults}", path.display()),
    }
}

fn found(path: &Path, config: &Config, parameters: &[(&str, &str)]) -> Vec<Finding> {
    let text = std::fs::read_to_string(path).unwrap();
    let given: BTreeMap<String, String> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    wiring::findings(&Template::read(&text, &given).unwrap(), config)
}

fn shown(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let (id, word) = (finding.rule.id(), finding.rule.severity().as_str());
        let (line, resource) = (finding.line, &finding.resource);
        let message = &finding.message;
        writeln!(text, "{line}: {id} {word} {resource}: {message}").unwrap();
    }
    text
}

#[tokio::test]
async fn every_bad_template_shows_its_finding_and_no_other() {
    let mut shown_rules = BTreeSet::new();
    for (name, path) in templates("bad") {
        let config = config(&path.with_extension("toml")).await;
        let findings = found(&path, &config, &[]);
        let wanted = name.split('_').next().unwrap();
        let ids: BTreeSet<&str> = findings.iter().map(|one| one.rule.id()).collect();
        assert_eq!(
            ids,
            BTreeSet::from([wanted]),
            "{name}: {}",
            shown(&findings)
        );
        golden::check(&format!("tests/template/bad/{name}.txt"), &shown(&findings));
        shown_rules.extend(findings.iter().map(|one| one.rule));
    }
    let missing: Vec<_> = Rule::ALL
        .iter()
        .filter(|rule| !shown_rules.contains(rule))
        .collect();
    assert!(missing.is_empty(), "no template shows {missing:?}");
}

#[tokio::test]
async fn nothing_is_found_in_good_templates() {
    for (name, path) in templates("good") {
        let config = config(&path.with_extension("toml")).await;
        let findings = found(&path, &config, &[]);
        assert_eq!(findings, [], "{name}: {}", shown(&findings));
    }
}

#[tokio::test]
async fn nothing_is_found_in_our_own_template_whoever_answers_429() {
    let root = golden::root();
    let text = std::fs::read_to_string(root.join("infra/config/doorward.toml")).unwrap();
    let at = root.join("infra/config/doorward.toml");
    for (answer, more) in [
        ("backend", ""),
        ("deny", ""),
        (
            "penalty_key",
            "\npenalty_key = \"env:DOORWARD_SECRET_PENALTY_KEY\"\nusage_plan_key = \"env:DOORWARD_SECRET_PLAN_KEY\"",
        ),
    ] {
        let own = text.replace(
            "rate_limited = \"backend\"",
            &format!("rate_limited = \"{answer}\"{more}"),
        );
        let read = Document::given(own, at.to_str().unwrap()).look_at();
        let config = read.outcome.unwrap().config;
        let parameters = [("RateLimitedAnswer", answer)];
        let findings = found(&root.join("template.yaml"), &config, &parameters);
        assert_eq!(findings, [], "{answer}: {}", shown(&findings));
        // And the parameter decides: the pair must agree.
        let other = if answer == "penalty_key" {
            "backend"
        } else {
            "deny"
        };
        let findings = found(
            &root.join("template.yaml"),
            &config,
            &[("RateLimitedAnswer", other)],
        );
        assert_eq!(findings.is_empty(), answer == "deny", "{answer}, {other}");
    }
}

#[tokio::test]
async fn a_parameter_takes_the_place_of_its_default() {
    let (_, path) = templates("good")
        .into_iter()
        .find(|(name, _)| name == "rest")
        .unwrap();
    let text = std::fs::read_to_string(path.with_extension("toml")).unwrap()
        + "\n[dpop]\n[policy]\ngateway_cache = \"off\"\n";
    let config = Document::given(text, "t.toml")
        .look_at()
        .outcome
        .unwrap()
        .config;
    let errors = |ttl: &str| {
        let findings = found(&path, &config, &[("Ttl", ttl)]);
        findings
            .iter()
            .filter(|one| one.rule == Rule::CacheUntrue)
            .count()
    };
    assert_eq!((errors("60"), errors("0")), (1, 0));
}

#[test]
fn the_committed_reference_of_findings_is_fresh() {
    let mut text = std::fs::read_to_string(golden::root().join("docs/check.md")).unwrap();
    let begin = "<!-- findings, generated -->\n";
    let at = text.find(begin).unwrap() + begin.len();
    text.truncate(at);
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let rules = Rule::ALL.iter().filter(|rule| rule.severity() == severity);
        let title = match severity {
            Severity::Error => "Errors",
            Severity::Warning => "Warnings",
            Severity::Note => "Notes",
        };
        write!(text, "\n## {title}\n").unwrap();
        for rule in rules {
            let (id, short) = (rule.id(), rule.short());
            let (meaning, mend) = (rule.meaning(), rule.mend());
            write!(
                text,
                "\n### {id}\n\n**{short}.** {meaning}\n\nTo mend: {mend}.\n"
            )
            .unwrap();
        }
    }
    golden::check("docs/check.md", &text);
}

#[test]
fn the_environments_set_parameters_that_the_template_has() {
    let root = golden::root();
    let text = std::fs::read_to_string(root.join("samconfig.toml")).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    let text = std::fs::read_to_string(root.join("template.yaml")).unwrap();
    let template = Template::read(&text, &BTreeMap::new()).unwrap();
    let mut stacks = BTreeSet::new();
    for name in ["dev", "staging", "prod"] {
        let deploy = &config[name]["deploy"]["parameters"];
        assert!(stacks.insert(deploy["stack_name"].as_str().unwrap()));
        for pair in deploy["parameter_overrides"].as_str().unwrap().split(' ') {
            let (parameter, value) = pair.split_once('=').unwrap();
            let declared = template.root().at(&["Parameters", parameter]);
            let declared = declared.unwrap_or_else(|| panic!("{name}: no `{parameter}`"));
            let allowed = declared.get("AllowedValues").map(Node::texts);
            let fits = allowed.is_none_or(|allowed| allowed.contains(&value));
            assert!(fits, "{name}: `{parameter}` cannot be `{value}`");
        }
    }
}
