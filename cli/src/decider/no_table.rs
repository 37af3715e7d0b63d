//! Keys and blocks when no table is named.

use async_trait::async_trait;
use doorward_keys::{Block, BlockReader, Digest, KeyLookup, KeyRecord, StoreError};

/// Says that there is no table, rather than that there is no key.
pub(super) struct NoTable;

#[async_trait]
impl KeyLookup for NoTable {
    async fn lookup(&self, _: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        Err(nowhere())
    }
}

#[async_trait]
impl BlockReader for NoTable {
    async fn version(&self) -> Result<u64, StoreError> {
        Err(nowhere())
    }

    async fn all(&self) -> Result<Vec<Block>, StoreError> {
        Err(nowhere())
    }
}

fn nowhere() -> StoreError {
    StoreError::Unavailable(
        "no table was named and no `doorward local` runs here; use --table".to_owned(),
    )
}
