//! Every table, key and attribute of the stored form, listed once.
//!
//! # Tables
//!
//! Both are billed per request (`PAY_PER_REQUEST`), with partition key `pk` (S) and sort key `sk` (S). Two tables, because
//! two roles touch them: the authorizer reads one and updates the other.
//!
//! **keys** — TTL attribute `purge_at`; two indexes of projection `ALL`: `by_tenant` with partition key `tenant_pk` (S) and sort
//! key `tenant_sk` (S), `by_day` with `day_pk` (S) and `day_sk` (S). Attribute definitions: all six.
//!
//! | item | `pk` | `sk` | other attributes |
//! |---|---|---|---|
//! | record | `key#` digest | `key` | see below |
//! | id | `id#` key id | `id` | `format` N, `digest` B: where the record is |
//! | tombstone | `key#` digest | `key` | `format` N, `digest` B, `id` S, `tenant` S, `deleted_at` N, `moved_to` B? |
//! | audit entry | `id#` key id | `audit#` ULID | `format` N, `action` S, `at` N, `actor` S, `version` N, `reason` S?, `related` S?, `fields` L of S? |
//! | event | `outbox#` part | ULID `#` key id | `format` N, `kind` S, `at` N, `id` S, `tenant` S, `name` S, `environment` S, `status` S, `expires_at` N?, `version` N, `actor` S?, `reason` S?, `related` S?, `fields` L of S?, `details` M of S |
//! | event of blocks | `outbox#` part | ULID `#` block id | `format` N, `kind` S, `at` N, `actor` S, `reason` S?, `block` M: the attributes of the block |
//! | notice | `id#` key id | `notice#` name | `format` N, `purge_at` N |
//! | request | `idem#` name | `idem` | `format` N, `content` S, `id` S, `purge_at` N |
//! | schedule | `id#` key id | `schedule` | `format` N, `state` S (`waiting`, `rotated`, `told`), `at` N, `every_days` N?, `overlap_seconds` N, `lifetime_days` N?, `secret` S?, `actor` S, `related` S? |
//! | ended schedule | `id#` key id | `schedule` | `format` N, `purge_at` N |
//! | flush | `flush#` stage | time in 14 digits | `format` N |
//! | place | `job#` job | `place` | `format` N, `place` S |
//! | list of blocks | `blocks` | `version` | `format` N, `version` N: counts the changes of the list |
//! | block | `blocks` | `block#` block id | see below |
//! | change of blocks | `blocks-audit` | `audit#` ULID | `format` N, `action` S (`add`, `remove`), `at` N, `actor` S, `reason` S?, `block` M: the attributes of the block |
//!
//! The digest of a key from elsewhere of which only a former hash is known is the SHA-256 over `doorward:former:`, the name of
//! that hash, `:` and its bytes.
//!
//! A digest in a key is 64 lower-case hexadecimal digits. A request is what an idempotency key is remembered by;
//! its name and content are SHA-256, in hexadecimal.
//!
//! The record: `format` N, `digest` B (32 bytes), `id` S, `tenant` S, `name` S, `environment` S, `scopes` L of S,
//! `routes` L of S?, `addresses` L of S? (CIDR), `created_at` N, `expires_at` N?, `status` S (`active`, `disabled`,
//! `revoked`), `changed_at` N, `rotated_from` S?, `rotated_to` S?, `rotates_at` N?, `usage_plan_key` S?, `metadata` M of S, `version` N, `plan` S
//! (in formats 2 and 3, and only there), `decoy` S = `yes` (in format 3, and only there); and for the indexes
//! `tenant_pk` = `tenant#` tenant, `tenant_sk` = creation time in 14 digits, `#`, id; and, unless the key is revoked or has no
//! end, `day_pk` = `expires#` the day of its expiry, `day_sk` = time of expiry in 14 digits, `#`, id. `?` marks what may be
//! absent; times are whole seconds since 1970-01-01T00:00:00Z. An absent list means no restriction, an empty one means nothing at all,
//! which is why they are lists: `DynamoDB` has no empty sets.
//!
//! An audit entry is in `by_tenant` too: `tenant_pk` = `audit#` tenant, `tenant_sk` = ULID, `#`, id.
//!
//! A tombstone stands where the record of a deleted key stood, so that its digest is never used again. With `moved_to` it stands
//! under another digest of a key whose record is under that one: where it was before, or where the same key could be imported a
//! second time. A reader that does not know `moved_to` takes it for nothing. An event waits in the outbox until it is delivered,
//! then it is removed; the part is one of eight, chosen by the id of the key or block, so that events of one of them stay in order.
//! A notice says that an event of that name was written about the key.
//!
//! A schedule that is not `told` is in `by_day` too: `day_pk` = `rotates#` the day on which it is due, `day_sk` = that time in 14
//! digits, `#`, id; `related` is the successor of a `rotated` one. A flush says that a flush of the gateway's cache of a stage counts
//! from that time on; it is removed after one. A place is how far a long run has come.
//!
//! A block of tokens: `format` N, `id` S, `issuer` S, `kind` S (`jti`, `origin_jti`, `subject`, `client`, `issuer`), `value` S
//! (but for `issuer`), `issued_before` N?, `expires_at` N, `created_at` N, `actor` S, `reason` S?, and `purge_at` N, which is
//! `expires_at`. All blocks are in one partition, so that one query sees a whole list; the item `version` beside them is written
//! in the transaction of every change, and says with one read whether there is anything to query. A block that was swept
//! had ended before, so that needs no new version.
//!
//! `purge_at` is on requests, notices, ended schedules and blocks only. Records are never purged by time: `expires_at` of a record ends its use, which the
//! authorizer checks itself, and an expired record can still be listed, rotated and audited.
//!
//! **counters** — TTL attribute `expires_at`; no index. Attribute definitions: `pk`, `sk`.
//!
//! | item | `pk` | `sk` | other attributes |
//! |---|---|---|---|
//! | limit | `rate#` bucket, or `rate256#` and its SHA-256 when it is long | `rate#` region | `format` N, `mark` N, `current` N, `previous` N, `expires_at` N |
//! | breaker | `breaker#` name of the server and address of its endpoint, or `breaker256#` and its SHA-256 when it is long | `breaker#` region | `format` N, `open_until` N, `probe_until` N?, `expires_at` N |
//! | proof | `seen#` digest | `seen` | `format` N, `expires_at` N |
//! | decisions | `usage#` key id | `hour#` hour `#` region | `format` N, `allowed` N, `unauthenticated` N, `forbidden` N, `throttled` N, `unavailable` N, `last_used_at` N, `last_address` S?, `flush` S, `expires_at` N |
//! | requests | `usage#` key id | `hour#` hour `#` region `#requests` | `format` N, `requests` N, `requests_throttled` N?, `requests_failed` N?, `expires_at` N |
//! | batch | `batch#` name | `batch` | `format` N, `expires_at` N |
//! | move asked for | `rehash#` part | key id | `format` N, `digest` B, `proof` B?, `expires_at` N |
//!
//! A breaker is open until `open_until`, in microseconds since 1970; 0 means closed. Until `probe_until` one sandbox sends the probe. Both are hints between sandboxes.
//!
//! The digest of a proof is 64 lower-case hexadecimal digits: the SHA-256 over the thumbprint of its key and its `jti`. The item
//! says that the proof was seen, and counts until `expires_at`, which readers compare themselves.
//!
//! A bucket is the name of a limit, what its numbers mean ([`doorward_engine::limits::Rule::unit`]) and whose it is. `mark`, `current` and `previous` are the three numbers of
//! [`doorward_engine::limits::State`], whole and not negative; an absent item means an untouched bucket. The region stands
//! in the key because a global table replicates later than it counts
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html>): each region has a
//! bucket of its own. `expires_at` lies a day behind the moment from which the bucket is as good as untouched, so that a
//! clock that lags by less finds it; an item that is past it and not yet swept counts like any other.
//!
//! An hour is one of UTC, written as `2026-11-27T05`. The authorizer adds to decisions, the reader of the access log to
//! requests; each in the region where it runs, and who reads sums the regions up. Both only grow, and the latest use never
//! gives way to an earlier one. `last_address` is that of the latest use, and absent where that has none. `flush` is the
//! name of the addition that was made last: one that comes again under the same name is not made again. A batch is one
//! piece of the access log that is counted already. `expires_at` is the end of the hour and the time for which usage is
//! kept, so that every item of an hour is swept at one time.
//!
//! A move asked for says that a key of which only a former hash was known is to be kept under `digest`; `proof` is
//! HMAC-SHA-256 under the pepper over `doorward:rehash:`, the id, the bytes of the digest under which it is kept and those of the
//! other one. The part is chosen as that of the outbox. It is removed when it is done, and asked for again at the next use of a
//! key that did not move.
//!
//! # Rule for change
//!
//! Every item carries `format`, the version of this list ([`FORMAT_VERSION`]); readers refuse items of any other version
//! as corrupt, which refuses the caller. A record with a plan carries [`PLAN_FORMAT_VERSION`]: a reader that knows no plans
//! would give the key the limits of everybody, so it must not read it. A decoy carries [`DECOY_FORMAT_VERSION`]: a reader that
//! knows no decoys would take it for a key. Each item carries the lowest version that says all of it.
//!
//! 1. An attribute may be added without a new version only when a reader that ignores it, and a writer that drops it, do no
//!    harm. Whatever narrows what a key may do, such as a new kind of list, needs a new version.
//! 2. No attribute changes its type or meaning; a new one takes its place, in a new version.
//! 3. A new version comes in two releases: the first reads both and writes the old, the second writes the new.

