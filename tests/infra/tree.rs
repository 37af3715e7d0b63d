//! Templates as values.

use std::collections::BTreeMap;

use doorward::template::{Node, Template, Value as Yaml};
use doorward_tests::golden;
use serde_json::{Map, Value};

/// The template at `path`, with these parameters.
pub(crate) fn template(path: &str, given: &[(&str, &str)]) -> Template {
    let text = std::fs::read_to_string(golden::root().join(path)).unwrap();
    let given = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Template::read(&text, &given.collect::<BTreeMap<_, _>>()).unwrap()
}

/// What stands at `path` in the resource `id`.
pub(crate) fn of(template: &Template, id: &str, path: &[&str]) -> Value {
    let resources = template.resources();
    let found = resources.iter().find(|(known, _)| known == id);
    let (_, resource) = found.unwrap_or_else(|| panic!("there is no `{id}`"));
    let node = resource.at(path);
    value(node.unwrap_or_else(|| panic!("`{id}` has no {path:?}")))
}

/// `node` as JSON. Numbers are texts, as everywhere in `CloudFormation`.
pub(crate) fn value(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::Null,
        Yaml::Bool(truth) => Value::Bool(*truth),
        Yaml::Text(text) => Value::String(text.clone()),
        Yaml::List(nodes) => nodes.iter().map(value).collect(),
        Yaml::Map(members) => {
            let members = members.iter();
            members
                .map(|(name, node)| (name.clone(), value(node)))
                .collect::<Map<_, _>>()
                .into()
        }
        Yaml::Unknown => panic!("line {} cannot be resolved", node.line),
    }
}
