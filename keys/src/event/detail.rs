//! Events as those who listen get them. Their schemas are committed in `docs/key-events.schema.json` and
//! `docs/block-events.schema.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Event, KeyEvent};
use crate::{block::BlockChange, time::Timestamp};

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

/// An event about a block of tokens: the `detail` of an event of the source `doorward.blocks`, whose `detail-type` is its kind.
/// Times are seconds since 1970-01-01T00:00:00Z. Members may be added; none changes its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlockEventDetail {
    /// Names the event. One that comes again has the same id.
    pub id: String,
    /// What happened.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::BlockAction::ALL.map(crate::BlockAction::event_kind))))]
    pub kind: &'static str,
    /// When.
    pub at: i64,
    /// The block, such as `blk_01JD3Z9M8Q4W2Y6B0C5F7H1K3N`.
    pub block_id: String,
    /// `iss` of the tokens.
    pub issuer: String,
    /// By what the tokens are named: `issuer` stands for all of them.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["jti", "origin_jti", "subject", "client", "issuer"])))]
    pub by: &'static str,
    /// The text that they have there. Absent where all of them are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Tokens that were issued at this time or later are left alone. Absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<i64>,
    /// When the block ends by itself, or would have ended.
    pub expires_at: i64,
    /// Who did it.
    pub actor: String,
    /// Why, in the words of who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<&BlockChange> for BlockEventDetail {
    fn from(change: &BlockChange) -> Self {
        let block = &change.block;
        Self {
            id: Event::Block(change.clone()).id(),
            kind: change.action.event_kind(),
            at: change.at.unix(),
            block_id: block.id.to_string(),
            issuer: block.issuer.clone(),
            by: block.target.kind(),
            value: block.target.value().map(ToOwned::to_owned),
            issued_before: block.issued_before.map(Timestamp::unix),
            expires_at: block.expires_at.unix(),
            actor: change.actor.clone(),
            reason: change.reason.clone(),
        }
    }
}
