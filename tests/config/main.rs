//! Configurations, good and bad: one file for each flaw, with what is said about it beside it.
//!
//! With `DOORWARD_BLESS=1` the expected texts, the schema and the reference are written anew.

#![expect(clippy::unwrap_used, reason = "the suite is a test from end to end")]

mod deployed;
mod examples;
mod fresh;
mod hostile;
mod openapi;
mod sources;
mod support;

use std::collections::BTreeSet;

use doorward_engine::config::{Config, FAULT_CODES};
use support::{cases, check_text, env, said};

/// Codes that no file can show, with the test that does.
const SHOWN_ELSEWHERE: &[&str] = &["text_too_long", "identity_token_short"];

#[test]
fn every_bad_configuration_is_refused_with_every_fault_and_its_place() {
    for case in cases("bad") {
        let faults = Config::read(&case.text, &case.name, &env())
            .expect_err(&format!("`{}` is accepted", case.name));
        check_text(&case.path.with_extension("txt"), &said(&faults));
        let mut lines: Vec<String> = faults.faults.iter().map(|fault| fault.line("")).collect();
        lines.sort();
        let count = lines.len();
        lines.dedup();
        assert_eq!(lines.len(), count, "`{}` is told a fault twice", case.name);
    }
}

#[test]
fn every_good_configuration_is_accepted_with_its_warnings() {
    for case in cases("good") {
        let checked = match Config::read(&case.text, &case.name, &env()) {
            Ok(checked) => checked,
            Err(faults) => panic!("{faults}"),
        };
        let lines = checked.warnings.iter().map(|w| w.line(&case.name) + "\n");
        check_text(
            &case
                .path
                .with_file_name(format!("{}.warnings.txt", case.name)),
            &lines.collect::<String>(),
        );
    }
}

#[test]
fn every_kind_of_fault_and_warning_is_shown_by_a_file() {
    let mut shown: BTreeSet<&str> = SHOWN_ELSEWHERE.iter().copied().collect();
    for case in cases("bad").into_iter().chain(cases("good")) {
        let found = match Config::read(&case.text, &case.name, &env()) {
            Ok(checked) => checked.warnings,
            Err(faults) => faults.faults.into_iter().chain(faults.warnings).collect(),
        };
        shown.extend(found.iter().map(|fault| fault.code));
    }
    let missing: Vec<_> = FAULT_CODES
        .iter()
        .filter(|code| !shown.contains(*code))
        .collect();
    assert!(missing.is_empty(), "no file shows {missing:?}");
}

#[test]
fn toml_and_json_mean_the_same() {
    let mut twins = 0;
    for case in cases("good").into_iter().filter(|case| {
        case.path
            .extension()
            .is_some_and(|extension| extension == "json")
    }) {
        let toml = std::fs::read_to_string(case.path.with_extension("toml")).unwrap();
        let read = |text: &str| {
            let checked = Config::read(text, "twin", &env()).unwrap();
            format!("{:#?}", checked.config)
        };
        assert_eq!(read(&case.text), read(&toml), "{}", case.name);
        twins += 1;
    }
    assert!(twins > 0);
}

#[test]
fn a_configuration_that_is_too_long_is_refused() {
    let text = "#".repeat(5 * 1024 * 1024);
    let faults = Config::read(&text, "long", &env()).unwrap_err();
    assert_eq!(faults.faults[0].code, "text_too_long");
}

#[test]
fn no_secret_is_shown_in_a_fault_or_a_configuration() {
    for case in cases("bad") {
        if let Err(faults) = Config::read(&case.text, &case.name, &env()) {
            let all = format!("{faults} {faults:?}");
            for secret in ["hunter2", "correct horse", "12345678", support::PEPPER] {
                assert!(!all.contains(secret), "`{}` shows a secret", case.name);
            }
        }
    }
    let text = std::fs::read_to_string(support::dir().join("good/full.toml")).unwrap();
    let config = Config::read(&text, "full.toml", &env()).unwrap().config;
    assert!(!format!("{config:?}").contains(support::PEPPER));
}
