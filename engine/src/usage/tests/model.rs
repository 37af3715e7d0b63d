//! Random calls, flushes, failures and ends, one after the other and at once: what is written, what waits and what is lost
//! make up what was counted.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use doorward_keys::KeyId;
use proptest::prelude::*;

use super::{LONG, Mood, Store, after, batched, buffer, key, still};
use crate::{
    denial::Class,
    usage::{UsageBuffer, UsageConfig, UsageMode, UsedKey},
};

#[derive(Clone, Debug)]
enum Step {
    Call {
        key: u64,
        refused: Option<Class>,
        at: u64,
    },
    Moods(Vec<Mood>),
    Flush {
        at: u64,
    },
    Finish {
        at: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let refused = prop_oneof![
        Just(None),
        Just(Some(Class::Unauthenticated)),
        Just(Some(Class::Throttled)),
    ];
    let mood = prop_oneof![
        3 => Just(Mood::Writes),
        2 => Just(Mood::Fails),
        2 => Just(Mood::Hides),
        1 => Just(Mood::Silent),
    ];
    // Times go back and forth, over the ends of hours.
    let at = 0..10_000_u64;
    prop_oneof![
        8 => (0..4_u64, refused, at.clone())
            .prop_map(|(key, refused, at)| Step::Call { key, refused, at }),
        2 => proptest::collection::vec(mood, 0..6).prop_map(Step::Moods),
        3 => at.clone().prop_map(|at| Step::Flush { at }),
        1 => at.prop_map(|at| Step::Finish { at }),
    ]
}

fn config() -> impl Strategy<Value = UsageConfig> {
    (1..100_u64, 1..20_u32, any::<bool>()).prop_map(|(seconds, calls, is_on)| UsageConfig {
        mode: if is_on {
            UsageMode::Batched
        } else {
            UsageMode::Exact(super::OnUsageOutage::Allow)
        },
        ..batched(seconds, calls)
    })
}

/// Counts of calls by key: allowed and refused.
type Model = BTreeMap<KeyId, (u64, u64)>;

fn written(store: &Store) -> Model {
    let sums = store.sum().into_iter();
    let both = sums.map(|(key, sum)| (key, (sum.allowed, sum.unauthenticated + sum.throttled)));
    both.collect()
}

async fn take(buffer: &UsageBuffer, config: &UsageConfig, step: &Step, store: &Store) {
    match step {
        Step::Call {
            key: number,
            refused,
            at,
        } => {
            let key = key(*number);
            let used = UsedKey {
                key: &key,
                refused: *refused,
                at: after(*at),
                address: None,
            };
            // A store that is asked at once and never answers would keep the caller; the real ones do not.
            let counting = buffer.count(config, &used, None);
            let _ = tokio::time::timeout(LONG, counting).await.unwrap();
        }
        Step::Moods(moods) => store.will(moods),
        Step::Flush { at } => {
            let flushing = buffer.flush(config, after(*at), LONG);
            let _ = tokio::time::timeout(Duration::from_millis(1), flushing).await;
        }
        Step::Finish { at } => {
            let finishing = buffer.finish(config, after(*at), LONG);
            let _ = tokio::time::timeout(Duration::from_millis(1), finishing).await;
        }
    }
}

/// The steps, with moods that fit the mode.
fn fitting(steps: Vec<Step>, config: &UsageConfig) -> Vec<Step> {
    let is_exact = config.mode != UsageMode::Batched;
    let fit = |step| match step {
        Step::Moods(moods) if is_exact => {
            Step::Moods(moods.into_iter().filter(|m| *m != Mood::Silent).collect())
        }
        other => other,
    };
    steps.into_iter().map(fit).collect()
}

fn model_of(steps: &[Step]) -> Model {
    let mut model = Model::new();
    for step in steps {
        if let Step::Call {
            key: number,
            refused,
            ..
        } = step
        {
            let (allowed, refusals) = model.entry(key(*number)).or_default();
            match refused {
                None => *allowed += 1,
                Some(_) => *refusals += 1,
            }
        }
    }
    model
}

async fn ends_well(buffer: &UsageBuffer, config: &UsageConfig, store: &Store, model: &Model) {
    store.will(&[]);
    buffer.finish(config, after(20_000), LONG).await;
    assert_eq!(written(store), *model);
    assert_eq!(buffer.finish(config, after(20_000), LONG).await, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sums_are_those_of_the_model(steps in proptest::collection::vec(step(), 0..60), config in config()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let steps = fitting(steps, &config);
        runtime.block_on(async {
            let store = Store::new();
            let buffer = buffer(&store);
            for step in &steps {
                take(&buffer, &config, step, &store).await;
            }
            ends_well(&buffer, &config, &store, &model_of(&steps)).await;
        });
    }

    #[test]
    fn sums_hold_when_many_call_and_write_at_once(steps in proptest::collection::vec(step(), 0..60), config in config()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let steps = fitting(steps, &config);
        runtime.block_on(async {
            let store = Store::new();
            let buffer = Arc::new(UsageBuffer::new(Arc::clone(&store) as _, super::name, still));
            let tasks: Vec<_> = steps.chunks(10).map(|part| {
                let (buffer, store, part) = (Arc::clone(&buffer), Arc::clone(&store), part.to_vec());
                tokio::spawn(async move {
                    for step in &part {
                        take(&buffer, &config, step, &store).await;
                        tokio::task::yield_now().await;
                    }
                })
            }).collect();
            for task in tasks {
                task.await.unwrap();
            }
            ends_well(&buffer, &config, &store, &model_of(&steps)).await;
        });
    }
}
