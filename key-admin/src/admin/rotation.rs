//! Rotations that are due.
//!
//! With a secret, the steps are: (1) the successor is minted and put there as the pending version, (2) both sides of the rotation
//! are written in one transaction, with the note that the version is to become current and with the next schedule, (3) the
//! version becomes current, (4) the note is removed. Whatever ends a run in between, the next one goes on:
//!
//! - before (2) nothing has happened to the key. Another successor is minted; a version that was put and never written opens
//!   nothing, and its label moves to the next one.
//! - after (2) the printed key is in the secret, under a version whose name is derived from the id of the successor, so it can be
//!   made current without being read. The transaction demands the version of the record, so there is one rotation.

use doorward_keys::{
    EventKind, KeyEvent, KeyId, KeyRecord, KeyStore, RotationState, ScheduledRotation, StoreError,
    SuccessorSecrets, Timestamp,
    lifecycle::{self, Refusal},
};

use super::{Call, KeyAdmin};
use crate::{
    caller::Caller,
    entropy::{self, Entropy},
    error::AdminError,
};

/// For how long it is remembered that somebody was told.
const TOLD_SECONDS: i64 = 400 * 86_400;

/// What came of a due rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The key has a successor, and its secret is current.
    Rotated,
    /// Somebody was told.
    Told,
    /// There was nothing to do any more.
    Over,
}

impl KeyAdmin {
    /// Does what is left to do of the rotation that is scheduled for `id`, at `now`.
    pub(crate) async fn rotate_due(
        &self,
        id: &KeyId,
        store: &dyn KeyStore,
        secrets: Option<&dyn SuccessorSecrets>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Due, AdminError> {
        // The calendar may lag: what counts is what is read here.
        let Some(plan) = store.scheduled(id).await? else {
            return Ok(Due::Over);
        };
        if plan.at > now {
            return Ok(Due::Over);
        }
        let caller = Caller::operator(&format!("schedule by {}", plan.actor));
        let call = Call {
            admin: self,
            caller: &caller,
            now,
            entropy,
        };
        let (secret, secrets) = match (&plan.secret, secrets) {
            (Some(secret), Some(secrets)) => (secret, secrets),
            _ if plan.state == RotationState::Waiting => {
                return call
                    .tell(store, &plan, "nobody said where the secret goes")
                    .await;
            }
            _ => return Ok(Due::Over),
        };
        match &plan.state {
            RotationState::Told => Ok(Due::Over),
            RotationState::Rotated(successor) => {
                finish(store, secrets, &plan, secret, successor).await
            }
            RotationState::Waiting => {
                let how = (i64::from(plan.overlap_seconds), "scheduled");
                call.rotate_into((store, secrets), &plan, secret, how).await
            }
        }
    }
}

impl Call<'_> {
    /// Rotates `record` now and not when that is due, into the secret of its scheduled rotation, and ends it after `overlap` seconds.
    /// `false` where nothing says where a successor goes, or it cannot have one.
    pub(crate) async fn rotate_now(
        &self,
        record: &KeyRecord,
        (overlap, reason): (u32, &str),
        (store, secrets): (&dyn KeyStore, &dyn SuccessorSecrets),
    ) -> Result<bool, AdminError> {
        let Some(plan) = store.scheduled(&record.id).await? else {
            return Ok(false);
        };
        let Some(secret) = plan
            .secret
            .as_ref()
            .filter(|_| plan.state == RotationState::Waiting)
        else {
            return Ok(false);
        };
        let overlap = i64::from(overlap.min(plan.overlap_seconds));
        let due = self
            .rotate_into((store, secrets), &plan, secret, (overlap, reason))
            .await?;
        Ok(due == Due::Rotated)
    }

