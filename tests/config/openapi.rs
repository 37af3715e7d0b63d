//! An imported document is a good configuration.

use doorward::openapi;
use doorward_engine::config::Config;

use crate::{
    examples::only_identity_sources,
    support::{check_text, dir, env},
};

#[test]
fn an_imported_document_is_a_good_configuration() {
    let folder = dir().join("openapi");
    let text = std::fs::read_to_string(folder.join("shop.yaml")).unwrap();
    let import = openapi::import(&text).unwrap();
    check_text(&folder.join("shop.toml"), &import.toml);
    let checked = match Config::read(&import.toml, "shop.toml", &env()) {
        Ok(checked) => checked,
        Err(faults) => panic!("{faults}"),
    };
    assert_eq!(checked.config.routes.routes().len(), 7);
    only_identity_sources(&checked.warnings);
}
