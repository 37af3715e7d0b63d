//! Compares a tree with the schema: unknown settings, wrong types, wrong words, all of them.
//!
//! What does not fit is taken out of the tree, so that the rest can still be checked; the path is remembered, so that
//! nothing that follows from it is reported. Only the part of JSON Schema that [`super::schema`] writes is understood.

use serde_json::Value as Schema;

use super::{
    faults::Faults,
    problems::Problem,
    tree::{Entry, Node, Value, join},
    values::{hint, nearest, shown},
};

/// The schema as committed. A test keeps it equal to what the raw types say.
const SCHEMA: &str = include_str!("../../../docs/doorward.schema.json");

/// Reports what does not fit the schema, and takes it out of `tree`.
pub(super) fn prune(tree: &mut Node, faults: &mut Faults) {
    // INVARIANT: the committed schema is JSON; a test reads it.
    let root = serde_json::from_str(SCHEMA).unwrap_or(Schema::Null);
    Walk { root: &root }.fits(tree, &root, "", faults);
}

struct Walk<'s> {
    root: &'s Schema,
}

impl<'s> Walk<'s> {
    /// Walks `node`; false when all of it has to be replaced, which is reported here.
    fn fits(&self, node: &mut Node, schema: &'s Schema, path: &str, faults: &mut Faults) -> bool {
        let branches = self.branches(schema);
        let words: Vec<&str> = branches.iter().flat_map(|branch| words(branch)).collect();
        let others: Vec<&Schema> = branches
            .into_iter()
            .filter(|branch| self::words(branch).is_empty())
            .collect();
        if words.is_empty() {
            return self.fits_one(node, &others, path, faults);
        }
        let takes_node = |branch: &&Schema| types(branch).iter().any(|name| is(node, name));
        match &node.value {
            Value::Text(text) if words.contains(&text.as_str()) => true,
            _ if others.iter().any(takes_node) => self.fits_one(node, &others, path, faults),
            Value::Text(text) => {
                let problem = Problem::WrongWord {
                    expected: one_of(&words),
                    found: shown(text),
                    hint: hint(text, words.iter().copied()),
                };
                faults.problem_at(node.at, path, problem);
                false
            }
            _ => wrong_type(node, one_of(&words), path, faults),
        }
    }

