//! Faults injected at the trait: a store that is down, slow or returns garbage.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use doorward_engine::layers::jwt::{FetchError, Fetched, KeySetSource, Origin};
use doorward_keys::{Digest, KeyLookup, KeyRecord, StoreError};

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
