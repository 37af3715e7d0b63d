//! From when until when usage is shown, in whole steps of UTC.

use doorward_keys::{Hour, Hours, Timestamp};
use time::{Date, OffsetDateTime};

use super::{By, ReadUsage, fields::Check};

/// The last second of the year 9999, where the calendar ends.
pub(super) const LAST_SECOND: i64 = 253_402_300_799;
const SECONDS_OF_HOUR: i64 = 3600;
const SECONDS_OF_DAY: i64 = 86_400;
/// The longest time that is shown by hours, in days.
const MAX_DAYS_BY_HOUR: i64 = 31;
/// The longest time that is shown by days or months, in days: for so long counts are kept, and the month in which they end.
const MAX_DAYS: i64 = 432;

/// Steps in order and without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) by: By,
    /// The beginning of each step, and the end of the last.
    edges: Vec<Timestamp>,
}

/// Which steps `asked` means at `now`. `None` where there is a fault.
pub(crate) fn check_span(asked: &ReadUsage, now: Timestamp, check: &mut Check) -> Option<Span> {
    let by = asked.by.unwrap_or(By::Hour);
    let mut in_range = |field: &str, value: Option<i64>| match value {
        Some(value) if !(0..=LAST_SECOND).contains(&value) => {
            let message = format!("is {value}, expected seconds from 0 to {LAST_SECOND}");
            check.add(field, message);
            None
        }
        Some(value) => Some(Some(value)),
        None => Some(None),
    };
    let from = in_range("from", asked.from);
    let to = in_range("to", asked.to);
    let (from, to) = (from?, to?);
    let now = now.unix().clamp(0, LAST_SECOND);
    let end = end_of_step(by, to.unwrap_or(now.saturating_add(1)));
    let begin = match from {
        Some(from) => begin_of_step(by, from),
        None => default_begin(by, end),
    };
    if begin >= end {
        check.add(
            "from",
            "is not before the end; leave `to` out for now, or choose an earlier `from`",
        );
        return None;
    }
    let seconds = end.saturating_sub(begin);
    let days = seconds.saturating_add(SECONDS_OF_DAY - 1) / SECONDS_OF_DAY;
    let max = by.max_days();
    if days > max {
        let by = by.as_str();
        let message = format!("is {days} days before the end, expected at most {max} by {by}");
        check.add("from", message);
        return None;
    }
    let mut edges = vec![Timestamp::from_unix(begin)];
    let mut at = begin;
    while at < end {
        at = next_step(by, at);
        edges.push(Timestamp::from_unix(at));
    }
    Some(Span { by, edges })
}

impl Span {
    /// The beginning.
    pub(crate) fn from(&self) -> Timestamp {
        self.edges
            .first()
            .copied()
            .unwrap_or(Timestamp::from_unix(0))
    }

    /// The end, which is not part of it.
    pub(crate) fn to(&self) -> Timestamp {
        self.edges
            .last()
            .copied()
            .unwrap_or(Timestamp::from_unix(0))
    }

    /// The steps, each with its beginning and its end.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let ends = self.edges.iter().skip(1);
        self.edges.iter().copied().zip(ends.copied())
    }

    /// All hours, in parts that a store answers at once.
    pub(crate) fn hours(&self) -> Vec<Hours> {
        let end = Hour::of(self.to());
        let mut parts = Vec::new();
        let mut from = Hour::of(self.from());
        while from < end {
            let until = from.plus(Hours::MAX).min(end);
            parts.extend(Hours::new(from, until));
            from = until;
        }
        parts
    }
}

impl By {
    const fn max_days(self) -> i64 {
        match self {
            Self::Hour => MAX_DAYS_BY_HOUR,
            Self::Day | Self::Month => MAX_DAYS,
        }
    }
}

fn begin_of_step(by: By, at: i64) -> i64 {
    match by {
        By::Hour => at.saturating_sub(at.rem_euclid(SECONDS_OF_HOUR)),
        By::Day => at.saturating_sub(at.rem_euclid(SECONDS_OF_DAY)),
        By::Month => date(at).replace_day(1).map_or(at, seconds),
    }
}

/// The end of the step in which `at` lies; `at` itself where a step begins there.
fn end_of_step(by: By, at: i64) -> i64 {
    match begin_of_step(by, at) {
        begin if begin == at => at,
        begin => next_step(by, begin),
    }
}

/// The step behind the one that begins at `begin`.
fn next_step(by: By, begin: i64) -> i64 {
    match by {
        By::Hour => begin.saturating_add(SECONDS_OF_HOUR),
        By::Day => begin.saturating_add(SECONDS_OF_DAY),
        By::Month => {
            let date = date(begin);
            let days = i64::from(date.month().length(date.year()));
            begin.saturating_add(days.saturating_mul(SECONDS_OF_DAY))
        }
    }
}

fn default_begin(by: By, end: i64) -> i64 {
    let begin = match by {
        By::Hour => end.saturating_sub(24 * SECONDS_OF_HOUR),
        By::Day => end.saturating_sub(30 * SECONDS_OF_DAY),
        // The same month a year before, whose first day is always there.
        By::Month => {
            let last = date(end);
            last.replace_year(last.year().saturating_sub(1))
                .map_or(end, seconds)
        }
    };
    begin.max(0)
}

fn date(at: i64) -> Date {
    // INVARIANT: what is asked lies inside the calendar.
    OffsetDateTime::from_unix_timestamp(at)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .date()
}

fn seconds(date: Date) -> i64 {
    date.midnight().assume_utc().unix_timestamp()
}

#[cfg(test)]
mod tests;
