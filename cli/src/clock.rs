//! The clocks of this process: the only place of the command that reads them.

use std::{
    pin::Pin,
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use doorward_engine::limits::Moment;
use doorward_keys::Timestamp;
use time::{OffsetDateTime, macros::format_description};

/// The time of day.
pub fn wall() -> Timestamp {
    moment().timestamp()
}

/// The time of day in microseconds.
pub fn moment() -> Moment {
    let since = system().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
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

/// Sleeps. What ends with its future sleeps no longer.
pub fn pause(time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(tokio::time::sleep(time))
}

/// `time` as `2026-11-23T10:00:00Z`.
pub fn shown(time: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    OffsetDateTime::from_unix_timestamp(time.unix())
        .ok()
        .and_then(|time| time.format(format).ok())
        .unwrap_or_else(|| time.unix().to_string())
}
