//! What is generated and committed is fresh.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use doorward::{commands::probe::Assumption, reference};
use doorward_engine::config::{SECRET_SETTINGS, schema};
use serde_json::Value;

use crate::support::check_text;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn the_committed_schema_is_fresh() {
    check_text(
        &docs().join("doorward.schema.json"),
        &reference::schema_text(),
    );
}

#[test]
fn the_committed_reference_is_fresh() {
    check_text(
        &docs().join("configuration.md"),
        &reference::configuration_markdown(),
    );
}

#[test]
fn the_committed_schema_of_events_is_fresh() {
    check_schema::<doorward_keys::EventDetail>("key-events.schema.json");
    check_schema::<doorward_keys::BlockEventDetail>("block-events.schema.json");
}

fn check_schema<T: schemars::JsonSchema>(name: &str) {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let text = serde_json::to_string_pretty(&schema).unwrap();
    check_text(&docs().join(name), &format!("{text}\n"));
}

#[test]
fn the_committed_description_of_the_admin_api_is_fresh() {
    let text = doorward_key_admin::rest::schema::text();
    check_text(&docs().join("key-admin.openapi.json"), &text);
}

#[test]
fn the_committed_list_of_assumptions_is_fresh() {
    let path = docs().join("probe.md");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let begin = "<!-- assumptions, generated -->\n";
    text.truncate(text.find(begin).unwrap() + begin.len());
    text.push_str("\n| | assumed | why it matters | where it differs |\n|---|---|---|---|\n");
    for one in Assumption::ALL {
        let (id, assumed) = (one.id(), one.assumed());
        let (why, mend) = (one.why(), one.mend());
        writeln!(text, "| `{id}` | {assumed} | {why} | {mend} |").unwrap();
    }
    check_text(&path, &text);
}

#[test]
fn settings_that_hold_secrets_are_those_that_the_schema_marks() {
    let mut marked = vec![];
    collect(&schema(), &mut marked);
    marked.sort();
    // One name has one meaning wherever it stands.
    marked.dedup();
    let mut named = SECRET_SETTINGS.to_vec();
    named.sort_unstable();
    assert_eq!(marked, named);
}

fn collect(schema: &Value, marked: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            if property.get("format").and_then(Value::as_str) == Some("secret-reference") {
                marked.push(name.clone());
            }
        }
    }
    match schema {
        Value::Object(members) => members.values().for_each(|inner| collect(inner, marked)),
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, marked)),
        _ => {}
    }
}
