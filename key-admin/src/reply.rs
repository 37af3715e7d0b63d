//! What comes of a command, as plain JSON. Times are seconds since 1970-01-01T00:00:00Z.

mod blocks;
mod bulk;
mod usage;

use std::{borrow::Cow, collections::BTreeMap};

use doorward_keys::{
    AuditEntry, KeyRecord, KeyStatus, Secret, Timestamp,
    lifecycle::{self, Standing},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use blocks::{BlockChangeView, BlockReply, BlockView, Effect};
pub use bulk::{Each, ExportedKey};
pub(crate) use usage::steps_of;
pub use usage::{DecisionsView, RequestsView, UsageStep, UsageView};

/// What comes of a command.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Reply {
    /// A key was made.
    #[cfg_attr(feature = "schema", schemars(title = "Created"))]
    Created {
        /// The key.
        key: KeyView,
        /// The printed key, shown this once.
        secret: ShownOnce,
    },
    /// A key has a successor.
    #[cfg_attr(feature = "schema", schemars(title = "Rotated"))]
    Rotated {
        /// The successor.
        key: KeyView,
        /// The printed key of the successor, shown this once.
        secret: ShownOnce,
        /// The old key, with its end.
        replaced: Box<KeyView>,
    },
    /// The request was done before and made this key.
    #[cfg_attr(feature = "schema", schemars(title = "Repeated"))]
    Repeated {
        /// The key.
        key: KeyView,
        /// Always true.
        repeated: bool,
        /// Why there is no secret.
        note: Cow<'static, str>,
    },
    /// One key.
    #[cfg_attr(feature = "schema", schemars(title = "Key"))]
    Key {
        /// The key.
        key: KeyView,
    },
    /// Keys of a tenant.
    #[cfg_attr(feature = "schema", schemars(title = "Keys"))]
    Keys {
        /// The keys, the oldest first.
        keys: Vec<KeyView>,
        /// For the next part; absent when there is no more.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// What is stored of a key was removed.
    #[cfg_attr(feature = "schema", schemars(title = "Deleted"))]
    Deleted {
        /// The key.
        id: String,
        /// Always true.
        deleted: bool,
    },
    /// Whether a printed key is good.
    #[cfg_attr(feature = "schema", schemars(title = "Verified"))]
    Verified {
        /// Whether the authorizer takes it, apart from where it is used from.
        valid: bool,
        /// Why not: `malformed`, `foreign`, `environment`, `checksum`, `unknown`, `disabled`, `revoked`, `expired`, `decoy`.
        #[serde(skip_serializing_if = "Option::is_none")]
        why_not: Option<Cow<'static, str>>,
        /// The key, where there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Box<KeyView>>,
        /// The routes that it opens by itself, such as `GET /orders`, or would open if it were valid.
        #[serde(skip_serializing_if = "Option::is_none")]
        routes: Option<Vec<String>>,
    },
    /// A key was changed, switched off, switched on, or ended.
    #[cfg_attr(feature = "schema", schemars(title = "Changed"))]
    Changed {
        /// The key.
        key: KeyView,
        /// Whether anything had to be done.
        changed: bool,
        /// After how many seconds at most the change counts everywhere: answers that the authorizer and the gateway
        /// remember outlive it for so long.
        effective_within_seconds: u32,
        /// The same as a time: from then on nobody is answered as before.
        effective_by: i64,
        /// `scheduled` where the gateway's cache is flushed for it and the time reckons with that, otherwise `none`.
        flush: Cow<'static, str>,
    },
    /// When a key is rotated by itself was changed.
    #[cfg_attr(feature = "schema", schemars(title = "Scheduled"))]
    Scheduled {
        /// The key.
        key: KeyView,
        /// Whether anything had to be done.
        changed: bool,
    },
    /// Changes of a key.
    #[cfg_attr(feature = "schema", schemars(title = "Changes"))]
    Changes {
        /// The changes, the first one first.
        changes: Vec<ChangeView>,
        /// For the next part; absent when there is no more.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// How often a key was used.
    #[cfg_attr(feature = "schema", schemars(title = "Usage"))]
    Usage {
        /// The key.
        key: KeyView,
        /// What was counted.
        usage: UsageView,
    },
    /// A key from elsewhere is here.
    #[cfg_attr(feature = "schema", schemars(title = "Imported"))]
    Imported {
        /// The key.
        key: KeyView,
        /// Whether it came by this command; otherwise it was there, and is as it was.
        imported: bool,
    },
    /// What came of each of many keys, in the order of the command.
    #[cfg_attr(feature = "schema", schemars(title = "Many"))]
    Many {
        /// For each a reply, or an error.
        results: Vec<Each>,
    },
    /// Keys of a tenant as they can be imported.
    #[cfg_attr(feature = "schema", schemars(title = "Exported"))]
    Exported {
        /// The keys, the oldest first.
        exported: Vec<ExportedKey>,
        /// For the next part; absent when there is no more.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// What comes of a command about blocks of tokens.
    #[cfg_attr(feature = "schema", schemars(title = "OfBlocks"))]
    OfBlocks(BlockReply),
}

impl Reply {
    pub(crate) fn repeated(record: &KeyRecord, now: Timestamp) -> Self {
        Self::Repeated {
            key: KeyView::of(record, now),
            repeated: true,
            note: Cow::Borrowed(
                "this request was done before; the secret was shown then and cannot be shown again, rotate the key if it is lost",
            ),
        }
    }
}

impl Reply {
    /// The ids of the keys and blocks that the command changed.
    pub(crate) fn changed(&self) -> Vec<String> {
        let ids: &[&String] = match self {
            Self::Many { results } => {
                let done = results.iter().filter_map(|each| match each {
                    Each::Done(reply) => Some(reply.changed()),
                    Each::Failed { .. } => None,
                });
                return done.flatten().collect();
            }
            Self::Imported {
                key,
                imported: true,
            }
            | Self::Created { key, .. }
            | Self::Changed {
                key, changed: true, ..
            }
            | Self::Scheduled { key, changed: true } => &[&key.id],
            Self::Rotated { key, replaced, .. } => &[&key.id, &replaced.id],
            Self::Deleted { id, .. } => &[id],
            Self::OfBlocks(
                BlockReply::Blocked {
                    block,
                    changed: true,
                    ..
                }
                | BlockReply::Unblocked { block, .. },
            ) => &[&block.id],
            _ => &[],
        };
        ids.iter().map(|id| (*id).clone()).collect()
    }
}

/// The printed key. Serialised here and nowhere else; `Debug` does not show it.
#[derive(Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "String")
)]
pub struct ShownOnce(Secret<String>);

impl ShownOnce {
    pub(crate) const fn new(printed: Secret<String>) -> Self {
        Self(printed)
    }

    /// The printed key. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl<'de> Deserialize<'de> for ShownOnce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|printed| Self(Secret::new(printed)))
    }
}

