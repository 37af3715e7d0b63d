//! Configuration text as a tree whose every value knows its place.
//!
//! TOML and JSON end in the same tree, so that everything behind this point is written once.

mod json;
mod place;
mod sections;
mod toml;

use std::fmt::Write as _;

use super::faults::Faults;

pub(super) use place::Places;

/// The longest configuration that is read, in bytes.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A value and the byte at which it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// Something no setting takes, such as a date or null, by its name in messages.
    Other(&'static str),
}

/// One setting of a table.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: usize,
    pub(super) node: Node,
}

/// How far the text could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is known of every setting what the text says, or the paths of the others are marked as replaced.
    Whole,
    /// The tree holds what could be saved; what seems to be missing may be in the part that could not be read.
    Partial,
}

/// Reads `text`: JSON when the first character that is not white space is `{`, TOML otherwise.
pub(super) fn read(text: &str, faults: &mut Faults) -> (Node, Reading) {
    if text.trim_start().starts_with('{') {
        json::read(text, faults)
    } else {
        toml::read(text, faults)
    }
}

impl Node {
    pub(super) const fn empty() -> Self {
        Self {
            at: 0,
            value: Value::Table(vec![]),
        }
    }

    /// What the value is called in messages.
    pub(super) const fn found(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "text",
            Value::Integer(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(name) => name,
        }
    }

    /// The same value for serde; `None` when it holds something that no setting takes.
    pub(super) fn to_json(&self) -> Option<serde_json::Value> {
        Some(match &self.value {
            Value::Text(text) => text.as_str().into(),
            Value::Integer(number) => (*number).into(),
            Value::Flag(flag) => (*flag).into(),
            Value::List(list) => list
                .iter()
                .map(Self::to_json)
                .collect::<Option<Vec<_>>>()?
                .into(),
            Value::Table(entries) => {
                let pairs = entries
                    .iter()
                    .map(|entry| Some((entry.key.clone(), entry.node.to_json()?)));
                serde_json::Value::Object(pairs.collect::<Option<_>>()?)
            }
            Value::Other(_) => return None,
        })
    }

    /// Calls `visit` with every text in the tree and the name of the setting it stands under.
    pub(super) fn texts<'t>(&'t self, key: &'t str, visit: &mut impl FnMut(&'t str, &'t str)) {
        match &self.value {
            Value::Text(text) => visit(key, text),
            Value::List(list) => list.iter().for_each(|node| node.texts(key, visit)),
            Value::Table(entries) => entries
                .iter()
                .for_each(|entry| entry.node.texts(&entry.key, visit)),
            Value::Integer(_) | Value::Flag(_) | Value::Other(_) => {}
        }
    }
}

/// The path of `key` inside `parent`, quoted where the key is not a bare TOML key, so that paths stay unambiguous.
pub(crate) fn join(parent: &str, key: &str) -> String {
    let is_bare = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let mut path = parent.to_owned();
    if !path.is_empty() {
        path.push('.');
    }
    if is_bare {
        path.push_str(key);
    } else {
        let _ = write!(path, "\"{}\"", super::values::shown(key));
    }
    path
}
