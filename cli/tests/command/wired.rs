//! `doorward check --template`.

use std::path::Path;

use serde_json::Value;

use crate::run::Folder;

/// A folder with one of the bad templates, or a good one, and its configuration.
fn folder(kind: &str, name: &str) -> Folder {
    let folder = Folder::new();
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/template");
    let read =
        |end: &str| std::fs::read_to_string(at.join(kind).join(format!("{name}.{end}"))).unwrap();
    folder.write("doorward.toml", &read("toml"));
    folder.write("template.yaml", &read("yaml"));
    folder
}

const CHECK: [&str; 3] = ["check", "--template", "template.yaml"];

#[test]
fn an_error_is_1_and_a_warning_only_where_it_counts() {
    let strict = [&CHECK[..], &["--strict"]].concat();
    for (kind, name, plain, of_strict) in [
        ("good", "rest", 0, 0),
        ("bad", "DW101_address_only", 1, 1),
        ("bad", "DW402", 0, 1),
        ("bad", "DW503", 0, 0),
    ] {
        let folder = folder(kind, name);
        let ended = folder.run(&CHECK);
        assert_eq!(ended.code, plain, "{name}: {ended:?}");
        assert_eq!(folder.run(&strict).code, of_strict, "{name}");
    }
}

#[test]
fn a_finding_is_told_with_place_and_mend() {
    let ended = folder("bad", "DW401_http").run(&CHECK);
    for says in [
        "error template.yaml:48: DW401 the API may not invoke the authorizer",
        "Api: nothing lets `Api` invoke `Authorizer`",
        "to mend: add an `AWS::Lambda::Permission`",
    ] {
        assert!(ended.out.contains(says), "{says}: {ended:?}");
    }
    assert!(
        ended
            .err
            .contains("template.yaml: 1 error, 0 warnings, 0 notes"),
        "{ended:?}"
    );
}

#[test]
fn programs_get_json_and_code_scanning_sarif() {
    let folder = folder("bad", "DW401_http");
    for more in [&["--json"][..], &["--format", "json"]] {
        let ended = folder.run(&[&CHECK[..], more].concat());
        let answer: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(answer["findings"][0]["id"], "DW401", "{answer:#}");
        assert_eq!(answer["findings"][0]["line"], 48);
    }
    let ended = folder.run(&[&CHECK[..], &["--format", "sarif"]].concat());
    let log: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "DW401");
    assert_eq!(ended.code, 1);
    // Faults of the configuration are in it too, each with its line.
    folder.write("doorward.toml", "[[routes]]\nroute = \"GET orders\"\n");
    let ended = folder.run(&[&CHECK[..], &["--format", "sarif"]].concat());
    let log: Value = serde_json::from_str(&ended.out).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let place = "/locations/0/physicalLocation/region/startLine";
    assert!(
        results.iter().any(|one| one.pointer(place).unwrap() == 2),
        "{log:#}"
    );
}

#[test]
fn what_is_no_template_is_said() {
    let folder = folder("good", "rest");
    for (text, says) in [
        ("Resources: [", "is no template: line"),
        ("a: 1", "has no `Resources`"),
        ("", "is no template"),
    ] {
        folder.write("template.yaml", text);
        let ended = folder.run(&CHECK);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(says), "{says}: {ended:?}");
    }
    let ended = folder.run(&["check", "--template", "nowhere.yaml"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    folder.write("template.yaml", "Resources: {}");
    for (given, says) in [("Ttl=1", "has no parameter `Ttl`"), ("Ttl", "NAME=VALUE")] {
        let ended = folder.run(&[&CHECK[..], &["--parameter", given]].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(says), "{ended:?}");
    }
    // A configuration with faults has no routes to hold a template against.
    folder.write("doorward.toml", "[[routes]]\n");
    let ended = folder.run(&CHECK);
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("the template was not looked at"),
        "{ended:?}"
    );
}
