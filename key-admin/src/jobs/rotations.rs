//! Rotations whose time has come.

use doorward_keys::{Day, KeyId, RotationBook, Timestamp};

use super::Jobs;
use crate::{admin::Due, log};

/// How many rotations of one day are read at once.
const AT_ONCE: usize = 50;

impl Jobs {
    /// Does the rotations that are due at `now` on this day and so many `days` before; how many were done, and whether all were.
    pub(super) async fn rotate(
        &self,
        days: i64,
        now: Timestamp,
        has_time: &(dyn Fn() -> bool + Sync),
    ) -> (usize, bool) {
        let book: &dyn RotationBook = self.store.as_ref();
        let mut done = 0;
        for back in (0..=days).rev() {
            let day = Day::of(now).plus(-back);
            let mut after = None;
            // What fails is due again, so the next ones are read from behind it.
            loop {
                let due = match book.due(day, now, AT_ONCE, after.as_ref()).await {
                    Ok(due) => due,
                    Err(error) => {
                        (self.log)(&log::life("error", "rotations_unread", &error.to_string()));
                        return (done, false);
                    }
                };
                for id in due.items {
                    if !has_time() {
                        return (done, false);
                    }
                    done += usize::from(self.rotate_one(&id, now).await);
                }
                after = due.next;
                if after.is_none() {
                    break;
                }
            }
        }
        (done, true)
    }

    /// Whether there was anything to do for `id`, and it was done.
    async fn rotate_one(&self, id: &KeyId, now: Timestamp) -> bool {
        let secrets = self.secrets.as_deref();
        let entropy = self.entropy.as_ref();
        let store = self.store.as_ref();
        let rotated = self.admin.rotate_due(id, store, secrets, now, entropy);
        match rotated.await {
            Ok(Due::Rotated | Due::Told) => true,
            Ok(Due::Over) => false,
            Err(error) => {
                let why = format!("`{id}`: {error}");
                (self.log)(&log::life("error", "rotation_failed", &why));
                false
            }
        }
    }
}
