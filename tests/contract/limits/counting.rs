//! Counting: every answer is that of the algorithm, whoever else asks.

use std::{sync::Arc, time::Duration};

use doorward_engine::limits::{
    Algorithm, Bucket, LimitStore, Moment, Outcome, Period, Rule, Span, Spent, State,
    state::{give_back, spend},
};
use doorward_tests::limits::{NEAR_MIDNIGHT, cost, one_of_each, sequences};

use super::places::Place;

const NOW: Moment = Moment::from_micros(NEAR_MIDNIGHT);

fn bucket(name: &str) -> Bucket {
    Bucket::of("calls", [("key", name)])
}

async fn ask(
    store: &Arc<dyn LimitStore>,
    bucket: &Bucket,
    rule: &Rule,
    spent: u64,
    now: u64,
) -> Spent {
    let now = Moment::from_micros(now);
    store.spend(bucket, rule, cost(spent), now).await.unwrap()
}

pub(super) async fn random_calls_are_answered_as_the_algorithm_answers(place: &Place) {
    for (number, (rule, calls)) in sequences(7, 80).into_iter().enumerate() {
        let bucket = bucket(&number.to_string());
        let mut state: Option<State> = None;
        for call in calls {
            let store = &place.callers[call.through];
            let expected = spend(&rule, state, call.cost, call.now);
            let answer = store.spend(&bucket, &rule, call.cost, call.now).await;
            assert_eq!(answer, Ok(expected), "{rule:?} {call:?} on {state:?}");
            if !expected.is_admitted() {
                continue;
            }
            state = Some(expected.state);
            if call.back > 0 {
                let amount = cost((call.cost.get() * call.back).div_ceil(100));
                let given = store.give_back(&bucket, &rule, amount, &expected).await;
                assert_eq!(given, Ok(()), "{rule:?} {call:?}");
                let after = give_back(&rule, expected.state, amount, expected.state.mark);
                state = Some(after);
            }
        }
    }
}

pub(super) async fn buckets_do_not_touch_each_other(place: &Place) {
    let long = "x".repeat(3000);
    let names = [
        bucket("a"),
        bucket("b"),
        bucket("a|key=b"),
        bucket("a%7Ckey=b"),
        bucket("#rate"),
        bucket("ключ \u{0} \n"),
        bucket(""),
        Bucket::of("calls", []),
        Bucket::of("calls", [("key", "a"), ("route", "b")]),
        bucket(&long),
        bucket(&format!("{long}y")),
    ];
    for (_, rule) in one_of_each(1, Duration::from_secs(1)) {
        // Each after all the others have spent what they have.
        let now = NEAR_MIDNIGHT + u64::from(rule.memory() > Span::SECOND) * 100_000_000_000;
        for name in &names {
            let own = Bucket::of(name.as_str(), [("rule", &*format!("{rule:?}"))]);
            assert!(
                ask(&place.callers[0], &own, &rule, 1, now)
                    .await
                    .is_admitted()
            );
            assert!(
                !ask(&place.callers[1], &own, &rule, 1, now)
                    .await
                    .is_admitted()
            );
        }
    }
}

pub(super) async fn a_cost_above_the_limit_is_refused_for_ever_and_spends_nothing(place: &Place) {
    let never = Outcome::Refused { retry_at: None };
    for (name, rule) in one_of_each(3, Duration::from_secs(3)) {
        let bucket = bucket(name);
        let store = &place.callers[0];
        for above in [rule.limit() + 1, u64::MAX] {
            assert_eq!(
                ask(store, &bucket, &rule, above, NEAR_MIDNIGHT)
                    .await
                    .outcome,
                never
            );
        }
        let first = ask(store, &bucket, &rule, 1, NEAR_MIDNIGHT).await;
        assert_eq!(first, spend(&rule, None, cost(1), NOW), "{name}");
        let above = ask(store, &bucket, &rule, u64::MAX, NEAR_MIDNIGHT).await;
        assert_eq!(above.outcome, never);
        assert_eq!(above.remaining, first.remaining, "{name}");
    }
}

