//! The updates, each with the condition under which it is what [`doorward_engine::limits::state::spend`] would do.

use std::num::NonZeroU64;

use doorward_engine::limits::{
    Algorithm, Moment, Rule, Span, Spent, State,
    state::{blend, spend},
};

/// One conditional update. Conditions speak of ranges wherever they can, so that concurrent callers of one bucket do not
/// fail each other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Update {
    /// Paced, some of what was spent has not come back: the mark moves on by `advance` unless it lies beyond `bound`.
    MoveOn { now: u64, bound: u64, advance: u64 },
    /// Paced, untouched or whole again: the mark is set `advance` from now.
    SetOut { now: u64, advance: u64 },
    /// A window that has begun, or a later one: `cost` more unless more than `most` is counted.
    Count { begin: u64, most: i128, cost: u64 },
    /// A window that has not begun: `cost` is counted first. `not_at` is the beginning of the window before, when what was
    /// counted in it weighs on this one.
    Begin {
        begin: u64,
        not_at: Option<u64>,
        cost: u64,
    },
    /// A sliding window that has begun. What was counted in the one before is fixed by then.
    CountBlended {
        mark: u64,
        previous: u64,
        most: i128,
        cost: u64,
    },
    /// A sliding window that has not begun, after one that is counted: that becomes the previous one, unless more than
    /// `most` is counted in it.
    Roll {
        begin: u64,
        last: u64,
        most: i128,
        cost: u64,
    },
    /// Nothing, under a condition that never holds: shows the bucket.
    Look,
}

impl Update {
    /// The update that fits a bucket in the state `seen`.
    pub(super) fn fitting(rule: &Rule, seen: Option<State>, cost: NonZeroU64, now: Moment) -> Self {
        let seen = seen.unwrap_or_default();
        let cost = cost.get();
        let Some(spare) = rule.limit().checked_sub(cost) else {
            return Self::Look;
        };
        let interval = rule.interval().micros();
        let advance = cost.saturating_mul(interval);
        match rule.algorithm() {
            Algorithm::TokenBucket { .. } => paced(seen, now, advance, spare * interval),
            Algorithm::LeakyBucket { max_wait, .. } => paced(seen, now, advance, max_wait.micros()),
            Algorithm::FixedWindow { .. } | Algorithm::Calendar { .. } => {
                let begin = rule.window_around(now).0.micros();
                if seen.mark >= begin {
                    let most = spare.into();
                    Self::Count { begin, most, cost }
                } else {
                    let not_at = None;
                    Self::Begin {
                        begin,
                        not_at,
                        cost,
                    }
                }
            }
            Algorithm::SlidingWindow { limit, window } => {
                sliding(rule, seen, now, (limit, window), cost)
            }
        }
    }

