//! The fields of requests, from the types of the commands.

use std::collections::BTreeMap;

use schemars::{generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::super::table::{ROUTES, Route, Takes};
use super::{replies::tidy, set};
use crate::command::Command;

/// The type of each command, by its operation.
pub(super) struct Fields {
    by_operation: BTreeMap<String, Value>,
    definitions: Map<String, Value>,
}

impl Fields {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .for_deserialize()
            .with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.transforms.push(Box::new(RecursiveTransform(tidy)));
            });
        let mut generator = settings.into_generator();
        let command = generator.root_schema_for::<Command>().to_value();
        let definitions: Map<String, Value> = generator.take_definitions(true);
        let branches = command.get("oneOf").and_then(Value::as_array);
        let mut by_operation = BTreeMap::new();
        for branch in branches.into_iter().flatten() {
            let operation = branch.pointer("/properties/operation/const");
            let Some(operation) = operation.and_then(Value::as_str) else {
                continue;
            };
            let mut fields = branch.clone();
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                properties.remove("operation");
            }
            if let Some(Value::Array(required)) = fields.get_mut("required") {
                required.retain(|name| name != "operation");
            }
            by_operation.insert(operation.to_owned(), fields);
        }
        Self {
            by_operation,
            definitions,
        }
    }

    /// The operations that there are.
    #[cfg(test)]
    pub(super) fn operations(&self) -> Vec<&str> {
        self.by_operation.keys().map(String::as_str).collect()
    }

    /// The names of the fields of a route's command.
    #[cfg(test)]
    pub(super) fn names(&self, route: &Route) -> Vec<String> {
        let properties = self.command(route).get("properties");
        let properties = properties.and_then(Value::as_object);
        properties
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect()
    }

    /// What the command does.
    pub(super) fn description(&self, route: &Route) -> Value {
        self.command(route)
            .get("description")
            .cloned()
            .unwrap_or_default()
    }

    /// A field as a parameter.
    pub(super) fn parameter(&self, route: &Route, name: &str, place: &str) -> Value {
        let command = self.command(route);
        let properties = command.get("properties");
        let schema = properties.and_then(|properties| properties.get(name));
        let mut schema = schema.cloned().unwrap_or_default();
        let description = match &mut schema {
            Value::Object(schema) => schema.remove("description"),
            _ => None,
        };
        // A parameter is a text that is there or is not.
        without_null(&mut schema);
        let needed = command.get("required").and_then(Value::as_array);
        let is_required = needed.is_some_and(|needed| needed.iter().any(|field| field == name));
        json!({
            "name": name, "in": place, "required": is_required,
            "description": description, "schema": schema,
        })
    }

    /// The name of the schema of a route's body.
    pub(super) fn body_name(route: &Route) -> String {
        let mut name = route.operation.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        format!("{name}Request")
    }

    /// The schemas of bodies, and those that they refer to.
    pub(super) fn schemas(&self) -> Map<String, Value> {
        let mut schemas = Map::new();
        for route in ROUTES {
            if !matches!(route.takes, Takes::Body { .. }) {
                continue;
            }
            let mut body = self.command(route).clone();
            let in_path: Vec<_> = route.in_path().collect();
            if let Some(Value::Object(properties)) = body.get_mut("properties") {
                properties.retain(|name, _| !in_path.contains(&name.as_str()));
            }
            if let Some(Value::Array(required)) = body.get_mut("required") {
                required.retain(|name| !in_path.iter().any(|known| name == known));
            }
            schemas.insert(Self::body_name(route), body);
        }
        // Types that a field refers to, such as an enumeration, and those that these refer to; those of the commands stand there as
        // bodies.
        let mut text = json!([&schemas, self.by_operation]).to_string();
        loop {
            let mut added = Map::new();
            for (name, definition) in &self.definitions {
                let is_named = text.contains(&format!("#/components/schemas/{name}\""));
                if is_named && !schemas.contains_key(name) {
                    added.insert(name.clone(), definition.clone());
                }
            }
            if added.is_empty() {
                return schemas;
            }
            text = Value::Object(added.clone()).to_string();
            schemas.extend(added);
        }
    }

    fn command(&self, route: &Route) -> &Value {
        self.by_operation
            .get(route.operation)
            .unwrap_or(&Value::Null)
    }
}

/// Takes null out of a type, where it stands for a field that is not there.
fn without_null(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            set(schema, "type", only);
        }
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
        branches.retain(|branch| branch.get("type") != Some(&json!("null")));
        if let [only] = branches.as_slice() {
            *schema = only.clone();
        }
    }
}
