//! Everything that others are told, whatever it is about.

use serde::Serialize;

use super::{BlockEventDetail, EventDetail, KeyEvent};
use crate::{block::BlockChange, time::Timestamp};

/// One event, about a key or about a block of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// About a key.
    Key(KeyEvent),
    /// About a block of tokens: every change of the list is one.
    Block(BlockChange),
}

impl Event {
    /// Names the event: a ULID, `#` and the id of what it is about.
    pub fn id(&self) -> String {
        match self {
            Self::Key(event) => event.id.clone(),
            Self::Block(change) => format!("{}#{}", change.id, change.block.id),
        }
    }

    /// The id of what it is about.
    pub fn about(&self) -> &str {
        match self {
            Self::Key(event) => event.key_id.as_str(),
            Self::Block(change) => change.block.id.as_str(),
        }
    }

    /// The word for what happened; the `detail-type` of `EventBridge`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Key(event) => event.kind.as_str(),
            Self::Block(change) => change.action.event_kind(),
        }
    }

    /// Where it comes from; the `source` of `EventBridge`.
    pub const fn source(&self) -> &'static str {
        match self {
            Self::Key(_) => "doorward.keys",
            Self::Block(_) => "doorward.blocks",
        }
    }

    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Key(event) => event.at,
            Self::Block(change) => change.at,
        }
    }

    /// The event as those who listen get it.
    pub fn detail(&self) -> impl Serialize + use<> {
        match self {
            Self::Key(event) => Detail::Key(event.into()),
            Self::Block(change) => Detail::Block(change.into()),
        }
    }
}

impl From<KeyEvent> for Event {
    fn from(event: KeyEvent) -> Self {
        Self::Key(event)
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Detail {
    Key(EventDetail),
    Block(BlockEventDetail),
}
