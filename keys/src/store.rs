//! The narrow traits behind which keys are kept.

use async_trait::async_trait;

use crate::{digest::Digest, record::KeyRecord};

/// What kind of failure a store had; the caller decides what it means.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The store did not answer in time or refused to serve. May pass.
    #[error("the key store is unavailable: {0}")]
    Unavailable(String),
    /// A condition did not hold: somebody else changed the item first.
    #[error("the key store holds a newer version: {0}")]
    Conflict(String),
    /// What the store returned is not a record of ours.
    #[error("the key store holds a record that cannot be read: {0}")]
    Corrupt(String),
}

/// What the authorizer may do: find one key by its exact digest.
#[async_trait]
pub trait KeyLookup: Send + Sync {
    /// The record under `digest`, or `None`. One read, no scan.
    async fn lookup(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError>;
}
