//! What becomes of keys that were found by a former hash: key administration is asked to keep them as keys of ours are.

use std::time::Duration;

use super::{LEAST, Live};
use crate::{clock, log};

impl Live {
    /// Asks for what was noted, in at most `within`. What is not asked for is noted again at a later use.
    pub(super) async fn ask_rehashes(&self, within: Duration) {
        let Ok(engine) = self.reloading.current() else {
            return;
        };
        if within < LEAST {
            return;
        }
        let asked = tokio::time::timeout(within, engine.ask_rehashes(clock::wall()));
        if let Ok(Err(why)) = asked.await {
            log::life(&self.sink, "WARN", "move_not_asked", &why.to_string());
        }
    }
}
