//! How far a run of something long has come, so that the next one goes on there.

use async_trait::async_trait;

use crate::store::StoreError;

/// Places by name of the job.
#[async_trait]
pub trait JobPlaces: Send + Sync {
    /// Where `job` is; `None` when it never was anywhere.
    async fn place(&self, job: &str) -> Result<Option<String>, StoreError>;

    /// Remembers where `job` is.
    async fn keep_place(&self, job: &str, place: &str) -> Result<(), StoreError>;
}
