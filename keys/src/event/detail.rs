//! An event as those who listen get it. Its schema is committed in `docs/key-events.schema.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::KeyEvent;
use crate::time::Timestamp;

/// An event about an API key: the `detail` of an event of the source `doorward.keys`, whose `detail-type` is its kind. Times are
/// seconds since 1970-01-01T00:00:00Z. Members may be added; none changes its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventDetail {
    /// Names the event. One that comes again has the same id.
    pub id: String,
    /// What happened.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = super::EventKind::ALL.map(super::EventKind::as_str))))]
    pub kind: &'static str,
    /// When.
    pub at: i64,
    /// The key, such as `key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N`.
    pub key_id: String,
    /// Its owner.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// The environment word in the printed key.
    pub environment: String,
    /// Its status after what happened. Expiry is a time, not a status.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["active", "disabled", "revoked"])))]
    pub status: &'static str,
    /// When it stops working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// Its version after what happened.
    pub version: u64,
    /// Who did it; absent where it happened by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why, in the words of who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The other key of a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<String>,
    /// What an update changed: names of attributes, no values. Absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// What else is to be known, by name. Absent where there is nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl From<&KeyEvent> for EventDetail {
    fn from(event: &KeyEvent) -> Self {
        Self {
            id: event.id.clone(),
            kind: event.kind.as_str(),
            at: event.at.unix(),
            key_id: event.key_id.to_string(),
            tenant: event.tenant.clone(),
            name: event.name.clone(),
            environment: event.environment.clone(),
            status: event.status.as_str(),
            expires_at: event.expires_at.map(Timestamp::unix),
            version: event.version,
            actor: event.actor.clone(),
            reason: event.reason.clone(),
            related: event.related.as_ref().map(ToString::to_string),
            fields: event.fields.clone(),
            details: event.details.clone(),
        }
    }
}