use std::fmt::Write as _;

use doorward_keys::{Day, Digest, Hour, Timestamp};

/// The version of the stored form.
pub const FORMAT_VERSION: u32 = 1;
/// The version of the stored form of a record with a plan.
pub const PLAN_FORMAT_VERSION: u32 = 2;

/// The version of the stored form of a decoy.
pub const DECOY_FORMAT_VERSION: u32 = 3;

/// The name of the keys table when none is configured.
pub const KEYS_TABLE: &str = "doorward-keys";
/// The name of the counters table when none is configured.
pub const COUNTERS_TABLE: &str = "doorward-counters";

/// Sort key of a proof that was seen.
pub const SEEN_SK: &str = "seen";

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
/// The index of the keys table that lists keys by the day of their expiry.
pub const BY_DAY: &str = "by_day";
/// Partition key of [`BY_DAY`].
pub const DAY_PK: &str = "day_pk";
/// Sort key of [`BY_DAY`].
pub const DAY_SK: &str = "day_sk";
/// TTL attribute of the keys table; on remembered requests, notices and blocks only.
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
pub(super) const ROTATES_AT: &str = "rotates_at";
pub(super) const STATE: &str = "state";
pub(super) const EVERY_DAYS: &str = "every_days";
pub(super) const OVERLAP_SECONDS: &str = "overlap_seconds";
pub(super) const LIFETIME_DAYS: &str = "lifetime_days";
pub(super) const SECRET: &str = "secret";
pub(super) const PLACE: &str = "place";
pub(super) const USAGE_PLAN_KEY: &str = "usage_plan_key";
pub(super) const PLAN: &str = "plan";
pub(super) const CHANGED_AT: &str = "changed_at";
pub(super) const DELETED_AT: &str = "deleted_at";
pub(super) const MOVED_TO: &str = "moved_to";
pub(super) const PROOF: &str = "proof";
pub(super) const DECOY: &str = "decoy";
pub(super) const KIND: &str = "kind";
pub(super) const FIELDS: &str = "fields";
pub(super) const DETAILS: &str = "details";
pub(super) const METADATA: &str = "metadata";
pub(super) const VERSION: &str = "version";
pub(super) const ACTION: &str = "action";
pub(super) const AT: &str = "at";
pub(super) const ACTOR: &str = "actor";
pub(super) const REASON: &str = "reason";
pub(super) const RELATED: &str = "related";
pub(super) const CONTENT: &str = "content";
pub(super) const ISSUER: &str = "issuer";
pub(super) const VALUE: &str = "value";
pub(super) const ISSUED_BEFORE: &str = "issued_before";
pub(super) const BLOCK: &str = "block";
pub(super) const MARK: &str = "mark";
pub(super) const CURRENT: &str = "current";
pub(super) const OPEN_UNTIL: &str = "open_until";
pub(super) const PREVIOUS: &str = "previous";
pub(super) const PROBE_UNTIL: &str = "probe_until";
pub(super) const ALLOWED: &str = "allowed";
pub(super) const UNAUTHENTICATED: &str = "unauthenticated";
pub(super) const FORBIDDEN: &str = "forbidden";
pub(super) const THROTTLED: &str = "throttled";
pub(super) const UNAVAILABLE: &str = "unavailable";
pub(super) const LAST_USED_AT: &str = "last_used_at";
pub(super) const LAST_ADDRESS: &str = "last_address";
pub(super) const FLUSH: &str = "flush";
pub(super) const REQUESTS: &str = "requests";
pub(super) const REQUESTS_THROTTLED: &str = "requests_throttled";
pub(super) const REQUESTS_FAILED: &str = "requests_failed";

