//! Answers: those of what was done from the type of replies, refusals from the table of problems.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::super::{
    problem::{KINDS, Problem},
    table::{EVERYWHERE, ROUTES, Route},
};
use super::set;
use crate::reply::Reply;

/// What each reply is, by its name.
pub(super) type Names = BTreeMap<String, String>;

/// The schemas of replies, problems and what they hold, and what each reply is in words.
pub(super) fn schemas() -> (Map<String, Value>, Names) {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.transforms.push(Box::new(RecursiveTransform(tidy)));
        });
    let mut generator = settings.into_generator();
    let reply = generator.root_schema_for::<Reply>().to_value();
    generator.subschema_for::<Problem>();
    let mut schemas: Map<String, Value> = generator.take_definitions(true);
    let mut names = Names::new();
    let variants = reply.get("anyOf").and_then(Value::as_array);
    for variant in variants.into_iter().flatten() {
        let text = |name| {
            variant
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        names.insert(text("title").to_owned(), text("description").to_owned());
        schemas.insert(text("title").to_owned(), variant.clone());
    }
    (schemas, names)
}

/// The answers of a route.
pub(super) fn responses(route: &Route, names: &Names) -> Value {
    let mut responses = Map::new();
    for (status, name) in route.replies {
        let mut answer = json!({
            "description": names.get(*name),
            "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}},
        });
        let mut headers = Map::new();
        if *status == 201 {
            headers.insert("Location".to_owned(), location());
        }
        if *status == 201 || matches!(*name, "Key" | "Changed") {
            headers.insert("ETag".to_owned(), etag());
        }
        if !headers.is_empty() {
            set(&mut answer, "headers", Value::Object(headers));
        }
        responses.insert(status.to_string(), answer);
    }
    for status in EVERYWHERE.iter().chain(route.refusals) {
        let reference = format!("#/components/responses/Refusal{status}");
        responses.insert(status.to_string(), json!({"$ref": reference}));
    }
    Value::Object(responses)
}

fn location() -> Value {
    json!({
        "description": "Where the new key is, relative to the address of the request.",
        "required": true,
        "schema": {"type": "string", "format": "uri-reference"},
    })
}

fn etag() -> Value {
    json!({
        "description": "The version of the key, for `If-Match`.",
        "schema": {"type": "string", "pattern": r#"^"[0-9]+"$"#},
    })
}

/// Every refusal that a route names, once.
pub(super) fn refusals() -> Value {
    let used: BTreeSet<u16> = ROUTES
        .iter()
        .flat_map(|route| route.refusals)
        .chain(EVERYWHERE)
        .copied()
        .collect();
    let mut refusals = Map::new();
    for status in used {
        let kinds = KINDS.iter().filter(|(_, of_kind, _)| *of_kind == status);
        let kinds: Vec<_> = kinds
            .map(|(code, _, title)| format!("{title} (`{code}`)."))
            .collect();
        let schema = |name| json!({"schema": {"$ref": format!("#/components/schemas/{name}")}});
        let mut content = json!({"application/problem+json": schema("Problem")});
        if matches!(status, 403 | 500 | 503) {
            set(&mut content, "application/json", schema("GatewayRefusal"));
        }
        let mut answer = json!({"description": kinds.join(" "), "content": content});
        if status == 503 {
            let after = json!({
                "description": "After how many seconds to try again.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"},
            });
            set(&mut answer, "headers", json!({"Retry-After": after}));
        }
        refusals.insert(format!("Refusal{status}"), answer);
    }
    Value::Object(refusals)
}

/// Takes out what says nothing: the widths of Rust's numbers, defaults that are null, and the line breaks of comments.
pub(super) fn tidy(schema: &mut Schema) {
    schema.remove("$schema");
    let format = schema.get("format").and_then(Value::as_str);
    if format.is_some_and(|format| format.starts_with("int") || format.starts_with("uint")) {
        schema.remove("format");
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text
            .replace("\n\n", "\u{0}")
            .replace('\n', " ")
            .replace('\u{0}', "\n\n");
    }
}
