//! What can be asked. Unknown fields are refused, and so is `tenant` where the key says whose it is.
//!
//! ```
//! # use doorward_key_admin::Command;
//! let command: Command = serde_json::from_str(r#"{
//!     "operation": "create",
//!     "tenant": "acme",
//!     "name": "continuous integration",
//!     "environment": "live",
//!     "scopes": ["orders:read"],
//!     "expiresInDays": 30,
//!     "idempotencyKey": "3f0c6c1e"
//! }"#)?;
//! # assert!(matches!(command, Command::Create(_)));
//! # Ok::<(), serde_json::Error>(())
//! ```

mod blocks;
mod bulk;
mod changes;
mod check;
mod fields;
#[cfg(feature = "schema")]
mod patterns;
mod schedule;
mod span;
mod update;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use blocks::{BlockTokens, ListBlocks, UnblockTokens};
pub(crate) use blocks::{check_block, check_block_ref};
pub(crate) use bulk::{Arrival, check_count, check_export, check_import};
pub use bulk::{CreateMany, ExportKeys, FormerDigest, ImportKey, ImportMany, MAX_MANY};
pub(crate) use changes::{Filter, Wanted, check_filter};
pub use schedule::ScheduleRotation;
pub(crate) use schedule::check_schedule;
pub(crate) use span::{Span, check_span};

#[cfg(feature = "schema")]
pub(crate) use patterns::PLAIN as PLAIN_PATTERN;
pub(crate) use update::check_update;
pub use update::{Patch, UpdateKey};

pub(crate) use check::{check_draft, check_key_ref, check_list, check_rotation, checked};
#[cfg(test)]
pub(crate) use fields::Check;

/// One command, as given.
#[derive(Clone, Deserialize, Serialize)]
#[serde(tag = "operation", rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Command {
    /// Make a key.
    Create(CreateKey),
    /// Show a key.
    Get(GetKey),
    /// Show the keys of a tenant.
    List(ListKeys),
    /// Give a key a successor.
    Rotate(RotateKey),
    /// Switch a key off.
    Disable(ChangeKey),
    /// Switch a key on again.
    Enable(ChangeKey),
    /// End a key for good.
    Revoke(ChangeKey),
    /// Change what a key may do and what is known of it.
    Update(UpdateKey),
    /// Remove what is stored of a key that ended.
    Delete(ChangeKey),
    /// Say whether a printed key is good, and what it may do.
    Verify(VerifyKey),
    /// Show the changes of a key.
    Audit(ListChanges),
    /// Show the changes of all keys of a tenant.
    AuditOfTenant(ListChangesOfTenant),
    /// Show how often a key was used.
    Usage(ReadUsage),
    /// Schedule a rotation.
    Schedule(ScheduleRotation),
    /// Take back what was scheduled.
    Unschedule(ChangeKey),
    /// End tokens before they expire.
    Block(BlockTokens),
    /// Take a block of tokens back.
    Unblock(UnblockTokens),
    /// Show the blocks of tokens.
    Blocks(ListBlocks),
    /// Show what was done to blocks of tokens.
    BlockChanges(ListBlocks),
    /// Bring a key from elsewhere.
    #[cfg_attr(feature = "schema", schemars(skip))]
    Import(ImportKey),
    /// Bring many keys from elsewhere.
    ImportMany(ImportMany),
    /// Make many keys.
    CreateMany(CreateMany),
    /// Show the keys of a tenant as they can be imported.
    Export(ExportKeys),
}

