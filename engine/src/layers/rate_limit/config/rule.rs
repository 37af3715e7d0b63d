//! The numbers of one limit.

use std::num::NonZeroU64;

use super::raw::{RawAlgorithm, RawLimit, RawPer, RawTerms};
use crate::{
    config::{Faults, Problem},
    limits::{Algorithm, Period, Rule, RuleFault, Span},
};

/// The rule of a limit at `path`.
pub(super) fn rule(raw: &RawLimit, path: &str, faults: &mut Faults) -> Option<Rule> {
    let algorithm = raw.algorithm.unwrap_or(RawAlgorithm::TokenBucket);
    misplaced(raw, algorithm, path, faults);
    let limit = count(raw.limit, &format!("{path}.limit"), faults);
    let time = time(raw, algorithm, path, faults);
    let (limit, time) = (limit?, time?);
    let burst = match raw.burst {
        None => limit,
        given => count(given, &format!("{path}.burst"), faults)?,
    };
    let max_wait = wait(raw.max_wait_ms, path, faults)?;
    let algorithm = match (algorithm, time) {
        (_, Time::Calendar(period)) => Algorithm::Calendar { limit, period },
        (RawAlgorithm::FixedWindow, Time::Window(window)) => {
            Algorithm::FixedWindow { limit, window }
        }
        (RawAlgorithm::SlidingWindow, Time::Window(window)) => {
            Algorithm::SlidingWindow { limit, window }
        }
        (RawAlgorithm::LeakyBucket, Time::Window(window)) => Algorithm::LeakyBucket {
            limit,
            window,
            max_wait,
        },
        (RawAlgorithm::TokenBucket | RawAlgorithm::Calendar, Time::Window(window)) => {
            Algorithm::TokenBucket {
                limit,
                window,
                burst,
            }
        }
    };
    checked(algorithm, raw, path, faults)
}

/// The same rule with the numbers of a plan at `path`.
pub(super) fn with(base: &Rule, raw: &RawTerms, path: &str, faults: &mut Faults) -> Option<Rule> {
    let of_limit = format!("{path}.limit");
    let given = raw
        .limit
        .map(|found| count(Some(found), &of_limit, faults))
        .map_or(Some(None), |given| given.map(Some))?;
    if raw.limit.is_none() && raw.burst.is_none() {
        let what = "say `limit` or `burst`, or leave the limit out to keep its numbers";
        faults.problem(path, Problem::Missing { what });
        return None;
    }
    let mut algorithm = base.algorithm();
    match &mut algorithm {
        Algorithm::TokenBucket { limit, burst, .. } => {
            if let Some(given) = given {
                (*limit, *burst) = (given, given);
            }
            if raw.burst.is_some() {
                *burst = count(raw.burst, &format!("{path}.burst"), faults)?;
            }
        }
        Algorithm::FixedWindow { limit, .. }
        | Algorithm::SlidingWindow { limit, .. }
        | Algorithm::LeakyBucket { limit, .. }
        | Algorithm::Calendar { limit, .. } => {
            if raw.burst.is_some() {
                let needs = RawAlgorithm::TokenBucket.as_str();
                faults.problem(format!("{path}.burst"), Problem::LimitSetting { needs });
            }
            *limit = given.unwrap_or(*limit);
        }
    }
    match Rule::new(algorithm) {
        Ok(rule) => Some(rule),
        Err(fault) => {
            let setting = if fault == RuleFault::Burst && raw.burst.is_some() {
                "burst"
            } else {
                "limit"
            };
            let reason = fault.to_string();
            faults.problem(format!("{path}.{setting}"), Problem::LimitNumber { reason });
            None
        }
    }
}

/// How many a request may spend or a limit may hold.
pub(super) fn count(found: Option<i64>, path: &str, faults: &mut Faults) -> Option<u64> {
    let Some(found) = found else {
        if !faults.is_replaced(path) {
            let what = "say how many";
            faults.problem(path, Problem::Missing { what });
        }
        return None;
    };
    let count = u64::try_from(found)
        .ok()
        .filter(|count| (1..=Rule::MAX_LIMIT).contains(count));
    if count.is_none() {
        let max = Rule::MAX_LIMIT;
        faults.problem(path, Problem::LimitCount { max, found });
    }
    count
}

/// The lease at `path`: at least two, because one is what a request takes anyway.
pub(super) fn lease(raw: &RawLimit, path: &str, faults: &mut Faults) -> Option<NonZeroU64> {
    let found = raw.lease?;
    let lease = u64::try_from(found).ok().filter(|lease| *lease >= 2);
    if lease.is_none() {
        let problem = Problem::LimitLeaseSmall { found };
        faults.problem(format!("{path}.lease"), problem);
    }
    lease.and_then(NonZeroU64::new)
}

enum Time {
    Window(Span),
    Calendar(Period),
}

