//! From the state of a bucket, a cost and a time to an answer: the meaning of every algorithm, in whole numbers.

use std::num::NonZeroU64;

use super::{Algorithm, Moment, Rule, Span};

/// What is kept of a bucket: three whole numbers, whatever the algorithm.
///
/// Windows: `mark` is the beginning of the window last counted in, in microseconds, `current` what was spent in it,
/// `previous` what was spent in the one before (sliding windows only). Paced algorithms: `mark` is the time at which all
/// that was spent will have come back, or at which the next slot is free; the others are nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// A time in microseconds since the epoch.
    pub mark: u64,
    /// Spent in the window at `mark`.
    pub current: u64,
    /// Spent in the window before it.
    pub previous: u64,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The cost is spent. The caller's turn comes after `wait`, which is nothing but for leaky buckets.
    Admitted {
        /// How long to wait before going on.
        wait: Span,
    },
    /// Nothing is spent.
    Refused {
        /// When the same cost would be admitted if nobody else spent anything; absent when never, because it is above
        /// what the limit holds.
        retry_at: Option<Moment>,
    },
}

/// What came of asking, and what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Admitted or refused.
    pub outcome: Outcome,
    /// How much more could be spent at this moment: so much is admitted and one more is refused. Of a leaky bucket, which
    /// admits whoever finds a slot in reach whatever his cost, so many calls of one each.
    pub remaining: u64,
    /// When `remaining` is whole again, or, for a sliding window, when the window ends.
    pub reset_at: Moment,
    /// The bucket afterwards. A refusal leaves no trace: a store keeps this after an admission only.
    pub state: State,
}

impl Spent {
    /// Whether the cost was spent.
    pub const fn is_admitted(&self) -> bool {
        matches!(self.outcome, Outcome::Admitted { .. })
    }
}

/// Spends `cost` from a bucket in `state` (absent: untouched) at `now`, if the rule lets it.
pub fn spend(rule: &Rule, state: Option<State>, cost: NonZeroU64, now: Moment) -> Spent {
    let state = state.unwrap_or_default();
    match rule.algorithm() {
        Algorithm::TokenBucket { burst, .. } => {
            let interval = rule.interval().micros();
            // INVARIANT: `Rule` bounds burst times interval; what a cost above it saturates to is refused all the same.
            let room = burst.saturating_mul(interval);
            paced(rule, state, cost.get(), now, Pace::Bucket { room })
        }
        Algorithm::LeakyBucket { max_wait, .. } => {
            let max_wait = max_wait.micros();
            paced(rule, state, cost.get(), now, Pace::Queue { max_wait })
        }
        Algorithm::FixedWindow { .. } | Algorithm::Calendar { .. } => {
            windowed(rule, state, cost.get(), now, None)
        }
        Algorithm::SlidingWindow { window, .. } => {
            windowed(rule, state, cost.get(), now, Some(window))
        }
    }
}

/// Gives back `amount` of what was spent in the window that began at `mark`. What belongs to another window has lapsed, and
/// what is paced comes back by itself.
pub fn give_back(rule: &Rule, state: State, amount: NonZeroU64, mark: u64) -> State {
    match rule.algorithm() {
        Algorithm::TokenBucket { .. } | Algorithm::LeakyBucket { .. } => state,
        _ if state.mark != mark => state,
        _ => State {
            current: state.current.saturating_sub(amount.get()),
            ..state
        },
    }
}

/// How much of `previous` still counts `left` before the end of a `window`: its share, rounded up, in milliseconds.
pub fn blend(previous: u64, left: Span, window: Span) -> u64 {
    let (left, window) = (left.micros().div_ceil(1000), window.micros() / 1000);
    // INVARIANT: `Rule` keeps limit times window below 2^53, and callers hold `previous` at the limit.
    previous.saturating_mul(left).div_ceil(window.max(1))
}

