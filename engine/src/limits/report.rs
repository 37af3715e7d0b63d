//! What a caller may know of a limit that applies to them.

/// One limit, as it stands after this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitReport {
    /// The name in the configuration: letters, digits, `_` and `-`.
    pub name: String,
    /// How many in each window; for a token bucket, how many at once.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
    /// Seconds until `remaining` is whole again or the window ends, rounded up.
    pub reset_seconds: u64,
    /// Seconds after which the same request passes if nobody else spends anything, rounded up, at least one (RFC 9110
    /// section 10.2.3). Present exactly where the limit is used up.
    pub retry_after: Option<u64>,
    /// The length of the window in seconds; for paced algorithms, the time in which a full allowance comes back.
    pub window_seconds: u64,
}

impl LimitReport {
    /// Whether the limit is used up.
    pub const fn is_exceeded(&self) -> bool {
        self.retry_after.is_some()
    }
}
