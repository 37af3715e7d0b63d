use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[test]
fn every_rule_has_an_id_of_its_own_and_says_what_to_do() {
    let ids: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(ids.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        assert!(rule.id().starts_with("DW"));
        assert!(rule.meaning().ends_with('.'), "{rule:?}");
        assert!(!rule.mend().is_empty() && !rule.short().ends_with('.'));
    }
}

#[test]
fn a_template_without_apis_has_nothing_to_find() {
    let text = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n";
    let template = Template::read(text, &BTreeMap::new()).unwrap();
    let env = doorward_engine::config::ConfigEnv {
        read_file: &|_| Err("no files".to_owned()),
        secret: &|_| Err("no secrets".to_owned()),
    };
    let config = "[[routes]]\nroute = \"GET /\"\ncredentials = [\"anonymous\"]\n";
    let config = Config::read(config, "t", &env).unwrap().config;
    assert_eq!(findings(&template, &config), []);
}
