//! Time in microseconds since the Unix epoch.

use std::time::Duration;

use doorward_keys::Timestamp;

/// A point in time in whole microseconds since 1970-01-01T00:00:00Z; never before it. Below 2^53 until the year 2255, so
/// that stores which count in floating point hold it exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The point that is `micros` microseconds after the epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The whole second in which this point lies.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_unix(i64::try_from(self.0 / Span::SECOND.micros()).unwrap_or(i64::MAX))
    }

    /// The point `span` later, held at the end of the range.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The time from `earlier` to this point; nothing when this point comes first.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl From<Timestamp> for Moment {
    /// The beginning of the second.
    fn from(at: Timestamp) -> Self {
        Self(
            u64::try_from(at.unix())
                .unwrap_or(0)
                .saturating_mul(Span::SECOND.0),
        )
    }
}

/// A length of time in whole microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Span {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One second.
    pub const SECOND: Self = Self(1_000_000);
    /// One day of 24 hours.
    pub const DAY: Self = Self(86_400 * 1_000_000);

    /// So many microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// So many seconds, held at the end of the range.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(Self::SECOND.0))
    }

    /// So many milliseconds, held at the end of the range.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// This length and `other`, held at the end of the range.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The length in microseconds.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The length in whole seconds, rounded up (RFC 9110 section 10.2.3 counts in seconds, and a call that comes too early
    /// would be refused again).
    pub const fn seconds_up(self) -> u64 {
        self.0.div_ceil(Self::SECOND.0)
    }

    /// As the standard library's type.
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}
