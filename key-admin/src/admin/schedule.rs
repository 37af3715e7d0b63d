//! Scheduling rotations.

use doorward_keys::{
    AuditAction, KeyRecord, RotationBook, ScheduledRotation,
    lifecycle::{self, Refusal},
};

use super::{Call, changes::require_version};
use crate::{
    caller::Permission,
    command::{ChangeKey, ScheduleRotation, check_key_ref, check_schedule, checked},
    error::AdminError,
    reply::{KeyView, Reply},
};

impl Call<'_> {
    pub(super) async fn schedule(&self, asked: &ScheduleRotation) -> Result<Reply, AdminError> {
        let policy = &self.admin.policy;
        let plan = checked(|check| check_schedule(asked, policy, self.now, check))?;
        self.caller.require(Permission::Make)?;
        if plan.secret.is_some() && !self.caller.is_operator() {
            let message = "only operators may set `secret`".to_owned();
            return Err(AdminError::Forbidden(message));
        }
        let record = self.find(&plan.key_id).await?;
        require_version(&record, asked.expected_version)?;
        self.caller.require_scopes(&record.scopes)?;
        let changed = lifecycle::schedule(&record, plan.at, self.now)?;
        let plan = ScheduledRotation {
            actor: self.caller.name().to_owned(),
            ..plan
        };
        self.write(&record, &changed, Some(&plan), asked.reason.as_ref())
            .await
    }

    pub(super) async fn unschedule(&self, asked: &ChangeKey) -> Result<Reply, AdminError> {
        let reason = asked.reason.as_deref();
        let id = checked(|check| check_key_ref(&asked.id, asked.expected_version, reason, check))?;
        self.caller.require(Permission::Make)?;
        let record = self.find(&id).await?;
        require_version(&record, asked.expected_version)?;
        match lifecycle::unschedule(&record, self.now) {
            Ok(changed) => {
                self.write(&record, &changed, None, asked.reason.as_ref())
                    .await
            }
            // A repeat is no mistake: what was asked for holds.
            Err(Refusal::Unchanged) => Ok(Reply::Scheduled {
                key: KeyView::of(&record, self.now),
                changed: false,
            }),
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn write(
        &self,
        record: &KeyRecord,
        changed: &KeyRecord,
        plan: Option<&ScheduledRotation>,
        reason: Option<&String>,
    ) -> Result<Reply, AdminError> {
        let book = self.rotations()?;
        let mut entry = self.entry(AuditAction::Schedule, changed)?;
        entry.reason = reason.cloned();
        book.schedule(changed, record.version, plan, &entry).await?;
        Ok(Reply::Scheduled {
            key: KeyView::of(changed, self.now),
            changed: true,
        })
    }

    pub(super) fn rotations(&self) -> Result<&dyn RotationBook, AdminError> {
        self.admin
            .rotations
            .as_deref()
            .ok_or_else(|| AdminError::NotFound("place for scheduled rotations here".to_owned()))
    }
}
