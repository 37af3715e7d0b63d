//! The simple response of HTTP APIs (AWS: Lambda authorizers for HTTP APIs, payload format 2.0).

use std::collections::BTreeMap;

use serde::Serialize;

/// Yes or no. Where the gateway caches it, it holds for every route under the same identity sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimpleAnswer {
    /// Whether the request may pass.
    pub is_authorized: bool,
    /// Flat facts for the backend.
    pub context: BTreeMap<String, String>,
}
