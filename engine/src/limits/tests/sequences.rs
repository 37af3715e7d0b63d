//! Random calls: admitted exactly where the model admits, and told the truth about what is left and when to come back.

use proptest::prelude::*;

use super::{
    super::{Algorithm, Outcome, Span},
    Bucket, NEAR_MIDNIGHT, calls, cost_of,
    model::{Model, Says},
};

fn says(outcome: Outcome) -> Says {
    match outcome {
        Outcome::Admitted { wait } => Says::Admitted(wait.micros().into()),
        Outcome::Refused { .. } => Says::Refused,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_call_is_answered_as_the_model_answers((rule, calls) in calls()) {
        let mut bucket = Bucket::new(rule);
        let mut model = Model::of(&rule);
        for (cost, now) in calls {
            let spent = bucket.spend(cost, now);
            prop_assert_eq!(says(spent.outcome), model.spend(cost, now), "{:?} {} {}", rule, cost, now);
        }
    }

    #[test]
    fn what_remains_can_be_spent_and_not_one_more((rule, calls) in calls()) {
        let mut bucket = Bucket::new(rule);
        if let Algorithm::LeakyBucket { .. } = rule.algorithm() {
            let (mut left, mut latest) = (0, 0);
            for (cost, now) in calls {
                (left, latest) = (bucket.spend(cost, now).remaining, now);
            }
            for _ in 0..left {
                prop_assert!(bucket.spend(1, latest).is_admitted());
            }
            prop_assert!(!bucket.spend(1, latest).is_admitted());
            return Ok(());
        }
        for (cost, now) in calls {
            let left = bucket.spend(cost, now).remaining;
            prop_assert!(left <= rule.limit());
            prop_assert!(left == 0 || bucket.ask(left, now).is_admitted(), "{} of {:?}", left, rule);
            prop_assert!(!bucket.ask(left + 1, now).is_admitted(), "{} of {:?}", left + 1, rule);
        }
    }

    #[test]
    fn whoever_comes_back_when_told_is_admitted_and_nobody_sooner((rule, calls) in calls()) {
        let mut bucket = Bucket::new(rule);
        // The blend of a sliding window moves once in a millisecond.
        let step = match rule.algorithm() {
            Algorithm::SlidingWindow { .. } => 1000,
            _ => 1,
        };
        for (cost, now) in calls {
            let Outcome::Refused { retry_at } = bucket.spend(cost, now).outcome else {
                continue;
            };
            prop_assert_eq!(retry_at.is_none(), cost > rule.limit());
            let Some(retry_at) = retry_at else { continue };
            let at = retry_at.micros();
            prop_assert!(at > now, "{} is not after {}", at, now);
            prop_assert!(bucket.ask(cost, at).is_admitted(), "{:?} cost {} at {}", rule, cost, at);
            if at - step >= now {
                prop_assert!(!bucket.ask(cost, at - step).is_admitted(), "{:?} cost {} before {}", rule, cost, at);
            }
        }
    }

    #[test]
    fn at_the_reset_the_bucket_is_whole((rule, calls) in calls()) {
        let mut bucket = Bucket::new(rule);
        for (cost, now) in calls {
            let spent = bucket.spend(cost, now);
            prop_assert!(spent.reset_at.micros() >= now);
            let then = bucket.ask(rule.limit(), spent.reset_at.micros());
            if let Algorithm::SlidingWindow { .. } = rule.algorithm() {
                // What was spent in the window weighs on the next one; at the end of that nothing does.
                continue;
            }
            prop_assert!(then.is_admitted(), "{:?}", rule);
        }
    }

    #[test]
    fn a_bucket_forgotten_after_its_time_admits_nobody((rule, calls) in calls(), later in 0..=10_000_000_u64) {
        let mut bucket = Bucket::new(rule);
        let mut latest = 0;
        for (cost, now) in calls {
            if bucket.spend(cost, now).is_admitted() {
                latest = latest.max(now);
            }
        }
        // Kept from the latest admission on; callers whose clock is behind by then are beyond what a store can hold.
        let at = latest + rule.memory().micros() + later;
        for cost in [1, rule.limit()] {
            prop_assert_eq!(bucket.ask(cost, at).outcome, Bucket::new(rule).ask(cost, at).outcome);
        }
        prop_assert_eq!(bucket.ask(1, at).remaining, Bucket::new(rule).ask(1, at).remaining);
    }

    #[test]
    fn a_return_makes_room_for_no_more_than_was_spent((rule, calls) in calls(), part in 1..=100_u64) {
        let mut bucket = Bucket::new(rule);
        for (cost, now) in calls {
            let before = bucket.ask(1, now);
            let spent = bucket.spend(cost, now);
            if !spent.is_admitted() {
                continue;
            }
            let amount = (cost * part).div_ceil(100);
            let mark = spent.state.mark;
            let given = super::state::give_back(&rule, spent.state, cost_of(amount), mark);
            let after = Bucket { rule, state: Some(given) }.ask(1, now);
            prop_assert!(after.remaining <= before.remaining.max(1), "{:?}", rule);
            let elsewhere = super::state::give_back(&rule, spent.state, cost_of(amount), mark + 1);
            prop_assert_eq!(elsewhere, spent.state);
        }
    }
}

#[test]
fn the_bucket_of_a_month_is_whole_again_at_the_first_of_the_next() {
    let algorithm = Algorithm::Calendar {
        limit: 1,
        period: super::Period::Month,
    };
    let rule = super::Rule::new(algorithm).unwrap();
    let mut bucket = Bucket::new(rule);
    assert!(bucket.spend(1, NEAR_MIDNIGHT).is_admitted());
    let refused = bucket.spend(1, NEAR_MIDNIGHT + Span::SECOND.micros());
    let first_of_november = NEAR_MIDNIGHT + 10 * Span::SECOND.micros();
    assert_eq!(refused.reset_at.micros(), first_of_november);
    assert!(!bucket.ask(1, first_of_november - 1).is_admitted());
    assert!(bucket.ask(1, first_of_november).is_admitted());
}
