//! What is generated from the configuration's own types: the JSON Schema and the reference for people.

use std::fmt::Write as _;

use doorward_engine::config;
use serde_json::{Map, Value};

/// The tables of the configuration in reading order.
const TABLES: [&str; 14] = [
    "routes",
    "api_keys",
    "issuers",
    "tokens",
    "addresses",
    "address_lists",
    "limits",
    "default_limits",
    "plans",
    "limits_store",
    "policy",
    "answers",
    "usage",
    "key_admin",
];

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from the types of the configuration. `DOORWARD_BLESS=1 cargo test -p doorward-tests --test config` writes it anew. -->

One file, TOML or, when it begins with `{`, JSON of the same structure. Every setting is checked at the start and all faults
are told at once, each with its line and what would be right; an unknown setting is a fault. `doorward check` does the same
without a function. [doorward.schema.json](doorward.schema.json) lets editors complete and check it: put
`#:schema doorward.schema.json` into the first line of a TOML file, or a `$schema` member into JSON.
[examples/doorward.toml](../examples/doorward.toml) is a whole one.

A setting whose name begins with `danger_` weakens the gate, and is warned of at every start.

Secrets do not stand in the configuration. A setting that holds one takes a reference: `env:NAME` (an environment variable),
`ssm:/name` (SSM Parameter Store) or `secretsmanager:name` (Secrets Manager, name or ARN).
";

/// The text of `docs/doorward.schema.json`.
pub fn schema_text() -> String {
    let mut text = serde_json::to_string_pretty(&config::schema()).unwrap_or_default();
    text.push('\n');
    text
}

/// The text of `docs/configuration.md`.
pub fn configuration_markdown() -> String {
    let schema = config::schema();
    let mut page = Page {
        root: &schema,
        text: INTRODUCTION.to_owned(),
        later: vec![],
    };
    let nothing = Map::new();
    let tables = schema.get("properties").and_then(Value::as_object);
    let tables = tables.unwrap_or(&nothing);
    let known = TABLES.iter().filter_map(|name| tables.get_key_value(*name));
    let others = tables
        .iter()
        .filter(|(name, _)| !TABLES.contains(&name.as_str()) && !name.starts_with('$'));
    for (name, table) in known.chain(others) {
        page.table(name, table);
    }
    page.text += "\n[environment.md](environment.md) says how the functions find the configuration, [caching.md](caching.md) what the gateway must be told of it.\n";
    page.text
}

struct Page<'s> {
    root: &'s Value,
    text: String,
    /// Tables inside the table at hand, which follow it.
    later: Vec<(String, &'s Value)>,
}

impl<'s> Page<'s> {
    fn table(&mut self, name: &str, schema: &'s Value) {
        let heading = match schema.get("items") {
            Some(items) if self.branches(items).iter().all(|item| is_table(item)) => {
                format!("[[{name}]]")
            }
            Some(_) => name.to_owned(),
            None => format!("[{name}]"),
        };
        let _ = write!(self.text, "\n## `{heading}`\n\n{}\n", description(schema));
        self.settings(name, schema);
        while !self.later.is_empty() {
            let (path, schema) = self.later.remove(0);
            let own = Some(description(schema)).filter(|own| !own.is_empty());
            let said = own.or_else(|| self.branches(schema).first().map(|only| description(only)));
            let said = said.unwrap_or_default();
            let _ = write!(self.text, "\n### `{path}`\n\n{said}\n");
            self.settings(&path, schema);
        }
    }

