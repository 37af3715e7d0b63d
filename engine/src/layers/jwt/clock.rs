//! Ages by the wall clock, which can be set back.

use doorward_keys::Timestamp;

/// How far readings may lag behind each other before the clock counts as set back, in seconds. Requests that ran side
/// by side were stamped in an order of their own, and may have waited for a fetch since.
const TOLERANCE: i64 = 15;

/// Turns readings of the wall clock into a time that never runs backwards, so that nothing looks younger than it is.
///
/// The wall clock, and no monotonic one, because a frozen sandbox must find its keys old when it wakes. When the wall
/// clock is set back, all later readings are moved forward by as much.
#[derive(Debug)]
pub(super) struct Clock {
    latest: Timestamp,
    moved: i64,
}

impl Clock {
    /// A clock that has not been read yet.
    pub(super) const fn new() -> Self {
        Self {
            latest: Timestamp::from_unix(i64::MIN),
            moved: 0,
        }
    }

    /// Takes a reading of the wall clock.
    pub(super) fn read(&mut self, now: Timestamp) -> Timestamp {
        let behind = self.latest.since(now.plus(self.moved));
        if behind > TOLERANCE {
            self.moved = self.moved.saturating_add(behind);
        }
        self.latest = self.latest.max(now.plus(self.moved));
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(readings: &[i64], expected: &[i64]) {
        let mut clock = Clock::new();
        let found: Vec<i64> = readings
            .iter()
            .map(|seconds| clock.read(Timestamp::from_unix(*seconds)).unix())
            .collect();
        assert_eq!(found, expected, "{readings:?}");
    }

    #[test]
    fn goes_on_where_it_was_when_the_wall_clock_is_set_back() {
        check(&[1000, 1001], &[1000, 1001]);
        check(&[1000, 400, 410, 500], &[1000, 1000, 1010, 1100]);
        check(
            &[1000, 400, 1000, 400, 401],
            &[1000, 1000, 1600, 1600, 1601],
        );
    }

    #[test]
    fn leaves_requests_that_overtake_each_other_alone() {
        check(&[1000, 1002, 999, 1003], &[1000, 1002, 1002, 1003]);
    }

    #[test]
    fn survives_the_ends_of_the_range() {
        check(&[i64::MAX, i64::MIN, 0], &[i64::MAX, i64::MAX, i64::MAX]);
        check(&[i64::MIN, 0], &[i64::MIN, 0]);
    }

    proptest! {
        #[test]
        fn never_runs_backwards_nor_slower_than_the_wall_clock(steps in prop::collection::vec((-5000_i64..5000, 0_i64..100), 1..50)) {
            let mut clock = Clock::new();
            let mut wall = 1_000_000;
            let mut last = clock.read(Timestamp::from_unix(wall));
            for (set, passed) in steps {
                // The clock is set, read, and read again after some time has really passed.
                wall += set;
                let before = clock.read(Timestamp::from_unix(wall));
                prop_assert!(before >= last);
                wall += passed;
                last = clock.read(Timestamp::from_unix(wall));
                prop_assert!(last >= before);
                prop_assert!(last.since(before) >= passed - TOLERANCE);
            }
        }
    }
}
