//! The algorithms and their numbers.

use std::num::NonZeroU64;

use super::{Moment, Span};

/// How requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `limit` in each window; windows begin at multiples of their length since the epoch.
    FixedWindow {
        /// How many.
        limit: u64,
        /// In what time.
        window: Span,
    },
    /// `limit` in the blend of this window and the part of the last that is not over yet.
    SlidingWindow {
        /// How many.
        limit: u64,
        /// In what time.
        window: Span,
    },
    /// A bucket that holds `burst` tokens and gains `limit` in each `window`.
    TokenBucket {
        /// How many in each window.
        limit: u64,
        /// The time in which `limit` tokens are gained.
        window: Span,
        /// How many the bucket holds.
        burst: u64,
    },
    /// A queue whose callers leave one by one, `limit` in each `window`; nobody waits longer than `max_wait`.
    LeakyBucket {
        /// How many in each window.
        limit: u64,
        /// The time in which `limit` leave.
        window: Span,
        /// The longest wait for a slot; nothing means that whoever finds no free slot is refused.
        max_wait: Span,
    },
    /// `limit` in each day or month of UTC.
    Calendar {
        /// How many.
        limit: u64,
        /// In what time.
        period: Period,
    },
}

/// A period of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first of the month to the first of the next.
    Month,
}

impl Period {
    /// The beginning and the end of the period in which `now` lies.
    pub fn around(self, now: Moment) -> (Moment, Moment) {
        let day = now.micros() / Span::DAY.micros();
        let at = |day: u64| Moment::from_micros(day.saturating_mul(Span::DAY.micros()));
        match self {
            Self::Day => (at(day), at(day.saturating_add(1))),
            Self::Month => {
                let (first, next) = month_around(day);
                (at(first), at(next))
            }
        }
    }
}

/// The first day of the month of `day` and of the one after it, in days since the epoch. Days beyond the calendar of the
/// library (year 9999) count as one endless month.
fn month_around(day: u64) -> (u64, u64) {
    let epoch = time::Date::from_ordinal_date(1970, 1)
        .map(time::Date::to_julian_day)
        .unwrap_or_default();
    let date = i32::try_from(day)
        .ok()
        .and_then(|day| epoch.checked_add(day))
        .and_then(|julian| time::Date::from_julian_day(julian).ok());
    let Some(date) = date else {
        return (day, u64::MAX);
    };
    let first = day.saturating_sub(u64::from(date.day()).saturating_sub(1));
    let length = u64::from(date.month().length(date.year()));
    (first, first.saturating_add(length))
}

/// Why numbers make no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// A limit of nothing, or one too large to count.
    #[error("a limit lies between 1 and {}", Rule::MAX_LIMIT)]
    Limit,
    /// A window that is too short or too long, or a sliding one that is not of whole milliseconds, in which it is blended.
    #[error("a window lies between 1 second and 31 days; a sliding one is of whole milliseconds")]
    Window,
    /// A burst of nothing, or one that takes longer than 31 days to gain.
    #[error("a burst is at least 1 and takes at most 31 days to come back")]
    Burst,
    /// A wait longer than a gateway waits for its authorizer.
    #[error("a wait is at most 5 seconds")]
    Wait,
    /// More than one in a microsecond.
    #[error("at most 1,000,000 in a second can be told apart")]
    Rate,
    /// A pace that whole microseconds cannot keep.
    #[error(
        "tokens and slots come at whole microseconds, and rounding would take more than 1 % of this rate: above 10,000 in a \
         second take one such as 12,500, 20,000 or 100,000, or count in a fixed window"
    )]
    Rounding,
    /// A sliding window whose blend could not be computed exactly by every store.
    #[error(
        "a sliding window of this length can count fewer: limit times milliseconds of the window must stay below 2^53"
    )]
    Product,
}

/// Numbers that hold: no operation on them overflows, in a store that counts in 64-bit floating point neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    algorithm: Algorithm,
}