/// The longest name of a bucket that stands in a key as it is, in bytes; `DynamoDB` takes keys of up to 2,048
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
pub const MAX_PLAIN_BUCKET: usize = 1024;

/// Sort key of a record.
pub const RECORD_SK: &str = "key";
/// Sort key of an id item.
pub const ID_SK: &str = "id";
/// Sort key of a remembered request.
pub const REQUEST_SK: &str = "idem";
/// What the sort keys of audit entries begin with.
pub const AUDIT_SK: &str = "audit#";
/// What the sort keys of notices begin with.
pub const NOTICE_SK: &str = "notice#";
/// Sort key of a schedule.
pub const SCHEDULE_SK: &str = "schedule";
/// Sort key of a place.
pub const PLACE_SK: &str = "place";
/// How many parts the outbox has, and the moves that are asked for.
pub const OUTBOX_PARTS: u32 = 8;
/// Partition key of the list of blocks: its version and all of it.
pub const BLOCKS_PK: &str = "blocks";
/// Sort key of the version of the list of blocks.
pub const BLOCKS_VERSION_SK: &str = "version";
/// What the sort keys of blocks begin with.
pub const BLOCK_SK: &str = "block#";
/// Partition key of the changes of the list of blocks; their sort keys begin with [`AUDIT_SK`].
pub const BLOCK_CHANGES_PK: &str = "blocks-audit";
/// What the sort keys of usage begin with.
pub const HOUR_SK: &str = "hour#";
/// What the sort keys of requests end with.
pub const REQUESTS_SK: &str = "#requests";
/// Sort key of a batch.
pub const BATCH_SK: &str = "batch";

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

