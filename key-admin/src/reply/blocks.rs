//! Blocks of tokens as shown.

use std::borrow::Cow;

use doorward_keys::{Block, BlockChange, Timestamp};
use serde::{Deserialize, Serialize};

/// What comes of a command about blocks of tokens.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum BlockReply {
    /// Tokens are blocked.
    Blocked {
        /// The block.
        block: BlockView,
        /// Whether anything had to be done.
        changed: bool,
        /// From when on it counts.
        #[serde(flatten)]
        effect: Effect,
    },
    /// A block was taken back.
    Unblocked {
        /// The block.
        block: BlockView,
        /// Other blocks on the same tokens, which still count.
        still_blocked_by: Vec<String>,
        /// From when on that counts.
        #[serde(flatten)]
        effect: Effect,
    },
    /// Blocks of tokens.
    Blocks {
        /// The blocks, the first made first.
        blocks: Vec<BlockView>,
        /// For the next part; absent when there is no more.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// What was done to blocks of tokens.
    Changes {
        /// The changes, the first one first.
        block_changes: Vec<BlockChangeView>,
        /// For the next part; absent when there is no more.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
}

/// From when on a change of the list of blocks counts. Times are those of every sandbox and of every answer that the gateway
/// keeps; the command itself is counted from when it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Effect {
    /// After how many seconds at most it counts everywhere, as long as the authorizer can read the list.
    pub effective_within_seconds: u32,
    /// When that is, in seconds since the epoch.
    pub effective_by: i64,
    /// The same where the authorizer cannot read the list: after so many seconds it refuses every token. Absent where the
    /// configuration lets tokens pass then, so that nothing can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_outage_within_seconds: Option<u32>,
}

/// A block as shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlockView {
    /// Its name.
    pub id: String,
    /// `iss` of the tokens.
    pub issuer: String,
    /// By what the tokens are named: `jti`, `origin_jti`, `subject`, `client`, or `issuer` for all of them.
    pub by: Cow<'static, str>,
    /// The text that they have there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Tokens that were issued at this time or later are left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<i64>,
    /// `active`, or `ended`.
    pub status: Cow<'static, str>,
    /// When it ends.
    pub expires_at: i64,
    /// When it was made.
    pub created_at: i64,
    /// Who made it.
    pub actor: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl BlockView {
    /// `block` as shown at `now`.
    pub fn of(block: &Block, now: Timestamp) -> Self {
        Self {
            id: block.id.to_string(),
            issuer: block.issuer.clone(),
            by: block.target.kind().into(),
            value: block.target.value().map(ToOwned::to_owned),
            issued_before: block.issued_before.map(Timestamp::unix),
            status: if block.is_in_force(now) {
                "active".into()
            } else {
                "ended".into()
            },
            expires_at: block.expires_at.unix(),
            created_at: block.created_at.unix(),
            actor: block.actor.clone(),
            reason: block.reason.clone(),
        }
    }
}

/// A change of the list of blocks as shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlockChangeView {
    /// Names the entry.
    pub id: String,
    /// When.
    pub at: i64,
    /// What: `add` or `remove`.
    pub action: Cow<'static, str>,
    /// Who.
    pub actor: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The block.
    pub block: BlockView,
}

impl BlockChangeView {
    /// `change` as shown at `now`.
    pub fn of(change: &BlockChange, now: Timestamp) -> Self {
        Self {
            id: change.id.clone(),
            at: change.at.unix(),
            action: change.action.as_str().into(),
            actor: change.actor.clone(),
            reason: change.reason.clone(),
            block: BlockView::of(&change.block, now),
        }
    }
}
