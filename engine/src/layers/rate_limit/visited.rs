//! What came of each limit, for the operator.

use super::Limit;
use crate::limits::Spent;

/// Where a limit was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// In the store.
    Store,
    /// In memory, from what was taken from the store before.
    Lease,
    /// Nowhere: the store refused before, and that still holds.
    Blocked,
    /// In this memory alone.
    Local,
}

impl Counted {
    /// The word for it in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Lease => "lease",
            Self::Blocked => "blocked",
            Self::Local => "local",
        }
    }
}

/// What came of one limit, for the operator.
#[derive(Clone, Debug)]
pub struct Visited {
    /// The name of the limit.
    pub name: String,
    /// How many are left.
    pub remaining: u64,
    /// Whether it is used up.
    pub is_exceeded: bool,
    /// Where it was counted; nowhere where the store did not answer and nobody passes then.
    pub counted: Option<Counted>,
    /// Why the store did not count.
    pub fault: Option<String>,
}

impl Visited {
    pub(super) fn of(
        limit: &Limit,
        counted: Option<Counted>,
        spent: Option<&Spent>,
        fault: Option<String>,
    ) -> Self {
        Self {
            name: limit.name.clone(),
            remaining: spent.map_or(0, |spent| spent.remaining),
            is_exceeded: spent.is_some_and(|spent| !spent.is_admitted()),
            counted,
            fault,
        }
    }
}