/// Partition key of the changes of a tenant in [`BY_TENANT`].
pub fn tenant_audit_pk(tenant: &str) -> String {
    format!("audit#{tenant}")
}

/// Partition key of a day in [`BY_DAY`].
pub fn expiry_pk(day: Day) -> String {
    format!("expires#{day}")
}

/// Partition key of the rotations that are due on a day in [`BY_DAY`].
pub fn rotation_pk(day: Day) -> String {
    format!("rotates#{day}")
}

/// Partition key of the flushes of a stage.
pub fn flush_pk(stage: &str) -> String {
    format!("flush#{stage}")
}

/// Sort key of a time, so that the order of the texts is that of the times from 1970 on.
pub fn time_sk(at: Timestamp) -> String {
    format!("{:014}", at.unix().max(0))
}

/// Partition key of the place of a job.
pub fn place_pk(job: &str) -> String {
    format!("job#{job}")
}

/// Partition key of a part of the outbox.
pub fn outbox_pk(part: u32) -> String {
    format!("outbox#{part}")
}

/// Partition key of a part of the moves that are asked for.
pub fn rehash_pk(part: u32) -> String {
    format!("rehash#{part}")
}

/// The part of the outbox for a key or a block, or of the moves for a key: the last character of its id is random.
pub fn outbox_part(id: &str) -> u32 {
    id.bytes().last().map_or(0, u32::from) % OUTBOX_PARTS
}

/// Partition key of the bucket `name` of a limit.
pub fn rate_pk(name: &str) -> String {
    if name.len() <= MAX_PLAIN_BUCKET {
        format!("rate#{name}")
    } else {
        format!("rate256#{}", Digest::of(name, None).to_hex())
    }
}

/// Partition key of a proof that was seen.
pub fn seen_pk(digest: &[u8; 32]) -> String {
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("seen#{hex}")
}

/// Sort key of the bucket of a limit in a region.
pub fn rate_sk(region: &str) -> String {
    format!("rate#{region}")
}

/// Partition key of the breaker called `name`.
pub fn breaker_pk(name: &str) -> String {
    if name.len() <= MAX_PLAIN_BUCKET {
        format!("breaker#{name}")
    } else {
        format!("breaker256#{}", Digest::of(name, None).to_hex())
    }
}

/// Sort key of a breaker in a region.
pub fn breaker_sk(region: &str) -> String {
    format!("breaker#{region}")
}

/// Partition key of the usage of a key.
pub fn usage_pk(id: &str) -> String {
    format!("usage#{id}")
}

/// Sort key of the decisions of an hour in a region.
pub fn decisions_sk(hour: Hour, region: &str) -> String {
    format!("{HOUR_SK}{hour}#{region}")
}

/// Sort key of the requests of an hour in a region.
pub fn requests_sk(hour: Hour, region: &str) -> String {
    format!("{HOUR_SK}{hour}#{region}{REQUESTS_SK}")
}

/// Partition key of a piece of the access log that is counted already.
pub fn batch_pk(name: &str) -> String {
    format!("batch#{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_texts() {
        let sk = |unix| time_sk(Timestamp::from_unix(unix));
        assert!(sk(-1) <= sk(0) && sk(9) < sk(10) && sk(999_999_999) < sk(1_700_000_000));
    }

    #[test]
    fn a_long_name_is_hashed_and_meets_no_other() {
        let plain = "x".repeat(MAX_PLAIN_BUCKET);
        assert_eq!(rate_pk(&plain), format!("rate#{plain}"));
        let long = rate_pk(&format!("{plain}y"));
        assert_eq!(long.len(), "rate256#".len() + 64);
        assert_ne!(long, rate_pk(&format!("{plain}z")));
        // A short name cannot be made to look like a hashed one.
        assert!(!rate_pk(long.trim_start_matches("rate")).starts_with("rate256#"));
    }
}
