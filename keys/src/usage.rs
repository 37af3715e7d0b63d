//! What is counted of the use of a key, and the narrow traits behind which the counts are kept.
//!
//! Two counts stand side by side, because a gateway that caches an answer hides later calls from the authorizer:
//! [`Usage`] says what the authorizer decided, [`Requests`] what the access log of the gateway saw.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::{
    hour::{Hour, Hours},
    record::KeyId,
    store::StoreError,
    time::Timestamp,
};

/// The decisions on one key within some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls that were allowed.
    pub allowed: u64,
    /// Calls that were refused because the key does not work any more, or something else beside it proves nothing.
    pub unauthenticated: u64,
    /// Calls that were refused because the key may not do what was asked, or not from there.
    pub forbidden: u64,
    /// Calls that were refused because a limit is used up.
    pub throttled: u64,
    /// Calls that were refused because something did not answer.
    pub unavailable: u64,
    /// The latest of these calls; absent where there is none.
    pub last: Option<LastUse>,
}

/// When and from where a key was last presented, whatever came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From where, where that is known.
    pub address: Option<IpAddr>,
}

impl Usage {
    /// All decisions together.
    pub const fn total(&self) -> u64 {
        self.allowed
            .saturating_add(self.unauthenticated)
            .saturating_add(self.forbidden)
            .saturating_add(self.throttled)
            .saturating_add(self.unavailable)
    }

    /// Both together; the latest use is the later of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            allowed: self.allowed.saturating_add(other.allowed),
            unauthenticated: self.unauthenticated.saturating_add(other.unauthenticated),
            forbidden: self.forbidden.saturating_add(other.forbidden),
            throttled: self.throttled.saturating_add(other.throttled),
            unavailable: self.unavailable.saturating_add(other.unavailable),
            last: self.last.max(other.last),
        }
    }
}

/// The requests under one key within some time, as the access log of the gateway has them: those that a cached answer let
/// pass are among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// All requests.
    pub total: u64,
    /// Those that were answered with 429.
    pub throttled: u64,
    /// Those that were answered with 5xx.
    pub failed: u64,
}

impl Requests {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            total: self.total.saturating_add(other.total),
            throttled: self.throttled.saturating_add(other.throttled),
            failed: self.failed.saturating_add(other.failed),
        }
    }
}

/// One hour of one key, all regions together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageHour {
    /// The hour.
    pub hour: Hour,
    /// What the authorizer decided.
    pub decisions: Usage,
    /// What the access log saw; nothing where no access log is read.
    pub requests: Requests,
}

/// What one process counted of one key in one hour and did not write yet. It is added once, however often it is handed
/// over: `flush` tells it apart from what is added before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageEntry {
    /// A name that no other entry of the same key and hour has, of any process: up to 64 letters, digits and `-`.
    pub flush: String,
    /// Whose.
    pub key: KeyId,
    /// When.
    pub hour: Hour,
    /// What to add.
    pub usage: Usage,
    /// When the counts of this hour may be forgotten.
    pub expires_at: Timestamp,
}

/// What the authorizer may do: add to the counts.
#[async_trait]
pub trait UsageSink: Send + Sync {
    /// Adds every entry, each as one atomic addition, and says of each, in the same order, whether it is written.
    ///
    /// Ends within `within` at the latest; what is not written by then is [`StoreError::Unavailable`]. An entry that failed
    /// so may have been written nevertheless and is to be handed over again as it is: the store then takes it for what it
    /// is, unless another process added to the same hour in between. An entry that is [`StoreError::Corrupt`] meets an item
    /// that is not of ours, and will not be written later either. A latest use never gives way to an earlier one.
    async fn add(
        &self,
        entries: &[UsageEntry],
        within: std::time::Duration,
    ) -> Vec<Result<(), StoreError>>;
}

/// What key administration may do: read the counts.
#[async_trait]
pub trait UsageReader: Send + Sync {
    /// What is counted of `key` in each of `hours`, in order, all regions together. Hours in which nothing was counted
    /// are left out.
    async fn usage(&self, key: &KeyId, hours: Hours) -> Result<Vec<UsageHour>, StoreError>;

    /// The latest use of `key` that is counted in any region; `None` when there is none, or it is forgotten.
    async fn last_use(&self, key: &KeyId) -> Result<Option<LastUse>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(at: i64, address: Option<&str>) -> Usage {
        Usage {
            allowed: 1,
            last: Some(LastUse {
                at: Timestamp::from_unix(at),
                address: address.map(|text| text.parse().unwrap()),
            }),
            ..Usage::default()
        }
    }

    #[test]
    fn a_sum_keeps_the_later_use_in_whatever_order() {
        let (early, late) = (used(1, Some("192.0.2.1")), used(2, None));
        for sum in [early.plus(late), late.plus(early)] {
            assert_eq!((sum.allowed, sum.last), (2, late.last));
        }
        assert_eq!(early.plus(Usage::default()), early);
        assert_eq!(Usage::default().total(), 0);
    }
}