pub(super) async fn of_callers_at_one_moment_exactly_the_limit_is_admitted(place: &Place) {
    for limit in [1, 20] {
        for (name, rule) in one_of_each(limit, Duration::from_secs(2)) {
            let bucket = bucket(&format!("{name} {limit}"));
            let tasks: Vec<_> = (0..40_usize)
                .map(|number| {
                    let store = Arc::clone(&place.callers[number % 2]);
                    let bucket = bucket.clone();
                    tokio::spawn(async move { store.spend(&bucket, &rule, cost(1), NOW).await })
                })
                .collect();
            let mut admitted = Vec::new();
            for task in tasks {
                let spent = task.await.unwrap().unwrap();
                if let Outcome::Admitted { wait } = spent.outcome {
                    admitted.push(wait);
                }
            }
            assert_eq!(admitted.len() as u64, limit, "{name}");
            if name == "leaky bucket" {
                // Everybody has a slot of his own.
                admitted.sort_unstable();
                admitted.dedup();
                assert_eq!(admitted.len() as u64, limit);
            }
        }
    }
}

pub(super) async fn numbers_at_the_ends_of_the_range_are_counted_exactly(place: &Place) {
    let month = Span::from_seconds(31 * 86_400);
    let most = Rule::MAX_LIMIT;
    let algorithms = [
        Algorithm::FixedWindow {
            limit: most,
            window: month,
        },
        Algorithm::Calendar {
            limit: most,
            period: Period::Month,
        },
        Algorithm::SlidingWindow {
            limit: ((1 << 53) - 1) / 10_000,
            window: Span::from_seconds(10),
        },
        Algorithm::SlidingWindow {
            limit: ((1 << 53) - 1) / (31 * 86_400 * 1000),
            window: month,
        },
        Algorithm::TokenBucket {
            limit: 1_000_000,
            window: Span::SECOND,
            burst: month.micros(),
        },
        Algorithm::LeakyBucket {
            // The most that whole microseconds can pace without loss below the largest limit.
            limit: month.micros() / 3,
            window: month,
            max_wait: Rule::MAX_WAIT,
        },
    ];
    // The year 2100, and a time near the end of what is exact in floating point.
    for now in [4_102_444_800_123_457, (1 << 53) - month.micros() * 3] {
        for (number, algorithm) in algorithms.iter().enumerate() {
            let rule = Rule::new(*algorithm).unwrap();
            let bucket = bucket(&format!("{number} at {now}"));
            let mut state = None;
            for (spent, at) in [
                (rule.limit() - 1, now),
                (1, now),
                (1, now),
                (1, now + 1),
                (rule.limit() / 3, now + 500_001),
                (1, now + 1_000_001),
                (rule.limit() / 2, now + 1_500_000),
            ] {
                let expected = spend(&rule, state, cost(spent), Moment::from_micros(at));
                let answer = ask(&place.callers[0], &bucket, &rule, spent, at).await;
                assert_eq!(answer, expected, "{rule:?} {spent} at {at}");
                if expected.is_admitted() {
                    state = Some(expected.state);
                }
            }
        }
    }
}

pub(super) async fn a_store_that_never_saw_the_bucket_counts_on(place: &Place) {
    for (name, rule) in one_of_each(3, Duration::from_secs(3)) {
        let bucket = bucket(name);
        for left in [2, 1, 0] {
            let spent = ask(&place.newcomer(), &bucket, &rule, 1, NEAR_MIDNIGHT).await;
            assert!(spent.is_admitted(), "{name}");
            assert_eq!(spent.remaining, left, "{name}");
        }
        let spent = ask(&place.newcomer(), &bucket, &rule, 1, NEAR_MIDNIGHT).await;
        assert!(!spent.is_admitted(), "{name}");
    }
}

