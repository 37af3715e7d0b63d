//! Removing what is stored of keys that ended.

use doorward_keys::{AuditAction, lifecycle};

use super::{Call, changes::require_version};
use crate::{
    caller::Permission,
    command::{ChangeKey, check_key_ref, checked},
    error::AdminError,
    reply::Reply,
};

impl Call<'_> {
    pub(super) async fn delete(&self, asked: &ChangeKey) -> Result<Reply, AdminError> {
        let reason = asked.reason.as_deref();
        let id = checked(|check| check_key_ref(&asked.id, asked.expected_version, reason, check))?;
        self.caller.require(Permission::Delete)?;
        let record = self.find(&id).await?;
        require_version(&record, asked.expected_version)?;
        let retention = i64::from(self.admin.policy.retention_days) * 86_400;
        lifecycle::deletable(&record, self.now, retention)?;
        let mut buried = record.clone();
        buried.version = record.version.saturating_add(1);
        let mut entry = self.entry(AuditAction::Delete, &buried)?;
        entry.reason.clone_from(&asked.reason);
        self.ledger()
            .delete(&buried, record.version, &entry)
            .await?;
        Ok(Reply::Deleted {
            id: id.to_string(),
            deleted: true,
        })
    }
}
