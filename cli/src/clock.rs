//! The clocks of this process: the only place of the command that reads them.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use doorward_keys::Timestamp;
use time::{OffsetDateTime, macros::format_description};

/// The time of day.
pub fn wall() -> Timestamp {
    let since = system().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The time of day, as signatures need it.
#[expect(clippy::disallowed_methods, reason = "the edge of the command")]
pub fn system() -> SystemTime {
    SystemTime::now()
}

/// Time since the first call, by a clock that never goes back.
#[expect(clippy::disallowed_methods, reason = "the edge of the command")]
pub fn stopwatch() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// `time` as `2026-11-23T10:00:00Z`.
pub fn shown(time: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    OffsetDateTime::from_unix_timestamp(time.unix())
        .ok()
        .and_then(|time| time.format(format).ok())
        .unwrap_or_else(|| time.unix().to_string())
}