fn time(raw: &RawLimit, algorithm: RawAlgorithm, path: &str, faults: &mut Faults) -> Option<Time> {
    let (of_per, of_window) = (format!("{path}.per"), format!("{path}.window_seconds"));
    let is_calendar = algorithm == RawAlgorithm::Calendar;
    match (raw.per, raw.window_seconds) {
        (Some(_), Some(_)) => {
            faults.problem(of_window, Problem::LimitWindowBoth);
            None
        }
        (None, None) => {
            if !faults.is_replaced(&of_per) && !faults.is_replaced(&of_window) {
                let what = if is_calendar {
                    "say `per = \"day\"` or `per = \"month\"`"
                } else {
                    "say in what time, such as `per = \"second\"`, or `window_seconds`"
                };
                faults.problem(of_per, Problem::Missing { what });
            }
            None
        }
        (None, Some(_)) if is_calendar => {
            let (found, instead) = ("window_seconds", "say `per = \"day\"` or `per = \"month\"`");
            let algorithm = algorithm.as_str();
            faults.problem(
                of_window,
                Problem::LimitPeriod {
                    found,
                    algorithm,
                    instead,
                },
            );
            None
        }
        (None, Some(seconds)) => {
            let window = u64::try_from(seconds).ok().map(Span::from_seconds);
            let window = window.filter(|w| (Span::SECOND..=Rule::MAX_WINDOW).contains(w));
            if window.is_none() {
                let reason = RuleFault::Window.to_string();
                faults.problem(of_window, Problem::LimitNumber { reason });
            }
            window.map(Time::Window)
        }
        (Some(per), None) => {
            let fixed = |seconds| Some(Time::Window(Span::from_seconds(seconds)));
            let (time, instead) = match (per, is_calendar) {
                (RawPer::Day, true) => (Some(Time::Calendar(Period::Day)), ""),
                (RawPer::Month, true) => (Some(Time::Calendar(Period::Month)), ""),
                (RawPer::Second | RawPer::Minute | RawPer::Hour, true) => {
                    (None, "say `day` or `month`, or take another algorithm")
                }
                (RawPer::Second, false) => (fixed(1), ""),
                (RawPer::Minute, false) => (fixed(60), ""),
                (RawPer::Hour, false) => (fixed(3600), ""),
                (RawPer::Day, false) => (fixed(86_400), ""),
                (RawPer::Month, false) => (
                    None,
                    "months differ in length; take `algorithm = \"calendar\"` or `window_seconds`",
                ),
            };
            if time.is_none() {
                let (found, algorithm) = (per.as_str(), algorithm.as_str());
                faults.problem(
                    of_per,
                    Problem::LimitPeriod {
                        found,
                        algorithm,
                        instead,
                    },
                );
            }
            time
        }
    }
}

fn wait(millis: Option<i64>, path: &str, faults: &mut Faults) -> Option<Span> {
    let Some(found) = millis else {
        return Some(Span::ZERO);
    };
    let wait = u64::try_from(found).ok().map(Span::from_millis);
    let wait = wait.filter(|wait| *wait <= Rule::MAX_WAIT);
    if wait.is_none() {
        let reason = RuleFault::Wait.to_string();
        let problem = Problem::LimitNumber { reason };
        faults.problem(format!("{path}.max_wait_ms"), problem);
    }
    wait
}

/// Settings that mean nothing for the algorithm.
fn misplaced(raw: &RawLimit, algorithm: RawAlgorithm, path: &str, faults: &mut Faults) {
    let leaky = RawAlgorithm::LeakyBucket;
    for (setting, is_set, fits, needs) in [
        (
            "burst",
            raw.burst.is_some(),
            algorithm == RawAlgorithm::TokenBucket,
            "token_bucket",
        ),
        (
            "max_wait_ms",
            raw.max_wait_ms.is_some(),
            algorithm == leaky,
            "leaky_bucket",
        ),
    ] {
        if is_set && !fits {
            faults.problem(format!("{path}.{setting}"), Problem::LimitSetting { needs });
        }
    }
    if raw.lease.is_some() && algorithm == leaky {
        faults.problem(format!("{path}.lease"), Problem::LimitLeaseLeaky);
    }
}

fn checked(algorithm: Algorithm, raw: &RawLimit, path: &str, faults: &mut Faults) -> Option<Rule> {
    match Rule::new(algorithm) {
        Ok(rule) => Some(rule),
        Err(fault) => {
            let setting = match fault {
                RuleFault::Burst if raw.burst.is_some() => "burst",
                RuleFault::Wait => "max_wait_ms",
                RuleFault::Window => "window_seconds",
                RuleFault::Limit
                | RuleFault::Rate
                | RuleFault::Rounding
                | RuleFault::Product
                | RuleFault::Burst => "limit",
            };
            let reason = fault.to_string();
            faults.problem(format!("{path}.{setting}"), Problem::LimitNumber { reason });
            None
        }
    }
}
