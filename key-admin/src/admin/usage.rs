//! How often a key was used.

use doorward_keys::UsageReader;

use super::Call;
use crate::{
    caller::Permission,
    command::{ReadUsage, check_key_ref, check_span, checked},
    error::AdminError,
    reply::{KeyView, Reply, steps_of},
};

impl Call<'_> {
    pub(super) async fn usage(&self, asked: &ReadUsage) -> Result<Reply, AdminError> {
        let (id, span) = checked(|check| {
            let span = check_span(asked, self.now, check);
            let id = check_key_ref(&asked.id, None, None, check)?;
            Some((id, span?))
        })?;
        self.caller.require(Permission::Read)?;
        let record = self.find(&id).await?;
        let store = self.counts()?;
        let mut hours = Vec::new();
        for part in span.hours() {
            hours.extend(store.usage(&id, part).await?);
        }
        let last = store.last_use(&id).await?;
        Ok(Reply::Usage {
            key: KeyView::of(&record, self.now),
            usage: steps_of(&span, &hours, last),
        })
    }

    fn counts(&self) -> Result<&dyn UsageReader, AdminError> {
        self.admin.usage.as_deref().ok_or_else(|| {
            let what = "usage to be shown here: no table of counters is named";
            AdminError::NotFound(what.to_owned())
        })
    }
}

#[cfg(test)]
mod tests;
