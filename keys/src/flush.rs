//! Flushes of the gateway's cache that a change asks for.
//!
//! A flush right at a change is not enough: for as long as an authorizer remembers a key it may still answer as before, and
//! the gateway keeps that answer anew. So a change writes down, before it is made, from when on a flush counts: when every
//! authorizer has forgotten the key.
//!
//! Invariant: what is written for a stage and a time is forgotten only after a flush of the stage that began at that time or
//! later. So every change is followed by a flush after its own time; and as one flush serves everything whose time has come,
//! there is one flush of a stage in each run at most, however many changes there are.

use async_trait::async_trait;

use crate::{store::StoreError, time::Timestamp};

/// From when on flushes of which stages count.
#[async_trait]
pub trait FlushBook: Send + Sync {
    /// Asks for a flush of `stage` at `from` or later. Asking twice for the same is asking once.
    async fn ask(&self, stage: &str, from: Timestamp) -> Result<(), StoreError>;

    /// The times asked for that have come at `now`, the earliest first, at most `limit`.
    async fn due(
        &self,
        stage: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timestamp>, StoreError>;

    /// Forgets what was asked for, after a flush that began at `from` or later.
    async fn done(&self, stage: &str, from: Timestamp) -> Result<(), StoreError>;
}

/// The answers of authorizers that a gateway keeps, by stage.
#[async_trait]
pub trait StageCache: Send + Sync {
    /// Forgets all answers of a stage.
    ///
    /// # Errors
    /// Why the gateway did not, or did not say that it did.
    async fn flush(&self, stage: &str) -> Result<(), String>;
}
