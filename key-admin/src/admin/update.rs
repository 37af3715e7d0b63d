//! Changing what keys may do and what is known of them.

use doorward_keys::{
    AuditAction,
    lifecycle::{self, Refusal},
};

use super::{Call, changes::Made};
use crate::{
    caller::Permission,
    command::{Patch, UpdateKey, check_update, checked},
    error::AdminError,
    reply::Reply,
};

impl Call<'_> {
    pub(super) async fn update(&self, asked: &UpdateKey) -> Result<Reply, AdminError> {
        let policy = &self.admin.policy;
        let (id, update) = checked(|check| check_update(asked, policy, self.now, check))?;
        self.caller.require(Permission::Change)?;
        if asked.plan != Patch::Absent && !self.caller.is_operator() {
            return Err(AdminError::Forbidden(
                "only operators may set `plan`".to_owned(),
            ));
        }
        self.write_over(&id, asked.expected_version, |record| {
            let updated = match lifecycle::update(record, update.clone(), self.now, policy.limits())
            {
                Ok(updated) => updated,
                // A repeat is no mistake: what was asked for holds.
                Err(Refusal::Unchanged) => {
                    return Ok(Made {
                        to: None,
                        narrows: false,
                    });
                }
                Err(refusal) => return Err(refusal.into()),
            };
            // Narrowing is always right. Who widens hands out rights, as who makes the key does.
            if updated.widens {
                self.caller.require(Permission::Make)?;
                self.caller.require_scopes(&updated.record.scopes)?;
            }
            let mut entry = self.entry(AuditAction::Update, &updated.record)?;
            entry.reason.clone_from(&asked.reason);
            let names = updated.fields.iter().map(|name| (*name).to_owned());
            entry.fields = names.collect();
            Ok(Made {
                to: Some((updated.record, entry)),
                // An update may take away what it does not give.
                narrows: true,
            })
        })
        .await
    }
}
