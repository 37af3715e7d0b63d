//! Models: each keeps a plain history and no clever number, in another shape than the code under test.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::super::{Algorithm, Period, Rule, Span};

/// What a model says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Admitted after so many microseconds.
    Admitted(u128),
    Refused,
}

pub(super) enum Model {
    Windows(Windows),
    Tokens(Tokens),
    Slots(Slots),
}

impl Model {
    pub(super) fn of(rule: &Rule) -> Self {
        match rule.algorithm() {
            Algorithm::FixedWindow { limit, window } => {
                let length = window.micros();
                Self::Windows(Windows::new(limit, Kind::Fixed(length)))
            }
            Algorithm::SlidingWindow { limit, window } => {
                let length = window.micros();
                Self::Windows(Windows::new(limit, Kind::Sliding(length)))
            }
            Algorithm::Calendar { limit, period } => {
                Self::Windows(Windows::new(limit, Kind::Calendar(period)))
            }
            Algorithm::TokenBucket {
                limit,
                window,
                burst,
            } => Self::Tokens(Tokens {
                each: pace(limit, window),
                burst: u128::from(burst),
                left: u128::from(burst) * pace(limit, window),
                seen: 0,
            }),
            Algorithm::LeakyBucket {
                limit,
                window,
                max_wait,
            } => Self::Slots(Slots {
                limit,
                every: pace(limit, window),
                max_wait: u128::from(max_wait.micros()),
                taken: Vec::new(),
            }),
        }
    }

    pub(super) fn spend(&mut self, cost: u64, now: u64) -> Says {
        match self {
            Self::Windows(model) => model.spend(cost, now),
            Self::Tokens(model) => model.spend(cost.into(), now.into()),
            Self::Slots(model) => model.spend(cost, now.into()),
        }
    }
}

/// The first whole number of microseconds in which one may come, and in which no more than one hundredth of the rate is lost.
fn pace(limit: u64, window: Span) -> u128 {
    let (limit, window) = (u128::from(limit), u128::from(window.micros()));
    let mut pace = window / limit;
    while pace * limit < window {
        pace += 1;
    }
    assert!(pace * limit * 100 <= window * 101, "{limit} in {window} us");
    pace
}

enum Kind {
    Fixed(u64),
    Sliding(u64),
    Calendar(Period),
}

/// Counts by the number of the window, for ever.
pub(super) struct Windows {
    limit: u64,
    kind: Kind,
    spent: BTreeMap<u64, u64>,
}

impl Windows {
    fn new(limit: u64, kind: Kind) -> Self {
        let spent = BTreeMap::new();
        Self { limit, kind, spent }
    }

    fn number(&self, now: u64) -> u64 {
        match self.kind {
            Kind::Fixed(length) | Kind::Sliding(length) => now / length,
            Kind::Calendar(period) => {
                let at = i64::try_from(now / 1_000_000).unwrap();
                let at = OffsetDateTime::from_unix_timestamp(at).unwrap();
                let year = u64::try_from(at.year()).unwrap();
                let month = u64::from(u8::from(at.month()));
                let day = u64::from(at.day());
                match period {
                    Period::Day => (year * 100 + month) * 100 + day,
                    Period::Month => year * 100 + month,
                }
            }
        }
    }

    fn spend(&mut self, cost: u64, now: u64) -> Says {
        let own = self.number(now);
        let latest = self.spent.keys().next_back().copied().unwrap_or(0);
        let number = own.max(latest);
        let spent = |number: u64| u128::from(self.spent.get(&number).copied().unwrap_or(0));
        let (limit, cost_wide) = (u128::from(self.limit), u128::from(cost));
        let fits = match self.kind {
            Kind::Fixed(_) | Kind::Calendar(_) => spent(number) + cost_wide <= limit,
            Kind::Sliding(length) => {
                // A clock that is behind stands at the beginning of the latest window.
                let gone = if own < latest { 0 } else { now % length };
                let left = u128::from((length - gone).div_ceil(1000));
                let millis = u128::from(length / 1000);
                (spent(number) + cost_wide) * millis + spent(number - 1) * left <= limit * millis
            }
        };
        if fits {
            *self.spent.entry(number).or_default() += cost;
            Says::Admitted(0)
        } else {
            Says::Refused
        }
    }
}

/// Counts what is in the bucket, in parts of a token so small that each comes in a microsecond.
pub(super) struct Tokens {
    each: u128,
    burst: u128,
    left: u128,
    seen: u128,
}

impl Tokens {
    fn spend(&mut self, cost: u128, now: u128) -> Says {
        let full = self.each * self.burst;
        // What a later caller has seen come in is not there yet for one whose clock is behind.
        let (left, seen) = if now >= self.seen {
            (full.min(self.left + (now - self.seen)), now)
        } else {
            match self.left.checked_sub(self.seen - now) {
                Some(left) => (left, now),
                None => return Says::Refused,
            }
        };
        match left.checked_sub(cost * self.each) {
            Some(left) => {
                (self.left, self.seen) = (left, seen);
                Says::Admitted(0)
            }
            None => Says::Refused,
        }
    }
}

/// Lists the slots that are taken.
pub(super) struct Slots {
    limit: u64,
    every: u128,
    max_wait: u128,
    taken: Vec<u128>,
}

impl Slots {
    fn spend(&mut self, cost: u64, now: u128) -> Says {
        let free = self.taken.last().map_or(0, |last| last + self.every);
        let slot = free.max(now);
        if cost > self.limit || slot > now + self.max_wait {
            return Says::Refused;
        }
        for number in 0..u128::from(cost) {
            self.taken.push(slot + number * self.every);
        }
        Says::Admitted(slot - now)
    }
}
