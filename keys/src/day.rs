//! Days of UTC, by which the calendar of expiries is kept.

use std::fmt;

use crate::{hour::Hour, time::Timestamp};

/// One day of UTC, from 1970 to the year 9999. Printed as `2026-11-27`, so that the order of the texts is that of the days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Hour);

impl Day {
    /// The day in which `at` lies, held at the ends of the range.
    pub fn of(at: Timestamp) -> Self {
        let midnight = at.unix().div_euclid(86_400).saturating_mul(86_400);
        Self(Hour::of(Timestamp::from_unix(midnight)))
    }

    /// The first second of the day.
    pub const fn begin(self) -> Timestamp {
        self.0.begin()
    }

    /// The day so many days later, or earlier where `days` is negative; held at the ends of the range.
    pub fn plus(self, days: i64) -> Self {
        Self::of(self.0.plus(days.saturating_mul(24)).begin())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hour = self.0.to_string();
        f.write_str(hour.split('T').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_of_utc() {
        for (unix, text) in [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (86_400, "1970-01-02"),
            (951_825_599, "2000-02-29"),
            (-1, "1970-01-01"),
            (i64::MAX, "9999-12-31"),
        ] {
            assert_eq!(
                Day::of(Timestamp::from_unix(unix)).to_string(),
                text,
                "{unix}"
            );
        }
        let day = Day::of(Timestamp::from_unix(951_825_599));
        assert_eq!(day.plus(1).to_string(), "2000-03-01");
        assert_eq!(day.plus(1).plus(-1), day);
        assert_eq!(day.begin().unix() % 86_400, 0);
    }
}
