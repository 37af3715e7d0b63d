//! Rules of every algorithm, and calls under them.
#![expect(
    clippy::expect_used,
    reason = "what a suite cannot build fails the suite"
)]

use std::{num::NonZeroU64, time::Duration};

use doorward_backends::dynamodb::Patience;
use doorward_engine::limits::{Algorithm, Moment, Period, Rule, Span};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// 2026-10-31T23:59:50Z, ten seconds before the end of a day and of a month.
pub const NEAR_MIDNIGHT: u64 = 1_793_491_190_000_000;

/// The patience of suites that count exactly: one attempt, as long as it takes. A second attempt may count twice.
pub const CALM: Patience = Patience {
    connect: Duration::from_secs(20),
    attempt: Duration::from_mins(1),
    attempts: 1,
};

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// What it costs.
    pub cost: NonZeroU64,
    /// When it comes.
    pub now: Moment,
    /// What part of its cost is given back afterwards, in percent.
    pub back: u64,
    /// Through which of two callers' stores it comes.
    pub through: usize,
}

/// A cost.
///
/// # Panics
///
/// When it is nothing.
pub fn cost(cost: u64) -> NonZeroU64 {
    NonZeroU64::new(cost).expect("a cost is something")
}

/// A rule of each algorithm, under each of which `limit` is admitted at one moment.
///
/// # Panics
///
/// When `limit` makes no rule.
pub fn one_of_each(limit: u64, window: Duration) -> Vec<(&'static str, Rule)> {
    let window = Span::from_micros(u64::try_from(window.as_micros()).unwrap_or(u64::MAX));
    let day = Period::Day;
    // Whoever finds a slot within this wait goes on: so many at one moment.
    let queue = Span::from_micros(window.micros().div_ceil(limit) * (limit - 1));
    [
        ("fixed window", Algorithm::FixedWindow { limit, window }),
        ("sliding window", Algorithm::SlidingWindow { limit, window }),
        (
            "token bucket",
            Algorithm::TokenBucket {
                limit,
                window,
                burst: limit,
            },
        ),
        (
            "leaky bucket",
            Algorithm::LeakyBucket {
                limit,
                window,
                max_wait: queue.min(Rule::MAX_WAIT),
            },
        ),
        ("calendar", Algorithm::Calendar { limit, period: day }),
    ]
    .map(|(name, algorithm)| (name, Rule::new(algorithm).expect("a rule")))
    .to_vec()
}

/// Random rules with random calls under each, the same for the same `seed`.
///
/// # Panics
///
/// Never: nothing is filtered.
pub fn sequences(seed: u8, count: usize) -> Vec<(Rule, Vec<Call>)> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = rules().prop_flat_map(|rule| (Just(rule), calls(rule)));
    let draw = || {
        strategy
            .new_tree(&mut runner)
            .expect("a sequence")
            .current()
    };
    std::iter::repeat_with(draw).take(count).collect()
}

fn rules() -> impl Strategy<Value = Rule> {
    let limits = || prop_oneof![Just(1_u64), 2..=10_u64, 11..=1000_u64];
    let seconds = || (1..=5_u64).prop_map(Span::from_seconds);
    let wait = (0..=5000_u64).prop_map(Span::from_millis);
    let period = prop_oneof![Just(Period::Day), Just(Period::Month)];
    prop_oneof![
        (limits(), seconds()).prop_map(|(limit, window)| Algorithm::FixedWindow { limit, window }),
        (limits(), seconds())
            .prop_map(|(limit, window)| Algorithm::SlidingWindow { limit, window }),
        (limits(), seconds(), limits()).prop_map(|(limit, window, burst)| {
            Algorithm::TokenBucket {
                limit,
                window,
                burst,
            }
        }),
        (limits(), seconds(), wait).prop_map(|(limit, window, max_wait)| Algorithm::LeakyBucket {
            limit,
            window,
            max_wait,
        }),
        (limits(), period).prop_map(|(limit, period)| Algorithm::Calendar { limit, period }),
    ]
    .prop_map(|algorithm| Rule::new(algorithm).expect("a rule"))
}

fn calls(rule: Rule) -> impl Strategy<Value = Vec<Call>> {
    let scale = match rule.algorithm() {
        Algorithm::Calendar { .. } => Span::DAY.micros() * 20,
        _ => rule.memory().micros(),
    };
    let scale = i64::try_from(scale).unwrap_or(i64::MAX / 4);
    let steps = prop_oneof![
        4 => Just(0_i64),
        4 => 0..=scale / 4,
        2 => 0..=scale * 2,
        1 => Just(1_i64),
        1 => -scale * 2..=0,
    ];
    let costs = prop_oneof![
        4 => Just(1_u64),
        3 => 1..=rule.limit(),
        1 => Just(rule.limit()),
        1 => Just(rule.limit() + 1),
        1 => Just(u64::MAX),
    ];
    let backs = prop_oneof![5 => Just(0_u64), 1 => 1..=100_u64];
    let call = (costs, steps, backs, 0..2_usize);
    prop::collection::vec(call, 1..40).prop_map(|calls| {
        let mut now = NEAR_MIDNIGHT;
        let placed = calls.into_iter().map(|(spent, step, back, through)| {
            now = now.saturating_add_signed(step);
            Call {
                cost: cost(spent),
                now: Moment::from_micros(now),
                back,
                through,
            }
        });
        placed.collect()
    })
}
