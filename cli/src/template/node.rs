//! The tree of a template.

/// A value and the line on which it begins, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The line.
    pub line: usize,
    /// The value.
    pub value: Value,
}

/// A value of YAML, as far as templates have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A text or a number, as written.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Members by name, in order.
    Map(Vec<(String, Node)>),
    /// What cannot be known from the template.
    Unknown,
}

impl Node {
    /// The member `name`.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(members) => members
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// What stands at the end of a path of members.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The members, in order; none for what has none.
    pub fn members(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// The values of a list; a single value counts as a list of one, as it does in policies.
    pub fn list(&self) -> &[Self] {
        match &self.value {
            Value::List(nodes) => nodes,
            Value::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it says yes; `None` for what is no truth value. Parameters are texts, so a text counts too.
    pub fn truth(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) => match text.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The texts of a list; what is no text is left out.
    pub fn texts(&self) -> Vec<&str> {
        self.list().iter().filter_map(Self::text).collect()
    }
}
