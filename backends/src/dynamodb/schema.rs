//! Every table, key and attribute of the stored form, listed once.
//!
//! # Tables
//!
//! Both are billed per request (`PAY_PER_REQUEST`), with partition key `pk` (S) and sort key `sk` (S). Two tables, because
//! two roles touch them: the authorizer reads one and updates the other.
//!
//! **keys** — TTL attribute `purge_at`; one index `by_tenant`: partition key `tenant_pk` (S), sort key `tenant_sk` (S),
//! projection `ALL`. Attribute definitions: `pk`, `sk`, `tenant_pk`, `tenant_sk`.
//!
//! | item | `pk` | `sk` | other attributes |
//! |---|---|---|---|
//! | record | `key#` digest | `key` | see below |
//! | id | `id#` key id | `id` | `format` N, `digest` B: where the record is |
//! | audit entry | `id#` key id | `audit#` ULID | `format` N, `action` S, `at` N, `actor` S, `version` N, `reason` S?, `related` S? |
//! | request | `idem#` name | `idem` | `format` N, `content` S, `id` S, `purge_at` N |
//!
//! A digest in a key is 64 lower-case hexadecimal digits. A request is what an idempotency key is remembered by;
//! its name and content are SHA-256, in hexadecimal.
//!
//! The record: `format` N, `digest` B (32 bytes), `id` S, `tenant` S, `name` S, `environment` S, `scopes` L of S,
//! `routes` L of S?, `addresses` L of S? (CIDR), `created_at` N, `expires_at` N?, `status` S (`active`, `disabled`,
//! `revoked`), `rotated_from` S?, `rotated_to` S?, `usage_plan_key` S?, `metadata` M of S, `version` N; and for the index
//! `tenant_pk` = `tenant#` tenant, `tenant_sk` = creation time in 14 digits, `#`, id. `?` marks what may be absent; times
//! are whole seconds since 1970-01-01T00:00:00Z. An absent list means no restriction, an empty one means nothing at all,
//! which is why they are lists: `DynamoDB` has no empty sets.
//!
//! `purge_at` is on requests only. Records are never purged by time: `expires_at` of a record ends its use, which the
//! authorizer checks itself, and an expired record can still be listed, rotated and audited.
//!
//! **counters** — TTL attribute `expires_at`; no index. Attribute definitions: `pk`, `sk`.
//!
//! # Rule for change
//!
//! Every item carries `format`, the version of this list ([`FORMAT_VERSION`]); readers refuse items of any other version
//! as corrupt, which refuses the caller.
//!
//! 1. An attribute may be added without a new version only when a reader that ignores it, and a writer that drops it, do no
//!    harm. Whatever narrows what a key may do, such as a new kind of list, needs a new version.
//! 2. No attribute changes its type or meaning; a new one takes its place, in a new version.
//! 3. A new version comes in two releases: the first reads both and writes the old, the second writes the new.

/// The version of the stored form.
pub const FORMAT_VERSION: u32 = 1;

/// The name of the keys table when none is configured.
pub const KEYS_TABLE: &str = "doorward-keys";
/// The name of the counters table when none is configured.
pub const COUNTERS_TABLE: &str = "doorward-counters";

/// Partition key of both tables.
pub const PK: &str = "pk";
/// Sort key of both tables.
pub const SK: &str = "sk";
/// The index of the keys table that lists the keys of a tenant.
pub const BY_TENANT: &str = "by_tenant";
/// Partition key of [`BY_TENANT`].
pub const TENANT_PK: &str = "tenant_pk";
/// Sort key of [`BY_TENANT`].
pub const TENANT_SK: &str = "tenant_sk";
/// TTL attribute of the keys table; on remembered requests only.
pub const PURGE_AT: &str = "purge_at";
/// TTL attribute of the counters table.
pub const COUNTERS_TTL: &str = "expires_at";

pub(super) const FORMAT: &str = "format";
pub(super) const DIGEST: &str = "digest";
pub(super) const ID: &str = "id";
pub(super) const TENANT: &str = "tenant";
pub(super) const NAME: &str = "name";
pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const SCOPES: &str = "scopes";
pub(super) const ROUTES: &str = "routes";
pub(super) const ADDRESSES: &str = "addresses";
pub(super) const CREATED_AT: &str = "created_at";
pub(super) const EXPIRES_AT: &str = "expires_at";
pub(super) const STATUS: &str = "status";
pub(super) const ROTATED_FROM: &str = "rotated_from";
pub(super) const ROTATED_TO: &str = "rotated_to";
pub(super) const USAGE_PLAN_KEY: &str = "usage_plan_key";
pub(super) const METADATA: &str = "metadata";
pub(super) const VERSION: &str = "version";
pub(super) const ACTION: &str = "action";
pub(super) const AT: &str = "at";
pub(super) const ACTOR: &str = "actor";
pub(super) const REASON: &str = "reason";
pub(super) const RELATED: &str = "related";
pub(super) const CONTENT: &str = "content";

/// Sort key of a record.
pub const RECORD_SK: &str = "key";
/// Sort key of an id item.
pub const ID_SK: &str = "id";
/// Sort key of a remembered request.
pub const REQUEST_SK: &str = "idem";
/// What the sort keys of audit entries begin with.
pub const AUDIT_SK: &str = "audit#";

/// Partition key of the record under a digest in hexadecimal.
pub fn record_pk(digest_hex: &str) -> String {
    format!("key#{digest_hex}")
}

/// Partition key of a key id: its id item and its audit entries.
pub fn id_pk(id: &str) -> String {
    format!("id#{id}")
}

/// Partition key of a remembered request.
pub fn request_pk(name: &str) -> String {
    format!("idem#{name}")
}

/// Partition key of a tenant in [`BY_TENANT`].
pub fn tenant_pk(tenant: &str) -> String {
    format!("tenant#{tenant}")
}
