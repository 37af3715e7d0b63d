//! Points in time as people write them: `now`, so long ago (`36h`, `7d`), a day (`2026-11-01`), a time (`2026-11-01T06:00:00Z`).

use doorward_keys::Timestamp;
use time::{Date, PrimitiveDateTime, macros::format_description};

use crate::duration;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So many seconds before now.
    Ago(i64),
    /// Then.
    At(Timestamp),
}

impl When {
    /// Reads a point in time; days and times are of UTC.
    ///
    /// # Errors
    /// One line that says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "now" {
            return Ok(Self::Ago(0));
        }
        if let Ok(seconds) = duration::not_negative(text) {
            return Ok(Self::Ago(seconds));
        }
        let day = format_description!("[year]-[month]-[day]");
        let time = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        let at = Date::parse(text, day)
            .map(Date::midnight)
            .or_else(|_| PrimitiveDateTime::parse(text, time));
        at.map(|at| Self::At(Timestamp::from_unix(at.assume_utc().unix_timestamp())))
            .map_err(|_| {
                format!(
                    "`{text}` is no time; write `36h`, `7d`, `2026-11-01` or `2026-11-01T06:00:00Z`"
                )
            })
    }

    /// The point, seen from `now`.
    pub const fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(seconds) => now.plus(seconds.saturating_neg()),
            Self::At(at) => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_spans_days_and_times() {
        let now = Timestamp::from_unix(1_795_428_000);
        for (text, expected) in [
            ("36h", 1_795_428_000 - 36 * 3600),
            ("0s", 1_795_428_000),
            ("now", 1_795_428_000),
            ("2026-11-23", 1_795_392_000),
            ("2026-11-23T10:00:00Z", 1_795_428_000),
            ("1970-01-01", 0),
        ] {
            let when = When::parse(text).unwrap();
            assert_eq!(when.from(now).unix(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "yesterday",
            "-1h",
            "2026-13-01",
            "2026-02-29",
            "2026-11-23T10:00Z",
            "2026-11-23T10:00:00+01:00",
            "1w",
        ] {
            assert!(
                When::parse(text).unwrap_err().contains("2026-11-01"),
                "{text}"
            );
        }
    }
}
