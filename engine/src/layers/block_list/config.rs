//! The configuration of the list of blocks: as written, and checked.

use serde::Deserialize;

use crate::{
    config::{Faults, Problem, values::Limits},
    limits::Span,
};

/// How the list of blocks is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockListConfig {
    /// How old the list may be before a request has it looked at again, in seconds.
    pub refresh_seconds: u32,
    /// How old it may be while it cannot be read, in seconds; not below [`BlockListConfig::refresh_seconds`].
    pub max_stale_seconds: u32,
    /// What becomes of tokens then.
    pub on_outage: OnBlockListOutage,
}

/// What becomes of tokens while the list cannot be read for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBlockListOutage {
    /// They are refused.
    Deny,
    /// They pass, but for those on the list that is held, however old.
    Allow,
}

impl BlockListConfig {
    pub(super) const fn refresh(&self) -> Span {
        Span::from_seconds(self.refresh_seconds as u64)
    }

    pub(super) const fn max_stale(&self) -> Span {
        Span::from_seconds(self.max_stale_seconds as u64)
    }
}

/// The list of tokens that must die before they expire, in the table of keys. Without this table of the configuration no token
/// can be blocked.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawBlockList {
    /// How old the list may be, in seconds: after this time and that of the gateway's cache a block counts everywhere. One
    /// small read says whether the list has changed; it is made after an answer has left, and by a request only where there
    /// was none for so long.
    #[cfg_attr(feature = "schema", schemars(range(min = REFRESH.min, max = REFRESH.max), extend("default" = REFRESH.default)))]
    refresh_seconds: Option<i64>,
    /// How old the list may be while it cannot be read, in seconds; at least `refresh_seconds`.
    #[cfg_attr(feature = "schema", schemars(range(min = STALE.min, max = STALE.max), extend("default" = STALE.default)))]
    max_stale_seconds: Option<i64>,
    /// What becomes of tokens when it is older.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "deny")))]
    on_outage: Option<RawOnOutage>,
}

/// What becomes of tokens while the list cannot be read for too long.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawOnOutage {
    /// They are refused.
    Deny,
    /// They pass, but for those on the list that is held. A token that was blocked since works until the list can be read.
    Allow,
}

const REFRESH: Limits = Limits {
    min: 1,
    max: 300,
    default: 5,
};
const STALE: Limits = Limits {
    min: 1,
    max: 86_400,
    default: 60,
};

impl RawBlockList {
    /// The checked configuration; defaults where a fault was found. `has_tokens` says whether any token is accepted.
    pub(crate) fn check(self, has_tokens: bool, faults: &mut Faults) -> BlockListConfig {
        let (of_refresh, of_stale) = ("block_list.refresh_seconds", "block_list.max_stale_seconds");
        let before = faults.len();
        let refresh_seconds = REFRESH.check(self.refresh_seconds, of_refresh, faults);
        let stale = STALE.check(self.max_stale_seconds, of_stale, faults);
        let is_sound = faults.len() == before
            && !faults.is_replaced(of_refresh)
            && !faults.is_replaced(of_stale);
        if is_sound && refresh_seconds > stale {
            // The setting that stands there is the one to be mended.
            match self.max_stale_seconds {
                Some(_) => faults.problem(
                    of_stale,
                    Problem::BelowOther {
                        other: of_refresh,
                        min: refresh_seconds,
                        found: stale,
                    },
                ),
                None => faults.problem(
                    of_refresh,
                    Problem::AboveOther {
                        other: of_stale,
                        max: stale,
                        found: refresh_seconds,
                    },
                ),
            }
        }
        let on_outage = match self.on_outage {
            None | Some(RawOnOutage::Deny) => OnBlockListOutage::Deny,
            Some(RawOnOutage::Allow) => {
                faults.warning("block_list.on_outage", Problem::BlockListAllows);
                OnBlockListOutage::Allow
            }
        };
        if !has_tokens {
            faults.warning("block_list", Problem::BlockListAlone);
        }
        BlockListConfig {
            refresh_seconds,
            max_stale_seconds: stale.max(refresh_seconds),
            on_outage,
        }
    }
}
