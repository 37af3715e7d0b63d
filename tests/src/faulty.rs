//! Faults injected at the trait: a store that is down, slow or returns garbage.

use std::{
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use doorward_engine::{
    layers::{
        jwt::{FetchError, Fetched, KeySetSource, Origin},
        proof::{Remembered, ReplayDigest, ReplayStore, ReplayStoreError},
    },
    limits::{Bucket, LimitStore, LimitStoreError, Moment, Rule, Spent},
};
use doorward_keys::{
    Block, BlockReader, Digest, KeyLookup, KeyRecord, LogPiece, Pieced, RequestSink, StoreError,
    Timestamp, UsageEntry, UsageSink,
};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It does not answer: every call fails as a connection would.
    Down,
    /// It answers late.
    Slow(Duration),
    /// It answers with what cannot be read.
    Garbage,
    /// It answers with something else than was asked for.
    Wrong,
}

/// Any store with a fault in front of it.
pub struct Faulty<S: ?Sized> {
    inner: Arc<S>,
    fault: Fault,
}

impl<S: ?Sized> Faulty<S> {
    /// Puts `fault` in front of `inner`.
    pub fn new(inner: Arc<S>, fault: Fault) -> Self {
        Self { inner, fault }
    }
}

#[async_trait]
impl<S: KeyLookup + ?Sized> KeyLookup for Faulty<S> {
    async fn lookup(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        match self.fault {
            Fault::None => self.inner.lookup(digest).await,
            Fault::Down => Err(StoreError::Unavailable("connection refused".to_owned())),
            Fault::Garbage => Err(StoreError::Corrupt(
                "the attribute `status` is missing".to_owned(),
            )),
            Fault::Slow(by) => {
                tokio::time::sleep(by).await;
                self.inner.lookup(digest).await
            }
            Fault::Wrong => {
                let found = self.inner.lookup(digest).await?;
                Ok(found.map(|record| KeyRecord {
                    digest: Digest::from_bytes([0; 32]),
                    ..record
                }))
            }
        }
    }
}

#[async_trait]
impl<S: KeySetSource + ?Sized> KeySetSource for Faulty<S> {
    async fn fetch(&self, url: &str, origin: Origin) -> Result<Fetched, FetchError> {
        match self.fault {
            Fault::None => self.inner.fetch(url, origin).await,
            Fault::Down => Err(FetchError::Failed(
                url.to_owned(),
                "connection refused".to_owned(),
            )),
            Fault::Garbage => Ok(Fetched {
                body: b"<html>".to_vec(),
                max_age: None,
            }),
            Fault::Wrong => Ok(Fetched {
                body: br#"{"keys":[]}"#.to_vec(),
                max_age: None,
            }),
            Fault::Slow(by) => {
                tokio::time::sleep(by).await;
                self.inner.fetch(url, origin).await
            }
        }
    }
}

#[async_trait]
impl<S: ReplayStore + ?Sized> ReplayStore for Faulty<S> {
    async fn remember(
        &self,
        digest: &ReplayDigest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Remembered, ReplayStoreError> {
        match self.fault {
            Fault::None => self.inner.remember(digest, until, now).await,
            Fault::Down | Fault::Garbage | Fault::Wrong => Err(ReplayStoreError::Unavailable(
                "connection refused".to_owned(),
            )),
            Fault::Slow(by) => {
                tokio::time::sleep(by).await;
                self.inner.remember(digest, until, now).await
            }
        }
    }
}

#[async_trait]
impl<S: LimitStore + ?Sized> LimitStore for Faulty<S> {
    async fn spend(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Result<Spent, LimitStoreError> {
        match self.fault {
            Fault::None => self.inner.spend(bucket, rule, cost, now).await,
            Fault::Down => Err(LimitStoreError::Unavailable(
                "connection refused".to_owned(),
            )),
            Fault::Garbage | Fault::Wrong => {
                Err(LimitStoreError::Corrupt("`mark` is no number".to_owned()))
            }
            Fault::Slow(by) => {
                tokio::time::sleep(by).await;
                self.inner.spend(bucket, rule, cost, now).await
            }
        }
    }

    async fn give_back(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        amount: NonZeroU64,
        spent: &Spent,
    ) -> Result<(), LimitStoreError> {
        match self.fault {
            Fault::None => self.inner.give_back(bucket, rule, amount, spent).await,
            Fault::Down | Fault::Garbage | Fault::Wrong => Err(LimitStoreError::Unavailable(
                "connection refused".to_owned(),
            )),
            Fault::Slow(by) => {
                tokio::time::sleep(by).await;
                self.inner.give_back(bucket, rule, amount, spent).await
            }
        }
    }
}

#[async_trait]
impl<S: UsageSink + ?Sized> UsageSink for Faulty<S> {
    async fn add(&self, entries: &[UsageEntry], within: Duration) -> Vec<Result<(), StoreError>> {
        let failed = match self.fault {
            Fault::None => return self.inner.add(entries, within).await,
            Fault::Down => StoreError::Unavailable("connection refused".to_owned()),
            Fault::Garbage | Fault::Wrong => {
                StoreError::Corrupt("the item is of another".to_owned())
            }
            Fault::Slow(by) if by <= within => {
                tokio::time::sleep(by).await;
                return self.inner.add(entries, within).await;
            }
            Fault::Slow(_) => {
                tokio::time::sleep(within).await;
                StoreError::Unavailable("no answer in time".to_owned())
            }
        };
        vec![Err(failed); entries.len()]
    }
}

/// When a process ends, as seen from the piece of the access log that it is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// Before the piece is written.
    Before,
    /// After it is written, and before anybody learns of it.
    After,
}

/// A store whose caller ends in the middle: from one piece on nothing is answered any more.
pub struct Interrupted<S: ?Sized> {
    inner: Arc<S>,
    at: usize,
    interruption: Interruption,
    seen: AtomicUsize,
}

impl<S: ?Sized> Interrupted<S> {
    /// Ends at piece number `at`, counted from 0.
    pub fn new(inner: Arc<S>, at: usize, interruption: Interruption) -> Self {
        Self {
            inner,
            at,
            interruption,
            seen: AtomicUsize::new(0),
        }
    }
}

#[async_trait]
impl<S: RequestSink + ?Sized> RequestSink for Interrupted<S> {
    async fn count(&self, piece: &LogPiece) -> Result<Pieced, StoreError> {
        let number = self.seen.fetch_add(1, Ordering::SeqCst);
        let is_written = match self.interruption {
            Interruption::Before => number < self.at,
            Interruption::After => number <= self.at,
        };
        let written = if is_written {
            Some(self.inner.count(piece).await?)
        } else {
            None
        };
        written
            .filter(|_| number < self.at)
            .ok_or_else(|| StoreError::Unavailable("connection closed".to_owned()))
    }
}

#[async_trait]
impl<S: BlockReader + ?Sized> BlockReader for Faulty<S> {
    async fn version(&self) -> Result<u64, StoreError> {
        match self.fault {
            Fault::None | Fault::Wrong => self.inner.version().await,
            Fault::Down => Err(StoreError::Unavailable("connection refused".to_owned())),
            Fault::Garbage => Err(StoreError::Corrupt(
                "the attribute `version` is missing".to_owned(),
            )),
            Fault::Slow(by) => {
                tokio::time::sleep(by).await;
                self.inner.version().await
            }
        }
    }

    async fn all(&self) -> Result<Vec<Block>, StoreError> {
        self.inner.all().await
    }
}
