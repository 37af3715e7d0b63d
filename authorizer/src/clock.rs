//! The clocks of this process. Everything else takes time as an argument.

use std::{
    pin::Pin,
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use doorward_engine::limits::Moment;
use doorward_keys::Timestamp;

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "this is the edge")]
pub fn system() -> SystemTime {
    SystemTime::now()
}

/// The wall clock in whole seconds. A clock before 1970 reads as 1970, when every credential is still to come.
pub fn wall() -> Timestamp {
    Timestamp::from_unix(i64::try_from(since_epoch().as_secs()).unwrap_or(i64::MAX))
}

/// The wall clock in microseconds.
pub fn moment() -> Moment {
    Moment::from_micros(u64::try_from(since_epoch().as_micros()).unwrap_or(u64::MAX))
}

/// Sleeps. What ends with its future sleeps no longer.
pub fn pause(time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(tokio::time::sleep(time))
}

/// How long it is until `deadline_ms`, in milliseconds since the epoch; `None` when that is over.
///
/// Lambda invokes no function whose time is over, but emulators do: `cargo lambda watch` states a deadline in 1970.
pub fn left_until(deadline_ms: u64) -> Option<Duration> {
    Duration::from_millis(deadline_ms)
        .checked_sub(since_epoch())
        .filter(|left| !left.is_zero())
}

/// A monotonic clock: time since its first use.
#[expect(clippy::disallowed_methods, reason = "this is the edge")]
pub fn stopwatch() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}

pub(crate) fn since_epoch() -> Duration {
    system().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_in_the_past_is_no_deadline() {
        assert_eq!(left_until(600_000), None);
        let in_a_minute = u64::try_from(since_epoch().as_millis()).unwrap() + 60_000;
        let left = left_until(in_a_minute).unwrap();
        assert!(left > Duration::from_secs(50) && left <= Duration::from_mins(1));
    }
}
