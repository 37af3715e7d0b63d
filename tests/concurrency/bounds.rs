//! The bounds of the algorithms over a set of admissions, in whatever order they were made.

use std::collections::BTreeMap;

use doorward_engine::limits::{Algorithm, Moment, Rule, state::blend};

use super::caller::Admission;

/// # Panics
///
/// When more was admitted than `rule` admits.
pub(crate) fn hold(rule: &Rule, admitted: &[Admission]) {
    match rule.algorithm() {
        Algorithm::TokenBucket { burst, .. } => {
            let times = sorted(admitted.iter().map(|call| call.now));
            tokens(&times, burst, rule.interval().micros());
        }
        Algorithm::LeakyBucket { max_wait, .. } => {
            let slots = sorted(admitted.iter().map(|call| call.now + call.wait));
            for (slot, next) in slots.iter().zip(slots.iter().skip(1)) {
                let apart = next - slot;
                assert!(apart >= rule.interval().micros(), "slots {apart} us apart");
            }
            assert!(admitted.iter().all(|call| call.wait <= max_wait.micros()));
        }
        Algorithm::FixedWindow { .. }
        | Algorithm::Calendar { .. }
        | Algorithm::SlidingWindow { .. } => windows(rule, admitted),
    }
}

/// In any span of time no more than the burst and what comes in meanwhile.
fn tokens(times: &[u64], burst: u64, interval: u64) {
    for (first, from) in times.iter().enumerate() {
        for (last, to) in times.iter().enumerate().skip(first) {
            let count = (last - first + 1) as u64;
            assert!(
                count * interval <= burst * interval + (to - from),
                "{count} within {} us",
                to - from
            );
        }
    }
}

/// By the window in which each was counted: one whose clock was behind the bucket is counted where the bucket stood.
fn windows(rule: &Rule, admitted: &[Admission]) {
    let mut counted: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for call in admitted {
        let times = counted.entry(call.mark).or_default();
        times.push(call.now.max(call.mark));
    }
    for (begin, times) in &counted {
        let count = times.len() as u64;
        assert!(count <= rule.limit(), "{count} in one window");
        let Algorithm::SlidingWindow { window, .. } = rule.algorithm() else {
            continue;
        };
        let before = begin - window.micros();
        let previous = counted.get(&before).map_or(0, Vec::len) as u64;
        let end = Moment::from_micros(begin + window.micros());
        // Whoever was admitted last of those until a time found room for all of them beside the share of the last window.
        for (place, time) in sorted(times.iter().copied()).into_iter().enumerate() {
            let share = blend(previous, end.since(Moment::from_micros(time)), window);
            let count = place as u64 + 1;
            assert!(
                count + share <= rule.limit(),
                "{count} beside a share of {share}"
            );
        }
    }
}

fn sorted(times: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    times
}

#[cfg(test)]
mod tests {
    use std::{panic::catch_unwind, time::Duration};

    use doorward_tests::limits::one_of_each;

    use super::*;

    /// The suite can fail: one admission too many is seen, whatever the algorithm.
    #[test]
    fn one_too_many_is_seen() {
        for (name, rule) in one_of_each(5, Duration::from_secs(1)) {
            let slot = rule.interval().micros();
            let call = |number: u64| Admission {
                now: 1_000_000_000,
                wait: if name == "leaky bucket" {
                    slot * number
                } else {
                    0
                },
                mark: 1_000_000_000,
            };
            let mut calls: Vec<Admission> = (0..5).map(call).collect();
            hold(&rule, &calls);
            calls.push(Admission {
                wait: calls.last().unwrap().wait,
                ..call(0)
            });
            assert!(catch_unwind(|| hold(&rule, &calls)).is_err(), "{name}");
        }
    }

    #[test]
    fn one_beside_the_share_of_a_full_window_is_seen() {
        let (_, rule) = one_of_each(4, Duration::from_secs(1)).remove(1);
        let call = |now: u64| Admission {
            now,
            wait: 0,
            mark: now / 1_000_000 * 1_000_000,
        };
        let mut calls: Vec<Admission> = [0, 1, 2, 3].map(|n| call(1_000_000_000 + n)).to_vec();
        calls.push(call(1_001_250_000));
        hold(&rule, &calls);
        calls.push(call(1_001_499_999));
        assert!(catch_unwind(|| hold(&rule, &calls)).is_err());
    }
}
