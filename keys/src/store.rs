//! The narrow traits behind which keys are kept.

use async_trait::async_trait;

use crate::{
    audit::AuditEntry,
    digest::{Digest, hex},
    event::{Calendar, Outbox},
    flush::FlushBook,
    idempotency::Idempotency,
    lifecycle::Rotation,
    places::JobPlaces,
    record::{KeyId, KeyRecord},
    schedule::RotationBook,
    time::Timestamp,
};

/// What kind of failure a store had; the caller decides what it means.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store did not answer in time or refused to serve. May pass.
    #[error("the key store is unavailable: {0}")]
    Unavailable(String),
    /// A condition did not hold: somebody else changed the item first.
    #[error("the key store holds a newer version: {0}")]
    Conflict(String),
    /// What the store returned is not a record of ours.
    #[error("the key store holds a record that cannot be read: {0}")]
    Corrupt(String),
}

/// What the authorizer may do: find one key by its exact digest.
#[async_trait]
pub trait KeyLookup: Send + Sync {
    /// The record under `digest`, or the one that moved from there to the digest that it says; `None` where there is neither.
    /// One read, one more for a record that has moved; no scan.
    async fn lookup(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError>;
}

/// What key administration may do. Every change is one transaction together with its audit entry and its event: either all
/// of it is seen, or none. Every write is conditional.
#[async_trait]
pub trait KeyLedger: KeyLookup {
    /// The record of a key, or `None`.
    async fn fetch(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError>;

    /// The owner of a key, also of one that was deleted; `None` when there never was such a key.
    async fn owner(&self, id: &KeyId) -> Result<Option<String>, StoreError>;

    /// What an earlier request of this name led to; `None` when there was none, or it is forgotten.
    async fn recall(&self, request: &Idempotency) -> Result<Option<Earlier>, StoreError>;

    /// Writes a new key. [`StoreError::Conflict`] when id or digest is taken.
    async fn create(
        &self,
        record: &KeyRecord,
        audit: &AuditEntry,
        request: Option<&Idempotency>,
    ) -> Result<Written, StoreError>;

    /// Writes a changed key. [`StoreError::Conflict`] when the stored version is not `expected_version`, when there is no
    /// such key, or when the stored one is revoked.
    async fn replace(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;

    /// Removes what is stored of a key but its id, its digest, its owner and its changes: it can be made or imported by nobody
    /// again. [`StoreError::Conflict`] when the stored version is not `expected_version`, or there is no such key.
    async fn delete(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;

    /// What there is under `digest`: more than [`KeyLookup::lookup`] tells. `None` where nothing ever was.
    async fn trace(&self, digest: &Digest) -> Result<Option<Trace>, StoreError>;

    /// Writes a new key that is known under these `others` too: they lead to it, and nothing is ever made or imported under them.
    /// [`StoreError::Conflict`] when the id or one of the digests is taken.
    async fn import(
        &self,
        record: &KeyRecord,
        others: &[Digest],
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;

    /// Writes a changed key whose record moves from the digest `from` to its own, or stays where both are one; `from` and `others`
    /// lead to it, and nothing is ever made or imported under them. Conflicts are those of [`KeyLedger::replace`], and that the
    /// digest of `record` or one of `others` is taken.
    async fn rehash(
        &self,
        record: &KeyRecord,
        from: &Digest,
        others: &[Digest],
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;

    /// Writes both sides of a rotation, with an audit entry for the old and one for the new key. Conflicts are those of
    /// [`KeyLedger::create`] and [`KeyLedger::replace`].
    async fn rotate(
        &self,
        rotation: &Rotation,
        expected_version: u64,
        audit: &[AuditEntry; 2],
        request: Option<&Idempotency>,
    ) -> Result<Written, StoreError>;

    /// The keys of a tenant by time of creation and id, at most `limit` (at least one), behind `after`.
    /// May miss what was written in the last seconds.
    async fn list(
        &self,
        tenant: &str,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyRecord>, StoreError>;

    /// The changes of a key in `span` from the first to the last, at most `limit` (at least one), behind `after`.
    async fn audit(
        &self,
        id: &KeyId,
        span: AuditSpan,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError>;

    /// The changes of all keys of a tenant in the same way. May miss what was written in the last seconds.
    async fn audit_of_tenant(
        &self,
        tenant: &str,
        span: AuditSpan,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError>;
}

/// What is found under a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// A record.
    Here(Box<KeyRecord>),
    /// The record of this key was here and was deleted; or it stands where its id leads, and is known under this digest too.
    Gone(KeyId),
}
/// Everything that is kept in the place where keys are kept: what key administration and its jobs work on.
pub trait KeyStore: KeyLedger + Outbox + Calendar + RotationBook + FlushBook + JobPlaces {}

impl<T: KeyLedger + Outbox + Calendar + RotationBook + FlushBook + JobPlaces> KeyStore for T {}

/// From when to when changes are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditSpan {
    /// The first moment; absent means from the beginning.
    pub from: Option<Timestamp>,
    /// The first moment that is no longer looked at; absent means to the end.
    pub until: Option<Timestamp>,
}

impl AuditSpan {
    /// The bounds of the ids of the changes: none is smaller than the first text, all are smaller than the second.
    pub fn ids(self) -> (String, String) {
        // Every ULID begins with a digit from 0 to 7.
        let first = self
            .from
            .map_or_else(|| "0".to_owned(), AuditEntry::first_id);
        let behind = self
            .until
            .map_or_else(|| "8".to_owned(), AuditEntry::first_id);
        (first, behind)
    }
}

/// What came of a write that can be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is written.
    Now,
    /// A request of that name was written before; nothing was written now.
    Before(Earlier),
}

/// An earlier request of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// It asked for the same and made this key.
    Same(KeyId),
    /// It asked for something else.
    Different,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What was found, in order.
    pub items: Vec<T>,
    /// Where the next part begins; absent when there is no more.
    pub next: Option<Cursor>,
}

/// A place in a list. Its printed form is opaque: callers hand it back as they got it. It says where to go on, never what
/// may be seen, so a made-up cursor shows nothing that its caller could not list anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// The longest position, in bytes.
    const MAX_POSITION: usize = 96;

    /// The place behind the item whose sort position is `position`.
    pub const fn behind(position: String) -> Self {
        Self(position)
    }

    /// The sort position behind which the next part begins.
    pub fn position(&self) -> &str {
        &self.0
    }

    /// Reads a printed cursor; `None` when it is not one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("c1")?.as_bytes();
        if digits.is_empty() || digits.len() % 2 != 0 || digits.len() > 2 * Self::MAX_POSITION {
            return None;
        }
        let bytes = digits
            .chunks_exact(2)
            .map(|pair| {
                let pair = std::str::from_utf8(pair).ok()?;
                u8::from_str_radix(pair, 16).ok()
            })
            .collect::<Option<Vec<u8>>>()?;
        let position = String::from_utf8(bytes).ok()?;
        let plain = position
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'#');
        plain.then_some(Self(position))
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "c1{}", hex(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_is_not_ours_is_refused() {
        let cursor = Cursor::behind("00000000000012#key_01".to_owned());
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for bad in [
            "",
            "c1",
            "c1f",
            "c1zz",
            "c1+f",
            "c2aa",
            "c1ff",
            "c100",
            "c10a",
            "c17e",
            &format!("c1{}", "30".repeat(97)),
        ] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }
}
