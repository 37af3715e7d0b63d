//! Hours of UTC, by which usage is counted.

use std::fmt;

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use crate::time::Timestamp;

/// One hour of UTC, from 1970 to the year 9999. Printed as `2026-11-27T05`, so that the order of the texts is that of the
/// hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// In seconds.
    const LENGTH: i64 = 3600;
    /// The hour 9999-12-31T23, counted from the first of 1970.
    const LAST: i64 = 70_389_527;

    /// The hour in which `at` lies, held at the ends of the range.
    pub fn of(at: Timestamp) -> Self {
        Self(at.unix().div_euclid(Self::LENGTH).clamp(0, Self::LAST))
    }

    /// The first second of the hour.
    pub const fn begin(self) -> Timestamp {
        Timestamp::from_unix(self.0.saturating_mul(Self::LENGTH))
    }

    /// The first second after the hour.
    pub const fn end(self) -> Timestamp {
        self.begin().plus(Self::LENGTH)
    }

    /// The hour so many hours later, or earlier where `hours` is negative; held at the ends of the range.
    pub fn plus(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours).clamp(0, Self::LAST))
    }

    /// How many hours lie from `earlier` to this one; negative when this one comes first.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads what was printed; `None` for any other spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, hour) = text.split_once('T')?;
        let mut parts = date.splitn(3, '-');
        let mut number = || parts.next()?.parse::<u16>().ok();
        let (year, month, day) = (number()?, number()?, number()?);
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let date = Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()?;
        let time = Time::from_hms(hour.parse().ok()?, 0, 0).ok()?;
        let begin = OffsetDateTime::new_in_offset(date, time, UtcOffset::UTC);
        let read = Self::of(Timestamp::from_unix(begin.unix_timestamp()));
        (read.to_string() == text).then_some(read)
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // INVARIANT: the range of an hour lies inside the calendar.
        let begin = OffsetDateTime::from_unix_timestamp(self.begin().unix())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = begin.to_calendar_date();
        let (month, hour) = (u8::from(month), begin.hour());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}")
    }
}

/// Hours from one to another, the first included and the last not; never more than [`Hours::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: Hour,
    until: Hour,
}

impl Hours {
    /// The most hours of one range: 31 days, the longest month.
    pub const MAX: i64 = 31 * 24;

    /// The hours from `from` to before `until`; `None` when there is none or there are more than [`Hours::MAX`].
    pub fn new(from: Hour, until: Hour) -> Option<Self> {
        (1..=Self::MAX)
            .contains(&until.since(from))
            .then_some(Self { from, until })
    }

    /// The first hour.
    pub const fn from(self) -> Hour {
        self.from
    }

    /// The hour after the last.
    pub const fn until(self) -> Hour {
        self.until
    }

    /// Whether `hour` is one of them.
    pub fn contains(self, hour: Hour) -> bool {
        (self.from..self.until).contains(&hour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_printed_and_read_again() {
        for (unix, text) in [
            (0, "1970-01-01T00"),
            (3599, "1970-01-01T00"),
            (3600, "1970-01-01T01"),
            (951_825_599, "2000-02-29T11"),
            (1_795_757_600, "2026-11-27T05"),
            (253_402_300_799, "9999-12-31T23"),
            (-1, "1970-01-01T00"),
            (i64::MAX, "9999-12-31T23"),
        ] {
            let hour = Hour::of(Timestamp::from_unix(unix));
            assert_eq!(hour.to_string(), text, "{unix}");
            assert_eq!(Hour::parse(text), Some(hour));
        }
        let last = Hour::of(Timestamp::from_unix(i64::MAX));
        assert_eq!(last.plus(1), last);
        assert_eq!(last.since(last.plus(-5)), 5);
        assert_eq!(last.end().since(last.begin()), 3600);
    }

    #[test]
    fn an_hour_in_another_spelling_is_refused() {
        for bad in [
            "",
            "2026-11-27",
            "2026-11-27T24",
            "2026-11-27t05",
            "2026-11-27 05",
            "2026-11-27T5",
            "2026-11-27T+5",
            "2026-11-27T05Z",
            "2026-11-27T05:00",
            "2026-02-29T05",
            "2026-13-01T05",
            "1969-12-31T23",
            "+2026-11-27T05",
            "02026-11-27T05",
            "10000-01-01T00",
        ] {
            assert_eq!(Hour::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_range_of_no_hours_or_too_many_is_refused() {
        let hour = Hour::of(Timestamp::from_unix(1_795_757_600));
        assert_eq!(Hours::new(hour, hour), None);
        assert_eq!(Hours::new(hour, hour.plus(-1)), None);
        assert_eq!(Hours::new(hour, hour.plus(Hours::MAX + 1)), None);
        let most = Hours::new(hour, hour.plus(Hours::MAX)).unwrap();
        assert!(most.contains(hour) && !most.contains(most.until()));
    }
}
