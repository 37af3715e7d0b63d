//! A role of the template, and whether it grants a call.

use std::collections::BTreeSet;

use doorward::template::{Node, Template};
use doorward_tests::golden;

use crate::asked::Asked;

/// What a role grants.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) statements: Vec<Statement>,
}

/// One statement; all of them allow.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) name: String,
    pub(crate) actions: BTreeSet<String>,
    pub(crate) resources: BTreeSet<String>,
    /// Patterns of the partition keys; `None` where any will do.
    leading_keys: Option<Vec<String>>,
    /// The sources of events; `None` where any will do.
    sources: Option<Vec<String>>,
}

impl Role {
    /// The role under the logical id `name`, with every option of the template at its default.
    pub(crate) fn of(name: &str) -> Self {
        Self::with(name, &[])
    }

    /// The same with these options.
    pub(crate) fn with(name: &str, options: &[(&str, &str)]) -> Self {
        let text = std::fs::read_to_string(golden::root().join("template.yaml")).unwrap();
        let options = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let template = Template::read(&text, &options.collect()).unwrap();
        let resources = template.resources();
        let (_, role) = resources.iter().find(|(id, _)| id == name).unwrap();
        let policies = role.at(&["Properties", "Policies"]).unwrap().list();
        let statements = policies
            .iter()
            .flat_map(|policy| policy.at(&["PolicyDocument", "Statement"]).unwrap().list())
            .map(Statement::read);
        Self {
            statements: statements.collect(),
        }
    }

    pub(crate) fn grants(&self, asked: &Asked) -> bool {
        self.statements.iter().any(|one| one.grants(asked))
    }
}

impl Statement {
    fn read(node: &Node) -> Self {
        let set = |name: &str| -> BTreeSet<String> {
            let texts = node.get(name).unwrap().texts();
            texts.into_iter().map(str::to_owned).collect()
        };
        let name = node.get("Sid").and_then(Node::text).unwrap().to_owned();
        assert_eq!(node.get("Effect").unwrap().text(), Some("Allow"), "{name}");
        let condition = node.get("Condition").map_or(&[][..], Node::members);
        let (mut leading_keys, mut sources) = (None, None);
        for (operator, members) in condition {
            // A double that does not know a condition must not act as if it were not there.
            let known = ["ForAllValues:StringLike", "ForAllValues:StringEquals"];
            assert!(known.contains(&operator.as_str()), "{name}: {operator}");
            for (key, values) in members.members() {
                let values = values.texts().into_iter().map(str::to_owned).collect();
                match key.as_str() {
                    "dynamodb:LeadingKeys" => leading_keys = Some(values),
                    "events:source" => sources = Some(values),
                    _ => panic!("{name}: {key}"),
                }
            }
        }
        Self {
            actions: set("Action"),
            resources: set("Resource"),
            leading_keys,
            sources,
            name,
        }
    }

    pub(crate) fn grants(&self, asked: &Asked) -> bool {
        let key = || {
            self.leading_keys.as_ref().is_none_or(|patterns| {
                patterns
                    .iter()
                    .any(|pattern| match pattern.strip_suffix('*') {
                        Some(begin) => asked.leading_key.starts_with(begin),
                        None => asked.leading_key == *pattern,
                    })
            })
        };
        let is_on = |pattern: &String| match pattern.strip_suffix('*') {
            Some(begin) => asked.resource.starts_with(begin),
            None => asked.resource == *pattern,
        };
        let is_from = |sources: &Vec<String>| asked.sources.iter().all(|one| sources.contains(one));
        self.actions.contains(&asked.action)
            && self.resources.iter().any(is_on)
            && key()
            && self.sources.as_ref().is_none_or(is_from)
    }
}
