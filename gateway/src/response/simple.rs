//! The simple response of HTTP APIs (AWS: Lambda authorizers for HTTP APIs, payload format 2.0).

use serde::Serialize;

use super::context::Facts;

/// Yes or no. Where the gateway caches it, it holds for every route under the same identity sources.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SimpleAnswer<'a> {
    /// Whether the request may pass.
    pub(super) is_authorized: bool,
    /// Flat facts for the backend.
    pub(super) context: Facts<'a>,
}