    pub(super) fn condition(&self) -> &'static str {
        match self {
            Self::MoveOn { .. } => "#format = :format AND #mark > :now AND #mark <= :bound",
            Self::SetOut { .. } => {
                "attribute_not_exists(#pk) OR (#format = :format AND #mark <= :now)"
            }
            Self::Count { .. } => "#format = :format AND #mark >= :begin AND #current <= :most",
            Self::Begin { not_at: None, .. } => {
                "attribute_not_exists(#pk) OR (#format = :format AND #mark < :begin)"
            }
            Self::Begin { .. } => {
                "attribute_not_exists(#pk) OR (#format = :format AND #mark < :begin AND #mark <> :not_at)"
            }
            Self::CountBlended { .. } => {
                "#format = :format AND #mark = :mark AND #previous = :previous AND #current <= :most"
            }
            Self::Roll { .. } => "#format = :format AND #mark = :last AND #current <= :most",
            Self::Look => "attribute_not_exists(#pk) AND attribute_exists(#pk)",
        }
    }

    pub(super) fn expression(&self) -> &'static str {
        match self {
            Self::MoveOn { .. } => "SET #mark = #mark + :advance, #expires_at = :expires_at",
            Self::SetOut { .. } => {
                "SET #format = :format, #mark = :set_to, #current = :zero, #previous = :zero, #expires_at = :expires_at"
            }
            Self::Count { .. } | Self::CountBlended { .. } => {
                "SET #current = #current + :cost, #expires_at = :expires_at"
            }
            Self::Begin { .. } => {
                "SET #format = :format, #mark = :begin, #current = :cost, #previous = :zero, #expires_at = :expires_at"
            }
            Self::Roll { .. } => {
                "SET #mark = :begin, #previous = #current, #current = :cost, #expires_at = :expires_at"
            }
            Self::Look => "SET #expires_at = :expires_at",
        }
    }

    pub(super) fn texts(&self) -> [&'static str; 2] {
        [self.condition(), self.expression()]
    }

    /// The values of the placeholders, besides those that every update has.
    pub(super) fn numbers(&self) -> Vec<(&'static str, i128)> {
        let wide = i128::from;
        match *self {
            Self::MoveOn {
                now,
                bound,
                advance,
            } => {
                let (now, bound, advance) = (wide(now), wide(bound), wide(advance));
                vec![(":now", now), (":bound", bound), (":advance", advance)]
            }
            Self::SetOut { now, advance } => {
                let set_to = wide(now.saturating_add(advance));
                vec![(":now", wide(now)), (":set_to", set_to)]
            }
            Self::Count { begin, most, cost } => vec![
                (":begin", wide(begin)),
                (":most", most),
                (":cost", wide(cost)),
            ],
            Self::Begin {
                begin,
                not_at,
                cost,
            } => {
                let not_at = wide(not_at.unwrap_or_default());
                let (begin, cost) = (wide(begin), wide(cost));
                vec![(":begin", begin), (":not_at", not_at), (":cost", cost)]
            }
            Self::CountBlended {
                mark,
                previous,
                most,
                cost,
            } => vec![
                (":mark", wide(mark)),
                (":previous", wide(previous)),
                (":most", most),
                (":cost", wide(cost)),
            ],
            Self::Roll {
                begin,
                last,
                most,
                cost,
            } => vec![
                (":begin", wide(begin)),
                (":last", wide(last)),
                (":most", most),
                (":cost", wide(cost)),
            ],
            Self::Look => Vec::new(),
        }
    }

    /// The answer to a caller whose update left the bucket in the state `after`; nothing when it cannot have.
    pub(super) fn answer(
        &self,
        rule: &Rule,
        after: State,
        cost: NonZeroU64,
        now: Moment,
    ) -> Option<Spent> {
        let before = match *self {
            Self::MoveOn { advance, .. } => Some(State {
                mark: after.mark.checked_sub(advance)?,
                ..State::default()
            }),
            Self::Count { cost, .. } | Self::CountBlended { cost, .. } => Some(State {
                current: after.current.checked_sub(cost)?,
                ..after
            }),
            Self::Roll { last, .. } => Some(State {
                mark: last,
                current: after.previous,
                previous: 0,
            }),
            Self::SetOut { .. } | Self::Begin { .. } => None,
            Self::Look => return None,
        };
        let spent = spend(rule, before, cost, now);
        let is_same = match rule.algorithm() {
            Algorithm::TokenBucket { .. } | Algorithm::LeakyBucket { .. } => {
                spent.state.mark == after.mark
            }
            Algorithm::FixedWindow { .. } | Algorithm::Calendar { .. } => {
                (spent.state.mark, spent.state.current) == (after.mark, after.current)
            }
            Algorithm::SlidingWindow { .. } => spent.state == after,
        };
        (spent.is_admitted() && is_same).then_some(spent)
    }
}

/// `reach` is how far the mark may lie ahead before the cost is spent.
fn paced(seen: State, now: Moment, advance: u64, reach: u64) -> Update {
    let now = now.micros();
    if seen.mark > now {
        Update::MoveOn {
            now,
            bound: now.saturating_add(reach),
            advance,
        }
    } else {
        Update::SetOut { now, advance }
    }
}

fn sliding(rule: &Rule, seen: State, now: Moment, numbers: (u64, Span), cost: u64) -> Update {
    let (limit, window) = numbers;
    let spare = limit.saturating_sub(cost);
    let (begin, end) = rule.window_around(now);
    let mark = Moment::from_micros(seen.mark);
    if mark >= begin {
        // A clock that is behind counts at the beginning of the later window.
        let (now, end) = if mark == begin {
            (now, end)
        } else {
            (mark, rule.window_around(mark).1)
        };
        let weighed = blend(seen.previous.min(limit), end.since(now), window);
        return Update::CountBlended {
            mark: seen.mark,
            previous: seen.previous,
            most: i128::from(spare) - i128::from(weighed),
            cost,
        };
    }
    let begin = begin.micros();
    let last = begin.checked_sub(window.micros());
    if last == Some(seen.mark) {
        // The most that may have been counted in the last window for its share, rounded up, to leave room for the cost.
        let left = u128::from(end.since(now).micros().div_ceil(1000)).max(1);
        let millis = u128::from(window.micros() / 1000);
        let most = u128::from(spare) * millis / left;
        // More than the limit weighs no more than the limit.
        let most = if most >= u128::from(limit) {
            u128::from(u64::MAX)
        } else {
            most
        };
        Update::Roll {
            begin,
            last: seen.mark,
            most: i128::try_from(most).unwrap_or(i128::MAX),
            cost,
        }
    } else {
        Update::Begin {
            begin,
            not_at: last,
            cost,
        }
    }
}
