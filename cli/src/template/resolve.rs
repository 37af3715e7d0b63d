//! Intrinsic functions, as far as they can be known.

use std::collections::BTreeMap;

use super::{
    node::{Node, Value},
    read::{TemplateError, read},
};

/// A template and the values of its parameters.
#[derive(Clone, Debug)]
pub struct Template {
    root: Node,
    parameters: BTreeMap<String, String>,
}

impl Template {
    /// Reads a template. A parameter has the value given, or its default.
    ///
    /// # Errors
    /// When the text is no YAML or JSON.
    pub fn read(text: &str, given: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let root = read(text)?;
        let declared = root.get("Parameters").map_or(&[][..], Node::members);
        let parameters = declared.iter().filter_map(|(name, declared)| {
            let default = || Some(declared.get("Default")?.text()?.to_owned());
            let value = given.get(name).cloned().or_else(default)?;
            Some((name.clone(), value))
        });
        Ok(Self {
            parameters: parameters.collect(),
            root,
        })
    }

    /// The tree as written.
    pub const fn root(&self) -> &Node {
        &self.root
    }

    /// The resources that are there under these parameters, by logical id, resolved.
    pub fn resources(&self) -> Vec<(String, Node)> {
        let all = self.root.get("Resources").map_or(&[][..], Node::members);
        let there = all.iter().filter(|(_, resource)| {
            let condition = resource.get("Condition").and_then(Node::text);
            condition.is_none_or(|name| self.condition(name) != Some(false))
        });
        there
            .map(|(name, resource)| (name.clone(), self.resolved(resource)))
            .collect()
    }

    /// The same with every function in it done.
    pub fn resolved(&self, node: &Node) -> Node {
        self.done(node).unwrap_or(Node {
            line: node.line,
            value: Value::Null,
        })
    }

    /// `None` for `AWS::NoValue`: as if it were not there.
    fn done(&self, node: &Node) -> Option<Node> {
        let value = match &node.value {
            Value::List(nodes) => {
                Value::List(nodes.iter().filter_map(|node| self.done(node)).collect())
            }
            Value::Map(members) => match members.as_slice() {
                [(name, argument)] if is_function(name) => {
                    return self.function(name, argument, node.line);
                }
                members => Value::Map(
                    members
                        .iter()
                        .filter_map(|(name, node)| Some((name.clone(), self.done(node)?)))
                        .collect(),
                ),
            },
            other => other.clone(),
        };
        Some(Node {
            line: node.line,
            value,
        })
    }

    fn function(&self, name: &str, argument: &Node, line: usize) -> Option<Node> {
        if name == "Ref" && argument.text() == Some("AWS::NoValue") {
            return None;
        }
        if name == "Fn::If" {
            let [condition, then, otherwise] = argument.list() else {
                return Some(unknown(line));
            };
            return match self.condition(condition.text().unwrap_or_default()) {
                Some(true) => self.done(then),
                Some(false) => self.done(otherwise),
                None => Some(unknown(line)),
            };
        }
        let argument = self.resolved(argument);
        let value = match name {
            "Ref" => argument.text().map(|name| self.reference(name)),
            "Fn::GetAtt" => match argument.texts().as_slice() {
                [resource, attribute] => Some(format!("${{{resource}.{attribute}}}")),
                _ => None,
            },
            "Fn::Sub" => self.substituted(&argument),
            "Fn::Join" => match argument.list() {
                [separator, parts] => separator
                    .text()
                    .filter(|_| parts.list().iter().all(|part| part.text().is_some()))
                    .map(|separator| parts.texts().join(separator)),
                _ => None,
            },
            _ => None,
        };
        let value = value.map_or_else(|| chosen(name, &argument), Value::Text);
        Some(Node { line, value })
    }

    fn reference(&self, name: &str) -> String {
        match self.parameters.get(name) {
            Some(value) => value.clone(),
            None => format!("${{{name}}}"),
        }
    }

    fn substituted(&self, argument: &Node) -> Option<String> {
        let (text, own) = match argument.list() {
            [text] => (text.text()?, None),
            [text, own] => (text.text()?, Some(own)),
            _ => return None,
        };
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            done.push_str(before);
            let (name, after) = behind.split_once('}')?;
            let given = own.and_then(|own| own.get(name)).and_then(Node::text);
            match (name.strip_prefix('!'), given) {
                (Some(literal), _) => {
                    done.push_str("${");
                    done.push_str(literal);
                    done.push('}');
                }
                (None, Some(given)) => done.push_str(given),
                (None, None) => done.push_str(&self.reference(name)),
            }
            rest = after;
        }
        done.push_str(rest);
        Some(done)
    }

    /// Whether a condition holds; `None` when that cannot be known.
    pub fn condition(&self, name: &str) -> Option<bool> {
        self.holds(self.root.at(&["Conditions", name])?, 0)
    }

    fn holds(&self, node: &Node, depth: usize) -> Option<bool> {
        let [(name, argument)] = node.members() else {
            return None;
        };
        // A condition that leads back to itself is no condition.
        if depth > 20 {
            return None;
        }
        let each = || argument.list().iter().map(|one| self.holds(one, depth + 1));
        match name.as_str() {
            "Condition" => self.holds(self.root.at(&["Conditions", argument.text()?])?, depth + 1),
            "Fn::Not" => each().next()?.map(|holds| !holds),
            "Fn::And" => each().try_fold(true, |all, one| Some(all && one?)),
            "Fn::Or" => each().try_fold(false, |any, one| Some(any || one?)),
            "Fn::Equals" => match self.resolved(argument).list() {
                [left, right] => Some(text_of(left)? == text_of(right)?),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A text to compare; what holds something that only AWS knows cannot be compared.
fn text_of(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) if !text.contains("${") => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        _ => None,
    }
}

fn chosen(name: &str, argument: &Node) -> Value {
    let found = match (name, argument.list()) {
        ("Fn::Select", [index, of]) => index
            .text()
            .and_then(|index| index.parse::<usize>().ok())
            .and_then(|index| of.list().get(index)),
        _ => None,
    };
    found.map_or(Value::Unknown, |node| node.value.clone())
}

fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}

const fn unknown(line: usize) -> Node {
    Node {
        line,
        value: Value::Unknown,
    }
}
