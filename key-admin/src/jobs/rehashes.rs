//! Moves of keys that the authorizer asked for.

use doorward_keys::{Rehash, RehashBook, StoreError, Timestamp};

use super::Jobs;
use crate::{admin::Rehashed, error::AdminError, log};

/// How many are read at once.
const AT_ONCE: usize = 50;

impl Jobs {
    /// Does what is asked for, as long as there is time; how many keys moved, and whether all was looked at.
    pub(super) async fn rehash(
        &self,
        now: Timestamp,
        has_time: &(dyn Fn() -> bool + Sync),
    ) -> (usize, bool) {
        let Some(book) = self.rehashes.as_deref().filter(|_| self.admin.has_former()) else {
            return (0, true);
        };
        let mut moved = 0;
        for part in 0..book.parts() {
            let mut after = None;
            loop {
                let page = match book.asked(part, AT_ONCE, after.as_ref()).await {
                    Ok(page) => page,
                    Err(error) => {
                        (self.log)(&log::life("error", "moves_unread", &error.to_string()));
                        return (moved, false);
                    }
                };
                for asked in page.items {
                    if !has_time() {
                        return (moved, false);
                    }
                    match self.rehash_one(book, asked, now).await {
                        Ok(is_moved) => moved += usize::from(is_moved),
                        Err(error) => {
                            (self.log)(&log::life("error", "move_failed", &error.to_string()));
                        }
                    }
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        (moved, true)
    }

    /// Whether the key moved. What is asked for is forgotten once it is done, or never will be.
    async fn rehash_one(
        &self,
        book: &dyn RehashBook,
        asked: Result<Rehash, StoreError>,
        now: Timestamp,
    ) -> Result<bool, AdminError> {
        let asked = asked?;
        let outcome = self.admin.rehash(&asked, now, self.entropy.as_ref()).await;
        let rehashed = match outcome {
            // The next run finds what it was changed to.
            Err(AdminError::Conflict(_)) => return Ok(false),
            outcome => outcome?,
        };
        if rehashed == Rehashed::Unproven {
            let why = format!(
                "`{}` does not move: nothing shows that the digest is one of that key; the pepper of the authorizer may be another one",
                asked.key_id
            );
            (self.log)(&log::life("warn", "move_unproven", &why));
        }
        book.done(&asked.key_id).await?;
        Ok(rehashed == Rehashed::Moved)
    }
}