impl Command {
    /// The word for it in requests and the log.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Get(_) => "get",
            Self::List(_) => "list",
            Self::Rotate(_) => "rotate",
            Self::Disable(_) => "disable",
            Self::Enable(_) => "enable",
            Self::Revoke(_) => "revoke",
            Self::Update(_) => "update",
            Self::Delete(_) => "delete",
            Self::Verify(_) => "verify",
            Self::Audit(_) => "audit",
            Self::AuditOfTenant(_) => "auditOfTenant",
            Self::Usage(_) => "usage",
            Self::Schedule(_) => "schedule",
            Self::Unschedule(_) => "unschedule",
            Self::Block(_) => "block",
            Self::Unblock(_) => "unblock",
            Self::Blocks(_) => "blocks",
            Self::BlockChanges(_) => "blockChanges",
            Self::Import(_) => "import",
            Self::ImportMany(_) => "importMany",
            Self::CreateMany(_) => "createMany",
            Self::Export(_) => "export",
        }
    }

    /// The key it is about, as given.
    pub fn key_id(&self) -> Option<&str> {
        match self {
            Self::Create(_)
            | Self::List(_)
            | Self::Verify(_)
            | Self::AuditOfTenant(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Blocks(_)
            | Self::BlockChanges(_)
            | Self::Import(_)
            | Self::ImportMany(_)
            | Self::CreateMany(_)
            | Self::Export(_) => None,
            Self::Get(GetKey { id })
            | Self::Rotate(RotateKey { id, .. })
            | Self::Disable(ChangeKey { id, .. })
            | Self::Enable(ChangeKey { id, .. })
            | Self::Revoke(ChangeKey { id, .. })
            | Self::Delete(ChangeKey { id, .. })
            | Self::Unschedule(ChangeKey { id, .. })
            | Self::Schedule(ScheduleRotation { id, .. })
            | Self::Update(UpdateKey { id, .. })
            | Self::Audit(ListChanges { id, .. })
            | Self::Usage(ReadUsage { id, .. }) => Some(id),
        }
    }
}

impl std::fmt::Debug for Command {
    /// Says no more than the operation: a command may carry a usage-plan key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Command({})", self.operation())
    }
}

/// Make a key.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateKey {
    /// Owner: 1 to 128 printable characters of ASCII, no space at the ends.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAIN)))]
    pub tenant: String,
    /// What people call it: 1 to 100 characters.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::NAME)))]
    pub name: String,
    /// One of the environments of the configuration.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "environment")))]
    pub environment: String,
    /// What it may do (RFC 6749 section 3.3). None means no access to routes that demand scopes.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true, "maxItems" = fields::MAX_SCOPES, "items" = {"type": "string", "pattern": patterns::SCOPE})))]
    pub scopes: Vec<String>,
    /// The names of the routes it may use; absent means all that its scopes allow, empty means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true, "maxItems" = check::MAX_ROUTES, "items" = {"type": "string", "pattern": patterns::WORD})))]
    pub routes: Option<Vec<String>>,
    /// Addresses and CIDR ranges from which it may be used; absent means anywhere, empty means nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("maxItems" = fields::MAX_ADDRESSES, "items" = {"type": "string", "format": "ip-range"})))]
    pub addresses: Option<Vec<String>>,
    /// How long it lives, in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_DAYS)))]
    pub expires_in_days: Option<u32>,
    /// The value of a usage-plan key of the gateway. Operators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAIN)))]
    pub usage_plan_key: Option<String>,
    /// The name of a plan of the configuration, whose numbers its limits have. Operators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAN)))]
    pub plan: Option<String>,
    /// Whether it is a decoy: it opens nothing, so it has no scopes, routes, addresses or plan, and its first use is an alarm.
    #[serde(default, skip_serializing_if = "is_false")]
    pub decoy: bool,
    /// Facts for the context of the backend: at most 20.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("maxProperties" = fields::MAX_METADATA, "propertyNames" = {"pattern": patterns::FACT_NAME}, "additionalProperties" = {"type": "string", "pattern": patterns::FACT})))]
    pub metadata: BTreeMap<String, String>,
    /// Names the request, so that a repeat does not make a second key: 1 to 128 printable characters of ASCII.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAIN)))]
    pub idempotency_key: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Show a key.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetKey {
    /// The key.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::ID)))]
    pub id: String,
}