impl Rule {
    /// The largest limit.
    pub const MAX_LIMIT: u64 = 1_000_000_000_000;
    /// The longest window.
    pub const MAX_WINDOW: Span = Span::from_seconds(31 * 86_400);
    /// The longest wait for a slot. API Gateway gives an authorizer ten seconds
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>).
    pub const MAX_WAIT: Span = Span::from_seconds(5);
    const EXACT: u64 = 1 << 53;

    /// The rule of `algorithm`.
    ///
    /// # Errors
    /// The first of its numbers that is out of range.
    pub fn new(algorithm: Algorithm) -> Result<Self, RuleFault> {
        let (limit, window) = match algorithm {
            Algorithm::Calendar { limit, .. } => (limit, Span::DAY),
            Algorithm::FixedWindow { limit, window }
            | Algorithm::SlidingWindow { limit, window }
            | Algorithm::TokenBucket { limit, window, .. }
            | Algorithm::LeakyBucket { limit, window, .. } => (limit, window),
        };
        if !(1..=Self::MAX_LIMIT).contains(&limit) {
            return Err(RuleFault::Limit);
        }
        if !(Span::SECOND..=Self::MAX_WINDOW).contains(&window) {
            return Err(RuleFault::Window);
        }
        let rule = Self { algorithm };
        match algorithm {
            Algorithm::SlidingWindow { .. } => {
                if window.micros() % 1000 != 0 {
                    return Err(RuleFault::Window);
                }
                let product = limit.checked_mul(window.micros() / 1000);
                if product.is_none_or(|product| product >= Self::EXACT) {
                    return Err(RuleFault::Product);
                }
            }
            Algorithm::TokenBucket { burst, .. } => {
                rule.paced(limit, window)?;
                let full = burst.checked_mul(rule.interval().micros());
                if burst == 0 || full.is_none_or(|full| full > Self::MAX_WINDOW.micros()) {
                    return Err(RuleFault::Burst);
                }
            }
            Algorithm::LeakyBucket { max_wait, .. } => {
                rule.paced(limit, window)?;
                if max_wait > Self::MAX_WAIT {
                    return Err(RuleFault::Wait);
                }
            }
            Algorithm::FixedWindow { .. } | Algorithm::Calendar { .. } => {}
        }
        Ok(rule)
    }

    fn paced(self, limit: u64, window: Span) -> Result<Self, RuleFault> {
        if limit > window.micros() {
            return Err(RuleFault::Rate);
        }
        let rounded = self.interval().micros().saturating_mul(limit);
        let lost = rounded.saturating_sub(window.micros());
        if lost.saturating_mul(100) > window.micros() {
            return Err(RuleFault::Rounding);
        }
        Ok(self)
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many in each window; for a token bucket, how many at once.
    pub const fn limit(&self) -> u64 {
        match self.algorithm {
            Algorithm::FixedWindow { limit, .. }
            | Algorithm::SlidingWindow { limit, .. }
            | Algorithm::LeakyBucket { limit, .. }
            | Algorithm::Calendar { limit, .. } => limit,
            Algorithm::TokenBucket { burst, .. } => burst,
        }
    }

    /// The time in which `limit` are admitted; for a month of the calendar the longest one.
    pub const fn window(&self) -> Span {
        match self.algorithm {
            Algorithm::FixedWindow { window, .. }
            | Algorithm::SlidingWindow { window, .. }
            | Algorithm::TokenBucket { window, .. }
            | Algorithm::LeakyBucket { window, .. } => window,
            Algorithm::Calendar { period, .. } => match period {
                Period::Day => Span::DAY,
                Period::Month => Self::MAX_WINDOW,
            },
        }
    }

    /// The time between two tokens or slots, rounded up to whole microseconds, so that rounding never admits more; nothing
    /// for algorithms that count in windows.
    pub fn interval(&self) -> Span {
        match self.algorithm {
            Algorithm::TokenBucket { limit, window, .. }
            | Algorithm::LeakyBucket { limit, window, .. } => {
                let limit = NonZeroU64::new(limit).unwrap_or(NonZeroU64::MIN);
                Span::from_micros(window.micros().div_ceil(limit.get()))
            }
            _ => Span::ZERO,
        }
    }

    /// What the numbers of a bucket mean under this rule, as a word: the algorithm, and what it counts in. Two rules with the
    /// same word understand each other's buckets, such as two fixed windows of one length with other limits.
    pub fn unit(&self) -> String {
        match self.algorithm {
            Algorithm::FixedWindow { window, .. } => format!("fixed_window:{}", window.micros()),
            Algorithm::SlidingWindow { window, .. } => {
                format!("sliding_window:{}", window.micros())
            }
            Algorithm::TokenBucket { .. } => format!("token_bucket:{}", self.interval().micros()),
            Algorithm::LeakyBucket { .. } => format!("leaky_bucket:{}", self.interval().micros()),
            Algorithm::Calendar { period, .. } => match period {
                Period::Day => "calendar:day".to_owned(),
                Period::Month => "calendar:month".to_owned(),
            },
        }
    }

    /// How long a store must keep a bucket that nobody touches, so that forgetting it admits nobody: the longest time from
    /// an admitted call to the moment from which the bucket is as good as untouched.
    pub fn memory(&self) -> Span {
        let micros = match self.algorithm {
            Algorithm::FixedWindow { window, .. } => window.micros(),
            Algorithm::SlidingWindow { window, .. } => window.micros().saturating_mul(2),
            Algorithm::TokenBucket { burst, .. } => burst.saturating_mul(self.interval().micros()),
            // A call that waits the longest and costs the most: `limit` slots, which begin at the end of its wait.
            Algorithm::LeakyBucket {
                limit, max_wait, ..
            } => max_wait
                .micros()
                .saturating_add(self.interval().micros().saturating_mul(limit)),
            Algorithm::Calendar { period, .. } => match period {
                Period::Day => Span::DAY.micros(),
                Period::Month => Self::MAX_WINDOW.micros(),
            },
        };
        Span::from_micros(micros)
    }

    /// The window in which `now` lies: its beginning and its end. Both are `now` for algorithms without windows.
    pub fn window_around(&self, now: Moment) -> (Moment, Moment) {
        match self.algorithm {
            Algorithm::FixedWindow { window, .. } | Algorithm::SlidingWindow { window, .. } => {
                let window = NonZeroU64::new(window.micros()).unwrap_or(NonZeroU64::MIN);
                let begin = now.micros() - now.micros() % window;
                let begin = Moment::from_micros(begin);
                (begin, begin.plus(Span::from_micros(window.get())))
            }
            Algorithm::Calendar { period, .. } => period.around(now),
            Algorithm::TokenBucket { .. } | Algorithm::LeakyBucket { .. } => (now, now),
        }
    }
}
