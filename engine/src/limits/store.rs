//! The narrow trait behind which buckets are kept.

use std::num::NonZeroU64;

use async_trait::async_trait;

use super::{Moment, Rule, Spent};

/// The name of a bucket: the limit and whose it is, joined so that no two are the same. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(String);

impl Bucket {
    /// The bucket of `limit` for `parts`, such as `("tenant", "acme")`. Parts are escaped, so that what a caller controls
    /// cannot name another's bucket.
    pub fn of<'a>(limit: &str, parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut name = escape(limit);
        for (dimension, value) in parts {
            name.push('|');
            name.push_str(dimension);
            name.push('=');
            name.push_str(&escape(value));
        }
        Self(name)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('|', "%7C")
}

/// Why a store could not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitStoreError {
    /// The store did not answer in time or refused to serve. Whether it counted is not known.
    #[error("the store of limits is unavailable: {0}")]
    Unavailable(String),
    /// The store serves, and would not count this one: its bucket is asked for too often, or too many change it at once.
    /// Other buckets are counted.
    #[error("the store of limits is too busy: {0}")]
    Busy(String),
    /// What the store holds is not a bucket of ours.
    #[error("the store of limits holds a bucket that cannot be read: {0}")]
    Corrupt(String),
}

/// What the authorizer may do with buckets.
#[async_trait]
pub trait LimitStore: Send + Sync {
    /// Connects, so that the first call need not. Counts nothing.
    ///
    /// # Errors
    /// When the store cannot be reached or refuses us.
    async fn prepare(&self) -> Result<(), LimitStoreError> {
        Ok(())
    }

    /// Checks whether `cost` may be spent from `bucket` at `now` and spends it if so, as one atomic operation: of any number
    /// of concurrent callers, no more are admitted than [`super::state::spend`] would admit one after the other.
    async fn spend(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Result<Spent, LimitStoreError>;

    /// Gives back `amount` that was spent, as `spent` says, and not used. What has lapsed since is not given back. Losing a
    /// return admits nobody.
    async fn give_back(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        amount: NonZeroU64,
        spent: &Spent,
    ) -> Result<(), LimitStoreError>;
}