    fn settings(&mut self, path: &str, schema: &'s Value) {
        let Some(table) = self.table_of(schema) else {
            return;
        };
        let Some(properties) = table.get("properties").and_then(Value::as_object) else {
            match self.entries_of(table) {
                Some(entries) => self.later.push((format!("{path}.NAME"), entries)),
                None => {
                    let _ = writeln!(self.text, "\nEach entry: {}.", self.kind(schema));
                }
            }
            return;
        };
        self.text.push('\n');
        for (name, property) in properties {
            let default = property
                .get("default")
                .map_or_else(String::new, |default| format!(", default `{default}`"));
            let _ = writeln!(
                self.text,
                "- **`{name}`** ({}{default}): {}",
                self.kind(property),
                description(property)
            );
            for branch in self.words(property) {
                if let Some(word) = branch.get("const").and_then(Value::as_str) {
                    let _ = writeln!(self.text, "  - `{word}`: {}", description(branch));
                }
            }
            let Some(inner) = self.table_of(property) else {
                continue;
            };
            if inner.get("properties").is_some() {
                self.later.push((format!("{path}.{name}"), property));
            } else if let Some(entries) = self.entries_of(inner) {
                self.later.push((format!("{path}.{name}.NAME"), entries));
            }
        }
    }

    /// The alternatives of a setting, or of the items of a list.
    fn words(&self, property: &'s Value) -> Vec<&'s Value> {
        let branches = self.branches(property).into_iter();
        let items = |branch: &'s Value| match branch.get("items") {
            Some(items) => self.branches(items),
            None => vec![branch],
        };
        branches.flat_map(items).collect()
    }

    /// The table that a setting is, or that its items or one of its alternatives are.
    fn table_of(&self, schema: &'s Value) -> Option<&'s Value> {
        self.branches(schema).into_iter().find_map(|branch| {
            if branch.get("type").and_then(Value::as_str) == Some("object") {
                return Some(branch);
            }
            self.table_of(branch.get("items")?)
        })
    }

    /// What stands under each name of a table whose names are free, where that is a table of known settings.
    fn entries_of(&self, table: &'s Value) -> Option<&'s Value> {
        let entries = table
            .get("additionalProperties")
            .filter(|e| e.is_object())?;
        let branches = self.branches(entries);
        let known = |branch: &&Value| is_table(branch) && branch.get("properties").is_some();
        branches.iter().all(known).then_some(entries)
    }

    fn kind(&self, schema: &'s Value) -> String {
        let mut kinds: Vec<String> = vec![];
        for branch in self.branches(schema) {
            let kind = self.kind_of_branch(branch);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds.join(" or ")
    }

    fn kind_of_branch(&self, branch: &'s Value) -> String {
        if branch.get("const").is_some() {
            return "one of the words below".to_owned();
        }
        if let Some(words) = branch.get("enum").and_then(Value::as_array) {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            return words.join(", ").replace('"', "");
        }
        let inner = |name| branch.get(name).filter(|inner| inner.is_object());
        match branch.get("type").and_then(Value::as_str).unwrap_or("any") {
            "array" => match inner("items") {
                Some(items) => format!("list of {}", self.kind(items)),
                None => "list".to_owned(),
            },
            "object" => match inner("additionalProperties") {
                Some(values) => format!("table of {}", self.kind(values)),
                None => "table".to_owned(),
            },
            "integer" => match (branch.get("minimum"), branch.get("maximum")) {
                (Some(min), Some(max)) => format!("whole number from {min} to {max}"),
                _ => "whole number".to_owned(),
            },
            "boolean" => "true or false".to_owned(),
            "string" if branch.get("format").is_some() => "reference to a secret".to_owned(),
            "string" => "text".to_owned(),
            other => other.to_owned(),
        }
    }

    /// The alternatives of a schema, references followed; one where there is no choice.
    fn branches(&self, schema: &'s Value) -> Vec<&'s Value> {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let target = name
                .strip_prefix('#')
                .and_then(|path| self.root.pointer(path));
            return target.map_or_else(Vec::new, |target| self.branches(target));
        }
        let choice = schema.get("anyOf").or_else(|| schema.get("oneOf"));
        match choice.and_then(Value::as_array) {
            Some(choice) => choice.iter().flat_map(|one| self.branches(one)).collect(),
            None => vec![schema],
        }
    }
}

fn description(schema: &Value) -> &str {
    let text = schema.get("description").and_then(Value::as_str);
    text.unwrap_or_default()
}

fn is_table(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
}
