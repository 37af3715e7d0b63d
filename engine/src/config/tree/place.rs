//! From bytes and paths to lines and columns.

use std::collections::HashMap;

use super::{Node, Value, join};

/// Where everything stands in one text.
pub(in crate::config) struct Places<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    by_path: HashMap<String, usize>,
}

impl<'t> Places<'t> {
    /// Notes the place of every value of `tree`, which was read from `text`.
    pub(in crate::config) fn of(text: &'t str, tree: &Node) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, b)| b == b'\n');
        let mut places = Self {
            text,
            line_starts: std::iter::once(0)
                .chain(ends.map(|(at, _)| at.saturating_add(1)))
                .collect(),
            by_path: HashMap::new(),
        };
        places.note(tree, String::new());
        places
    }

    fn note(&mut self, node: &Node, path: String) {
        match &node.value {
            Value::List(list) => {
                for (index, item) in list.iter().enumerate() {
                    self.note(item, format!("{path}[{index}]"));
                }
            }
            Value::Table(entries) => {
                for entry in entries {
                    self.note(&entry.node, join(&path, &entry.key));
                }
            }
            _ => {}
        }
        self.by_path.insert(path, node.at);
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub(in crate::config) fn at(&self, byte: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|&start| start <= byte);
        let start = self
            .line_starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let before = self.text.get(start..byte).unwrap_or("");
        (line.max(1), before.chars().count().saturating_add(1))
    }

    /// Line and column of the value at `path`, or of the nearest value around it that stands in the text.
    pub(in crate::config) fn of_path(&self, path: &str) -> Option<(usize, usize)> {
        if let Some(&byte) = self.by_path.get(path) {
            return Some(self.at(byte));
        }
        let shorter = path
            .rmatch_indices(['.', '['])
            .map(|(at, _)| path.get(..at));
        let byte = shorter.flatten().find_map(|path| self.by_path.get(path))?;
        Some(self.at(*byte))
    }

    /// The path of the last setting called `key` that begins before `byte`.
    pub(in crate::config) fn last_before(tree: &Node, key: &str, byte: usize) -> Option<String> {
        let mut best = None;
        find(tree, "", &mut |path, entry_key, at| {
            let is_later = best.as_ref().is_none_or(|&(_, found)| found < at);
            if entry_key == key && at < byte && is_later {
                best = Some((path, at));
            }
        });
        best.map(|(path, _)| path)
    }

    /// The paths of all tables by the byte at which they begin; the innermost where one header begins several.
    pub(in crate::config) fn tables(tree: &Node) -> HashMap<usize, String> {
        let mut found: HashMap<usize, String> = HashMap::new();
        tables(tree, String::new(), &mut |path, at| {
            let is_deeper = found.get(&at).is_none_or(|other| other.len() < path.len());
            if is_deeper && !path.is_empty() {
                found.insert(at, path);
            }
        });
        found
    }
}

fn tables(node: &Node, path: String, visit: &mut impl FnMut(String, usize)) {
    match &node.value {
        Value::List(list) => {
            for (index, item) in list.iter().enumerate() {
                tables(item, format!("{path}[{index}]"), visit);
            }
        }
        Value::Table(entries) => {
            for entry in entries {
                tables(&entry.node, join(&path, &entry.key), visit);
            }
            visit(path, node.at);
        }
        _ => {}
    }
}

fn find(node: &Node, path: &str, visit: &mut impl FnMut(String, &str, usize)) {
    match &node.value {
        Value::List(list) => {
            for (index, item) in list.iter().enumerate() {
                find(item, &format!("{path}[{index}]"), visit);
            }
        }
        Value::Table(entries) => {
            for entry in entries {
                let path = join(path, &entry.key);
                find(&entry.node, &path, visit);
                visit(path, &entry.key, entry.key_at);
            }
        }
        _ => {}
    }
}