/// Show the keys of a tenant.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListKeys {
    /// Owner.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAIN)))]
    pub tenant: String,
    /// How many at most: 1 to 100, 25 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_LIMIT)))]
    pub limit: Option<u32>,
    /// From the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::CURSOR)))]
    pub cursor: Option<String>,
}

/// Give a key a successor with the same rights.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RotateKey {
    /// The key.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::ID)))]
    pub id: String,
    /// For how long the old key works beside the new one, in seconds: 0 to 2592000 (30 days), 86400 (a day) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("maximum" = crate::KeyPolicy::MAX_OVERLAP_SECONDS)))]
    pub overlap_seconds: Option<u32>,
    /// How long the successor lives, in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_DAYS)))]
    pub expires_in_days: Option<u32>,
    /// The version that the caller has seen; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_VERSION)))]
    pub expected_version: Option<u64>,
    /// Why, for the audit: at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::REASON)))]
    pub reason: Option<String>,
    /// Names the request, so that a repeat does not make a second successor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAIN)))]
    pub idempotency_key: Option<String>,
}

/// Switch a key off or on, or end it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeKey {
    /// The key.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::ID)))]
    pub id: String,
    /// The version that the caller has seen; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_VERSION)))]
    pub expected_version: Option<u64>,
    /// Why, for the audit: at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::REASON)))]
    pub reason: Option<String>,
}

/// Say whether a printed key is good. It is looked up and nothing else: no use is counted.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyKey {
    /// The whole printed key.
    pub key: String,
}

/// Show the changes of a key, also of one that was deleted.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListChanges {
    /// The key.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::ID)))]
    pub id: String,
    /// What was done, such as `revoke`; everything when absent. Filters work on one part of the list at a time, so a part may be
    /// short, or empty, with more behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = changes::actions())))]
    pub action: Option<String>,
    /// Who did it: the whole name as the changes show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minLength" = 1, "maxLength" = changes::MAX_ACTOR)))]
    pub actor: Option<String>,
    /// From when, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = span::LAST_SECOND)))]
    pub from: Option<i64>,
    /// Until before when, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = span::LAST_SECOND)))]
    pub to: Option<i64>,
    /// How many at most: 1 to 100, 25 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_LIMIT)))]
    pub limit: Option<u32>,
    /// From the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::CURSOR)))]
    pub cursor: Option<String>,
}

/// Show the changes of all keys of a tenant.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListChangesOfTenant {
    /// Owner.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAIN)))]
    pub tenant: String,
    /// What was done, such as `revoke`; everything when absent. Filters work on one part of the list at a time, so a part may be
    /// short, or empty, with more behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = changes::actions())))]
    pub action: Option<String>,
    /// Who did it: the whole name as the changes show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minLength" = 1, "maxLength" = changes::MAX_ACTOR)))]
    pub actor: Option<String>,
    /// From when, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = span::LAST_SECOND)))]
    pub from: Option<i64>,
    /// Until before when, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = span::LAST_SECOND)))]
    pub to: Option<i64>,
    /// How many at most: 1 to 100, 25 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_LIMIT)))]
    pub limit: Option<u32>,
    /// From the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::CURSOR)))]
    pub cursor: Option<String>,
}

/// Show how often a key was used.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadUsage {
    /// The key.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::ID)))]
    pub id: String,
    /// In which steps; hours when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
    /// From when, in seconds since the epoch; the whole step in which it lies. When absent, 24 hours, 30 days or 12 months
    /// before the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = span::LAST_SECOND)))]
    pub from: Option<i64>,
    /// Until when, in seconds since the epoch; the whole step in which it lies, or the one before where it begins one. When
    /// absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = span::LAST_SECOND)))]
    pub to: Option<i64>,
}

/// A step of time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum By {
    /// An hour.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of the month to the first of the next.
    Month,
}

impl By {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}
