//! Rotations that are to happen by themselves.

use async_trait::async_trait;

use crate::{
    audit::AuditEntry,
    day::Day,
    idempotency::Idempotency,
    lifecycle::Rotation,
    record::{KeyId, KeyRecord},
    secret::Secret,
    store::{Cursor, Page, StoreError, Written},
    time::Timestamp,
};

/// A rotation that is to happen by itself, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledRotation {
    /// The key.
    pub key_id: KeyId,
    /// When it is due.
    pub at: Timestamp,
    /// After how many days the successor is rotated in turn; absent means never.
    pub every_days: Option<u32>,
    /// For how long the old key works beside the new one, in seconds.
    pub overlap_seconds: u32,
    /// How long the successor lives, in days; absent means as the configuration says at that time.
    pub expires_in_days: Option<u32>,
    /// The secret of Secrets Manager that gets the printed successor; absent means that somebody is told and rotates it.
    pub secret: Option<String>,
    /// Who scheduled it.
    pub actor: String,
    /// How far it has come.
    pub state: RotationState,
}

/// How far a scheduled rotation has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationState {
    /// Nothing was done yet.
    Waiting,
    /// The key has this successor, whose printed key is pending in the secret and is to become current.
    Rotated(KeyId),
    /// Somebody was told; it is they who rotate the key.
    Told,
}

impl ScheduledRotation {
    /// The day on which it is due, and where it stands among the rotations of that day. `None` where nothing is left to do by
    /// itself.
    pub fn calendar_position(&self) -> Option<(Day, String)> {
        (self.state != RotationState::Told).then(|| {
            let position = format!("{:014}#{}", self.at.unix(), self.key_id);
            (Day::of(self.at), position)
        })
    }

    /// The next one in turn, for the `successor` that the key got at `now`.
    pub fn next(&self, successor: &KeyId, now: Timestamp) -> Option<Self> {
        let days = self.every_days?;
        Some(Self {
            key_id: successor.clone(),
            at: now.plus(i64::from(days).saturating_mul(86_400)),
            state: RotationState::Waiting,
            ..self.clone()
        })
    }
}

/// The rotations that are to happen. At most one for each key.
#[async_trait]
pub trait RotationBook: Send + Sync {
    /// The rotation that is scheduled for a key; `None` where there is none, or it is over.
    async fn scheduled(&self, id: &KeyId) -> Result<Option<ScheduledRotation>, StoreError>;

    /// Schedules a rotation, or takes back what was scheduled, together with the change of the record. Conflicts are those of
    /// [`KeyLedger::replace`](crate::KeyLedger::replace).
    async fn schedule(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        rotation: Option<&ScheduledRotation>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;

    /// The keys whose rotation is due on `day` and not after `until`, the earliest first, at most `limit` (at least one), behind
    /// `after`. May miss what was written in the last seconds, and name what is over since.
    async fn due(
        &self,
        day: Day,
        until: Timestamp,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyId>, StoreError>;

    /// Writes both sides of a rotation of a key with a schedule, as [`KeyLedger::rotate`](crate::KeyLedger::rotate) does, with
    /// what is left of that schedule and the one of the successor.
    async fn rotate_scheduled(
        &self,
        rotation: &Rotation,
        expected_version: u64,
        audit: &[AuditEntry; 2],
        request: Option<&Idempotency>,
        left: Option<&ScheduledRotation>,
        next: Option<&ScheduledRotation>,
    ) -> Result<Written, StoreError>;

    /// Writes what is left of a scheduled rotation, nothing where it is over. [`StoreError::Conflict`] when the stored one is
    /// due at another time than `before`, or over.
    async fn settle(
        &self,
        before: &ScheduledRotation,
        left: Option<&ScheduledRotation>,
    ) -> Result<(), StoreError>;
}

/// Where successors are put by themselves: secrets with versions, of which one is current.
#[async_trait]
pub trait SuccessorSecrets: Send + Sync {
    /// Puts a printed key into the secret `name` as its pending version `version`. Doing it twice is doing it once.
    ///
    /// # Errors
    /// Why it is not known to be there.
    async fn put_pending(
        &self,
        name: &str,
        version: &str,
        printed: &Secret<String>,
    ) -> Result<(), String>;

    /// Makes `version` of the secret `name` the current one. Doing it twice is doing it once.
    ///
    /// # Errors
    /// Why it is not known to be current.
    async fn make_current(&self, name: &str, version: &str) -> Result<(), String>;
}
