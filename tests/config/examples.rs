//! What people copy is good: the example, and the demonstration of the gateway on this machine.

use std::{fs::read_to_string, path::Path};

use doorward_engine::{
    config::{Config, ConfigEnv, Fault, SecretReference, secret_references},
    layers::policy::UnlistedPaths,
};
use doorward_keys::Secret;

use crate::support::{PEPPER, env};

fn file(path: &str) -> String {
    read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

#[test]
fn the_example_is_good_and_tells_which_identity_sources_it_needs() {
    let text = file("examples/doorward.toml");
    let pepper = SecretReference::Env("DOORWARD_SECRET_PEPPER".to_owned());
    assert_eq!(secret_references(&text), [pepper]);
    let env = ConfigEnv {
        secret: &|_| Ok(Secret::new(PEPPER.to_owned())),
        ..env()
    };
    match Config::read(&text, "examples/doorward.toml", &env) {
        Ok(checked) => only_identity_sources(&checked.warnings),
        Err(faults) => panic!("{faults}"),
    }
}

/// Both take a key and a token together somewhere, from two places.
#[track_caller]
pub(crate) fn only_identity_sources(warnings: &[Fault]) {
    let codes: Vec<&str> = warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["identity_sources"], "{warnings:?}");
}

#[test]
fn the_demonstration_is_good_and_warns_of_its_issuer_only() {
    let text = file("cli/src/local/demo.toml").replace("${issuer}", "http://127.0.0.1:9000");
    let checked = match Config::read(&text, "demo.toml", &env()) {
        Ok(checked) => checked,
        Err(faults) => panic!("{faults}"),
    };
    let paths: Vec<&str> = checked
        .warnings
        .iter()
        .map(|warning| warning.path.as_str())
        .collect();
    assert_eq!(paths, ["issuers[0].danger_allow_http"]);
    let config = checked.config;
    assert_eq!(config.policy.unlisted_paths, UnlistedPaths::Unreachable);
    let office = config
        .routes
        .routes()
        .iter()
        .find(|route| route.key == "GET /office")
        .unwrap();
    let rules = office.addresses.as_ref().unwrap();
    assert!(!rules.admit("127.0.0.1".parse().unwrap()) && !rules.admit("::1".parse().unwrap()));
    assert!(rules.admit("203.0.113.5".parse().unwrap()));
}

/// The configurations in the guides are good, and what is warned of in them is known.
#[test]
fn what_the_guides_for_migrating_show_is_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/migrating");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = read_to_string(&path).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let (block, _) = block.split_once("```").unwrap();
            match Config::read(block, &name, &env()) {
                Ok(checked) => {
                    let codes = checked.warnings.iter().map(|warning| warning.code);
                    // Keys in a header of their own, beside tokens.
                    assert!(
                        codes.clone().all(|code| code == "identity_sources"),
                        "{name}: {:?}",
                        checked.warnings
                    );
                }
                Err(faults) => panic!("{faults}"),
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 6, "each guide shows a configuration");
}
