//! What the engine reaches out to, in memory. What no scene uses says so.

use std::{collections::HashMap, num::NonZeroU64};

use async_trait::async_trait;
use doorward_engine::{
    layers::{
        certificate::{CrlPlace, CrlSource},
        jwt::{FetchError, Fetched, KeySetSource, Origin},
        proof::{Remembered, ReplayDigest, ReplayStore, ReplayStoreError},
    },
    limits::{Bucket, LimitStore, LimitStoreError, Moment, Rule, Spent},
};
use doorward_keys::{Block, BlockReader, Digest, KeyLookup, KeyRecord, StoreError, Timestamp};

/// Keys by digest.
pub(crate) struct HeldKeys(pub(crate) HashMap<[u8; 32], KeyRecord>);

#[async_trait]
impl KeyLookup for HeldKeys {
    async fn lookup(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.0.get(digest.as_bytes()).cloned())
    }
}

/// One key set for all issuers.
pub(crate) struct HeldKeySet(pub(crate) String);

#[async_trait]
impl KeySetSource for HeldKeySet {
    async fn fetch(&self, _: &str, _: Origin) -> Result<Fetched, FetchError> {
        Ok(Fetched {
            body: self.0.clone().into_bytes(),
            max_age: None,
        })
    }
}

/// What no configuration of a scene asks for.
pub(crate) struct Absent;

const WHY: &str = "there is none here";

#[async_trait]
impl BlockReader for Absent {
    async fn version(&self) -> Result<u64, StoreError> {
        Err(StoreError::Unavailable(WHY.to_owned()))
    }

    async fn all(&self) -> Result<Vec<Block>, StoreError> {
        Err(StoreError::Unavailable(WHY.to_owned()))
    }
}

#[async_trait]
impl CrlSource for Absent {
    async fn fetch(&self, _: &CrlPlace) -> Result<Vec<u8>, String> {
        Err(WHY.to_owned())
    }
}

#[async_trait]
impl ReplayStore for Absent {
    async fn remember(
        &self,
        _: &ReplayDigest,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Remembered, ReplayStoreError> {
        Err(ReplayStoreError::Absent)
    }
}

#[async_trait]
impl LimitStore for Absent {
    async fn spend(
        &self,
        _: &Bucket,
        _: &Rule,
        _: NonZeroU64,
        _: Moment,
    ) -> Result<Spent, LimitStoreError> {
        Err(LimitStoreError::Unavailable(WHY.to_owned()))
    }

    async fn give_back(
        &self,
        _: &Bucket,
        _: &Rule,
        _: NonZeroU64,
        _: &Spent,
    ) -> Result<(), LimitStoreError> {
        Err(LimitStoreError::Unavailable(WHY.to_owned()))
    }
}
