//! TOML to tree, with every fault of syntax that does not follow from another one.

use toml::{
    Spanned,
    de::{DeTable, DeValue, Error},
};

use super::{
    Entry, Node, Places, Reading, Value,
    sections::{self, is_duplicate},
};
use crate::config::{faults::Faults, problems::Problem, values::one_line};

pub(super) fn read(text: &str, faults: &mut Faults) -> (Node, Reading) {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.iter().all(is_duplicate) {
        let tree = tree(table);
        report(text, &tree, errors, faults);
        return (tree, Reading::Whole);
    }
    let mended = sections::mend(text);
    for (at, message) in &mended.faults {
        syntax(*at, message, faults);
    }
    let (table, errors) = DeTable::parse_recoverable(&mended.text);
    let is_whole = mended.is_whole && errors.iter().all(is_duplicate);
    let tree = tree(table);
    report(text, &tree, errors, faults);
    let mut tables = Places::tables(&tree);
    for at in mended.emptied {
        if let Some(path) = tables.remove(&at) {
            faults.replace(path);
        }
    }
    let reading = if is_whole {
        Reading::Whole
    } else {
        Reading::Partial
    };
    (tree, reading)
}

fn report(text: &str, tree: &Node, errors: Vec<Error>, faults: &mut Faults) {
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        if is_duplicate(&error) {
            let key = text
                .get(span.clone())
                .unwrap_or("")
                .trim_matches(['"', '\'']);
            let path =
                Places::last_before(tree, key, span.start).unwrap_or_else(|| super::join("", key));
            faults.problem_at(span.start, path, Problem::SettingRepeated);
        } else {
            syntax(span.start, error.message(), faults);
        }
    }
}

fn syntax(at: usize, message: &str, faults: &mut Faults) {
    let problem = Problem::Syntax {
        language: "TOML",
        message: one_line(message),
    };
    faults.problem_at(at, "", problem);
}

fn tree(table: Spanned<DeTable<'_>>) -> Node {
    Node {
        at: 0,
        value: entries(table.into_inner()),
    }
}

fn entries(table: DeTable<'_>) -> Value {
    let entries = table.into_iter().map(|(key, value)| Entry {
        key_at: key.span().start,
        key: key.into_inner().into_owned(),
        node: node(value),
    });
    Value::Table(entries.collect())
}

fn node(spanned: Spanned<DeValue<'_>>) -> Node {
    let at = spanned.span().start;
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number that is too large"), Value::Integer),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(list) => Value::List(list.into_iter().map(node).collect()),
        DeValue::Table(table) => entries(table),
    };
    Node { at, value }
}
