//! What the service may answer, without the service.

use std::collections::HashMap;

use doorward_engine::limits::{Period, Span};

use super::*;

const NOW: Moment = Moment::from_micros(1_793_491_190_000_000);

fn bucket() -> Bucket {
    Bucket::of("calls", [("key", "key_1")])
}

fn cost(cost: u64) -> NonZeroU64 {
    NonZeroU64::new(cost).unwrap()
}

fn rules() -> Vec<Rule> {
    let (limit, window) = (10, Span::SECOND);
    [
        Algorithm::FixedWindow { limit, window },
        Algorithm::SlidingWindow { limit, window },
        Algorithm::TokenBucket {
            limit,
            window,
            burst: 5,
        },
        Algorithm::LeakyBucket {
            limit,
            window,
            max_wait: Span::SECOND,
        },
        Algorithm::Calendar {
            limit,
            period: Period::Day,
        },
    ]
    .map(|algorithm| Rule::new(algorithm).unwrap())
    .to_vec()
}

fn seen() -> Vec<Option<State>> {
    let window = |ahead: i64, current, previous| {
        let second = 1_000_000;
        Some(State {
            mark: NOW.micros().saturating_add_signed(ahead * second) / 1_000_000 * 1_000_000,
            current,
            previous,
        })
    };
    vec![
        None,
        window(0, 3, 4),
        window(-1, 3, 4),
        window(-2, 3, 4),
        window(2, 3, 4),
        window(-1, u64::MAX, u64::MAX),
    ]
}

#[test]
fn every_update_names_exactly_what_it_uses() {
    for rule in rules() {
        for seen in seen() {
            for cost in [1, 10, 11, u64::MAX].map(cost) {
                let update = Update::fitting(&rule, seen, cost, NOW);
                let text = update.texts().join(" ");
                let words: Vec<&str> = text
                    .split(|c: char| !(c.is_alphanumeric() || "#:_".contains(c)))
                    .collect();
                let mut names: Vec<String> = item::names(&update.texts()).into_keys().collect();
                names.extend(item::values(&update, 0).into_keys());
                names.sort_unstable();
                let mut used: Vec<&str> = words
                    .into_iter()
                    .filter(|word| word.starts_with(['#', ':']))
                    .collect();
                used.sort_unstable();
                used.dedup();
                assert_eq!(names, used, "{update:?}");
            }
        }
    }
}

#[test]
fn a_cost_above_the_limit_is_never_put_to_the_store_as_an_update() {
    for rule in rules() {
        for seen in seen() {
            let above = cost(rule.limit() + 1);
            assert_eq!(Update::fitting(&rule, seen, above, NOW), Update::Look);
        }
    }
}

#[test]
fn the_answer_of_another_update_is_corrupt() {
    for rule in rules() {
        for seen in seen() {
            let update = Update::fitting(&rule, seen, cost(1), NOW);
            for after in [
                State::default(),
                State {
                    mark: 1,
                    current: 1,
                    previous: 1,
                },
                State {
                    mark: u64::MAX,
                    current: u64::MAX,
                    previous: u64::MAX,
                },
            ] {
                assert_eq!(
                    update.answer(&rule, after, cost(1), NOW),
                    None,
                    "{update:?}"
                );
            }
        }
    }
}

#[test]
fn an_item_that_is_not_of_ours_is_corrupt_and_never_untouched() {
    let number = |digits: &str| AttributeValue::N(digits.to_owned());
    let good = || {
        HashMap::from(["format", "mark", "current", "previous"].map(|name| {
            let digits = if name == "format" { "1" } else { "7" };
            (name.to_owned(), number(digits))
        }))
    };
    assert!(item::state(&bucket(), &good()).is_ok());
    for name in ["format", "mark", "current", "previous"] {
        let mut bad = good();
        bad.remove(name);
        let mut values = vec![
            AttributeValue::S("1".to_owned()),
            AttributeValue::Null(true),
        ];
        values.extend(["-1", "1.5", "1e30", "", "18446744073709551616"].map(number));
        let mut all = vec![bad];
        all.extend(values.into_iter().map(|value| {
            let mut bad = good();
            bad.insert(name.to_owned(), value);
            bad
        }));
        for bad in all {
            let read = item::state(&bucket(), &bad);
            assert!(
                matches!(read, Err(LimitStoreError::Corrupt(_))),
                "{name}: {read:?}"
            );
        }
    }
}

#[test]
fn the_item_outlives_the_bucket_by_a_day() {
    for rule in rules() {
        let kept = item::forget_at(&rule, NOW) * 1_000_000 - i128::from(NOW.micros());
        let memory = rule.memory().micros() + Span::DAY.micros();
        assert!(kept >= i128::from(memory));
    }
}
