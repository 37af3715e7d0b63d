//! The whole of the memory against a model of a few lines: who may be served, and how often is fetched.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Wait(i64),
    Publish(bool),
    Known,
    Unknown,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_i64..5000).prop_map(Step::Wait),
        any::<bool>().prop_map(Step::Publish),
        Just(Step::Known),
        Just(Step::Unknown),
    ]
}

proptest! {
    #[test]
    fn agrees_with_the_rules(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::with(&["a"], "");
            let (mut now, mut up, mut fetches) = (0, true, 0);
            let (mut fetched_at, mut attempt): (Option<i64>, Option<i64>) = (None, None);
            for step in steps {
                let known = match step {
                    Step::Wait(seconds) => { now += seconds; continue }
                    Step::Publish(publish) => {
                        up = publish;
                        if up { bench.shelf.put(KEYS, &set_of(&["a"])) } else { bench.shelf.remove(KEYS) }
                        continue;
                    }
                    Step::Known => true,
                    Step::Unknown => false,
                };
                let age = |fetched_at: Option<i64>| fetched_at.map_or(i64::MAX, |at| now - at);
                let wants = !known || age(fetched_at) >= 3600;
                if wants && attempt.is_none_or(|last| now - last >= 30) {
                    attempt = Some(now);
                    fetches += 1;
                    if up { fetched_at = Some(now) }
                }
                let expected = match (age(fetched_at) < 18_000, known) {
                    (true, true) => Ok(()),
                    (true, false) => UNKNOWN,
                    (false, _) => UNAVAILABLE,
                };
                let found = bench.look(if known { "a" } else { "x" }, now).await;
                prop_assert_eq!(found, expected);
                prop_assert_eq!(bench.shelf.count(), fetches);
            }
            Ok(())
        })?;
    }
}