    /// Chooses the branch that the kind of the value points to, the one with the fewest faults where several do.
    fn fits_one(
        &self,
        node: &mut Node,
        branches: &[&'s Schema],
        path: &str,
        faults: &mut Faults,
    ) -> bool {
        let of_kind = |branch: &&&Schema| types(branch).iter().any(|name| is(node, name));
        let fitting: Vec<&Schema> = branches.iter().filter(of_kind).copied().collect();
        let chosen = match fitting.as_slice() {
            // A schema without a type takes all that can be written in TOML and JSON alike.
            [] if branches.iter().all(|branch| types(branch).is_empty()) => match node.value {
                Value::Other(_) => {
                    let expected = "text, a whole number, true or false, a list or a table";
                    return wrong_type(node, expected.to_owned(), path, faults);
                }
                _ => branches.first().copied(),
            },
            [] => {
                let expected = branches.iter().flat_map(|branch| types(branch)).map(named);
                let expected = expected.collect::<Vec<_>>().join(" or ");
                return wrong_type(node, expected, path, faults);
            }
            [only] => Some(*only),
            several => several.iter().copied().min_by_key(|branch| {
                let mut trial = Faults::default();
                self.inside(&mut node.clone(), branch, path, &mut trial);
                trial.len()
            }),
        };
        if let Some(schema) = chosen {
            self.inside(node, schema, path, faults);
        }
        true
    }

    fn inside(&self, node: &mut Node, schema: &'s Schema, path: &str, faults: &mut Faults) {
        match &mut node.value {
            Value::Table(entries) => {
                let present: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
                entries.retain_mut(|entry| self.entry(entry, &present, schema, path, faults));
            }
            Value::List(list) => {
                let Some(items) = schema.get("items") else {
                    return;
                };
                for (index, item) in list.iter_mut().enumerate() {
                    let path = format!("{path}[{index}]");
                    if !self.fits(item, items, &path, faults) {
                        item.value = self.neutral(items);
                        faults.replace(path);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the setting can stay.
    fn entry(
        &self,
        entry: &mut Entry,
        present: &[String],
        schema: &'s Schema,
        path: &str,
        faults: &mut Faults,
    ) -> bool {
        let inner = join(path, &entry.key);
        let properties = schema.get("properties").and_then(Schema::as_object);
        let known = properties
            .and_then(|properties| properties.get(&entry.key))
            .or_else(|| schema.get("additionalProperties").filter(|s| **s != false));
        if let Some(known) = known {
            let fits = self.fits(&mut entry.node, known, &inner, faults);
            if !fits {
                faults.replace(inner);
            }
            return fits;
        }
        let names = properties
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str());
        let meant = nearest(&entry.key, names);
        let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        faults.problem_at(entry.key_at, &inner, Problem::SettingUnknown { hint });
        faults.replace(inner);
        match meant.zip(properties) {
            Some((meant, properties)) if !present.iter().any(|key| key == meant) => {
                self.as_meant(entry, meant, properties.get(meant), path, faults)
            }
            _ => false,
        }
    }

    /// Reads a misspelt setting as the one that was meant, so that its values are checked too; false when they do not
    /// fit, and then nothing is said of what was meant.
    fn as_meant(
        &self,
        entry: &mut Entry,
        meant: &str,
        schema: Option<&'s Schema>,
        path: &str,
        faults: &mut Faults,
    ) -> bool {
        let path = join(path, meant);
        let mut trial = Faults::default();
        let fits =
            schema.is_some_and(|schema| self.fits(&mut entry.node, schema, &path, &mut trial));
        if fits && trial.is_empty() {
            meant.clone_into(&mut entry.key);
            return true;
        }
        faults.replace(path);
        false
    }

    /// What stands in for a list item that does not fit, so that the items behind it keep their places.
    fn neutral(&self, schema: &'s Schema) -> Value {
        let branches = self.branches(schema);
        match branches.iter().flat_map(|branch| types(branch)).next() {
            Some("object") => Value::Table(vec![]),
            Some("array") => Value::List(vec![]),
            Some("integer") => Value::Integer(0),
            Some("boolean") => Value::Flag(false),
            // A word where only some are possible: any of them can be read.
            _ => {
                let word = branches.iter().flat_map(|branch| words(branch)).next();
                Value::Text(word.unwrap_or_default().to_owned())
            }
        }
    }

    /// The alternatives of a schema, references followed; one where there is no choice.
    fn branches(&self, schema: &'s Schema) -> Vec<&'s Schema> {
        if let Some(name) = schema.get("$ref").and_then(Schema::as_str) {
            let target = name
                .strip_prefix('#')
                .and_then(|path| self.root.pointer(path));
            return target.map_or_else(Vec::new, |target| self.branches(target));
        }
        let choice = schema.get("anyOf").or_else(|| schema.get("oneOf"));
        match choice.and_then(Schema::as_array) {
            Some(choice) => choice.iter().flat_map(|one| self.branches(one)).collect(),
            None => vec![schema],
        }
    }
}

fn wrong_type(node: &Node, expected: String, path: &str, faults: &mut Faults) -> bool {
    let found = node.found();
    faults.problem_at(node.at, path, Problem::WrongType { expected, found });
    false
}

/// The words that a branch is limited to, none when it takes any value.
fn words(schema: &Schema) -> Vec<&str> {
    let many = schema.get("enum").and_then(Schema::as_array);
    let one = schema.get("const");
    let all = many.into_iter().flatten().chain(one);
    all.filter_map(Schema::as_str).collect()
}

fn types(schema: &Schema) -> Vec<&str> {
    match schema.get("type") {
        Some(Schema::String(name)) => vec![name],
        Some(Schema::Array(names)) => names.iter().filter_map(Schema::as_str).collect(),
        _ => vec![],
    }
}

fn is(node: &Node, name: &str) -> bool {
    match &node.value {
        Value::Text(_) => name == "string",
        Value::Integer(_) => name == "integer",
        Value::Flag(_) => name == "boolean",
        Value::List(_) => name == "array",
        Value::Table(_) => name == "object",
        Value::Other(_) => false,
    }
}

fn named(name: &str) -> &str {
    match name {
        "string" => "text",
        "integer" => "a whole number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
