//! `docs/local.md` names tests that exist, at least one for each of its paragraphs; `docs/usage.md` names some.

use std::{fs, path::Path};

fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_paragraph_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut code = String::new();
    for folder in ["tests/journeys", "cli/tests/command", "cli/src/local"] {
        sources(&root.join(folder), &mut code);
    }
    let text = fs::read_to_string(root.join("docs/local.md")).unwrap();
    let behaviour = text.split_once("\n## ").unwrap().1;
    for paragraph in behaviour
        .split("\n\n")
        .filter(|paragraph| paragraph.contains(' ') && !paragraph.starts_with("## "))
    {
        let names: Vec<&str> = paragraph
            .split('`')
            .filter(|word| {
                ["journeys::", "command::", "gateway::", "iam::"]
                    .iter()
                    .any(|suite| word.starts_with(suite))
            })
            .collect();
        assert!(!names.is_empty(), "no test is named: {paragraph}");
        for name in names {
            let function = name.rsplit("::").next().unwrap();
            assert!(
                code.contains(&format!("fn {function}(")),
                "there is no test `{name}`"
            );
        }
    }
}

#[test]
fn the_page_on_usage_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut code = String::new();
    for folder in [
        "tests/access_log",
        "tests/processes",
        "tests/contract/usage",
        "tests/journeys",
        "cli/tests/command",
        "engine/src/usage/tests",
    ] {
        sources(&root.join(folder), &mut code);
    }
    let text = fs::read_to_string(root.join("docs/usage.md")).unwrap();
    let suites = [
        "access_log::",
        "command::",
        "processes::",
        "contract::",
        "usage::",
        "journeys::",
    ];
    let named = text.split('`').filter(|word| {
        let is_test = suites.iter().any(|suite| word.starts_with(suite));
        is_test && !suites.contains(word)
    });
    let functions: Vec<&str> = named
        .map(|name| name.rsplit("::").next().unwrap())
        .collect();
    assert!(functions.len() > 10);
    for function in functions {
        assert!(
            code.contains(&format!("fn {function}(")),
            "there is no test `{function}`"
        );
    }
}