impl Serialize for ShownOnce {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

/// A key as shown: everything but digest and usage-plan key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyView {
    /// Public id.
    pub id: String,
    /// Owner.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// The environment word in the printed key.
    pub environment: String,
    /// `active`, `disabled`, `revoked`, or `expired` for an active key whose time is over.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["active", "disabled", "revoked", "expired"])))]
    pub status: Cow<'static, str>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The names of the routes it may use; absent means all that its scopes allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<String>>,
    /// Where it may be used from; absent means anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<String>>,
    /// When it was made.
    pub created_at: i64,
    /// When it stops working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// When it was changed last.
    pub changed_at: i64,
    /// The key it replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotated_from: Option<String>,
    /// The key that replaces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotated_to: Option<String>,
    /// When it is rotated by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotates_at: Option<i64>,
    /// Whether it carries a usage-plan key of the gateway.
    pub has_usage_plan_key: bool,
    /// The plan whose numbers its limits have; absent means those of everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Facts for the context of the backend.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Whether it is a decoy.
    #[serde(default, skip_serializing_if = "is_false")]
    pub decoy: bool,
    /// Counts the changes.
    pub version: u64,
}

impl KeyView {
    /// `record` as shown at `now`.
    pub fn of(record: &KeyRecord, now: Timestamp) -> Self {
        Self {
            id: record.id.to_string(),
            tenant: record.tenant.clone(),
            name: record.name.clone(),
            environment: record.environment.clone(),
            status: Cow::Borrowed(match lifecycle::standing(record, now) {
                Standing::Expired => "expired",
                Standing::Usable | Standing::Disabled | Standing::Revoked => record.status.as_str(),
            }),
            scopes: record.scopes.clone(),
            routes: record.routes.clone(),
            addresses: record
                .addresses
                .as_ref()
                .map(|ranges| ranges.iter().map(ToString::to_string).collect()),
            created_at: record.created_at.unix(),
            expires_at: record.expires_at.map(Timestamp::unix),
            changed_at: record.changed_at.unix(),
            rotated_from: record.rotated_from.as_ref().map(ToString::to_string),
            rotated_to: record.rotated_to.as_ref().map(ToString::to_string),
            rotates_at: record
                .rotates_at
                .filter(|_| record.status != KeyStatus::Revoked)
                .map(Timestamp::unix),
            has_usage_plan_key: record.usage_plan_key.is_some(),
            plan: record.plan.clone(),
            metadata: record.metadata.clone(),
            decoy: record.decoy,
            version: record.version,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A change of a key as shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeView {
    /// Names the entry.
    pub id: String,
    /// The key.
    pub key_id: String,
    /// When.
    pub at: i64,
    /// What: `create`, `rotate`, `disable`, `enable`, `revoke`, `update`, `import`, `schedule` or `delete`.
    pub action: Cow<'static, str>,
    /// Who.
    pub actor: String,
    /// The version that the change led to.
    pub version: u64,
    /// Why, in the words of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The other key of a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<String>,
    /// What an update changed, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

impl From<&AuditEntry> for ChangeView {
    fn from(entry: &AuditEntry) -> Self {
        Self {
            id: entry.id.clone(),
            key_id: entry.key_id.to_string(),
            at: entry.at.unix(),
            action: Cow::Borrowed(entry.action.as_str()),
            actor: entry.actor.clone(),
            version: entry.version,
            reason: entry.reason.clone(),
            related: entry.related.as_ref().map(ToString::to_string),
            fields: entry.fields.clone(),
        }
    }
}