fn windowed(rule: &Rule, state: State, cost: u64, now: Moment, sliding: Option<Span>) -> Spent {
    let (begin, end) = rule.window_around(now);
    // A clock that is behind the bucket counts at the beginning of the later window, where it gains nothing.
    let seen = Moment::from_micros(state.mark);
    let is_behind = seen > begin;
    let (now, begin, end) = if is_behind {
        let (_, end) = rule.window_around(seen);
        (seen, seen, end)
    } else {
        (now, begin, end)
    };
    let (current, previous) = if seen == begin {
        (state.current, state.previous)
    } else if sliding.is_some_and(|window| seen.plus(window) == begin) {
        (0, state.current)
    } else {
        (0, 0)
    };
    let limit = rule.limit();
    // More than the limit may have been counted under an earlier configuration; it weighs no more than the limit.
    let weighty = previous.min(limit);
    let weighed = sliding.map_or(0, |window| blend(weighty, end.since(now), window));
    let free = limit.saturating_sub(weighed).saturating_sub(current);
    let (outcome, spent) = if cost <= free {
        (Outcome::Admitted { wait: Span::ZERO }, cost)
    } else {
        let retry_at = (cost <= limit).then(|| match sliding {
            None => end,
            Some(window) => sliding_retry(limit - cost, current.min(limit), weighty, end, window),
        });
        (Outcome::Refused { retry_at }, 0)
    };
    Spent {
        outcome,
        remaining: free - spent,
        reset_at: end,
        state: State {
            mark: begin.micros(),
            current: current.saturating_add(spent),
            previous: if sliding.is_some() { previous } else { 0 },
        },
    }
}

/// When `room` for all but the cost is reached: in this window while the share of the last one shrinks, else in the next
/// while that of this one does.
fn sliding_retry(room: u64, current: u64, previous: u64, end: Moment, window: Span) -> Moment {
    let window = window.micros() / 1000;
    let left = |room: u64, counted: u64| {
        let left = room
            .saturating_mul(window)
            .checked_div(counted)
            .unwrap_or(window);
        left.min(window)
    };
    let back = |at: Moment, millis: u64| {
        Moment::from_micros(at.micros().saturating_sub(millis.saturating_mul(1000)))
    };
    match room.checked_sub(current) {
        Some(room) => back(end, left(room, previous)),
        None => back(end.plus(Span::from_millis(window)), left(room, current)),
    }
}

/// The two paced algorithms: both move one mark by a fixed time for each unit, and differ in how far it may lie ahead.
#[derive(Clone, Copy)]
enum Pace {
    /// The mark after spending may lie `room` ahead.
    Bucket { room: u64 },
    /// The mark before spending may lie `max_wait` ahead, and whoever spends waits for it.
    Queue { max_wait: u64 },
}

fn paced(rule: &Rule, state: State, cost: u64, now: Moment, pace: Pace) -> Spent {
    let interval = rule.interval().micros().max(1);
    let now = now.micros();
    let from = state.mark.max(now);
    let to = from.saturating_add(cost.saturating_mul(interval));
    let is_possible = cost <= rule.limit();
    let (is_free, wait, retry_at) = match pace {
        Pace::Bucket { room } => (to <= now.saturating_add(room), 0, to.saturating_sub(room)),
        Pace::Queue { max_wait } => (
            from - now <= max_wait,
            from - now,
            from.saturating_sub(max_wait),
        ),
    };
    let is_admitted = is_possible && is_free;
    let mark = if is_admitted { to } else { from };
    let ahead = mark - now;
    let remaining = match pace {
        Pace::Bucket { room } => room.saturating_sub(ahead) / interval,
        Pace::Queue { max_wait } => max_wait
            .checked_sub(ahead)
            .map_or(0, |left| left / interval + 1),
    };
    Spent {
        outcome: if is_admitted {
            let wait = Span::from_micros(wait);
            Outcome::Admitted { wait }
        } else {
            let retry_at = is_possible.then(|| Moment::from_micros(retry_at));
            Outcome::Refused { retry_at }
        },
        remaining,
        reset_at: Moment::from_micros(mark),
        state: State {
            mark,
            current: 0,
            previous: 0,
        },
    }
}
