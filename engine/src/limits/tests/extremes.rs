//! The ends of the range: what cannot be counted is refused, and nothing overflows.

use proptest::prelude::*;

use super::{
    super::{Algorithm, Outcome, Period, Rule, RuleFault, Span},
    Bucket, Moment, NEAR_MIDNIGHT, State, cost_of, state,
};

fn edges() -> impl Strategy<Value = u64> {
    let beside = prop::sample::select(vec![
        0,
        1_000,
        1_000_000,
        1 << 32,
        1_000_000_000_000,
        1 << 53,
        31 * 86_400 * 1_000_000,
        i64::MAX as u64,
        u64::MAX,
    ]);
    prop_oneof![
        (beside, 0..3_u64, any::<bool>()).prop_map(|(edge, by, up)| if up {
            edge.saturating_add(by)
        } else {
            edge.saturating_sub(by)
        }),
        any::<u64>(),
        0..2_000_000_000_u64,
    ]
}

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    let span = || edges().prop_map(Span::from_micros);
    let period = prop_oneof![Just(Period::Day), Just(Period::Month)];
    prop_oneof![
        (edges(), span()).prop_map(|(limit, window)| Algorithm::FixedWindow { limit, window }),
        (edges(), span()).prop_map(|(limit, window)| Algorithm::SlidingWindow { limit, window }),
        (edges(), span(), edges()).prop_map(|(limit, window, burst)| Algorithm::TokenBucket {
            limit,
            window,
            burst,
        }),
        (edges(), span(), span()).prop_map(|(limit, window, max_wait)| Algorithm::LeakyBucket {
            limit,
            window,
            max_wait,
        }),
        (edges(), period).prop_map(|(limit, period)| Algorithm::Calendar { limit, period }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Whatever a store may hold and a clock may say: no panic, no admission above the limit, no more left than the limit.
    #[test]
    fn no_number_overflows(
        algorithm in any_algorithm(),
        held in prop::option::of((edges(), edges(), edges())),
        cost in edges(),
        now in edges(),
    ) {
        let Ok(rule) = Rule::new(algorithm) else { return Ok(()) };
        let held = held.map(|(mark, current, previous)| State { mark, current, previous });
        let spent = state::spend(&rule, held, cost_of(cost), Moment::from_micros(now));
        if cost > rule.limit() {
            prop_assert_eq!(spent.outcome, Outcome::Refused { retry_at: None });
        }
        if !matches!(algorithm, Algorithm::LeakyBucket { .. }) {
            prop_assert!(spent.remaining <= rule.limit());
        }
        prop_assert!(spent.state.mark >= held.unwrap_or_default().mark);
        let _ = rule.memory();
        let given = state::give_back(&rule, spent.state, cost_of(cost), spent.state.mark);
        prop_assert!(given.current <= spent.state.current);
    }

    /// What a store that counts in 64-bit floating point computes stays exact: below 2^53.
    #[test]
    fn a_rule_holds_only_numbers_that_are_exact_in_floating_point(algorithm in any_algorithm(), now in 0..=1_u64 << 52) {
        let Ok(rule) = Rule::new(algorithm) else { return Ok(()) };
        let mut bucket = Bucket::new(rule);
        let spent = bucket.spend(rule.limit(), now);
        prop_assert!(spent.is_admitted());
        let (_, end) = rule.window_around(Moment::from_micros(now));
        for number in [spent.state.mark, spent.state.current, end.micros(), now + rule.memory().micros()] {
            prop_assert!(number < 1 << 53, "{:?} {}", rule, number);
        }
    }
}

#[test]
fn numbers_that_make_no_rule_are_refused() {
    let second = Span::SECOND;
    let fixed = |limit, window| Algorithm::FixedWindow { limit, window };
    let sliding = |limit, window| Algorithm::SlidingWindow { limit, window };
    let tokens = |limit, window, burst| Algorithm::TokenBucket {
        limit,
        window,
        burst,
    };
    let leaky = |limit, window, max_wait| Algorithm::LeakyBucket {
        limit,
        window,
        max_wait,
    };
    let month = |limit| Algorithm::Calendar {
        limit,
        period: Period::Month,
    };
    for (algorithm, fault) in [
        (fixed(0, second), RuleFault::Limit),
        (fixed(Rule::MAX_LIMIT + 1, second), RuleFault::Limit),
        (fixed(u64::MAX, second), RuleFault::Limit),
        (month(0), RuleFault::Limit),
        (fixed(1, Span::ZERO), RuleFault::Window),
        (fixed(1, Span::from_micros(999_999)), RuleFault::Window),
        (fixed(1, Span::from_micros(u64::MAX)), RuleFault::Window),
        (sliding(1, Span::from_micros(1_000_500)), RuleFault::Window),
        (sliding(Rule::MAX_LIMIT, Span::DAY), RuleFault::Product),
        (tokens(1_000_001, second, 1), RuleFault::Rate),
        (leaky(1_000_001, second, Span::ZERO), RuleFault::Rate),
        (tokens(600_000, second, 1), RuleFault::Rounding),
        (leaky(999_999, second, Span::ZERO), RuleFault::Rounding),
        (tokens(1, second, 0), RuleFault::Burst),
        (tokens(1, second, u64::MAX), RuleFault::Burst),
        (tokens(1, Rule::MAX_WINDOW, 2), RuleFault::Burst),
        (leaky(1, second, Span::from_seconds(6)), RuleFault::Wait),
    ] {
        assert_eq!(Rule::new(algorithm), Err(fault), "{algorithm:?}");
    }
}

#[test]
fn a_limit_of_one_admits_one() {
    for algorithm in [
        Algorithm::FixedWindow {
            limit: 1,
            window: Span::SECOND,
        },
        Algorithm::SlidingWindow {
            limit: 1,
            window: Span::SECOND,
        },
        Algorithm::TokenBucket {
            limit: 1,
            window: Span::SECOND,
            burst: 1,
        },
        Algorithm::LeakyBucket {
            limit: 1,
            window: Span::SECOND,
            max_wait: Span::ZERO,
        },
        Algorithm::Calendar {
            limit: 1,
            period: Period::Day,
        },
    ] {
        let mut bucket = Bucket::new(Rule::new(algorithm).unwrap());
        assert!(bucket.spend(1, NEAR_MIDNIGHT).is_admitted());
        assert!(!bucket.spend(1, NEAR_MIDNIGHT).is_admitted());
        assert!(!bucket.spend(2, NEAR_MIDNIGHT).is_admitted());
    }
}

/// A configuration that narrows a limit finds buckets in which more was counted than it admits.
#[test]
fn a_narrowed_limit_holds_at_once_and_weighs_no_more_than_itself() {
    let narrow = Algorithm::SlidingWindow {
        limit: 10,
        window: Span::SECOND,
    };
    let begin = NEAR_MIDNIGHT - NEAR_MIDNIGHT % 1_000_000;
    let state = Some(State {
        mark: begin,
        current: 1000,
        previous: 1000,
    });
    let bucket = Bucket {
        rule: Rule::new(narrow).unwrap(),
        state,
    };
    assert!(!bucket.ask(1, begin + 999_000).is_admitted());
    // In the next window the thousand weigh like ten.
    let spent = bucket.ask(1, begin + 1_900_000);
    assert!(spent.is_admitted());
    assert_eq!(spent.remaining, 8);
}