    async fn rotate_into(
        &self,
        (store, secrets): (&dyn KeyStore, &dyn SuccessorSecrets),
        plan: &ScheduledRotation,
        secret: &str,
        (overlap, reason): (i64, &str),
    ) -> Result<Due, AdminError> {
        let Some(old) = store.fetch(&plan.key_id).await? else {
            return over(store, plan).await;
        };
        // Taken back, or scheduled anew, since the plan was read.
        if old.rotates_at != Some(plan.at) {
            return Ok(Due::Over);
        }
        if lifecycle::standing(&old, self.now) == lifecycle::Standing::Expired {
            return self.tell(store, plan, "it has expired").await;
        }
        let policy = &self.admin.policy;
        if !policy.format.environments.contains(&old.environment) {
            return self
                .tell(store, plan, "its environment is no longer configured")
                .await;
        }
        let (minted, fresh) = self.mint(&old.environment)?;
        let days = plan.expires_in_days.unwrap_or(policy.default_lifetime_days);
        let lifetime = i64::from(days) * 86_400;
        let rotated = lifecycle::rotate(&old, fresh, lifetime, overlap, self.now, policy.limits());
        let mut rotation = match rotated {
            Ok(rotation) => rotation,
            Err(Refusal::Revoked | Refusal::Rotated) => return over(store, plan).await,
            Err(refusal) => return self.tell(store, plan, &refusal.to_string()).await,
        };
        let successor = rotation.new.id.clone();
        let next = plan.next(&successor, self.now);
        rotation.new.rotates_at = next.as_ref().map(|next| next.at);
        let version = version_of(&successor);
        let put = secrets.put_pending(secret, &version, &minted.printed);
        put.await.map_err(AdminError::Unavailable)?;
        let left = ScheduledRotation {
            state: RotationState::Rotated(successor.clone()),
            ..plan.clone()
        };
        let audit = self.rotation_entries(&rotation, Some(reason))?;
        self.ends_early(&old, &rotation.old).await;
        let (left_over, next) = (Some(&left), next.as_ref());
        store
            .rotate_scheduled(&rotation, old.version, &audit, None, left_over, next)
            .await?;
        finish(store, secrets, &left, secret, &successor).await
    }

    /// Says once that the key is to be rotated, and why it is not by itself. The schedule stays for whoever rotates the key.
    async fn tell(
        &self,
        store: &dyn KeyStore,
        plan: &ScheduledRotation,
        why: &str,
    ) -> Result<Due, AdminError> {
        let Some(record) = store.fetch(&plan.key_id).await? else {
            return over(store, plan).await;
        };
        if matches!(
            lifecycle::standing(&record, self.now),
            lifecycle::Standing::Revoked
        ) || record.rotated_to.is_some()
        {
            return over(store, plan).await;
        }
        let ulid = event_ulid(self.now, entropy::number(self.entropy)?);
        let event = KeyEvent::notice(EventKind::KeyRotationDue, &record, self.now, ulid)
            .with("dueAt", plan.at.unix().to_string())
            .with("why", why);
        let once = format!("rotation-{}", plan.at.unix());
        store
            .announce(&event, &once, self.now.plus(TOLD_SECONDS))
            .await?;
        let told = ScheduledRotation {
            state: RotationState::Told,
            ..plan.clone()
        };
        store.settle(plan, Some(&told)).await?;
        Ok(Due::Told)
    }
}

/// A ULID for a notice at `now`.
pub(crate) fn event_ulid(now: Timestamp, random: u128) -> String {
    let id = KeyId::new(now, random);
    id.as_str().trim_start_matches("key_").to_owned()
}

/// The name of the version with the printed key of `successor`: 32 to 64 characters (AWS: Secrets Manager API Reference,
/// `PutSecretValue`, `ClientRequestToken`).
fn version_of(successor: &KeyId) -> String {
    let ulid = successor.as_str().trim_start_matches("key_");
    format!("doorward-{ulid}")
}

async fn finish(
    store: &dyn KeyStore,
    secrets: &dyn SuccessorSecrets,
    plan: &ScheduledRotation,
    secret: &str,
    successor: &KeyId,
) -> Result<Due, AdminError> {
    let version = version_of(successor);
    let current = secrets.make_current(secret, &version);
    current.await.map_err(AdminError::Unavailable)?;
    over(store, plan).await.map(|_| Due::Rotated)
}

async fn over(store: &dyn KeyStore, plan: &ScheduledRotation) -> Result<Due, AdminError> {
    match store.settle(plan, None).await {
        // Somebody else was faster, or it is scheduled anew.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(Due::Over),
        Err(error) => Err(error.into()),
    }
}
