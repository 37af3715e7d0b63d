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
        // Whoever asks here writes no other source than ours.
        let of_source = |(operator, members): &&(String, Node)| {
            let source = members.get("events:source").and_then(Node::text);
            operator == "StringEquals" && source == Some("doorward.keys")
        };
        let condition = condition.iter().filter(|one| !of_source(one));
        let leading_keys = condition.flat_map(|(operator, members)| {
            // A double that does not know a condition must not act as if it were not there.
            assert!(
                ["ForAllValues:StringLike", "ForAllValues:StringEquals"]
                    .contains(&operator.as_str()),
                "{name}: {operator}"
            );
            members.members().iter().flat_map(|(key, values)| {
                assert_eq!(key, "dynamodb:LeadingKeys");
                values.texts()
            })
        });
        let leading_keys: Vec<String> = leading_keys.map(str::to_owned).collect();
        Self {
            actions: set("Action"),
            resources: set("Resource"),
            leading_keys: Some(leading_keys).filter(|keys| !keys.is_empty()),
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
        self.actions.contains(&asked.action) && self.resources.iter().any(is_on) && key()
    }
}
