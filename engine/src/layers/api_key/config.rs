//! The checked configuration of API keys.

use doorward_keys::format::KeyFormat;

/// Which keys are accepted, where they may stand and how long they are remembered.
#[derive(Clone, Debug)]
pub struct ApiKeysConfig {
    /// Which printed keys are ours, with the peppers.
    pub format: KeyFormat,
    /// Headers that may carry a key, lower case; `authorization` (Bearer or ApiKey) always may.
    pub headers: Vec<String>,
    /// A query parameter that may carry a key (off unless named).
    pub query_parameter: Option<String>,
    /// How long a found key is remembered, in seconds; part of the stated delay of a revocation.
    pub cache_seconds: u32,
    /// How long an unknown key is remembered, in seconds.
    pub negative_cache_seconds: u32,
    /// How many keys are remembered at most.
    pub cache_entries: usize,
    /// Life of a new key when nothing is said, in days.
    pub default_lifetime_days: u32,
    /// Longest life of a new key, in days.
    pub max_lifetime_days: u32,
}
