//! JSON to tree. Strict JSON (RFC 8259): no comments, no trailing commas, no member twice.

use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};

use super::{Entry, Node, Reading, Value};
use crate::config::{faults::Faults, problems::Problem, values::one_line};

pub(super) fn read(text: &str, faults: &mut Faults) -> (Node, Reading) {
    // serde_json alone says whether the text is JSON: it is strict and bounds the depth. The other parser tells places.
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        let whole = error.to_string();
        let message = whole
            .rsplit_once(" at line ")
            .map_or(whole.as_str(), |(message, _)| message);
        syntax(faults, byte_of(text, error.line(), error.column()), message);
        return (Node::empty(), Reading::Partial);
    }
    match parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()) {
        Ok(parsed) => match parsed.value {
            Some(value) => (node(value, "", faults), Reading::Whole),
            None => (Node::empty(), Reading::Whole),
        },
        Err(error) => {
            syntax(faults, error.range().start, &error.kind().to_string());
            (Node::empty(), Reading::Partial)
        }
    }
}

fn syntax(faults: &mut Faults, at: usize, message: &str) {
    let problem = Problem::Syntax {
        language: "JSON",
        message: one_line(message),
    };
    faults.problem_at(at, "", problem);
}

/// `serde_json` counts lines and bytes from 1; column 0 is the line break before the line.
fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = before.map(str::len).sum();
    start.saturating_add(column.saturating_sub(1))
}

fn node(value: ast::Value<'_>, path: &str, faults: &mut Faults) -> Node {
    match value {
        ast::Value::StringLit(text) => leaf(text.range.start, Value::Text(text.value.into_owned())),
        ast::Value::BooleanLit(flag) => leaf(flag.range.start, Value::Flag(flag.value)),
        ast::Value::NullKeyword(null) => leaf(null.range.start, Value::Other("null")),
        ast::Value::NumberLit(number) => leaf(number.range.start, self::number(number.value)),
        ast::Value::Array(list) => {
            let items = list.elements.into_iter().enumerate();
            let nodes = items.map(|(index, item)| node(item, &format!("{path}[{index}]"), faults));
            leaf(list.range.start, Value::List(nodes.collect()))
        }
        ast::Value::Object(object) => {
            let mut entries: Vec<Entry> = Vec::with_capacity(object.properties.len());
            let mut seen = std::collections::HashSet::new();
            for property in object.properties {
                let key_at = property.range.start;
                let key = property.name.into_string();
                let path = super::join(path, &key);
                if !seen.insert(key.clone()) {
                    faults.problem_at(key_at, path, Problem::SettingRepeated);
                    continue;
                }
                let node = node(property.value, &path, faults);
                entries.push(Entry { key, key_at, node });
            }
            leaf(object.range.start, Value::Table(entries))
        }
    }
}

const fn leaf(at: usize, value: Value) -> Node {
    Node { at, value }
}

fn number(text: &str) -> Value {
    match text.parse() {
        Ok(number) => Value::Integer(number),
        Err(_) if text.contains(['.', 'e', 'E']) => Value::Other("a number with a fraction"),
        Err(_) => Value::Other("a number that is too large"),
    }
}
