//! A leaked key whose holder is to get another one before it ends.

use doorward_keys::KeyRecord;

use crate::{admin::Call, error::AdminError, jobs::Jobs};

/// What became of a leaked key that is to be rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rotated {
    /// It has a successor now.
    Now,
    /// It had one, and ends as soon as the rule wants.
    Before,
    /// Nothing says where a successor goes, or it cannot have one, or had one long before its end.
    No,
}

impl Call<'_> {
    /// Gives `record` a successor, and an end in `overlap` seconds.
    pub(super) async fn rotate_leaked(
        &self,
        record: &KeyRecord,
        overlap: u32,
        reason: &str,
        jobs: Option<&Jobs>,
    ) -> Result<Rotated, AdminError> {
        if record.rotated_to.is_some() {
            let wanted = self.now.plus(i64::from(overlap));
            let ends_soon = record.expires_at.is_some_and(|end| end <= wanted);
            return Ok(if ends_soon {
                Rotated::Before
            } else {
                Rotated::No
            });
        }
        let Some((store, secrets)) = jobs.and_then(Jobs::rotates_into) else {
            return Ok(Rotated::No);
        };
        let is_done = self
            .rotate_now(record, (overlap, reason), (store, secrets))
            .await?;
        Ok(if is_done { Rotated::Now } else { Rotated::No })
    }
}
