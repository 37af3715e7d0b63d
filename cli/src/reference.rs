//! What is generated from the configuration's own types: the JSON Schema and the reference for people.

use doorward_engine::config;

/// The text of `docs/doorward.schema.json`.
pub fn schema_text() -> String {
    let mut text = serde_json::to_string_pretty(&config::schema()).unwrap_or_default();
    text.push('\n');
    text
}

/// The text of `docs/configuration.md`.
pub fn configuration_markdown() -> String {
    String::new()
}
