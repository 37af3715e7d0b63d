//! The bounds that the module states, over random calls whose clock does not go back, and over callers whose clocks differ.

use proptest::prelude::*;

use super::{
    super::{Algorithm, Outcome},
    Bucket, NEAR_MIDNIGHT, calls, scale,
};

/// The calls in the order of their times.
fn sorted(mut calls: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    calls.sort_by_key(|(_, now)| *now);
    calls
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_algorithm_admits_more_than_its_bound((rule, calls) in calls()) {
        let mut bucket = Bucket::new(rule);
        let mut admitted: Vec<(u128, u128)> = Vec::new();
        let mut slots: Vec<(u128, u128)> = Vec::new();
        for (cost, now) in sorted(calls) {
            if let Outcome::Admitted { wait } = bucket.spend(cost, now).outcome {
                admitted.push((now.into(), cost.into()));
                slots.push((u128::from(now) + u128::from(wait.micros()), cost.into()));
            }
        }
        match rule.algorithm() {
            Algorithm::TokenBucket { limit, window, burst } => {
                let (limit, window) = (u128::from(limit), u128::from(window.micros()));
                for (first, (from, _)) in admitted.iter().enumerate() {
                    let mut sum = 0;
                    for (to, cost) in &admitted[first..] {
                        sum += cost;
                        let gained = (to - from) * limit;
                        prop_assert!(sum * window <= u128::from(burst) * window + gained, "{:?}", rule);
                    }
                }
            }
            Algorithm::LeakyBucket { limit, window, max_wait } => {
                for pair in slots.windows(2) {
                    let [(slot, cost), (next, _)] = pair else { continue };
                    let apart = (next - slot) * u128::from(limit);
                    prop_assert!(apart >= cost * u128::from(window.micros()), "{:?}", rule);
                }
                for ((now, _), (slot, _)) in admitted.iter().zip(&slots) {
                    prop_assert!(slot - now <= u128::from(max_wait.micros()));
                }
            }
            Algorithm::FixedWindow { .. } | Algorithm::Calendar { .. } | Algorithm::SlidingWindow { .. } => {
                let mut sums = std::collections::BTreeMap::<_, u128>::new();
                for (now, cost) in &admitted {
                    let now = super::Moment::from_micros(u64::try_from(*now).unwrap());
                    *sums.entry(rule.window_around(now).0).or_default() += cost;
                }
                prop_assert!(sums.values().all(|sum| *sum <= u128::from(rule.limit())), "{:?}", rule);
            }
        }
    }

    /// However often a clock goes back and forth, no more is admitted than in one place of its latest time.
    #[test]
    fn a_clock_that_goes_back_never_refills((rule, _) in calls(), back in prop::collection::vec(0..=100_u64, 1..50)) {
        let mut bucket = Bucket::new(rule);
        while bucket.spend(1, NEAR_MIDNIGHT).is_admitted() {}
        for percent in back {
            let earlier = NEAR_MIDNIGHT - scale(&rule) * 3 * percent / 100;
            prop_assert!(!bucket.spend(1, earlier).is_admitted(), "{:?}", rule);
        }
    }

    /// A clock that stands still: exactly what the bucket holds.
    #[test]
    fn at_one_moment_exactly_what_the_bucket_holds_is_admitted((rule, _) in calls()) {
        let mut bucket = Bucket::new(rule);
        let whole = bucket.ask(rule.limit() + 1, NEAR_MIDNIGHT).remaining;
        let mut admitted = 0;
        while bucket.spend(1, NEAR_MIDNIGHT).is_admitted() {
            admitted += 1;
        }
        prop_assert_eq!(admitted, whole);
        let expected = match rule.algorithm() {
            Algorithm::LeakyBucket { max_wait, .. } => max_wait.micros() / rule.interval().micros() + 1,
            _ => rule.limit(),
        };
        prop_assert_eq!(admitted, expected);
    }
}
