//! The JSON Schema of the configuration, for editors and for [`super::shape`].

use schemars::{
    Schema, generate::SchemaSettings, transform::Transform, transform::transform_subschemas,
};
use serde_json::Value;

use super::raw::RawConfig;

/// The schema as it is committed in `docs/doorward.schema.json`.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.transforms.push(Box::new(Plain));
    });
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<RawConfig>();
    schema.insert("title".to_owned(), "Doorward".into());
    let mut schema = schema.to_value();
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        let renamed = std::mem::take(definitions).into_iter();
        *definitions = renamed.map(|(name, inner)| (plain(&name), inner)).collect();
    }
    schema
}

/// The name of a raw type as readers of the schema know it.
fn plain(name: &str) -> String {
    name.strip_prefix("Raw").unwrap_or(name).to_owned()
}

/// Takes out what serde accepts and a configuration never holds: null, and the widths of Rust's numbers.
#[derive(Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if schema.get("format").and_then(Value::as_str) == Some("int64") {
            schema.remove("format");
        }
        if schema.get("default") == Some(&Value::Null) {
            schema.remove("default");
        }
        if let Some(Value::String(target)) = schema.get_mut("$ref")
            && let Some((path, name)) = target.rsplit_once('/')
        {
            *target = format!("{path}/{}", plain(name));
        }
        without_null_type(schema);
        without_null_branch(schema);
        flatten_reference(schema);
        join_lines(schema);
    }
}

fn without_null_type(schema: &mut Schema) {
    let Some(Value::Array(types)) = schema.get_mut("type") else {
        return;
    };
    types.retain(|name| name != "null");
    if let [only] = types.as_slice() {
        let only = only.clone();
        schema.insert("type".to_owned(), only);
    }
}

fn without_null_branch(schema: &mut Schema) {
    let Some(Value::Array(branches)) = schema.get_mut("anyOf") else {
        return;
    };
    branches.retain(|branch| branch.get("type").and_then(Value::as_str) != Some("null"));
    if let [Value::Object(only)] = branches.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        for (key, value) in only {
            if schema.get(&key).is_none() {
                schema.insert(key, value);
            }
        }
    }
}

/// `allOf` with one member says no more than the member.
fn flatten_reference(schema: &mut Schema) {
    let Some(Value::Array(all)) = schema.get("allOf") else {
        return;
    };
    if let [Value::Object(only)] = all.as_slice() {
        let only = only.clone();
        schema.remove("allOf");
        for (key, value) in only {
            schema.insert(key, value);
        }
    }
}

/// Doc comments are wrapped; descriptions are not.
fn join_lines(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs = text
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "));
        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}