pub(super) async fn what_is_given_back_can_be_spent_again_in_its_window_only(place: &Place) {
    for (name, rule) in one_of_each(10, Duration::from_secs(10)) {
        let bucket = bucket(name);
        let store = &place.callers[0];
        let lease = ask(store, &bucket, &rule, 10, NEAR_MIDNIGHT).await;
        assert!(lease.is_admitted(), "{name}");
        let given = place.callers[1]
            .give_back(&bucket, &rule, cost(4), &lease)
            .await;
        assert_eq!(given, Ok(()));
        let again = ask(store, &bucket, &rule, 1, NEAR_MIDNIGHT).await;
        let is_paced = rule.interval() > Span::ZERO;
        // What is paced comes back with time and cannot be given back besides.
        if is_paced {
            let after = spend(&rule, Some(lease.state), cost(1), NOW);
            assert_eq!(again, after, "{name}");
            continue;
        }
        assert_eq!((again.is_admitted(), again.remaining), (true, 3), "{name}");
        // In the next window: nothing of it.
        let later = rule.window_around(NOW).1.micros();
        let next = ask(store, &bucket, &rule, 1, later).await;
        let given = store.give_back(&bucket, &rule, cost(3), &lease).await;
        assert_eq!(given, Ok(()));
        let after = ask(store, &bucket, &rule, 1, later).await;
        let was = next.is_admitted().then_some(next.state);
        let was = was.or(Some(again.state));
        let expected = spend(&rule, was, cost(1), Moment::from_micros(later));
        assert_eq!(after, expected, "{name}");
        // And of a bucket that nobody knows: nothing, and no fault.
        let unknown = self::bucket(&format!("unknown {name}"));
        let given = store.give_back(&unknown, &rule, cost(1), &lease).await;
        assert_eq!(given, Ok(()));
        assert_eq!(
            ask(store, &unknown, &rule, 1, later).await,
            spend(&rule, None, cost(1), Moment::from_micros(later))
        );
    }
}

pub(super) async fn a_narrowed_limit_holds_at_once(place: &Place) {
    let window = Duration::from_secs(10);
    let wide = one_of_each(10, window);
    let narrow = one_of_each(2, window);
    for ((name, wide), (_, narrow)) in wide.into_iter().zip(narrow) {
        if wide.interval() > Span::ZERO {
            continue;
        }
        let bucket = bucket(name);
        let mut last = ask(&place.callers[0], &bucket, &wide, 9, NEAR_MIDNIGHT).await;
        assert!(last.is_admitted());
        let begin = wide.window_around(NOW).1.micros();
        for at in [NEAR_MIDNIGHT, begin, begin + 3_000_000, begin + 9_999_000] {
            let expected = spend(&narrow, Some(last.state), cost(1), Moment::from_micros(at));
            let answer = ask(&place.callers[1], &bucket, &narrow, 1, at).await;
            assert_eq!(answer, expected, "{name} at {at}");
            if expected.is_admitted() {
                last = expected;
            }
        }
    }
}

pub(super) async fn a_rule_of_another_kind_takes_the_bucket_over(place: &Place) {
    let rules = one_of_each(5, Duration::from_secs(5));
    for (from, first) in &rules {
        for (to, second) in &rules {
            let bucket = bucket(&format!("{from} {to}"));
            assert!(
                ask(&place.callers[0], &bucket, first, 3, NEAR_MIDNIGHT)
                    .await
                    .is_admitted()
            );
            // What an earlier configuration counted may weigh on this one, but never adds to it.
            let mut admitted = 0;
            for caller in [0, 1, 0, 1, 0, 1, 0, 1] {
                let spent = ask(&place.callers[caller], &bucket, second, 1, NEAR_MIDNIGHT).await;
                admitted += u64::from(spent.is_admitted());
            }
            assert!(admitted <= 5, "{from} to {to}: {admitted}");
        }
    }
}
