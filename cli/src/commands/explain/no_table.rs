//! The keys when no table is named.

use async_trait::async_trait;
use doorward_keys::{Digest, KeyLookup, KeyRecord, StoreError};

/// Says that there is no table, rather than that there is no key.
pub(super) struct NoTable;

#[async_trait]
impl KeyLookup for NoTable {
    async fn lookup(&self, _: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        Err(StoreError::Unavailable(
            "no table was named and no `doorward local` runs here; use --table".to_owned(),
        ))
    }
}
