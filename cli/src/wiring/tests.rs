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

#[test]
fn an_api_that_is_elsewhere_is_looked_at_as_far_as_it_is_here() {
    let text = "Parameters:\n  Api: { Type: String }\nResources:\n  Gate:\n    Type: AWS::ApiGateway::Authorizer\n    Properties:\n      \
                RestApiId: !Ref Api\n      Type: REQUEST\n      IdentitySource: context.identity.sourceIp\n";
    let template = Template::read(text, &BTreeMap::new()).unwrap();
    let env = doorward_engine::config::ConfigEnv {
        read_file: &|_| Err("no files".to_owned()),
        secret: &|_| Err("no secrets".to_owned()),
    };
    let config = "[api_keys]\nprefix = 'ck'\nenvironments = ['live']\n[[routes]]\nroute = 'GET /'\ncredentials = ['api_key']\n";
    let config = Config::read(config, "t", &env).unwrap().config;
    let found = findings(&template, &config);
    let rules: Vec<Rule> = found.iter().map(|one| one.rule).collect();
    for rule in [
        Rule::CacheWithoutCredential,
        Rule::TtlUnstated,
        Rule::Unknown,
    ] {
        assert!(rules.contains(&rule), "{rule:?}: {found:?}");
    }
    assert!(found.iter().all(|one| one.line > 0), "{found:?}");
}
