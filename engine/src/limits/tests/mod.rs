//! Every algorithm against a small model that shares no code with it, over random sequences of calls.

mod bounds;
mod extremes;
mod model;
mod sequences;

use std::num::NonZeroU64;

use proptest::prelude::*;

use super::{Algorithm, Moment, Period, Rule, Span, Spent, State, state};

/// 2026-10-31T23:59:50Z, ten seconds before the end of a day and of a month.
const NEAR_MIDNIGHT: u64 = 1_793_491_190_000_000;

/// Spends as a store does: what is refused leaves no trace.
struct Bucket {
    rule: Rule,
    state: Option<State>,
}

impl Bucket {
    fn new(rule: Rule) -> Self {
        Self { rule, state: None }
    }

    fn ask(&self, cost: u64, now: u64) -> Spent {
        let now = Moment::from_micros(now);
        state::spend(&self.rule, self.state, cost_of(cost), now)
    }

    fn spend(&mut self, cost: u64, now: u64) -> Spent {
        let spent = self.ask(cost, now);
        if spent.is_admitted() {
            self.state = Some(spent.state);
        }
        spent
    }
}

fn cost_of(cost: u64) -> NonZeroU64 {
    NonZeroU64::new(cost).unwrap_or(NonZeroU64::MIN)
}

/// How the clock moves between two calls, in microseconds.
fn steps(span: u64) -> impl Strategy<Value = i64> {
    let span = i64::try_from(span).unwrap();
    prop_oneof![
        4 => Just(0_i64),
        4 => 0..=span / 4,
        2 => 0..=span * 3,
        1 => Just(1_i64),
        1 => Just(span),
        2 => -span * 2..=0,
    ]
}

/// Rules whose numbers are small enough that random calls meet their edges.
fn rules() -> impl Strategy<Value = Rule> {
    let limits = || prop_oneof![Just(1_u64), 2..=10_u64, 11..=1000_u64];
    let windows = || prop_oneof![Just(1_000_u64), 1_000..=10_000_u64, Just(3_600_000_u64)];
    let odd = || 1_000_000..=5_000_000_u64;
    let period = prop_oneof![Just(Period::Day), Just(Period::Month)];
    prop_oneof![
        (limits(), odd()).prop_map(|(limit, window)| Algorithm::FixedWindow {
            limit,
            window: Span::from_micros(window),
        }),
        (limits(), windows()).prop_map(|(limit, window)| Algorithm::SlidingWindow {
            limit,
            window: Span::from_millis(window),
        }),
        (limits(), odd(), limits()).prop_map(|(limit, window, burst)| Algorithm::TokenBucket {
            limit,
            window: Span::from_micros(window),
            burst,
        }),
        (limits(), odd(), 0..=5_000_000_u64).prop_map(|(limit, window, max_wait)| {
            Algorithm::LeakyBucket {
                limit,
                window: Span::from_micros(window),
                max_wait: Span::from_micros(max_wait),
            }
        }),
        (limits(), period).prop_map(|(limit, period)| Algorithm::Calendar { limit, period }),
    ]
    .prop_map(|algorithm| Rule::new(algorithm).unwrap())
}

/// The time on which a rule turns.
fn scale(rule: &Rule) -> u64 {
    match rule.algorithm() {
        Algorithm::FixedWindow { window, .. } | Algorithm::SlidingWindow { window, .. } => {
            window.micros()
        }
        Algorithm::TokenBucket { burst, .. } => rule.interval().micros() * burst,
        Algorithm::LeakyBucket { max_wait, .. } => max_wait.micros() + rule.interval().micros(),
        Algorithm::Calendar { .. } => Span::DAY.micros() * 20,
    }
}

/// A rule and calls under it: cost and time.
fn calls() -> impl Strategy<Value = (Rule, Vec<(u64, u64)>)> {
    rules().prop_flat_map(|rule| {
        let costs = prop_oneof![
            4 => Just(1_u64),
            2 => 1..=rule.limit(),
            1 => Just(rule.limit()),
            1 => Just(rule.limit() + 1),
        ];
        let call = (costs, steps(scale(&rule)));
        let calls = prop::collection::vec(call, 1..80).prop_map(|calls| {
            let mut now = NEAR_MIDNIGHT;
            let timed = calls.into_iter().map(|(cost, step)| {
                now = now.saturating_add_signed(step);
                (cost, now)
            });
            timed.collect()
        });
        (Just(rule), calls)
    })
}
