//! Whatever becomes of leases, no more is admitted than the limit: three processes whose clocks differ, two plans, returns,
//! requests that are given up while the store counts, and a store that fails.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use proptest::prelude::*;

use super::*;
use crate::limits::Period;

const fn count(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

/// The numbers of a limit under two plans, with one lease that fits both.
fn rules() -> impl Strategy<Value = ([Terms; 2], NonZeroU64)> {
    let window = Span::from_seconds(1);
    let numbers = (4_u64..40, 0_u64..20, 0_usize..4, 2_u64..10);
    numbers.prop_map(move |(limit, more, kind, lease)| {
        let lease = count(lease.min(limit / 2));
        let terms = [limit, limit + more].map(|limit| {
            let algorithm = match kind {
                0 => Algorithm::FixedWindow { limit, window },
                1 => Algorithm::SlidingWindow { limit, window },
                2 => Algorithm::Calendar {
                    limit,
                    period: Period::Day,
                },
                _ => Algorithm::TokenBucket {
                    limit,
                    window,
                    burst: limit,
                },
            };
            Terms::new(Rule::new(algorithm).unwrap(), Some(lease)).unwrap()
        });
        (terms, lease)
    })
}

/// What happens at one moment.
#[derive(Clone, Copy, Debug)]
enum Event {
    Spend,
    /// The process ends and another takes its place.
    Return,
    /// Whoever asks is gone before the store has answered; it may have counted.
    GiveUp,
    /// The store fails.
    Fail,
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => Just(Event::Spend),
        1 => Just(Event::Return),
        1 => Just(Event::GiveUp),
        1 => Just(Event::Fail),
    ]
}

/// One that was admitted.
#[derive(Debug)]
struct Admission {
    plan: usize,
    now: Moment,
    cost: u64,
    mark: u64,
}

/// No more than the bound, in whatever order they were admitted.
fn hold(terms: &[Terms; 2], admitted: &mut [Admission]) -> Result<(), TestCaseError> {
    admitted.sort_by_key(|call| call.now);
    for (plan, terms) in terms.iter().enumerate() {
        let own: Vec<&Admission> = admitted.iter().filter(|call| call.plan == plan).collect();
        if let Algorithm::TokenBucket {
            limit,
            window,
            burst,
        } = terms.rule.algorithm()
        {
            for (first, begin) in own.iter().enumerate() {
                let mut sum = 0;
                for end in &own[first..] {
                    sum += end.cost;
                    let gained = end.now.since(begin.now).micros() * limit;
                    let bound = burst * window.micros() + gained;
                    prop_assert!(sum * window.micros() <= bound, "{sum} of {:?}", terms.rule);
                }
            }
        }
    }
    if terms[0].rule.interval() == Span::ZERO {
        // By the window in which each was counted; what two plans share is bounded by the larger one.
        let mut sums: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for call in admitted.iter() {
            let (small, all) = sums.entry(call.mark).or_default();
            *all += call.cost;
            *small += if call.plan == 0 { call.cost } else { 0 };
        }
        for (small, all) in sums.values() {
            prop_assert!(*small <= terms[0].rule.limit(), "{small} of {:?}", terms[0]);
            prop_assert!(*all <= terms[1].rule.limit(), "{all} of {:?}", terms[1]);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn leases_never_admit_more_than_the_limit(
        (terms, lease) in rules(),
        skews in proptest::array::uniform3(0_u64..3000),
        calls in proptest::collection::vec((0_u64..100, 0_usize..3, 0_usize..2, 1_u64..4, events()), 1..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = Arc::new(Counting { late_yields: 1, ..Counting::default() });
        let processes: Vec<Leases> = (0..3)
            .map(|_| Leases::new(Arc::clone(&store) as _, BUCKETS))
            .collect();
        let mut now = Moment::from(NOW);
        let mut admitted: Vec<Admission> = Vec::new();
        for (millis, process, plan, cost, event) in calls {
            now = now.plus(Span::from_millis(millis));
            let seen = now.plus(Span::from_millis(skews[process]));
            let leases = &processes[process];
            let rule = &terms[plan].shared;
            let bucket = Bucket::of("x", [("rule", rule.unit().as_str())]);
            let cost = count(cost);
            let asking = async {
                match leases.spend_leased(&bucket, rule, cost, seen) {
                    Some(spent) => Ok(spent),
                    None => leases.spend(&bucket, rule, lease, cost, seen).await.map(|(spent, _)| spent),
                }
            };
            store.set_down(matches!(event, Event::Fail));
            let spent = match event {
                Event::Return => {
                    runtime.block_on(leases.give_back(seen));
                    continue;
                }
                Event::GiveUp => {
                    let mut context = Context::from_waker(Waker::noop());
                    match pin!(asking).as_mut().poll(&mut context) {
                        Poll::Ready(spent) => spent,
                        Poll::Pending => continue,
                    }
                }
                Event::Spend | Event::Fail => runtime.block_on(asking),
            };
            if let Ok(spent) = spent && spent.is_admitted() {
                let (cost, mark) = (cost.get(), spent.state.mark);
                admitted.push(Admission { plan, now: seen, cost, mark });
            }
        }
        hold(&terms, &mut admitted)?;
    }
}
